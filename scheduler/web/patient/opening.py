"""The first screen: the year of birth, and after it what the clinic asks and what comes next."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from scheduler.domain.patient_page import year_of
from scheduler.services.patient_page.home import Home, home
from scheduler.services.patient_page.opening import Tried, is_locked, try_year
from scheduler.web.access import anyone
from scheduler.web.forms import OwnFields
from scheduler.web.patient.page import DONE, home_again, screen, speech
from scheduler.web.patient.visit import WORDS, Arrived, Visit, close, opened, set_own
from scheduler.web.site import Here, Site
from scheduler.web.staff.session import wall_time
from scheduler.web.tongues import N_

router = APIRouter(prefix="/p/{token}", dependencies=[Depends(anyone)])

_NO_YEAR = N_("Write the year you were born with four digits, such as 1975.")
_WRONG = N_("That is not the year that your clinic has. Please try again.")

Done = Annotated[str, Query(max_length=16)]


@router.get("")
def first(request: Request, site: Here, visit: Arrived, done: Done = "") -> Response:
    """What the clinic asks now; before anything about health, the year of birth. Changes nothing."""
    if visit.started_at is None:
        return _gate(request, site, visit)
    shown = home_of(site, visit)
    if shown.has_ended:
        return screen(request, site, visit, "ended.html")
    said = DONE.get(done)
    return screen(request, site, visit, "home.html", home=shown, said=visit.saying.one(said) if said else "")


@router.post("")
def enter(request: Request, site: Here, visit: Arrived, fields: OwnFields) -> Response:
    """Try a year of birth."""
    typed = fields.get("year", "")
    year = year_of(typed[:16], today=wall_time().date())
    if year is None:
        return _gate(request, site, visit, wrong=_NO_YEAR)
    outcome = try_year(site.app.store, visit.bearer, year, now=wall_time())
    if outcome.tried is Tried.RIGHT:
        return home_again(site, opened(visit))
    if outcome.tried is Tried.WRONG:
        return _gate(request, site, visit, wrong=_WRONG, left=outcome.left)
    return _gate(request, site, visit, status=429 if outcome.tried is Tried.LOCKED else 200)


@router.post("/words")
def words(request: Request, site: Here, visit: Arrived, fields: OwnFields) -> Response:
    """Look at the page in another language. What the clinic sends stays in the patient's own."""
    answer = RedirectResponse(visit.path, status_code=303)
    chosen = fields.get("language", "")
    if chosen in site.pages.words.languages:
        set_own(answer, site, visit, WORDS, chosen)
    return answer


@router.post("/close")
def leave(visit: Arrived, _: OwnFields) -> Response:
    """Ask for the year again from now on, on this browser."""
    answer = RedirectResponse(visit.path, status_code=303)
    close(answer, visit)
    return answer


def home_of(site: Site, visit: Visit) -> Home:
    """What the first screen shows, as things are now."""
    app = site.app
    return home(
        app.store,
        app.rules,
        app.composer,
        visit.bearer,
        language=visit.language,
        speech=speech(visit.saying),
        now=app.clock.now(),
    )


def _gate(request: Request, site: Site, visit: Visit, *, wrong: str = "", left: int = 0, status: int = 0) -> Response:
    return screen(
        request,
        site,
        visit,
        "gate.html",
        status=status or (422 if wrong else 200),
        is_known=visit.patient.birth_date is not None,
        is_locked=is_locked(site.app.store, visit.bearer, now=wall_time()),
        wrong=visit.saying.one(wrong) if wrong else "",
        left=left,
    )
