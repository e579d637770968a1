"""Today: the first page of whoever is signed in."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse

from scheduler.services.accounts.sessions import SignedIn
from scheduler.services.today import today
from scheduler.web.site import Site
from scheduler.web.staff.page import staff_page


def today_page(request: Request, site: Site, who: SignedIn) -> HTMLResponse:
    """What needs a person, what goes out today, what went wrong."""
    app = site.app
    return staff_page(
        request,
        site,
        who,
        "today.html",
        here="/",
        day=today(app.store, who.clinic, now=app.clock.now()),
        titles={name: kind.title for name, kind in app.rules.task_kinds.items()},
        pathway_titles={name: pathway.title for name, pathway in app.rules.pathways.items()},
        ahead=site.days_ahead,
    )
