"""Deciding about a patient's plan: pathways, leaving and coming back, a supplement case, notes."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from scheduler.services import care_plan
from scheduler.services.care import CareError, Deciding
from scheduler.services.care_plan import Leaving
from scheduler.web.forms import OwnLongFields
from scheduler.web.site import Here
from scheduler.web.staff.patient_page import do
from scheduler.web.staff.session import Carer

router = APIRouter(prefix="/patients/{mrn}")


@router.post("/pathway")
def pathway(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> Response:
    """Put the patient on a pathway, or with `off` take them off it."""
    app, name = site.app, fields.get("pathway", "")

    def change(about: Deciding) -> None:
        if "off" in fields:
            care_plan.take_off(app.store, app.rules, about, name)
        else:
            care_plan.put_on(app.store, app.rules, about, name)

    return do(request, site, who, mrn, change, opened="pathways")


@router.post("/leave")
def leave(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> Response:
    """Nothing goes to the patient any more: they have left, or have died."""
    app, chosen, words = site.app, fields.get("why", ""), fields.get("words", "")

    def end(about: Deciding) -> None:
        if chosen not in list(Leaving):
            raise CareError("choose why nothing is to be sent any more", field="why")
        if "certain" not in fields:
            raise CareError("tick the box that you are certain; nothing has changed yet", field="certain")
        care_plan.leave(app.store, app.rules, about, Leaving(chosen), words=words)

    return do(request, site, who, mrn, end, opened="leave", field="words", typed={"why": chosen, "words": words})


@router.post("/back")
def back(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> Response:
    """A patient who had left is back."""
    app = site.app
    return do(request, site, who, mrn, lambda about: care_plan.come_back(app.store, app.rules, about))


@router.post("/supplement")
def supplement(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> Response:
    """Ask a clinician about a supplement that the patient named."""
    app, named = site.app, fields.get("named", "")
    return do(
        request,
        site,
        who,
        mrn,
        lambda about: care_plan.open_case(app.store, app.rules, about, named),
        opened="cases",
        field="named",
        typed={"named": named},
    )


@router.post("/note")
def note(request: Request, site: Here, who: Carer, mrn: str, fields: OwnLongFields) -> Response:
    """Add to the notes on the patient."""
    words = fields.get("words", "")
    return do(
        request,
        site,
        who,
        mrn,
        lambda about: care_plan.add_note(site.app.store, about, words),
        opened="notes",
        field="words",
        typed={"note": words},
    )
