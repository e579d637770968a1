"""Supplement cases: a clinician decides, and signs with their password."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from scheduler.records import Clearance
from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.accounts.signing_in import is_code_right, is_password_right
from scheduler.services.clearing import Decision
from scheduler.services.decisions import Outlook, outlooks
from scheduler.services.facts import CaseError, decide_clearance
from scheduler.services.links import without_keys
from scheduler.web.forms import OwnLongFields
from scheduler.web.site import Here, Site
from scheduler.web.staff.page import clinic_now, staff_page
from scheduler.web.staff.session import Clinician, Reader, wall_time

router = APIRouter(prefix="/supplements")

MOST_DECIDED = 30  # the latest
_CODE = 6  # digits
_NOT_SIGNED = "That is not your password, nor a fresh code."
_NOT_A_CODE = "That is no fresh code from your app. You have no password here, so sign with a code."


@router.get("")
def supplements(request: Request, site: Here, who: Reader) -> HTMLResponse:
    """Open cases, and what was decided lately."""
    return _page(request, site, who)


@router.post("/{case_id}/decide")
def decide(request: Request, site: Here, who: Clinician, case_id: int, fields: OwnLongFields) -> Response:
    """Decide a case and sign the decision."""
    app = site.app
    case = next((each for each in _cases(site, who) if each.id == case_id), None)
    if case is None:
        raise HTTPException(404, "This clinic has no such case.")
    chosen = fields.get("decision", "")
    if chosen not in list(Decision):
        return _page(request, site, who, wrong=(case_id, "Choose one of the three."))
    signed_with = _signed_with(site, who, fields.get("signature", ""))
    if signed_with is None:
        why = _NOT_SIGNED if who.account.password else _NOT_A_CODE
        return _page(request, site, who, wrong=(case_id, why), chosen=chosen)
    try:
        decide_clearance(
            app.store,
            app.rules,
            case=case_id,
            decision=Decision(chosen),
            by=who.account.email,
            now=app.clock.now(),
            signed_with=signed_with,
            shown=_shown(case, _outlooks(site, who, [case])[case.id], Decision(chosen)),
        )
    except CaseError as error:
        return _page(request, site, who, wrong=(case_id, str(error)))
    return RedirectResponse("/supplements", status_code=303)


def _signed_with(site: Site, who: SignedIn, typed: str) -> str | None:
    """What proves that it is they who sign: the password, or a code of the second factor; None: nothing does.

    In the sample clinic, where nobody has either, anything.
    """
    if who.clinic.is_sample and who.account.password is None and site.app.settings.is_simulated:
        return "sample" if typed.strip() else None
    store, now = site.app.store, wall_time()
    digits = typed.replace(" ", "")
    if digits.isdigit() and len(digits) == _CODE:
        return "code" if is_code_right(store, who.account, typed, now=now) else None
    return "password" if is_password_right(store, who.account, typed, now=now) else None


def _shown(case: Clearance, outlook: Outlook, decision: Decision) -> str:
    """What the clinician had before them when they signed."""
    return without_keys(f"{case.named}\n{decision.value}\n{outlook.after(decision)}")


def _outlooks(site: Site, who: SignedIn, cases: Sequence[Clearance]) -> dict[int, Outlook]:
    app = site.app
    with app.store.reading() as unit:
        return outlooks(unit, app.rules, app.composer, who.clinic, cases, now=app.clock.now())


def _cases(site: Site, who: SignedIn) -> list[Clearance]:
    with site.app.store.reading() as unit:
        return unit.worklist.clearances(who.clinic.id)


def _page(
    request: Request, site: Site, who: SignedIn, *, wrong: tuple[int, str] | None = None, chosen: str = ""
) -> HTMLResponse:
    cases = _cases(site, who)
    decided = [case for case in cases if case.decision is not None]
    waiting = [case for case in cases if case.decision is None]
    mrns = list({case.patient for case in cases})
    with site.app.store.reading() as unit:
        names = {line.mrn: line.name for line in unit.browsing.patients_of(who.clinic.id, mrns)}
    return staff_page(
        request,
        site,
        who,
        "supplements.html",
        status=200 if wrong is None else 422,
        here="/supplements",
        waiting=waiting,
        outlooks=_outlooks(site, who, waiting),
        decided=decided[: -MOST_DECIDED - 1 : -1],
        names=names,
        decisions=list(Decision),
        wrong=wrong,
        chosen=chosen,
        now=clinic_now(site, who),
    )
