"""The link at the foot of an e-mail: one click and no more of them (RFC 8058)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from enum import StrEnum
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse
from starlette.formparsers import MultiPartException, MultiPartParser

from scheduler.domain.languages import language_chain
from scheduler.records import Clinic, Patient
from scheduler.services.unsubscribe import Pressed, subscriber, take_back, unsubscribe
from scheduler.web.access import anyone
from scheduler.web.site import Here, Site
from scheduler.web.tongues import N_

router = APIRouter(prefix="/u", dependencies=[Depends(anyone)])

# RFC 8058 section 3.1: the whole of what a mail program posts. Our own button posts it too, and says that it is ours.
ONE_CLICK = ("List-Unsubscribe", "One-Click")
BY_PAGE = ("by", "page")
TAKE_BACK = "keep"  # the field with the token of a press that is to be taken back

_PAGE = "unsubscribe.html"
_LONGEST = 16 * 1024  # bytes
_MOST_FIELDS = 10
_ONE_CLICK_WORDING = "RFC 8058 one-click in the mail program"
_LONGEST_WORDING = 64  # characters

Who = tuple[Clinic, Patient]


class Shown(StrEnum):
    """What the page says."""

    ASK = "ask"  # whether the e-mails should end
    ENDED = "ended"
    KEPT = "kept"  # they had ended by mistake, and go on


def bearer(token: str, site: Here) -> Who:
    """Whose link it is. Raises 404 when it is not one of ours."""
    meant = site.app.links.unsubscribing(token)
    found = subscriber(site.app.store, clinic_id=meant[0], patient_id=meant[1]) if meant else None
    if found is None:
        raise HTTPException(404, N_("This link is not complete. Use the whole link at the foot of the e-mail."))
    return found


async def posted(request: Request) -> Mapping[str, str]:
    """The fields of a form, URL-encoded or multipart: RFC 8058 section 3.2 allows both. Raises 413."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST:
            raise HTTPException(413, N_("There is more in this form than its button sends."))
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        form = await MultiPartParser(
            request.headers, _once(bytes(body)), max_files=0, max_fields=_MOST_FIELDS
        ).parse()
    except (MultiPartException, KeyError, ValueError):
        return {}
    return {name: value for name, value in form.multi_items() if isinstance(value, str)}


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


Bearer = Annotated[Who, Depends(bearer)]
Posted = Annotated[Mapping[str, str], Depends(posted)]


@router.api_route("/{token}", methods=["GET", "HEAD"])
def ask(site: Here, who: Bearer) -> HTMLResponse:
    """Show a button. Changes nothing: mail scanners open every link."""
    return _page(site, who, Shown.ASK if who[1].email_consent else Shown.ENDED)


@router.post("/{token}")
def confirm(site: Here, who: Bearer, fields: Posted) -> HTMLResponse:
    """Take back consent to e-mail. The link is all it takes: no login, no cookie, no second page, no redirect.

    What was posted must be the words of RFC 8058: something else that posts here did not mean it, and is asked.
    """
    if fields.get(TAKE_BACK):
        return _take_back(site, who, fields[TAKE_BACK])
    if fields.get(ONE_CLICK[0], "").lower() != ONE_CLICK[1].lower():
        return _page(site, who, Shown.ASK if who[1].email_consent else Shown.ENDED, status=400)
    (clinic, patient), app = who, site.app
    now = app.clock.now()
    pressed = unsubscribe(
        app.store,
        app.rules,
        clinic_id=clinic.id,
        patient_id=patient.id,
        wording=_wording(site, who, "button") if fields.get(BY_PAGE[0]) == BY_PAGE[1] else _ONE_CLICK_WORDING,
        now=now,
    )
    keep = app.links.pressed(clinic.id, patient.id, now) if pressed is Pressed.ENDED else ""
    return _page(site, who, Shown.ENDED, keep=keep)


def _take_back(site: Site, who: Who, token: str) -> HTMLResponse:
    (clinic, patient), app = who, site.app
    pressed_at = app.links.pressed_at(token, clinic_id=clinic.id, patient_id=patient.id)
    is_kept = pressed_at is not None and take_back(
        app.store,
        app.rules,
        clinic_id=clinic.id,
        patient_id=patient.id,
        pressed_at=pressed_at,
        wording=_wording(site, who, "undo"),
        now=app.clock.now(),
    )
    return _page(site, who, Shown.KEPT if is_kept or patient.email_consent else Shown.ENDED)


def _page(site: Site, who: Who, shown: Shown, *, keep: str = "", status: int = 200) -> HTMLResponse:
    clinic = who[0]
    values = {"clinic": clinic.message_name, "phone": clinic.phone, "shown": shown.value, "keep": keep}
    page = site.pages.html(_PAGE, language=_language(site, who), **values)
    return HTMLResponse(page, status_code=status)


def _wording(site: Site, who: Who, block: str) -> str:
    """The words on the button, in the language that the patient saw, for the record of consent."""
    language = _language(site, who)
    said = site.pages.block(_PAGE, block, language=language)
    return f"{language}: {said}"[:_LONGEST_WORDING]


def _language(site: Site, who: Who) -> str:
    clinic, patient = who
    return site.pages.words.choose(language_chain(patient.language, clinic.language))
