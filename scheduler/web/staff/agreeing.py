"""What a patient has agreed to, and what they tell the clinic about it; and their carer."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from scheduler.domain.people import TOLD_TO_STAFF, CarerMode, Channel, ConsentSource, StopScope
from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.care import CareError
from scheduler.services.carer_records import CarerError, CarerWish, carer_row, remove_carer, set_carer
from scheduler.services.consent_desk import LONGEST_WORDING, ConsentError, Told, consent_of, record_told
from scheduler.services.intake.draft import PhoneCheck
from scheduler.web.forms import OwnLongFields
from scheduler.web.site import Here, Site
from scheduler.web.staff.page import clinic_now, staff_page
from scheduler.web.staff.patient_page import date_from, deciding, require, seen_by, to_patient
from scheduler.web.staff.session import Carer, Reader

router = APIRouter(prefix="/patients/{mrn}")

_EVERYTHING = "all"
_COMMAND = re.compile(r"; `bonewise [^`]*`[^;]*")  # what helps on the command line
_LONGEST = 320  # characters of a field that is shown again


# Consent


@router.get("/consent")
def consent(request: Request, site: Here, who: Reader, mrn: str, decision: str = "") -> HTMLResponse:
    """All that is on record, and a form for what the patient says now; a link may have chosen the `decision`."""
    with site.app.store.writing() as unit:
        seen_by(unit, site, who, mrn)
    return _consent_page(request, site, who, mrn, {"decision": decision})


@router.post("/consent")
def record(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> Response:
    """Record what the patient said; a refusal stands on the page, with what was typed."""
    require(site, who, mrn)
    about = deciding(site, who, mrn)
    try:
        told = _told(fields, mrn, by=about.by)
        record_told(site.app.store, site.app.rules, who.clinic, told, now=about.now)
    except (ConsentError, CareError) as error:
        return _consent_page(request, site, who, mrn, fields, wrong=_for_people(str(error)), field=error.field)
    return RedirectResponse(f"{to_patient(mrn).headers['location']}/consent", status_code=303)


def _told(fields: dict[str, str], mrn: str, *, by: str) -> Told:
    """What the form says. Raises `CareError`."""
    decision, how, channel = (fields.get(name, "") for name in ("decision", "how", "channel"))
    if decision not in ("given", "revoked"):
        raise CareError("choose whether the patient agrees or wants no more messages", field="decision")
    if how not in [source.value for source in TOLD_TO_STAFF]:
        raise CareError("choose how the patient told you", field="how")
    if channel not in (_EVERYTHING, *Channel):
        raise CareError("choose what it is about", field="channel")
    wording = fields.get("wording", "").strip()
    if len(wording) > LONGEST_WORDING:
        raise CareError(
            f"the wording: write at most {LONGEST_WORDING} characters, such as the name of the form", field="wording"
        )
    on = fields.get("on", "").strip()
    return Told(
        mrn=mrn,
        channels=() if channel == _EVERYTHING else (Channel(channel),),
        granted=decision == "given",
        source=ConsentSource(how),
        by=by,
        on=date_from(on, field="on") if on else None,
        wording=wording or None,
        topic=fields.get("topic", "").strip() or None,
    )


def _for_people(text: str) -> str:
    """The same without what only the command line has."""
    return (
        _COMMAND.sub("", text)
        .replace(" by `bonewise import` first", "")
        .replace(" by `bonewise import`", "")
        .replace("another --channel", "the other way")
    )


def _consent_page(
    request: Request,
    site: Site,
    who: SignedIn,
    mrn: str,
    typed: dict[str, str],
    *,
    wrong: str | None = None,
    field: str = "",
) -> HTMLResponse:
    app = site.app
    standing = consent_of(app.store, app.rules, who.clinic, mrn=mrn, now=app.clock.now())
    return staff_page(
        request,
        site,
        who,
        "consent.html",
        status=422 if wrong else 200,
        here="/patients",
        one=standing.patient,
        standing=standing,
        history=standing.history[::-1],
        sources=[source.value for source in TOLD_TO_STAFF],
        topics=_topics(site, standing.patient.id) if who.clinic.stop_scope is StopScope.TOPIC else (),
        titles={name: pathway.title for name, pathway in app.rules.pathways.items()},
        typed={name: text[:_LONGEST] for name, text in typed.items()},
        wrong=wrong,
        opened="consent",
        wrong_field=field,
        now=clinic_now(site, who),
    )


def _topics(site: Site, patient_id: UUID) -> tuple[str, ...]:
    with site.app.store.reading() as unit:
        enrolled = unit.patients.enrolments([patient_id]).get(patient_id, ())
    return tuple(one.state.pathway for one in enrolled)


# The carer


@router.get("/carer")
def carer(request: Request, site: Here, who: Reader, mrn: str) -> HTMLResponse:
    """The patient's contact person, what they agreed to, and a form."""
    with site.app.store.writing() as unit:
        seen_by(unit, site, who, mrn)
    return _carer_page(request, site, who, mrn, None)


