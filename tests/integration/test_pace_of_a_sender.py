"""The pace of a sender as its provider sees it: segments count, clinics share it, and workers follow each other.

The provider is a script whose clocks move only when somebody waits; store, planning and delivery are real.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from scheduler.domain.people import Channel
from scheduler.ports import OutboundSms, SendResult
from scheduler.records import Clinic
from scheduler.services.lanes import HOLD
from scheduler.services.plan import plan_all_due
from tests.support.deliveries import delivery_of
from tests.support.paces import most_in_any_second
from tests.support.scripted_sms import Scripted, accepted
from tests.support.waiting import wait_until
from tests.support.worlds import MONDAY, World, new_york, world_at

DAY_1 = new_york(3, 3)  # 09:30: everybody is asked about vitamin D
TWO_SEGMENTS = "Клиника"  # not in the alphabet of plain texts: 67 characters a segment


class DayOf:
    """The time of day by the provider's steady clock, so that both go on together."""

    def __init__(self, sms: Scripted) -> None:
        self._sms = sms
        self._began = sms.steady.at
        self.ahead = timedelta()

    def now(self) -> datetime:
        return DAY_1 + timedelta(seconds=self._sms.steady.at - self._began) + self.ahead


@pytest.fixture
def sms() -> Scripted:
    return Scripted()


@pytest.fixture
def day(sms: Scripted) -> DayOf:
    return DayOf(sms)


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


def due(world: World, patients: int, *, clinic: Clinic | None = None, exchange: int = 555, **columns: object) -> None:
    """So many texts of a clinic are due at `DAY_1`; `columns` are the clinic's."""
    clinic = world.change_clinic(clinic or world.clinic, **columns) if columns else clinic or world.clinic
    world.clock.at = MONDAY
    cells = {"sms_consent": "yes", "pathways": "vitamin_d"}
    drafts = [
        world.draft(f"P{n}", {"phone": f"+1617{exchange}{n:04d}", **cells}, clinic=clinic)
        for n in range(1, patients + 1)
    ]
    assert world.import_drafts(drafts, clinic=clinic).created == patients
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, DAY_1)


def taken(sms: Scripted, *, segments: int = 1) -> list[tuple[float, int]]:
    return [(round(at, 6), segments) for at, _ in sms.taken]


def gaps(sms: Scripted) -> list[float]:
    return [later - earlier for (earlier, _), (later, _) in pairwise(sms.taken)]


def segments_of(world: World) -> set[int | None]:
    return {row.segments for row in world.ledger()}


# Segments


def test_a_text_of_two_segments_counts_for_two(world: World, sms: Scripted, day: DayOf) -> None:
    due(world, 20, messages_per_second=4, message_name=TWO_SEGMENTS)
    assert delivery_of(world, sms, clock=day).deliver_all(Channel.SMS).sent == 20
    assert segments_of(world) == {2}
    assert most_in_any_second(taken(sms, segments=2)) == 4


def test_a_pace_below_the_segments_of_one_text_gives_each_the_time_that_it_needs(
    world: World, sms: Scripted, day: DayOf
) -> None:
    due(world, 5, messages_per_second=1, message_name=TWO_SEGMENTS)
    assert delivery_of(world, sms, clock=day).deliver_all(Channel.SMS).sent == 5
    assert segments_of(world) == {2}
    assert min(gaps(sms)) >= 2
    assert max(gaps(sms)) < 2.1


def test_a_text_every_two_seconds_is_a_pace_too(world: World, sms: Scripted, day: DayOf) -> None:
    due(world, 12, messages_per_second=0.5)  # more than one batch
    assert delivery_of(world, sms, clock=day).deliver_all(Channel.SMS).sent == 12
    assert segments_of(world) == {1}
    assert min(gaps(sms)) >= 2
    assert max(gaps(sms)) < 2.1


# Clinics


