"""Correcting what is on file about a patient, and saying that a number works after all."""

from __future__ import annotations

import binascii
from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from scheduler.domain.calendar import Weekday
from scheduler.domain.people import Channel, Mobility
from scheduler.domain.zones import zone_names
from scheduler.records import Patient
from scheduler.services import contact_data
from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.care import CareError, Deciding
from scheduler.services.contact_data import ContactDataError, UnseenWarningsError, WasShown, cells_of, typed_over
from scheduler.services.numbers import confirm_number
from scheduler.web.forms import OwnLongFields
from scheduler.web.site import Here, Site
from scheduler.web.staff.page import staff_page
from scheduler.web.staff.patient_page import deciding, do, require, seen_by, to_patient
from scheduler.web.staff.session import Carer, Reader

router = APIRouter(prefix="/patients/{mrn}")

_DAY = "day-"  # how the field of a weekday begins
_SHOWN = "shown-"  # and that of a digest of what a field showed
_PURPOSE = "contact-data-shown"
_DIGEST_BYTES = 12
_NOTHING: Mapping[str, str] = {}


@router.get("/contact")
def form(request: Request, site: Here, who: Reader, mrn: str) -> HTMLResponse:
    """What is on file, to be changed."""
    with site.app.store.writing() as unit:
        known = seen_by(unit, site, who, mrn)
    return _page(request, site, who, mrn, cells_of(known))


@router.post("/contact")
def change(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> Response:
    """Write what this form changed; a refusal stands beside its field, with what was typed.

    What should be known of another number or address comes first; a second press changes it all the same.
    """
    was_shown = _was_shown(site, require(site, who, mrn), fields)
    cells = {name: fields[name] for name in contact_data.FIELDS if name in fields}
    if any(name.startswith(_DAY) for name in fields) or "days" in fields:
        cells["exercise_days"] = ";".join(
            day.name.lower() for day in Weekday if f"{_DAY}{day.name.lower()}" in fields
        )
    app, about, seen = site.app, deciding(site, who, mrn), frozenset(fields.get("seen", "").split())
    try:
        contact_data.change(app.store, app.rules, about, cells, was_shown=was_shown, seen=seen)
    except ContactDataError as error:
        return _page(request, site, who, mrn, typed_over(cells, was_shown), faults=error.faults)
    except UnseenWarningsError as error:
        return _page(request, site, who, mrn, typed_over(cells, was_shown), warnings=error.warnings)
    return to_patient(mrn, "contact-title")


@router.post("/number")
def number_is_right(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> Response:
    """A number or address that nothing goes to is right after all."""

    def confirm(about: Deciding) -> None:
        chosen = fields.get("channel", "")
        if chosen not in list(Channel):
            raise CareError("choose whether it is the number or the e-mail address")
        confirm_number(
            site.app.store,
            site.app.rules,
            about.clinic,
            mrn=mrn,
            channel=Channel(chosen),
            by=about.by,
            now=about.now,
        )

    return do(request, site, who, mrn, confirm)


def _digests(site: Site, one: Patient) -> dict[str, str]:
    """What stands for the value of each field in a form: keyed, so that it says nothing of the value."""
    vault = site.app.vault
    return {
        f"{_SHOWN}{name}": vault.sign(_PURPOSE, _marked(one, name, value), length=_DIGEST_BYTES).hex()
        for name, value in cells_of(one).items()
    }


def _was_shown(site: Site, one: Patient, fields: Mapping[str, str]) -> WasShown | None:
    """Tells by its digests what the form showed; None where it has none."""
    if not any(name.startswith(_SHOWN) for name in fields):
        return None

    def was_shown(name: str, value: str) -> bool:
        try:
            digest = binascii.unhexlify(fields.get(f"{_SHOWN}{name}", ""))
        except (binascii.Error, ValueError):
            return False
        return site.app.vault.verify(_PURPOSE, _marked(one, name, value), digest, length=_DIGEST_BYTES)

    return was_shown


def _marked(one: Patient, name: str, value: str) -> bytes:
    return "\0".join((str(one.id), name, value)).encode()


def _page(
    request: Request,
    site: Site,
    who: SignedIn,
    mrn: str,
    cells: Mapping[str, str],
    *,
    faults: Mapping[str, str] = _NOTHING,
    warnings: Mapping[str, str] = _NOTHING,
) -> HTMLResponse:
    one = require(site, who, mrn)
    values = {**cells_of(one), **{name: text[:400] for name, text in cells.items()}}
    return staff_page(
        request,
        site,
        who,
        "contact.html",
        status=422 if faults or warnings else 200,
        here="/patients",
        one=one,
        values=values,
        shown=_digests(site, one),
        days=[day.name.lower() for day in Weekday],
        chosen_days=values["exercise_days"].split(";"),
        faults=faults,
        warnings=warnings,
        languages=sorted({*site.app.languages, values["language"]}),
        zones=zone_names(),
        channels_there=list(Channel),
        mobilities=list(Mobility),
    )
