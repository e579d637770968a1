"""Signing in by the clinic's own provider (OpenID Connect): leaving, coming back, choosing a clinic."""

from __future__ import annotations

import logging
from hmac import compare_digest
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from scheduler.ports.identity import Attempt, Identity, IdentityRefused, IdentityUnavailable
from scheduler.services.accounts.openid import BACK, NotLetInError, OpenIdDoor
from scheduler.web.access import visitor
from scheduler.web.forms import OwnFields
from scheduler.web.site import Here, Site
from scheduler.web.staff import openid_cookie as cookie
from scheduler.web.staff.page import staff_page
from scheduler.web.staff.session import own_path, wall_time
from scheduler.web.staff.signing import Target, go_on, sign_in_page

router = APIRouter()

_LONGEST = 8192  # characters of what a provider may put into the address
_DOWN = (
    "Your clinic’s sign-in does not answer just now. Sign in with your password here, or try again in a moment.",
    503,
)
_NOT_OURS = "This sign-in was begun in another browser, was finished already, or took too long. Begin again."
_NOT_PROVED = "Your clinic’s sign-in did not prove who you are. Begin again; if this stays so, tell those who run it."
_DECLINED = "You were not signed in by your clinic’s sign-in. Begin again, or use your password."
_PASSING = ("temporarily_unavailable", "server_error")  # RFC 6749, section 4.1.2.1
_log = logging.getLogger(__name__)

Said = Annotated[str, Query(max_length=_LONGEST)]
MaybeSaid = Annotated[str | None, Query(max_length=_LONGEST)]


@router.get("/sign-in/openid", dependencies=[Depends(visitor)])
def leave(request: Request, site: Here, target: Target = "/") -> Response:
    """Send the browser to the provider, with something of ours to come back with."""
    door = _door(site)
    try:
        attempt, address = door.begin()
    except IdentityUnavailable as error:
        return _down(request, site, target=own_path(target), why=str(error))
    answer = RedirectResponse(address, status_code=303)
    cookie.keep(answer, site, attempt, target=own_path(target), now=wall_time())
    return answer


@router.get(BACK, dependencies=[Depends(visitor)])
def come_back(
    request: Request, site: Here, state: Said = "", code: Said = "", error: Said = "", iss: MaybeSaid = None
) -> Response:
    """Take back whoever the provider sent, if they left from this browser, and let them in."""
    door, kept = _door(site), cookie.kept_attempt(request, site, now=wall_time())
    if kept is None or not compare_digest(kept[0].state.encode(), state.encode()):
        return _page(request, site, target="/", wrong=f"{_NOT_OURS} {_where(request, door)}".strip(), status=401)
    attempt, target = kept
    if error:
        said = _DOWN if error in _PASSING else (_DECLINED, 401)
        answer: Response = _page(request, site, target=target, wrong=said[0], status=said[1])
    else:
        answer = _identified(request, site, attempt, target=target, code=code, issuer=iss)
    cookie.drop(answer, site, cookie.ATTEMPT)
    return answer


@router.post("/sign-in/openid/clinic", dependencies=[Depends(visitor)])
def choose(request: Request, site: Here, fields: OwnFields) -> Response:
    """Somebody who works at several clinics says which."""
    door, kept = _door(site), cookie.kept_identity(request, site, now=wall_time())
    if kept is None:
        return _page(request, site, target="/", wrong=_NOT_OURS, status=401)
    identity, target = kept
    answer = _let_in(request, site, door, identity, target=target, clinic=fields.get("clinic", ""))
    if answer.status_code != 200:  # else it asks again
        cookie.drop(answer, site, cookie.IDENTITY)
    return answer


def _identified(
    request: Request, site: Site, attempt: Attempt, *, target: str, code: str, issuer: str | None
) -> Response:
    door = _door(site)
    try:
        identity = door.identify(attempt, code=code, issuer=issuer)
    except IdentityUnavailable as error:
        return _down(request, site, target=target, why=str(error))
    except IdentityRefused as error:
        _log.warning("a sign-in by OpenID Connect was refused: %s", error)
        return _page(request, site, target=target, wrong=_NOT_PROVED, status=401)
    return _let_in(request, site, door, identity, target=target)


def _let_in(
    request: Request, site: Site, door: OpenIdDoor, identity: Identity, *, target: str, clinic: str | None = None
) -> Response:
    """Into the only account, or the one at the clinic with this code; else ask which."""
    try:
        found = door.accounts_of(identity)
        chosen = [account for account, at in found if clinic in (None, at.code)]
        if len(chosen) == 1:
            return go_on(request, site, door.enter(identity, chosen[0], now=wall_time()), target)
    except NotLetInError as error:
        return _page(request, site, target=target, wrong=str(error), status=403)
    clinics = [at for _, at in found]
    asked = staff_page(request, site, None, "openid_clinic.html", clinics=clinics, email=identity.email)
    cookie.keep(asked, site, identity, target=target, now=wall_time())
    return asked


def _door(site: Site) -> OpenIdDoor:
    if site.app.openid is None:
        raise HTTPException(404)
    return site.app.openid


def _down(request: Request, site: Site, *, target: str, why: str) -> Response:
    _log.warning("nobody can sign in by OpenID Connect: %s", why)
    return _page(request, site, target=target, wrong=_DOWN[0], status=_DOWN[1])


def _page(request: Request, site: Site, *, target: str, wrong: str, status: int) -> Response:
    """The form for the password, with what went wrong."""
    return sign_in_page(request, site, target=target, wrong=wrong, status=status)


def _where(request: Request, door: OpenIdDoor) -> str:
    """A remedy for those who came by another of our addresses: the provider sends everybody back to one."""
    return "" if door.public_url.split("://")[-1] == request.url.netloc else f"Open {door.public_url} for it."