def test_two_clinics_that_text_from_one_number_share_its_pace_and_the_slower_one_counts(
    world: World, sms: Scripted, day: DayOf
) -> None:
    due(world, 20, messages_per_second=5)
    due(world, 20, clinic=world.add_clinic("hill"), exchange=556, messages_per_second=3)
    assert delivery_of(world, sms, clock=day).deliver_all(Channel.SMS).sent == 40
    assert most_in_any_second(taken(sms)) == 3


def test_a_sender_with_a_pace_holds_up_nobody_elses_texts(world: World, sms: Scripted, day: DayOf) -> None:
    due(world, 30, messages_per_second=1)
    other = world.add_clinic("hill")
    due(world, 30, clinic=other, exchange=556, sms_from="+16175550200")

    def others() -> int:
        return sum(number.startswith("+1617556") for number in sms.numbers)

    def patiently(batch: Iterator[OutboundSms | None]) -> Iterator[SendResult]:
        for message in batch:
            if message is not None:
                yield accepted(message)
            else:
                wait_until(lambda: others() == 30, what="the other clinic's texts, beside the slow sender's")
                sms.steady.at += 0.005

    sms.script = patiently
    assert delivery_of(world, sms, clock=day).deliver_all(Channel.SMS).sent == 60


# Workers


def die_after(sms: Scripted, count: int) -> None:
    """The next batch breaks off for good when so many have been handed over."""

    def dying(batch: Iterator[OutboundSms | None]) -> Iterator[SendResult]:
        for message in batch:
            if message is None:
                sms.steady.at += 0.005
            else:
                if len(sms.taken) >= count:
                    raise KeyboardInterrupt
                yield accepted(message)

    sms.script = dying


def test_who_follows_a_worker_that_died_waits_until_its_hold_is_over(world: World, sms: Scripted, day: DayOf) -> None:
    due(world, 60, messages_per_second=3)
    die_after(sms, 8)
    with pytest.raises(KeyboardInterrupt):
        delivery_of(world, sms, clock=day, worker="dead").deliver_all(Channel.SMS)
    sms.script, died_at = None, day.now()
    follower = delivery_of(world, sms, clock=day, worker="follower")
    for later in (0.0, 1.0, HOLD.total_seconds() / 2):
        sms.steady.at += later
        assert follower.deliver_all(Channel.SMS).claimed == 0
    sms.steady.at += (died_at + HOLD - day.now()).total_seconds() + 2
    assert follower.deliver_all(Channel.SMS).sent == 60 - 8
    assert most_in_any_second(taken(sms)) == 3


def test_who_follows_a_worker_that_stopped_begins_after_a_second_of_silence(
    world: World, sms: Scripted, day: DayOf
) -> None:
    due(world, 40, messages_per_second=3)
    first, second = (delivery_of(world, sms, clock=day, worker=name) for name in ("first", "second"))
    first.deliver_all(Channel.SMS, stopping=lambda: len(sms.taken) >= 10)
    assert second.deliver_all(Channel.SMS).claimed == 0  # it is the first one's as long as it lives
    first.close()
    assert second.deliver_all(Channel.SMS).claimed == 0
    sms.steady.at += 1.0
    assert second.deliver_all(Channel.SMS).sent == 30
    assert most_in_any_second(taken(sms)) == 3


def test_a_clock_that_jumps_ahead_while_a_worker_sends_lets_nobody_in_beside_it(
    world: World, sms: Scripted, day: DayOf
) -> None:
    """Its hold seems to be over; then it is the newcomer's alone, and the first one gets no further batch."""
    due(world, 60, messages_per_second=3)
    first, second = (delivery_of(world, sms, clock=day, worker=name) for name in ("first", "second"))
    assert first.deliver(Channel.SMS).sent == 30
    day.ahead = timedelta(hours=2)
    assert second.deliver(Channel.SMS).sent == 30
    assert first.deliver(Channel.SMS).claimed == 0
