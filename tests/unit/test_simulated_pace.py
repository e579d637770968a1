"""Simulated channels take a batch that has nothing for now, as any channel does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import uuid4

from scheduler.channels.simulated import SimulatedEmail, SimulatedSms
from scheduler.ports import OutboundEmail, OutboundSms, SimulatedDelivery

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)


class Inbox:
    def __init__(self) -> None:
        self.kept: list[SimulatedDelivery] = []

    def keep(self, deliveries: Iterable[SimulatedDelivery]) -> None:
        self.kept.extend(deliveries)


class StoppedClock:
    def now(self) -> datetime:
        return NOW


def test_a_text_after_nothing_yet_is_kept() -> None:
    inbox = Inbox()
    sms = OutboundSms(
        attempt_id=uuid4(),
        to="+15551230001",
        body="Oak Clinic: move today.",
        sender_number="+15557650000",
        messaging_service=None,
        valid_until=None,
    )
    (result,) = SimulatedSms(inbox, StoppedClock()).send([None, sms, None])
    assert result.attempt_id == sms.attempt_id
    assert [kept.address for kept in inbox.kept] == ["+15551230001"]


def test_a_mail_after_nothing_yet_is_kept() -> None:
    inbox = Inbox()
    mail = OutboundEmail(
        attempt_id=uuid4(),
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
    (result,) = SimulatedEmail(inbox, StoppedClock()).send([None, mail, None])
    assert result.attempt_id == mail.attempt_id
    assert [kept.address for kept in inbox.kept] == ["ann@example.org"]


def test_the_simulated_provider_has_no_records_to_search() -> None:
    assert SimulatedSms(Inbox(), StoppedClock()).find(to="+15551230001", since=NOW, until=NOW) == []
