"""Who is behind a request for a patient's page: the link, whether the year of birth was right, and the language.

What is open is kept by a signed cookie that holds nothing but two instants, good for this very link: a GET renews it
and writes nothing. It lives by real time, as links live by the service's.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, HTTPException, Request, Response

from scheduler.bootstrap import App
from scheduler.domain.languages import language_chain
from scheduler.domain.patient_page import is_open
from scheduler.records import Clinic, Patient
from scheduler.services.patient_page.home import ENDED
from scheduler.services.patient_page.opening import Bearer, bearer_of
from scheduler.web.patient.saying import Saying
from scheduler.web.site import Here, Site
from scheduler.web.staff.session import wall_time
from scheduler.web.tongues import N_

COOKIE = "bonewise_page"
WORDS = "bonewise_words"  # the language that the reader chose to look at the page in
_NO_LINK = N_("This link does not work, or does not work any more. Ask your clinic for a new one.")
_PURPOSE = "patient-page-open"
_INSTANT_BYTES = 6
_SIGNATURE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Visit:
    """A request for a page. `started_at` (UTC) is when it was opened; None while the year is still asked for."""

    token: str
    bearer: Bearer
    language: str
    saying: Saying
    started_at: datetime | None = None

    @property
    def clinic(self) -> Clinic:
        return self.bearer.clinic

    @property
    def patient(self) -> Patient:
        return self.bearer.patient

    @property
    def path(self) -> str:
        """The first screen."""
        return f"/p/{self.token}"


def arrived(token: str, request: Request, site: Here) -> Visit:
    """Whose link it is. Raises 404 when it leads nowhere, whatever the reason."""
    bearer = bearer_of(site.app.store, site.app.links, token, now=site.app.clock.now())
    if bearer is None:
        raise HTTPException(404, _NO_LINK)
    language = _language(site, request, bearer)
    visit = Visit(token, bearer, language, Saying(language, site.pages.words))
    return replace(visit, started_at=_started_at(site.app, request, visit))


def entered(visit: Annotated[Visit, Depends(arrived)]) -> Visit:
    """Somebody who has given the right year, and whose messages go on. Leads others to the first screen."""
    if visit.started_at is None or visit.patient.status in ENDED:
        raise HTTPException(303, headers={"Location": visit.path})
    return visit


Arrived = Annotated[Visit, Depends(arrived)]
Entered = Annotated[Visit, Depends(entered)]


def opened(visit: Visit) -> Visit:
    """The visit, from now on open."""
    return replace(visit, started_at=wall_time())


def keep_open(response: Response, site: Site, visit: Visit) -> None:
    """Give the browser the cookie by which the page stays open."""
    if visit.started_at is None:
        return
    instants = _instant(visit.started_at) + _instant(wall_time())
    signed = instants + site.app.vault.sign(_PURPOSE, _signed(visit, instants), length=_SIGNATURE_BYTES)
    value = base64.urlsafe_b64encode(signed).decode().rstrip("=")
    set_own(response, site, visit, COOKIE, value)


def close(response: Response, visit: Visit) -> None:
    """Take it away."""
    response.delete_cookie(COOKIE, path=visit.path, httponly=True, samesite="lax")


def set_own(response: Response, site: Site, visit: Visit, name: str, value: str) -> None:
    """A cookie that is sent to this page alone, until the browser is closed."""
    is_https = site.app.settings.public_url.startswith("https://")
    response.set_cookie(name, value, path=visit.path, httponly=True, samesite="lax", secure=is_https)


def _started_at(app: App, request: Request, visit: Visit) -> datetime | None:
    cookie = request.cookies.get(COOKIE, "")
    try:
        signed = base64.b64decode(cookie + "=" * (-len(cookie) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    instants, signature = signed[: 2 * _INSTANT_BYTES], signed[2 * _INSTANT_BYTES :]
    if not app.vault.verify(_PURPOSE, _signed(visit, instants), signature, length=_SIGNATURE_BYTES):
        return None
    started_at, seen_at = (_read(instants[at : at + _INSTANT_BYTES]) for at in (0, _INSTANT_BYTES))
    return started_at if is_open(started_at=started_at, seen_at=seen_at, now=wall_time()) else None


def _signed(visit: Visit, instants: bytes) -> bytes:
    """A year is asked for again after it was corrected, and by any other link."""
    born = visit.patient.birth_date
    return f"{visit.token}:{born.year if born else ''}:".encode() + instants


def _instant(at: datetime) -> bytes:
    return int(at.timestamp()).to_bytes(_INSTANT_BYTES)


def _read(instant: bytes) -> datetime:
    return datetime.fromtimestamp(int.from_bytes(instant), UTC)


def _language(site: Site, request: Request, bearer: Bearer) -> str:
    words, chosen = site.pages.words, request.cookies.get(WORDS, "")
    if chosen in words.languages:
        return chosen
    return words.choose(language_chain(bearer.patient.language, bearer.clinic.language))
