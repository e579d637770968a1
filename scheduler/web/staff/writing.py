"""Writing to a patient: the words, a look at the message as it will go, and sending it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from scheduler.domain.people import Channel
from scheduler.records import Patient
from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.writing import (
    LONGEST_WORDS,
    Draft,
    Preview,
    WritingError,
    preview,
    send,
    ways,
    why_nobody,
    withdraw,
)
from scheduler.web.forms import OwnLongFields
from scheduler.web.site import Here, Site
from scheduler.web.staff.page import staff_page
from scheduler.web.staff.patient_page import deciding, new_mark, patient_page, require, to_patient, uuid_from
from scheduler.web.staff.session import Carer

router = APIRouter(prefix="/patients/{mrn}/message")


@router.post("/preview")
def look(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> HTMLResponse:
    """The message as it would go, and a button that sends it."""
    return _page(request, site, who, mrn, fields)


@router.post("/count")
def count(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> HTMLResponse:
    """How long the message is, for the page to show while somebody types."""
    patient = require(site, who, mrn)
    shown, wrong = _preview(site, who, patient, _draft(fields)) if fields.get("words", "").strip() else (None, None)
    return staff_page(request, site, who, "patient/_count.html", preview=shown, wrong=wrong)


@router.post("/send")
def send_it(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> Response:
    """Send it. Words that a message should not have are asked about once more."""
    patient = require(site, who, mrn)
    draft = _draft(fields)
    shown, _ = _preview(site, who, patient, draft)
    doubts = _doubts(site, shown)
    if shown is None or (doubts and "certain" not in fields):
        return _page(request, site, who, mrn, fields, status=422)
    app = site.app
    try:
        send(app.store, app.rules, app.composer, deciding(site, who, mrn), draft, once=fields.get("once", ""))
    except WritingError as error:
        return _page(request, site, who, mrn, fields, status=422, wrong=error)
    return to_patient(mrn, "latest")


@router.post("/{message_id}/withdraw")
def take_back(request: Request, site: Here, who: Carer, mrn: str, message_id: str, fields: OwnLongFields) -> Response:
    """Take back a message that waits to go."""
    require(site, who, mrn)
    try:
        withdraw(site.app.store, deciding(site, who, mrn), uuid_from(message_id))
    except WritingError as error:
        return patient_page(request, site, who, mrn, wrong=str(error))
    return to_patient(mrn, "latest")


def _draft(fields: dict[str, str]) -> Draft:
    chosen = fields.get("channel", "")
    return Draft(Channel(chosen) if chosen in list(Channel) else Channel.SMS, fields.get("words", ""))


def _preview(
    site: Site, who: SignedIn, patient: Patient, draft: Draft
) -> tuple[Preview, None] | tuple[None, WritingError]:
    app = site.app
    try:
        with app.store.reading() as unit:
            now = app.clock.now()
            return preview(unit, app.rules, app.composer, who.clinic, patient, draft, now=now), None
    except WritingError as error:
        return None, error


def _doubts(site: Site, shown: Preview | None) -> list[tuple[str, tuple[str, ...]]]:
    """Why the words should perhaps not be sent, each with those words."""
    return [] if shown is None else site.app.doubts_about(shown.draft.words, shown.language)


def _page(
    request: Request,
    site: Site,
    who: SignedIn,
    mrn: str,
    fields: dict[str, str],
    *,
    status: int = 200,
    wrong: WritingError | None = None,
) -> HTMLResponse:
    patient = require(site, who, mrn)
    draft = _draft(fields)
    shown, refused = _preview(site, who, patient, draft)
    open_ways = ways(patient, who.clinic)
    wrong = wrong or refused
    return staff_page(
        request,
        site,
        who,
        "message.html",
        status=422 if wrong else status,
        here="/patients",
        one=patient,
        preview=shown,
        doubts=_doubts(site, shown),
        draft=draft,
        ways=open_ways,
        why_nobody=None if open_ways else why_nobody(patient, who.clinic),
        once=fields.get("once", "")[:64] or new_mark(),
        longest=LONGEST_WORDS,
        wrong=wrong,
        now=site.app.clock.now(),
    )
