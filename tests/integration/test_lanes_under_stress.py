"""Lanes are looked at anew before each claim; a slow sender or one unreadable row holds up nobody; paces are kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import update

from scheduler.domain.breaker import CLOSED
from scheduler.domain.people import Channel
from scheduler.ports import ErrorClass, OutboundSms, Outcome, Scope, SendResult
from scheduler.records import Clinic, Lane
from scheduler.services import deliver
from scheduler.services.plan import plan_all_due
from scheduler.store.engine import writing
from scheduler.store.tables import patients
from tests.integration.test_feeding import DAY_1, morning, most_in_a_second, standing
from tests.support.deliveries import delivery_of
from tests.support.scripted_sms import Script, Scripted, accepted, refused
from tests.support.worlds import MONDAY, World, world_at

SECOND_SENDER = "+16175550177"


@pytest.fixture
def sms() -> Scripted:
    return Scripted()


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


def second_clinic(world: World, enrolled: int) -> Clinic:
    """Another clinic with a sender of its own; its patients were enrolled on Monday and have nothing planned yet."""
    first, world.clock.at = world.clinic, MONDAY
    clinic = world.change_clinic(world.add_clinic("second"), sms_from=SECOND_SENDER)
    cells = {"sms_consent": "yes", "pathways": "vitamin_d"}
    drafts = [
        world.draft(f"Q{n}", {"phone": f"+1617555{5000 + n}", **cells}, clinic=clinic) for n in range(1, enrolled + 1)
    ]
    assert world.import_drafts(drafts, clinic=clinic).created == enrolled
    world.clock.at, world.clinic = DAY_1, first
    return clinic


def plan(world: World) -> None:
    plan_all_due(world.store, world.rules, DAY_1)


def refuse_the_account(world: World) -> None:
    """The provider refused the account a while ago: it may be probed now."""
    with world.store.writing() as unit:
        unit.lanes.hold(["sms"])
        unit.lanes.write(Lane(key="sms", breaker=CLOSED.refused("20003", DAY_1 - timedelta(minutes=5))))


def refused_lanes(world: World) -> set[str]:
    with world.store.reading() as unit:
        return {key for key, lane in unit.lanes.all().items() if lane.breaker.is_open}


def each(answer: Callable[[OutboundSms], SendResult]) -> Script:
    """Answer each text as soon as it is handed over."""

    def script(batch: Iterator[OutboundSms | None]) -> Iterator[SendResult]:
        return (answer(message) for message in batch if message is not None)

    return script


def timed_out(message: OutboundSms) -> SendResult:
    return SendResult(
        attempt_id=message.attempt_id, outcome=Outcome.UNKNOWN, code="timeout", error_class=ErrorClass.AMBIGUOUS
    )


def too_busy(message: OutboundSms) -> SendResult:
    return SendResult(
        attempt_id=message.attempt_id,
        outcome=Outcome.UNKNOWN,
        code="503",
        error_class=ErrorClass.AMBIGUOUS,
        retry_after=timedelta(seconds=30),
    )


def window_closed(message: OutboundSms) -> SendResult:
    return SendResult(
        attempt_id=message.attempt_id,
        outcome=Outcome.NOT_HANDED_OVER,
        code="window_closed",
        error_class=ErrorClass.TRANSIENT,
    )


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


# What is refused, and for whom


def test_a_refused_sender_is_not_tried_again_in_the_same_round(
    world: World, sms: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "BATCH", 6)
    morning(world, 8)
    second_clinic(world, 2)
    plan(world)
    bad, turn = world.clinic.sms_from, count()

    def from_the_fourth_on(message: OutboundSms) -> SendResult:
        is_refused = message.sender_number == bad and next(turn) >= 3
        return refused(message, Scope.SENDER) if is_refused else accepted(message)

    sms.script = each(from_the_fourth_on)
    delivery_of(world, sms).deliver_all(Channel.SMS)
    assert sum(message.sender_number == bad for _, message in sms.taken) == 4  # three accepted, one refused


def test_only_clinics_of_the_refused_sender_get_the_task(world: World, sms: Scripted) -> None:
    morning(world, 2)
    other = second_clinic(world, 2)
    plan(world)
    bad = world.clinic.sms_from

    def all_at_once(batch: Iterator[OutboundSms | None]) -> Iterator[SendResult]:
        for message in [message for message in batch if message is not None]:
            yield refused(message, Scope.SENDER) if message.sender_number == bad else accepted(message)

    sms.script = all_at_once
    delivery_of(world, sms).deliver(Channel.SMS)
    assert world.open_tasks() == {"sender_refused"}
    assert world.open_tasks(clinic=other) == set()


def test_a_probe_that_the_provider_was_too_busy_for_mends_nothing(world: World, sms: Scripted) -> None:
    morning(world, 2)
    refuse_the_account(world)
    sms.script = each(too_busy)
    delivery_of(world, sms).deliver(Channel.SMS)
    assert refused_lanes(world) == {"sms"}


# What is an outage


def test_an_outage_stops_the_round(world: World, sms: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "BATCH", 20)
    morning(world, 100)
    sms.script = each(timed_out)
    delivery_of(world, sms).deliver_all(Channel.SMS)
    assert len(sms.taken) <= 10


def test_windows_that_close_are_no_outage(world: World, sms: Scripted) -> None:
    morning(world, 8)
    sms.script = each(window_closed)
    delivery_of(world, sms).deliver(Channel.SMS)
    assert refused_lanes(world) == set()


# Senders with a pace


def test_a_probe_of_the_account_does_not_empty_senders_with_a_pace(world: World, sms: Scripted) -> None:
    morning(world, 30, messages_per_second=2)
    refuse_the_account(world)
    delivery_of(world, sms).deliver_all(Channel.SMS)
    assert most_in_a_second(sms.taken) <= 3


def test_a_changed_pace_does_not_forget_what_has_just_gone(world: World, sms: Scripted) -> None:
    morning(world, 40, messages_per_second=10)
    delivery = delivery_of(world, sms)
    delivery.deliver(Channel.SMS, limit=10)
    world.change_clinic(world.clinic, messages_per_second=11)
    delivery.deliver(Channel.SMS, limit=11)
    assert most_in_a_second(sms.taken) <= 11


def test_a_channel_that_breaks_does_not_block_its_pace_for_good(world: World, sms: Scripted) -> None:
    morning(world, 6, messages_per_second=1)

    def breaking(batch: Iterator[OutboundSms | None]) -> Iterator[SendResult]:
        next(batch)
        raise RuntimeError("broke")

    sms.script = breaking
    delivery = delivery_of(world, sms)
    with pytest.raises(RuntimeError, match="broke"):
        delivery.deliver(Channel.SMS)
    sms.script = None
    for _ in range(5):
        delivery.deliver(Channel.SMS)
    assert standing(world)["sent"] > 0


# One that holds up nobody


def test_a_slow_sender_does_not_hold_up_the_others(world: World, sms: Scripted) -> None:
    morning(world, 30, messages_per_second=1)
    second_clinic(world, 1)
    delivery, over = delivery_of(world, sms), Event()
    delivery._steady = time.monotonic  # the pace is kept in real seconds here

    def waiting(batch: Iterator[OutboundSms | None]) -> Iterator[SendResult]:
        for message in batch:
            if message is None:
                time.sleep(0.005)
            else:
                yield accepted(message)

    sms.script = waiting
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(delivery.deliver_all, Channel.SMS, stopping=over.is_set)
        try:
            assert wait_until(lambda: len(sms.taken) >= 2, 30)  # a second in: the others had nothing to send
            plan(world)
            assert wait_until(lambda: "+16175555001" in sms.numbers, 15)
            assert not running.done()  # the slow sender has texts left
        finally:
            over.set()
    assert running.result().failed == 0


def test_one_row_that_cannot_be_read_holds_up_nobody(world: World, sms: Scripted) -> None:
    morning(world, 5)
    garbage = b"\x00garbage-of-some-length-0123456789"
    with writing(world.app.engine) as connection:
        connection.execute(update(patients).where(patients.c.mrn == "P3").values(phone=garbage))
    delivery_of(world, sms).deliver_all(Channel.SMS)
    assert standing(world)["sent"] == 4
