"""The first page: the sample clinic's day, or for a real installation how the service is doing."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from scheduler.services.overview import overview
from scheduler.services.week import Week, week
from scheduler.web.access import visitor
from scheduler.web.forms import keep_cookie, token_for
from scheduler.web.health import faults
from scheduler.web.site import Here, Site
from scheduler.web.staff.session import signed_in
from scheduler.web.staff.today import today_page

router = APIRouter()

MOST_CLINICS = 3  # on the page


@router.api_route("/", methods=["GET", "HEAD"], dependencies=[Depends(visitor)])
def first_page(request: Request, site: Here) -> HTMLResponse:
    """The day of whoever is signed in. Else the sample clinic's; of a real installation no patient's data at all."""
    who = signed_in(request, site)
    if who is not None and who.session.is_whole:
        return today_page(request, site, who)
    if not site.app.settings.is_simulated:
        return _service_page(site)
    cookie, token = token_for(site.app, request)
    page = site.pages.html(
        "first_page.html",
        weeks=_weeks(site),
        ahead=site.days_ahead,
        form_token=token,
        troubles=list(faults(site).values()),
    )
    answer = HTMLResponse(page)
    keep_cookie(answer, request, cookie)
    return answer


def _weeks(site: Site) -> list[Week]:
    app = site.app
    with app.store.reading() as unit:
        clinics = sorted(unit.installation.clinics().values(), key=lambda clinic: (clinic.is_sample, clinic.id))
    return [
        week(app.store, app.rules, app.composer, clinic, now=app.clock.now()) for clinic in clinics[:MOST_CLINICS]
    ]


def _service_page(site: Site) -> HTMLResponse:
    found = faults(site)
    seen = None if "database" in found else overview(site.app.store, now=site.app.clock.now())
    page = site.pages.html(
        "service_page.html",
        troubles=list(found.values()),
        sentences=seen.sentences() if seen else [],
        has_phones=bool(site.simulated_channels),
    )
    return HTMLResponse(page)
