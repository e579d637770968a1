"""Forms of our own pages: a token that only our page can hold, bound to the browser it was shown in."""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, Request, Response

from scheduler.bootstrap import App
from scheduler.web.bodies import Fields, read_fields, read_long_fields
from scheduler.web.no_nul import without_nul
from scheduler.web.site import Here, Site

COOKIE = "bonewise_form"
TOKEN = "form_token"  # noqa: S105 - the name of the field
_PURPOSE = "form-token"
_SIGNATURE_BYTES = 16
_REFUSED = (
    "This form did not come from a page of this installation, or the page is old. Open the page again and retry."
)


def token_for(app: App, request: Request) -> tuple[str, str]:
    """The (cookie, token) of a page with a form; the browser keeps the cookie it has."""
    cookie = request.cookies.get(COOKIE, "")
    if not 20 <= len(cookie) <= 64:
        cookie = secrets.token_urlsafe(24)
    signature = app.vault.sign(_PURPOSE, cookie.encode(), length=_SIGNATURE_BYTES)
    return cookie, base64.urlsafe_b64encode(signature).decode()


def keep_cookie(response: Response, request: Request, cookie: str) -> None:
    """Give the browser its form cookie, unless it has it."""
    if request.cookies.get(COOKIE) != cookie:
        response.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", secure=request.url.scheme == "https")


async def own_fields(request: Request, site: Here, fields: Annotated[Fields, Depends(read_fields)]) -> dict[str, str]:
    """The fields of a form of our own, the last of each name. Raises 403 for any other."""
    found = {name: without_nul(value) for name, value in fields}
    require_own(request, site, found.pop(TOKEN, ""))
    return found


async def own_long_fields(
    request: Request, site: Here, fields: Annotated[Fields, Depends(read_long_fields)]
) -> dict[str, str]:
    """As `own_fields`, for forms in which much can be pasted."""
    return await own_fields(request, site, fields)


OwnFields = Annotated[dict[str, str], Depends(own_fields)]
OwnLongFields = Annotated[dict[str, str], Depends(own_long_fields)]


def require_own(request: Request, site: Site, token: str) -> None:
    """Raises 403, unless the token is that of a form of ours, sent by the browser that it was shown in."""
    if not (_is_same_origin(request) and _is_ours(site.app, request, token)):
        raise HTTPException(403, _REFUSED)


def _is_same_origin(request: Request) -> bool:
    """What the browser says about where the form was. It says `null` where our own pages forbid it to say more: then
    no more than the token is known."""
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site == "same-origin"
    origin = request.headers.get("origin")
    return origin in (None, "null") or urlsplit(origin).netloc == request.headers.get("host")


def _is_ours(app: App, request: Request, token: str) -> bool:
    cookie = request.cookies.get(COOKIE, "")
    try:
        signature = base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    return bool(cookie) and app.vault.verify(_PURPOSE, cookie.encode(), signature, length=_SIGNATURE_BYTES)
