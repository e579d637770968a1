"""Who may use a route. Every route names exactly one of these, and a test holds it to that."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from fastapi import HTTPException, Request

from scheduler.web.site import Here, Site, site_of


async def anyone() -> None:
    """Nothing behind the route is personal, or the route itself checks what it was given (a signature, a link)."""


async def visitor(request: Request, site: Here) -> None:
    """Somebody who came by an address of this installation.

    A page elsewhere may point a host name of its own at this machine and read what it answers (DNS rebinding). It
    cannot do so with an IP address or with our own name, so only those are answered.
    """
    _check_host(request, site)


async def simulated_visitor(request: Request, site: Here) -> None:
    """A visitor of an installation from which nothing leaves; elsewhere the page does not exist."""
    _check_host(request, site)
    if not site.app.settings.is_simulated:
        raise HTTPException(404)


async def phone_visitor(request: Request, site: Here) -> None:
    """A visitor of an installation with at least one simulated channel; elsewhere the page does not exist."""
    _check_host(request, site)
    if not site.simulated_channels:
        raise HTTPException(404)


async def twilio(request: Request) -> None:
    """Twilio, where texts go through it. Its signature is checked with the form it sends."""
    if (await site_of(request)).app.settings.sms != "twilio":
        raise HTTPException(404)


ACCESS = frozenset({anyone, visitor, simulated_visitor, phone_visitor, twilio})


def _check_host(request: Request, site: Site) -> None:
    if not _is_own_name(request.url.hostname or "", site.app.settings.public_url):
        raise HTTPException(421, "Open Bonewise at the address in BONEWISE_PUBLIC_URL, or at an IP address.")


def _is_own_name(host: str, public_url: str) -> bool:
    if host in ("localhost", urlsplit(public_url).hostname) or host.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
