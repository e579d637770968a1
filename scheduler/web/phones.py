"""The simulated phones and mailboxes, where a visitor can read and answer as each patient."""

from __future__ import annotations

from datetime import UTC

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from scheduler.domain.people import Channel
from scheduler.services.phones import MOST_PHONES, Phone, phone_key, phones
from scheduler.services.replies import Inbound, receive
from scheduler.services.routing import clinic_for
from scheduler.web.access import phone_visitor
from scheduler.web.forms import OwnFields, keep_cookie, token_for
from scheduler.web.site import Here, Site

router = APIRouter(prefix="/phones", dependencies=[Depends(phone_visitor)])

LONGEST_REPLY = (
    1600  # characters: as long as a text can be, https://www.twilio.com/docs/glossary/what-sms-character-limit
)


@router.get("")
def wall(request: Request, site: Here) -> HTMLResponse:
    """Every phone and mailbox with what is on it."""
    cookie, token = token_for(site.app, request)
    page = site.pages.html(
        "phones.html",
        phones=_phones(site),
        most=MOST_PHONES,
        longest=LONGEST_REPLY,
        form_token=token,
        can_move=site.app.settings.is_simulated,
        ahead=site.days_ahead,
        now=site.app.clock.now().astimezone(UTC),
    )
    answer = HTMLResponse(page)
    keep_cookie(answer, request, cookie)
    return answer


@router.get("/wall")
def fragment(site: Here) -> HTMLResponse:
    """The phones alone, for the page to look for news."""
    return HTMLResponse(site.pages.html("phones_wall.html", phones=_phones(site)))


@router.post("/reply")
def reply(site: Here, fields: OwnFields) -> RedirectResponse:
    """Answer as a patient, and let the service react at once."""
    app, channel, sender = site.app, _channel(site, fields), fields.get("address", "")
    text = fields.get("body", "").strip()[:LONGEST_REPLY]
    with app.store.reading() as unit:
        is_known = bool(unit.inbox.senders(channel, [sender]))
        clinic = clinic_for(unit, channel, sender=sender) if is_known else None
    if clinic is None:
        raise HTTPException(404, "No patient has that number or address.")
    if text:
        inbound = Inbound(channel=channel, sender=sender, body=text, provider_id=None)
        receive(app.store, app.rules, clinic, inbound, now=app.clock.now())
        with app.turn:
            app.ticker.tick()
    return RedirectResponse(f"/phones#{phone_key(channel, sender)}", status_code=303)


def _channel(site: Site, fields: dict[str, str]) -> Channel:
    found = next((one for one in site.simulated_channels if one.value == fields.get("channel")), None)
    if found is None:
        raise HTTPException(404, "That channel is not simulated here.")
    return found


def _phones(site: Site) -> list[Phone]:
    received = site.app.simulated_inbox.received()
    with site.app.store.reading() as unit:
        return phones(unit, received, channels=site.simulated_channels)
