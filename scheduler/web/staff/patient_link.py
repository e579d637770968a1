"""What staff do for a patient's own page: make a link, end the links, choose discreet wording."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, HTTPException, Request, Response

from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.care import CareError, Deciding
from scheduler.services.patient_page import linking
from scheduler.services.situations import UnknownPatientError
from scheduler.web.forms import OwnLongFields
from scheduler.web.site import Here, Site
from scheduler.web.staff.page import staff_page
from scheduler.web.staff.patient_page import NOBODY, deciding, patient_page, to_patient
from scheduler.web.staff.session import Carer

router = APIRouter(prefix="/patients")


@router.post("/{mrn}/page-link")
def make(request: Request, site: Here, who: Carer, mrn: str, _: OwnLongFields) -> Response:
    """A link to the patient's own page, shown this once."""

    def act(about: Deciding) -> Response:
        link = linking.make_link(site.app.store, site.app.links, about)
        return staff_page(request, site, who, "patient_link.html", here="/patients", mrn=mrn, link=link)

    return _do(request, site, who, mrn, act)


@router.post("/{mrn}/page-link/end")
def end(request: Request, site: Here, who: Carer, mrn: str, _: OwnLongFields) -> Response:
    """No link given so far leads to the page any more."""

    def act(about: Deciding) -> Response:
        linking.end_links(site.app.store, about)
        return to_patient(mrn)

    return _do(request, site, who, mrn, act)


@router.post("/{mrn}/discreet")
def discreet(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> Response:
    """Whether the patient's messages say only that there is one."""

    def act(about: Deciding) -> Response:
        chosen = fields.get("discreet", "")
        if chosen not in ("yes", "no"):
            raise CareError("choose discreet wording or wording in full")
        linking.set_discreet(site.app.store, about, discreet=chosen == "yes")
        return to_patient(mrn)

    return _do(request, site, who, mrn, act)


def _do(request: Request, site: Site, who: SignedIn, mrn: str, act: Callable[[Deciding], Response]) -> Response:
    try:
        return act(deciding(site, who, mrn))
    except UnknownPatientError as error:
        raise HTTPException(404, NOBODY) from error
    except CareError as error:
        return patient_page(request, site, who, mrn, wrong=error.on_page)
