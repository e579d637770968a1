"""Correcting what is on file about a patient, and saying that a number works after all."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from scheduler.domain.calendar import Weekday
from scheduler.domain.people import Channel, Mobility
from scheduler.domain.zones import zone_names
from scheduler.services import contact_data
from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.care import CareError, Deciding
from scheduler.services.contact_data import ContactDataError, cells_of
from scheduler.services.numbers import confirm_number
from scheduler.web.forms import OwnLongFields
from scheduler.web.site import Here, Site
from scheduler.web.staff.page import staff_page
from scheduler.web.staff.patient_page import deciding, do, require, seen_by, to_patient
from scheduler.web.staff.session import Carer, Reader

router = APIRouter(prefix="/patients/{mrn}")

_DAY = "day-"  # how the field of a weekday begins


@router.get("/contact")
def form(request: Request, site: Here, who: Reader, mrn: str) -> HTMLResponse:
    """What is on file, to be changed."""
    with site.app.store.writing() as unit:
        known = seen_by(unit, site, who, mrn)
    return _page(request, site, who, mrn, cells_of(known), faults={})


@router.post("/contact")
def change(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> Response:
    """Write what differs; a refusal stands beside its field, with what was typed."""
    require(site, who, mrn)
    cells = {name: fields[name] for name in contact_data.FIELDS if name in fields}
    if any(name.startswith(_DAY) for name in fields) or "days" in fields:
        cells["exercise_days"] = ";".join(
            day.name.lower() for day in Weekday if f"{_DAY}{day.name.lower()}" in fields
        )
    try:
        contact_data.change(site.app.store, site.app.rules, deciding(site, who, mrn), cells)
    except ContactDataError as error:
        return _page(request, site, who, mrn, cells, faults=error.faults)
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


def _page(
    request: Request, site: Site, who: SignedIn, mrn: str, cells: dict[str, str], *, faults: dict[str, str]
) -> HTMLResponse:
    one = require(site, who, mrn)
    values = {**cells_of(one), **{name: text[:400] for name, text in cells.items()}}
    return staff_page(
        request,
        site,
        who,
        "contact.html",
        status=422 if faults else 200,
        here="/patients",
        one=one,
        values=values,
        days=[day.name.lower() for day in Weekday],
        chosen_days=values["exercise_days"].split(";"),
        faults=faults,
        languages=sorted({*site.app.languages, values["language"]}),
        zones=zone_names(),
        channels_there=list(Channel),
        mobilities=list(Mobility),
    )
