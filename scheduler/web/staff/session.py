"""Who is signed in: the cookie, and what a route asks of whoever calls it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, HTTPException, Request, Response

from scheduler.domain.accounts import Role
from scheduler.services.accounts import sessions
from scheduler.services.accounts.sessions import SignedIn
from scheduler.web.access import visitor
from scheduler.web.site import Here, Site

_COOKIE = "bonewise_session"
_HOST_COOKIE = f"__Host-{_COOKIE}"  # RFC 6265bis 4.1.3.2: nobody but this very host can set it


class SignInNeeded(Exception):  # noqa: N818 - not a fault
    """Nobody is signed in, or no longer. `target` is the path to come back to."""

    def __init__(self, target: str) -> None:
        super().__init__(target)
        self.target = target


class StaffOnly:
    """Asks for somebody signed in whose role is one of these."""

    def __init__(self, *roles: Role) -> None:
        self.roles = frozenset(roles)

    def __call__(self, request: Request, site: Here, _: Annotated[None, Depends(visitor)]) -> SignedIn:
        """Who calls. Raises `SignInNeeded`, or 403 for another role."""
        found = signed_in(request, site)
        if found is None or not found.session.is_whole:
            raise SignInNeeded(_path_of(request))
        if found.account.role not in self.roles:
            raise HTTPException(403, f"This is for {_listed(self.roles)}; you are signed in as {found.account.role}.")
        return found


class HalfWay:
    """Asks for somebody whose password was right, and whose second factor is still asked for."""

    def __call__(self, request: Request, site: Here, _: Annotated[None, Depends(visitor)]) -> SignedIn:
        """Who calls. Raises `SignInNeeded`."""
        found = signed_in(request, site)
        if found is None or found.session.is_whole:
            raise SignInNeeded("/")
        return found


READERS = StaffOnly(*Role)
CARERS = StaffOnly(Role.ADMIN, Role.COORDINATOR, Role.CLINICIAN)  # who may change what is about a patient
IMPORTERS = StaffOnly(Role.ADMIN, Role.COORDINATOR)  # who may bring in whole lists of patients
CLINICIANS = StaffOnly(Role.CLINICIAN)
ADMINS = StaffOnly(Role.ADMIN)
SIGNERS = StaffOnly(*(role for role in Role if role.needs_second_factor))
HALF_WAY = HalfWay()

Reader = Annotated[SignedIn, Depends(READERS)]
Carer = Annotated[SignedIn, Depends(CARERS)]
Importer = Annotated[SignedIn, Depends(IMPORTERS)]
Clinician = Annotated[SignedIn, Depends(CLINICIANS)]
Admin = Annotated[SignedIn, Depends(ADMINS)]
Signer = Annotated[SignedIn, Depends(SIGNERS)]
OnTheWay = Annotated[SignedIn, Depends(HALF_WAY)]


def is_staff(call: object) -> bool:
    """Whether a dependency lets in nobody but staff."""
    return isinstance(call, StaffOnly | HalfWay)


def wall_time() -> datetime:
    """The real time, by which sessions, locks and codes live also where a visitor moves the service's clock."""
    return datetime.now(UTC)


def session_token(request: Request, site: Site) -> str | None:
    """The token that the browser holds; its session may be over."""
    return request.cookies.get(_name(site)) or None


def signed_in(request: Request, site: Site) -> SignedIn | None:
    """Who sends this request; None when nobody is signed in."""
    token = session_token(request, site)
    return None if not token else sessions.find(site.app.store, token, now=wall_time())


def keep_session(response: Response, site: Site, token: str) -> None:
    """Give the browser the session, until it is closed."""
    response.set_cookie(_name(site), token, httponly=True, samesite="lax", secure=is_https(site), path="/")


def drop_session(response: Response, site: Site) -> None:
    """Take the session from the browser."""
    response.delete_cookie(_name(site), httponly=True, samesite="lax", secure=is_https(site), path="/")


def own_path(target: str) -> str:
    """The path if it leads to a page of ours, else the first page: a link may name where to go after signing in."""
    parts = urlsplit(target)
    is_ours = (
        target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    )
    return target if is_ours and target.isprintable() else "/"


def _path_of(request: Request) -> str:
    if request.method not in ("GET", "HEAD"):
        return own_path(urlsplit(request.headers.get("referer", "/")).path or "/")
    query = request.url.query
    return quote(request.url.path) + (f"?{query}" if query else "")


def _name(site: Site) -> str:
    return _HOST_COOKIE if is_https(site) else _COOKIE


def is_https(site: Site) -> bool:
    """Whether people reach this installation over HTTPS, so that its cookies go nowhere else."""
    return site.app.settings.public_url.startswith("https://")


def _listed(roles: Collection[Role]) -> str:
    words = [f"{role}s" for role in Role if role in roles]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
