"""What the browser keeps between leaving for the provider and being let in: sealed, for this browser, briefly."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request, Response

from scheduler.ports.identity import Attempt, Identity
from scheduler.web.site import Site
from scheduler.web.staff.session import is_https, own_path

LASTS = timedelta(minutes=10)
LONGEST_TARGET = 1000  # characters; a browser keeps no cookie over 4 kB
ATTEMPT, IDENTITY = "openid_attempt", "openid_identity"
_PATH = "/sign-in/openid"


def keep(response: Response, site: Site, of: Attempt | Identity, *, target: str, now: datetime) -> None:
    """Give it to the browser. It comes along when a provider sends the browser back, and in no request of a page
    elsewhere (SameSite=Lax)."""
    values = asdict(of)
    if isinstance(of, Identity):
        values["methods"] = sorted(of.methods)
    note = {"at": now.timestamp(), "target": target if len(target) <= LONGEST_TARGET else "/", "of": values}
    name = ATTEMPT if isinstance(of, Attempt) else IDENTITY
    response.set_cookie(
        _cookie(name),
        site.app.seal_note(f"cookie.{name}", json.dumps(note)),
        max_age=int(LASTS.total_seconds()),
        path=_PATH,
        httponly=True,
        samesite="lax",
        secure=is_https(site),
    )


def kept_attempt(request: Request, site: Site, *, now: datetime) -> tuple[Attempt, str] | None:
    """What this browser left with, and where it wants to go; None: nothing, or too long ago."""
    note = _read(request, site, ATTEMPT, now)
    return None if note is None else (Attempt(**note["of"]), own_path(note["target"]))


def kept_identity(request: Request, site: Site, *, now: datetime) -> tuple[Identity, str] | None:
    """Who this browser's person was proved to be, and where they want to go; None: nobody, or too long ago."""
    note = _read(request, site, IDENTITY, now)
    if note is None:
        return None
    values = note["of"]
    return Identity(**{**values, "methods": frozenset(values["methods"])}), own_path(note["target"])


def drop(response: Response, site: Site, name: str) -> None:
    """Take `ATTEMPT` or `IDENTITY` from the browser: it is good for once."""
    response.delete_cookie(_cookie(name), path=_PATH, httponly=True, samesite="lax", secure=is_https(site))


def _cookie(name: str) -> str:
    return f"bonewise_{name}"


def _read(request: Request, site: Site, name: str, now: datetime) -> dict[str, Any] | None:
    text = site.app.open_note(f"cookie.{name}", request.cookies.get(_cookie(name), ""))
    if text is None:
        return None
    note: dict[str, Any] = json.loads(text)  # ours, or it would not have opened
    age = now.timestamp() - note["at"]
    return note if 0 <= age <= LASTS.total_seconds() else None
