"""The simulated phones and mailboxes, where a visitor can read and answer as each patient."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import StreamingResponse

from scheduler.domain.people import Channel
from scheduler.services.phones import MOST_PHONES, Bubble, Phone, phone_key
from scheduler.services.replies import Inbound, receive
from scheduler.services.routing import clinic_for
from scheduler.web.access import phone_visitor
from scheduler.web.clock import face
from scheduler.web.forms import OwnFields, keep_cookie, token_for
from scheduler.web.live import Live, phones_of, version_of
from scheduler.web.mail_frames import mail_body, with_frames
from scheduler.web.site import Here, Site

router = APIRouter(prefix="/phones", dependencies=[Depends(phone_visitor)])

LONGEST_REPLY = (
    1600  # characters: as long as a text can be, https://www.twilio.com/docs/glossary/what-sms-character-limit
)
_NOT_HERE = "No mailbox on the wall of phones has this e-mail. Go back to the phones and open it from there."

Version = Annotated[str, Query(max_length=64)]
LastEvent = Annotated[str, Header(alias="last-event-id", max_length=64)]


@router.get("")
def wall(request: Request, site: Here) -> HTMLResponse:
    """Every phone and mailbox with what is on it."""
    cookie, token = token_for(site.app, request)
    found, clock = phones_of(site), face(site)
    page = site.pages.html(
        "phones.html",
        phones=found,
        version=version_of(found),
        most=MOST_PHONES,
        longest=LONGEST_REPLY,
        form_token=token,
        can_move=site.app.settings.is_simulated,
        clock=clock,
        now=clock.now,
    )
    answer = HTMLResponse(page)
    keep_cookie(answer, request, cookie)
    return answer


@router.get("/wall")
def fragment(site: Here) -> HTMLResponse:
    """The phones and the clock alone, for the page to look for news where it cannot listen for them."""
    clock = face(site)
    return HTMLResponse(
        site.pages.html("phones_wall.html", phones=phones_of(site), now=clock.now)
        + site.pages.html("_clock_face.html", clock=clock)
    )


@router.get("/events")
async def events(request: Request, since: Version = "", last: LastEvent = "") -> Response:
    """News of the phones and the clock as server-sent events, until the browser goes or the service stops."""
    live = cast("Live", request.app.state.live)
    if live.is_full:
        raise HTTPException(503, "As many browsers watch the phones as may at once.", headers={"Retry-After": "10"})
    # A proxy that gathers what it passes on would keep the news to itself.
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(live.listen(last or since), media_type="text/event-stream", headers=headers)


@router.get("/mails/{number}")
def mail(site: Here, number: int) -> HTMLResponse:
    """One e-mail as a mail program draws it."""
    phone, found = _mail(site, number)
    page = HTMLResponse(site.pages.html("phones_mail.html", phone=phone, mail=found))
    with_frames(page)
    return page


@router.get("/mails/{number}/body")
def body(site: Here, number: int) -> HTMLResponse:
    """The HTML part of an e-mail, for the frame that shows it."""
    return mail_body(_mail(site, number)[1].html or "")


@router.post("/reply")
def reply(site: Here, fields: OwnFields) -> RedirectResponse:
    """Answer as a patient, and let the service react at once."""
    app, channel, sender = site.app, _channel(site, fields), fields.get("address", "")
    text = (fields.get("quick") or fields.get("body", "")).strip()[:LONGEST_REPLY]
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


def _mail(site: Site, number: int) -> tuple[Phone, Bubble]:
    """The mail with this number, if it came to a mailbox on the wall: others may hold what is not for visitors."""
    for phone in phones_of(site):
        for bubble in phone.bubbles:
            if bubble.html is not None and bubble.number == number:
                return phone, bubble
    raise HTTPException(404, _NOT_HERE)
