"""Twilio's webhooks: texts from patients, and what became of texts to them.

https://www.twilio.com/docs/messaging/guides/webhook-request and .../track-outbound-message-status. Both are signed,
may come twice and out of order, and are answered at once.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from scheduler.domain.opt_out import OptOut
from scheduler.domain.people import Channel
from scheduler.services.group_commit import TooBusyError
from scheduler.services.receipts import Receipt
from scheduler.services.replies import Arrival, Fate, Inbound
from scheduler.web.access import twilio
from scheduler.web.bodies import read_fields
from scheduler.web.counters import REFUSED_WEBHOOKS
from scheduler.web.direct_route import DirectRoute
from scheduler.web.site import Here, site_of

router = APIRouter(prefix="/hooks/twilio", dependencies=[Depends(twilio)])

LONGEST_WAIT = 4.5  # seconds; Twilio gives up after 15, and all its tries share those
LONGEST_SID = 64
LONGEST_NAME = 64
LONGEST_CODE = 8
MOST_MEDIA = 99
RETRY_SOON = {"Retry-After": "1"}
_NO_REPLY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

_log = logging.getLogger(__name__)


async def signed_fields(request: Request) -> dict[str, str]:
    """The fields of a form that Twilio signed for our own account.

    Raises 403 for any other, which leaves no trace but in a counter: a log that strangers can fill helps nobody.
    """
    path = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope["query_string"]
    asked = path.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")
    app, fields = (await site_of(request)).app, await read_fields(request)
    found = dict(fields)
    signature = request.headers.get("x-twilio-signature")
    is_signed = app.verify_twilio(f"{app.settings.public_url}{asked}", fields, signature)
    if not is_signed or found.get("AccountSid") != app.settings.twilio_account_sid:
        REFUSED_WEBHOOKS.add(request.url.path.rpartition("/")[2])
        raise HTTPException(403, "The signature is not Twilio's for this address and account.")
    return found


SignedFields = Annotated[dict[str, str], Depends(signed_fields)]


async def inbound(request: Request) -> Response:
    """Take in a text from a patient. The answer to it, if any, goes as a message of its own.

    200 says that it is stored, and of a STOP that it has taken effect. 503 asks Twilio to come again: it does so
    within 15 seconds when the address at Twilio says `#rc=3&rp=5xx,ct,rt`
    (https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
    """
    app, fields = (await site_of(request)).app, await signed_fields(request)
    sender, sid = fields.get("From", ""), _sid(fields)
    if not sender or not sid:
        raise HTTPException(400, "From or MessageSid is missing, or MessageSid is no id.")
    if not _is_a_text(fields):
        _log.info("%s is no text but a notice about one (%s)", sid, fields.get("SmsStatus", "")[:32])
        return Response(_NO_REPLY, media_type="text/xml")
    text = Inbound(
        channel=Channel.SMS,
        sender=sender,
        body=fields.get("Body", ""),
        provider_id=sid,
        media=_count(fields.get("NumMedia", "")),
        opt_out=_opt_out(fields.get("OptOutType", "")),
    )
    arrival = Arrival(
        inbound=text,
        at=app.clock.now(),
        number=_name(fields.get("To", "")),
        messaging_service=_name(fields.get("MessagingServiceSid", "")),
    )
    try:
        done = app.front_desk.hand_in(arrival)
        taken = await asyncio.wait_for(asyncio.wrap_future(done), LONGEST_WAIT)
    except (TooBusyError, TimeoutError):
        raise HTTPException(503, "There is more to do than can be done in time.", RETRY_SOON) from None
    if taken.fate is Fate.ORPHANED:
        _log.error("text %s is for no clinic: no clinic has its number or service, and nobody knows its sender", sid)
    return Response(_NO_REPLY, media_type="text/xml")


router.add_api_route("/inbound", inbound, methods=["POST"], route_class_override=DirectRoute)


def _is_a_text(fields: dict[str, str]) -> bool:
    """A notice of delivery that comes to this address is nothing that a patient said."""
    return fields.get("SmsStatus", "received").lower() in ("", "received", "receiving")


def _sid(fields: dict[str, str]) -> str:
    """Twilio's id of the message; empty where there is none that can be kept."""
    sid = fields.get("MessageSid") or fields.get("SmsSid", "")
    return sid if len(sid) <= LONGEST_SID and sid.isascii() and sid.isprintable() else ""


def _name(text: str) -> str:
    """A number or service of ours, as far as it can be kept: PostgreSQL takes no NUL in a text."""
    return text.replace("\0", "")[:LONGEST_NAME]


def _count(number: str) -> int:
    if not (number.isascii() and number.isdigit()):
        return 0
    return min(int(number), MOST_MEDIA) if len(number) <= len(str(MOST_MEDIA)) else MOST_MEDIA


def _opt_out(word: str) -> OptOut | None:
    """What Advanced Opt-Out took a text for; None when it took no notice, or by a word that is not known here."""
    return next((one for one in OptOut if one.value == word.lower()), None)


@router.post("/status")
def status(request: Request, site: Here, fields: SignedFields) -> Response:
    """Move a message on by what Twilio says became of it.

    Anything but 200 makes Twilio repeat it, so only a database that is away is answered otherwise. The attempt was
    on record before Twilio heard of it: one that we do not know will not be known later.
    """
    app, code = site.app, _code(fields.get("ErrorCode", ""))
    said = fields.get("MessageStatus") or fields.get("SmsStatus", "")
    sid = _sid(fields)
    target, error_class = app.read_twilio_status(said, code)
    if target is None or not sid:
        _log.warning("a receipt with status %r and message %r was left out", said[:32], sid[:64])
    else:
        receipt = Receipt(
            attempt_id=_attempt(request.query_params.get("a", "")),
            provider_id=sid,
            target=target,
            code=code,
            error_class=error_class,
        )
        app.receipts.record(receipt, now=app.clock.now())
    return Response(status_code=200)


def _code(text: str) -> str | None:
    """Twilio's error codes are numbers of five digits."""
    return text if text.isascii() and text.isdigit() and len(text) <= LONGEST_CODE else None


def _attempt(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
