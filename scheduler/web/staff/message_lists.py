"""The lists behind the numbers of Today: which messages went, wait, did not arrive; and what came in."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from scheduler.services.message_lists import Which, page_of
from scheduler.web.site import Here
from scheduler.web.staff.page import clinic_now, staff_page
from scheduler.web.staff.session import Reader

router = APIRouter(prefix="/today")

Short = Annotated[str, Query(max_length=80)]
_FIRST, _LAST = date(2000, 1, 1), date(2100, 1, 1)


@router.get("/messages")
def messages(
    request: Request, site: Here, who: Reader, status: Short = "", day: Short = "", after: Short = ""
) -> HTMLResponse:
    """One list of one day of the clinic; without a day, of today."""
    now = clinic_now(site, who)
    which = Which(status) if status in list(Which) else Which.WENT
    chosen = _day(day) or now.date()
    with site.app.store.reading() as unit:
        page = page_of(unit, who.clinic, which, chosen, after=after)
    return staff_page(
        request,
        site,
        who,
        "message_lists.html",
        here="/",
        page=page,
        which=which,
        kinds=list(Which),
        day=chosen,
        before=chosen - timedelta(days=1),
        next=chosen + timedelta(days=1) if chosen < now.date() else None,
        is_first=not after,
        now=now,
        pathway_titles={name: pathway.title for name, pathway in site.app.rules.pathways.items()},
    )


def _day(typed: str) -> date | None:
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return None
    return day if _FIRST < day < _LAST else None
