"""Drafts: what somebody sent when their session had ended, offered again once they have signed in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from scheduler.ports.drafts import Draft
from scheduler.services.accounts import drafts
from scheduler.web.bodies import read_fields
from scheduler.web.forms import OwnFields, own_fields
from scheduler.web.site import Here, site_of
from scheduler.web.staff.session import Reader, own_path, session_token, wall_time

if TYPE_CHECKING:
    from scheduler.services.accounts.sessions import SignedIn
    from scheduler.web.site import Site

router = APIRouter(prefix="/drafts")

COOKIE = "bonewise_draft"  # says no more than that there may be one
_WAITS = 2 * 60 * 60  # seconds


async def keep_sent(request: Request, answer: Response) -> None:
    """Keep the form of a request that came when the session was over. What is no form of ours is let go."""
    site = await site_of(request)
    token = session_token(request, site)
    if request.method != "POST" or token is None or request.url.path in ("/sign-out",):
        return
    try:
        fields = await own_fields(request, site, await read_fields(request))
    except HTTPException:
        return
    path = request.url.path
    page = own_path(urlsplit(request.headers.get("referer", "")).path or path)
    keep = partial(drafts.keep, action=path, page=page, fields=fields, now=wall_time())
    if await run_in_threadpool(keep, site.app.store, token) is not None:
        secure = site.app.settings.public_url.startswith("https://")
        answer.set_cookie(COOKIE, "1", max_age=_WAITS, httponly=True, samesite="lax", secure=secure, path="/")


def waiting(request: Request, site: Site, who: SignedIn | None) -> list[Draft]:
    """The drafts to offer on a page; looked for only where the browser may have left one."""
    if who is None or COOKIE not in request.cookies:
        return []
    return drafts.drafts_of(site.app.store, who, now=wall_time())


@router.post("/{draft_id}")
def send(site: Here, who: Reader, draft_id: UUID, fields: OwnFields) -> Response:
    """Send the draft to where it was to go, as it stands in the form now; or with `discard` throw it away."""
    found = drafts.take(site.app.store, who, draft_id, now=wall_time())
    if found is None:
        raise HTTPException(404, "This draft has been sent, thrown away, or it is too old.")
    if "discard" in fields:
        return RedirectResponse(own_path(found.page), status_code=303)
    return RedirectResponse(own_path(found.action), status_code=307)  # the browser sends the same form there
