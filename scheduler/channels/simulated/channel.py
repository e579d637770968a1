"""`SmsChannel` and `EmailChannel` that keep every message in a `SimulatedInbox`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from scheduler.domain.people import Channel
from scheduler.ports import (
    Clock,
    ErrorClass,
    Handed,
    OutboundEmail,
    OutboundSms,
    Outcome,
    SendResult,
    SimulatedDelivery,
    SimulatedInbox,
)

# Numbers that fail, to see what staff see then. They are Twilio's test numbers: nobody has them, and they
# fail here as there. https://www.twilio.com/docs/iam/test-credentials
TEST_NUMBERS = {
    "+15005550001": ("21211", ErrorClass.PERMANENT),  # not a valid number
    "+15005550004": ("21610", ErrorClass.STOPPED),  # said STOP
    "+15005550009": ("21614", ErrorClass.PERMANENT),  # not a mobile number
}


_NOTHING_YET = 0.005  # seconds before a batch that has nothing for now is asked again

Outbound = TypeVar("Outbound", OutboundSms, OutboundEmail)


class SimulatedSms:
    """Takes every text but those to `TEST_NUMBERS`. A batch is kept as a whole before the first result."""

    def __init__(self, inbox: SimulatedInbox, clock: Clock) -> None:
        self._inbox = inbox
        self._clock = clock

    def send(self, batch: Iterable[OutboundSms | None]) -> Iterator[SendResult]:
        messages, now = list(_patiently(batch)), self._clock.now()
        self._inbox.keep(
            SimulatedDelivery(
                channel=Channel.SMS,
                address=message.to,
                sender=message.sender_number or message.messaging_service or "",
                subject=None,
                body=message.body,
                html=None,
                at=now,
            )
            for message in messages
            if message.to not in TEST_NUMBERS
        )
        for message in messages:
            yield _refused(message) if message.to in TEST_NUMBERS else _accepted(message.attempt_id)

    def find(self, *, to: str, since: datetime, until: datetime) -> list[Handed]:
        """Nothing: the simulated provider answers every text at once and keeps no records beside the inbox."""
        return []

    def close(self) -> None:
        """Nothing is held open."""


class SimulatedEmail:
    """Takes every mail. A batch is kept as a whole before the first result."""

    def __init__(self, inbox: SimulatedInbox, clock: Clock) -> None:
        self._inbox = inbox
        self._clock = clock

    def send(self, batch: Iterable[OutboundEmail | None]) -> Iterator[SendResult]:
        mails, now = list(_patiently(batch)), self._clock.now()
        self._inbox.keep(
            SimulatedDelivery(
                channel=Channel.EMAIL,
                address=mail.to,
                sender=f"{mail.sender_name} <{mail.sender_address}>",
                subject=mail.subject,
                body=mail.text,
                html=mail.html,
                at=now,
            )
            for mail in mails
        )
        for mail in mails:
            yield _accepted(mail.attempt_id)

    def close(self) -> None:
        """Nothing is held open."""


def _patiently(batch: Iterable[Outbound | None]) -> Iterator[Outbound]:
    """What `batch` has; a short pause where it has nothing yet."""
    for each in batch:
        if each is None:
            time.sleep(_NOTHING_YET)
        else:
            yield each


def _accepted(attempt_id: UUID) -> SendResult:
    return SendResult(attempt_id=attempt_id, outcome=Outcome.ACCEPTED, provider_id=f"SIM{attempt_id.hex}")


def _refused(message: OutboundSms) -> SendResult:
    code, error_class = TEST_NUMBERS[message.to]
    return SendResult(
        attempt_id=message.attempt_id,
        outcome=Outcome.REFUSED,
        code=code,
        error_class=error_class,
        detail=f"simulated error {code}",
    )
