"""Twilio's webhooks: texts from patients, and what became of texts to them.

https://www.twilio.com/docs/messaging/guides/webhook-request and .../track-outbound-message-status. Both are signed,
may come twice and out of order, and are answered at once.
"""

from __future__ import annotations

import logging
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from scheduler.domain.people import Channel
from scheduler.services.receipts import Receipt
from scheduler.services.replies import Inbound, receive
from scheduler.services.routing import clinic_for
from scheduler.web.access import twilio
from scheduler.web.bodies import Fields, read_fields
from scheduler.web.counters import REFUSED_WEBHOOKS
from scheduler.web.site import Here

router = APIRouter(prefix="/hooks/twilio", dependencies=[Depends(twilio)])

_NO_REPLY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

_log = logging.getLogger(__name__)


def signed_fields(request: Request, site: Here, fields: Annotated[Fields, Depends(read_fields)]) -> dict[str, str]:
    """The fields of a form that Twilio signed for our own account.

    Raises 403 for any other, which leaves no trace but in a counter: a log that strangers can fill helps nobody.
    """
    path = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope["query_string"]
    asked = path.decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")
    app, found = site.app, dict(fields)
    signature = request.headers.get("x-twilio-signature")
    is_signed = app.verify_twilio(f"{app.settings.public_url}{asked}", fields, signature)
    if not is_signed or found.get("AccountSid") != app.settings.twilio_account_sid:
        REFUSED_WEBHOOKS.add(request.url.path.rpartition("/")[2])
        raise HTTPException(403, "The signature is not Twilio's for this address and account.")
    return found


SignedFields = Annotated[dict[str, str], Depends(signed_fields)]


@router.post("/inbound")
def inbound(site: Here, fields: SignedFields) -> Response:
    """Take in a text from a patient. The answer to it, if any, goes as a message of its own."""
    app, sender, sid = site.app, fields.get("From", ""), fields.get("MessageSid") or fields.get("SmsSid")
    if not sender or not sid:
        raise HTTPException(400, "From or MessageSid is missing.")
    with app.store.reading() as unit:
        clinic = clinic_for(
            unit,
            Channel.SMS,
            sender=sender,
            number=fields.get("To", ""),
            messaging_service=fields.get("MessagingServiceSid", ""),
        )
    if clinic is None:
        _log.error("text %s is for no clinic: no clinic has its number or service, and nobody knows its sender", sid)
    else:
        text = Inbound(channel=Channel.SMS, sender=sender, body=fields.get("Body", ""), provider_id=sid)
        receive(app.store, app.rules, clinic, text, now=app.clock.now())
    return Response(_NO_REPLY, media_type="text/xml")


@router.post("/status")
def status(request: Request, site: Here, fields: SignedFields) -> Response:
    """Move a message on by what Twilio says became of it.

    Anything but 200 makes Twilio repeat it, so only a database that is away is answered otherwise. The attempt was
    on record before Twilio heard of it: one that we do not know will not be known later.
    """
    app, code = site.app, fields.get("ErrorCode") or None
    said = fields.get("MessageStatus") or fields.get("SmsStatus", "")
    sid = fields.get("MessageSid") or fields.get("SmsSid", "")
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


def _attempt(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