@router.post("/carer")
def change_carer(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> Response:
    """Name a carer, or change what is on file of them."""
    require(site, who, mrn)
    about = deciding(site, who, mrn)
    try:
        wish = _wish(site, who, fields)
        set_carer(site.app.store, site.app.rules, who.clinic, mrn, wish, by=about.by, now=about.now)
    except (CarerError, CareError) as error:
        field = getattr(error, "field", "") or _field_of(str(error))
        return _carer_page(request, site, who, mrn, fields, wrong=_plain(str(error)), field=field)
    return to_patient(mrn, "contact-title")


@router.post("/carer/remove")
def no_carer(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> Response:
    """The patient has no carer any more."""
    require(site, who, mrn)
    about = deciding(site, who, mrn)
    try:
        remove_carer(site.app.store, site.app.rules, who.clinic, mrn, by=about.by, now=about.now)
    except CarerError as error:
        return _carer_page(request, site, who, mrn, fields, wrong=_plain(str(error)))
    return to_patient(mrn, "contact-title")


def _wish(site: Site, who: SignedIn, fields: dict[str, str]) -> CarerWish:
    """What the form says. Raises `CareError`."""
    mode, channel, address = (fields.get(name, "").strip() for name in ("mode", "channel", "address"))
    if mode not in list(CarerMode):
        raise CareError("choose what the carer gets", field="mode")
    if channel not in list(Channel):
        raise CareError("choose whether the carer gets texts or e-mail", field="channel")
    if not address or len(address) > _LONGEST:
        raise CareError("write the carer's number or e-mail address", field="address")
    if "agreed" not in fields:
        raise CareError(
            "the carer has to agree themselves before anything is sent to them; ask them first", field="agreed"
        )
    on = fields.get("consented_on", "").strip()
    return CarerWish(
        name=fields.get("name", ""),
        mode=CarerMode(mode),
        consented_on=date_from(on, field="consented_on") if on else clinic_now(site, who).date(),
        phone=address if channel == Channel.SMS else None,
        email=address if channel == Channel.EMAIL else None,
        language=fields.get("language", "").strip()[:40] or None,
        phone_check=PhoneCheck.POSSIBLE if who.clinic.is_sample else PhoneCheck.VALID,
    )


_OPTIONS = {
    "--email: clinic": "clinic",
    "--name: ": "the name: ",
    "--phone: ": "the number: ",
    "--email: ": "the e-mail address: ",
    "--language: ": "the language: ",
    "--consent-date: ": "the date: ",
    "use --mode instead": "choose “in the patient's place”",
    " with --consent-date": "",
    "give a mobile number, or --email": "give a mobile number, or an e-mail address",
}


_FIELDS = {
    "--name": "name",
    "--phone: ": "address",
    "--email: ": "address",
    "own number or address": "address",
    "--language": "language",
    "--consent-date": "consented_on",
}


def _field_of(text: str) -> str:
    """Which field of the page it is about."""
    return next((field for words, field in _FIELDS.items() if words in text), "")


def _plain(text: str) -> str:
    """The same in the words of the page instead of the command line's."""
    for option, words in _OPTIONS.items():
        text = text.replace(option, words)
    return _COMMAND.sub("", text)


def _carer_page(
    request: Request,
    site: Site,
    who: SignedIn,
    mrn: str,
    typed: dict[str, str] | None,
    *,
    wrong: str | None = None,
    field: str = "",
) -> HTMLResponse:
    one = require(site, who, mrn)
    with site.app.store.reading() as unit:
        row = carer_row(unit, who.clinic, mrn)
    shown = {} if row is None else _as_typed(row)
    return staff_page(
        request,
        site,
        who,
        "carer.html",
        status=422 if wrong else 200,
        here="/patients",
        one=one,
        carer=row,
        typed={name: text[:_LONGEST] for name, text in (typed if typed is not None else shown).items()},
        languages=sorted(site.app.languages),
        wrong=wrong,
        opened="carer",
        wrong_field=field,
        today=clinic_now(site, who).date(),
        zone=clinic_now(site, who).tzinfo,
    )


def _as_typed(row: dict[str, Any]) -> dict[str, str]:
    address = row["phone"] or row["email"] or ""
    return {
        "name": str(row["name"]),
        "address": str(address),
        "channel": Channel.SMS.value if row["phone"] else Channel.EMAIL.value,
        "mode": str(row["mode"]),
        "language": str(row["language"]),
    }
