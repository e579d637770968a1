"""The link at the foot of an e-mail: one click and no more of them (RFC 8058)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import HTMLResponse

from scheduler.domain.languages import language_chain
from scheduler.records import Clinic, Patient
from scheduler.services.unsubscribe import subscriber, unsubscribe
from scheduler.web.access import anyone
from scheduler.web.site import Here, Site

router = APIRouter(prefix="/u", dependencies=[Depends(anyone)])

_LANGUAGES = ("en", "es")  # templates/web/unsubscribe/


def bearer(token: str, site: Here) -> tuple[Clinic, Patient]:
    """Whose link it is. Raises 404 when it is not one of ours."""
    meant = site.app.links.unsubscribing(token)
    found = subscriber(site.app.store, clinic_id=meant[0], patient_id=meant[1]) if meant else None
    if found is None:
        raise HTTPException(404, "This link is not complete. Use the whole link at the foot of the e-mail.")
    return found


Bearer = Annotated[tuple[Clinic, Patient], Depends(bearer)]


@router.api_route("/{token}", methods=["GET", "HEAD"])
def ask(site: Here, who: Bearer) -> HTMLResponse:
    """Show a button. Changes nothing: mail scanners open every link."""
    return _page(site, who, is_done=not who[1].email_consent)


@router.post("/{token}")
def confirm(site: Here, who: Bearer) -> HTMLResponse:
    """Take back consent to e-mail. The link is all it takes: no login, no cookie, no second page, no redirect."""
    clinic, patient = who
    app = site.app
    unsubscribe(app.store, app.rules, clinic_id=clinic.id, patient_id=patient.id, now=app.clock.now())
    return _page(site, who, is_done=True)


def _page(site: Site, who: tuple[Clinic, Patient], *, is_done: bool) -> HTMLResponse:
    clinic, patient = who
    chain = language_chain(patient.language, clinic.language)
    language = next((one for one in chain if one in _LANGUAGES), _LANGUAGES[0])
    values = {"clinic": clinic.message_name, "phone": clinic.phone, "is_done": is_done}
    return HTMLResponse(site.pages.html(f"unsubscribe/{language}.html", **values))
