"""A Twilio channel with a stopped clock, and texts to send over it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from scheduler.channels.errors import load_error_table
from scheduler.channels.twilio import TwilioSettings, TwilioSms
from scheduler.ports import OutboundSms, SendResult, SmsChannel
from tests.support.twilio_server import ACCOUNT, TOKEN

ROOT = Path(__file__).parents[2]
ERRORS = load_error_table(ROOT / "config" / "provider_errors.yaml")
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
PHONE = "+15551230001"
SENDER = "+15557650000"
SERVICE = "MG" + "ab" * 16


class StoppedClock:
    def now(self) -> datetime:
        return NOW


def text(
    to: str = PHONE,
    *,
    body: str = "Oak Clinic: move today.",
    sender: str | None = SENDER,
    service: str | None = None,
    valid_for: timedelta | None = timedelta(hours=2),
) -> OutboundSms:
    return OutboundSms(
        attempt_id=uuid4(),
        to=to,
        body=body,
        sender_number=sender,
        messaging_service=service,
        valid_until=None if valid_for is None else NOW + valid_for,
    )


def settings(url: str, **changes: Any) -> TwilioSettings:
    given: dict[str, Any] = {
        "account_sid": ACCOUNT,
        "username": ACCOUNT,
        "password": TOKEN,
        "public_url": "https://care.clinic.example",
        "api_url": url,
        "timeout": 5.0,
    }
    return TwilioSettings(**{**given, **changes})


@contextmanager
def channel_to(url: str, *, ca_file: str | None = None, **changes: Any) -> Iterator[TwilioSms]:
    """A channel to the server at `url`; `changes` are of its settings."""
    channel = TwilioSms(settings(url, **changes), errors=ERRORS, clock=StoppedClock(), ca_file=ca_file)
    try:
        yield channel
    finally:
        channel.close()


def send_one(channel: SmsChannel, message: OutboundSms) -> SendResult:
    (result,) = channel.send([message])
    assert result.attempt_id == message.attempt_id
    return result
