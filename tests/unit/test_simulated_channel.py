"""Simulated phones and mailboxes keep what was sent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from scheduler.channels.simulated import TEST_NUMBERS, SimulatedEmail, SimulatedSms
from scheduler.domain.people import Channel
from scheduler.ports import EmailChannel, OutboundEmail, OutboundSms, Outcome, SimulatedDelivery, SmsChannel

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)


class Inbox:
    def __init__(self) -> None:
        self.kept: list[SimulatedDelivery] = []

    def keep(self, deliveries: Iterable[SimulatedDelivery]) -> None:
        self.kept.extend(deliveries)


class StoppedClock:
    def now(self) -> datetime:
        return NOW


def sms(to: str = "+15551230001", *, service: str | None = None) -> OutboundSms:
    return OutboundSms(
        attempt_id=uuid4(),
        to=to,
        body="Oak Clinic: move today.",
        sender_number=None if service else "+15557650000",
        messaging_service=service,
        valid_until=None,
    )


def email(attempt_id: UUID) -> OutboundEmail:
    return OutboundEmail(
        attempt_id=attempt_id,
        to="ann@example.org",
        subject="A reminder",
        text="Move today.",
        html="<p>Move today.</p>",
        sender_address="care@clinic.example",
        sender_name="Oak Clinic",
        message_id="<1@clinic.example>",
        unsubscribe_url="https://clinic.example/u/t",
        is_reply=False,
    )


def test_a_text_is_kept_for_the_phone_it_went_to() -> None:
    inbox = Inbox()
    channel: SmsChannel = SimulatedSms(inbox, StoppedClock())
    message = sms()
    (result,) = channel.send([message])
    assert (result.outcome, result.provider_id) == (Outcome.ACCEPTED, f"SIM{message.attempt_id.hex}")
    assert inbox.kept == [
        SimulatedDelivery(
            channel=Channel.SMS,
            address=message.to,
            sender="+15557650000",
            subject=None,
            body=message.body,
            html=None,
            at=NOW,
        )
    ]


def test_a_text_of_a_messaging_service_shows_the_service_as_its_sender() -> None:
    inbox = Inbox()
    list(SimulatedSms(inbox, StoppedClock()).send([sms(service="MG" + "0" * 32)]))
    assert inbox.kept[0].sender == "MG" + "0" * 32


def test_a_mail_is_kept_with_its_subject_and_both_bodies() -> None:
    inbox = Inbox()
    channel: EmailChannel = SimulatedEmail(inbox, StoppedClock())
    attempt_id = uuid4()
    (result,) = channel.send([email(attempt_id)])
    assert (result.outcome, result.provider_id) == (Outcome.ACCEPTED, f"SIM{attempt_id.hex}")
    (kept,) = inbox.kept
    assert (kept.channel, kept.address, kept.subject) == (Channel.EMAIL, "ann@example.org", "A reminder")
    assert (kept.body, kept.html) == ("Move today.", "<p>Move today.</p>")
    assert kept.sender == "Oak Clinic <care@clinic.example>"


@pytest.mark.parametrize("number", TEST_NUMBERS)
def test_a_test_number_is_refused_and_its_phone_gets_nothing(number: str) -> None:
    inbox = Inbox()
    good, bad = sms(), sms(number)
    results = {r.attempt_id: r for r in SimulatedSms(inbox, StoppedClock()).send([bad, good])}
    assert results[bad.attempt_id].outcome is Outcome.REFUSED
    assert results[bad.attempt_id].code == TEST_NUMBERS[number][0]
    assert results[good.attempt_id].outcome is Outcome.ACCEPTED
    assert [kept.address for kept in inbox.kept] == [good.to]


def test_a_batch_is_kept_before_the_first_result_is_read() -> None:
    inbox = Inbox()
    next(SimulatedSms(inbox, StoppedClock()).send([sms(), sms()]))
    assert len(inbox.kept) == 2
