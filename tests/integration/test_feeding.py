"""What a channel is fed: as fast as its sender may go, for as long as the batch is ours, and what is left goes back.

The channel is a script; store, planning and delivery are real.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select

from scheduler.domain.messages import MessageStatus
from scheduler.domain.pace import Pace
from scheduler.domain.people import Channel
from scheduler.ports import OutboundSms, Outcome, Scope, SendResult
from scheduler.services import deliver
from scheduler.services.composing import Composed
from scheduler.services.feeding import Feed
from scheduler.services.lanes import Route
from scheduler.services.leases import LEASE
from scheduler.services.plan import plan_all_due
from scheduler.store.engine import reading
from scheduler.store.tables import attempts
from tests.support.deliveries import delivery_of
from tests.support.scripted_sms import Scripted, SteadyClock, accepted, refused
from tests.support.worlds import MONDAY, World, new_york, world_at

DAY_1 = new_york(3, 3)  # 09:30: everybody is asked about vitamin D


@pytest.fixture
def sms() -> Scripted:
    return Scripted()


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


def morning(world: World, patients: int, **columns: object) -> None:
    """So many texts are due now, each to a number of its own."""
    if columns:
        world.change_clinic(world.clinic, **columns)
    cells = {"sms_consent": "yes", "pathways": "vitamin_d"}
    drafts = [world.draft(f"P{n}", {"phone": f"+1617555{n:04d}", **cells}) for n in range(1, patients + 1)]
    assert world.import_drafts(drafts).created == patients
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, DAY_1)


def standing(world: World) -> Counter[str]:
    return Counter(row.status.value for row in world.ledger())


def outcomes(world: World) -> Counter[str | None]:
    with reading(world.app.engine) as connection:
        return Counter(connection.execute(select(attempts.c.outcome)).scalars())


# The feed itself


def composed(world: World, count: int) -> list[Composed]:
    """Messages as they are claimed, ready to be fed."""
    morning(world, count)
    route = Route(channel=Channel.SMS, key="sms")
    return world.app._claiming.claim(route, DAY_1, limit=count, worker="w").composed


def fed(batch: Sequence[Composed], steady: SteadyClock, *, pace: Pace | None = None, until: float = 1e9) -> Feed:
    return Feed(batch, pace=pace, steady=steady, until=until, stopping=lambda: False)


def test_messages_are_handed_over_in_their_order_until_none_is_left(world: World) -> None:
    batch = composed(world, 3)
    feed = fed(batch, SteadyClock())
    assert feed.left == batch
    assert list(feed) == [one.outbound for one in batch]
    assert feed.left == []


def test_nothing_is_handed_over_from_the_last_moment_on(world: World) -> None:
    batch, steady = composed(world, 3), SteadyClock(0.0)
    feed = fed(batch, steady, until=10.0)
    handed = iter(feed)
    assert next(handed) == batch[0].outbound
    steady.at = 10.0
    assert next(handed, "over") == "over"
    assert feed.left == batch[1:]


def test_nothing_is_handed_over_after_a_cut_and_answers_under_way_still_count(world: World) -> None:
    batch = composed(world, 3)
    feed = fed(batch, SteadyClock())
    handed = iter(feed)
    next(handed), next(handed)
    feed.cut()
    assert next(handed, "over") == "over"
    assert feed.left == batch[2:]
    result = SendResult(attempt_id=batch[1].attempt.id, outcome=Outcome.ACCEPTED, provider_id="SM1")
    assert feed.answered(result) is batch[1]


def test_while_there_is_no_room_there_is_nothing_yet(world: World) -> None:
    batch, steady = composed(world, 2), SteadyClock(0.0)
    feed = fed(batch, steady, pace=Pace(1))
    handed = iter(feed)
    assert next(handed) == batch[0].outbound
    steady.at = 5.0
    assert next(handed) is None  # its answer is not there
    feed.answered(SendResult(attempt_id=batch[0].attempt.id, outcome=Outcome.UNKNOWN))
    steady.at = 5.9
    assert next(handed) is None
    steady.at = 6.0
    assert next(handed) == batch[1].outbound


# At a pace, over batches


def most_in_a_second(taken: Sequence[tuple[float, OutboundSms]]) -> int:
    return max(sum(start <= at < start + 1 - 1e-9 for at, _ in taken) for start, _ in taken)


def test_no_second_holds_more_than_the_pace_from_one_batch_to_the_next(world: World, sms: Scripted) -> None:
    morning(world, 65, messages_per_second=3)  # a batch is what ten seconds hold
    begun = sms.steady.at
    assert delivery_of(world, sms).deliver_all(Channel.SMS).sent == 65
    assert most_in_a_second(sms.taken) == 3
    assert 21 <= sms.steady.at - begun < 24


def test_a_pace_that_a_batch_cannot_keep_leaves_the_rest_for_the_next(world: World, sms: Scripted) -> None:
    morning(world, 30, messages_per_second=3)

    def slowly(batch: Iterator[OutboundSms | None]) -> Iterator[SendResult]:
        for message in batch:
            sms.steady.at += 1.1  # every answer
            if message is not None:
                yield accepted(message)

    sms.script = slowly
    first = delivery_of(world, sms).deliver(Channel.SMS)
    assert (first.claimed, first.sent, first.retried) == (30, 19, 11)
    assert outcomes(world) == {"accepted": 19, "released": 11}
    assert standing(world) == {"sent": 19, "planned": 11}


def test_what_was_given_back_keeps_its_place_and_goes_once(world: World, sms: Scripted) -> None:
    morning(world, 6)
    delivery = delivery_of(world, sms)
    delivery.deliver(Channel.SMS, stopping=lambda: len(sms.taken) >= 2)
    assert standing(world) == {"sent": 2, "planned": 4}
    with world.store.reading() as unit:
        assert unit.gauges.next_ready() == DAY_1
    assert delivery.deliver_all(Channel.SMS).sent == 4
    assert Counter(sms.numbers) == dict.fromkeys((f"+1617555{n:04d}" for n in range(1, 7)), 1)


# Stopped in the middle


def test_a_refused_sender_cuts_the_batch_and_what_was_under_way_is_recorded(world: World, sms: Scripted) -> None:
    morning(world, 6)

    def first_refused(batch: Iterator[OutboundSms | None]) -> Iterator[SendResult]:
        one, two = next(batch), next(batch)  # two under way
        assert one is not None
        assert two is not None
        yield refused(one, Scope.SENDER)
        yield accepted(two)
        yield from sms.accept_all(batch)

    sms.script = first_refused
    delivery = delivery_of(world, sms)
    delivered = delivery.deliver(Channel.SMS)
    assert (delivered.sent, delivered.retried, len(sms.taken)) == (1, 5, 2)
    assert standing(world) == {"sent": 1, "planned": 5}
    assert world.open_tasks() == {"sender_refused"}
    assert delivery.deliver_all(Channel.SMS).claimed == 0
    sms.script = None
    world.clock.at = DAY_1 + timedelta(minutes=1)
    assert delivery.deliver(Channel.SMS).sent == 1  # the probe
    assert delivery.deliver_all(Channel.SMS).sent == 4
    assert max(Counter(sms.numbers).values()) == 2  # the one that was refused


@pytest.mark.parametrize("fault", [RuntimeError, KeyboardInterrupt])
def test_a_channel_that_breaks_loses_no_answer_and_nothing_under_way_is_sent_again(
    world: World, sms: Scripted, fault: type[BaseException]
) -> None:
    morning(world, 6)

    def breaking(batch: Iterator[OutboundSms | None]) -> Iterator[SendResult]:
        one = next(batch)
        assert one is not None
        yield accepted(one)
        next(batch)  # under way when it breaks
        raise fault("in the middle")

    sms.script = breaking
    delivery = delivery_of(world, sms)
    with pytest.raises(fault):
        delivery.deliver_all(Channel.SMS)
    assert standing(world) == {"sent": 1, "sending": 1, "planned": 4}
    sms.script = None
    assert delivery.deliver_all(Channel.SMS).sent == 4
    assert delivery.rescue().messages == 0
    world.clock.at += LEASE
    assert delivery.rescue().messages == 1
    delivery.deliver_all(Channel.SMS)
    assert standing(world) == {"sent": 5, "unknown": 1}
    assert max(Counter(sms.numbers).values()) == 1


def test_a_claim_that_fails_halfway_has_claimed_nothing(
    world: World, sms: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    morning(world, 5)
    compose, count = world.app.composer.compose, iter(range(5))

    def failing(*args: Any, **named: Any) -> Composed:
        if next(count) == 3:
            raise KeyboardInterrupt("no more words")
        return compose(*args, **named)

    with monkeypatch.context() as patched:
        patched.setattr(world.app.composer, "compose", failing)
        with pytest.raises(KeyboardInterrupt, match="no more words"):
            delivery_of(world, sms).deliver_all(Channel.SMS)
    assert (sms.taken, standing(world), outcomes(world)) == ([], {"planned": 5}, {})
    assert delivery_of(world, sms).deliver_all(Channel.SMS).sent == 5


def test_answers_that_cannot_be_recorded_leave_messages_that_are_asked_about_and_never_repeated(
    world: World, sms: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    morning(world, 3)
    delivery = delivery_of(world, sms)

    def lost(*_: object) -> list[MessageStatus]:
        raise OSError("the database is away")

    with monkeypatch.context() as patched, suppress(OSError):
        patched.setattr(delivery._recording, "record", lost)
        delivery.deliver_all(Channel.SMS)
    assert standing(world) == {"sending": 3}
    assert delivery.deliver_all(Channel.SMS).claimed == 0
    world.clock.at += LEASE
    assert delivery.rescue().messages == 3
    assert delivery.deliver_all(Channel.SMS).claimed == 0
    assert (standing(world), len(sms.taken)) == ({"unknown": 3}, 3)


# Two batches of one lane at once


def test_two_batches_abreast_hand_over_every_message_once(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "BATCH", 20)
    with world_at(MONDAY, database_url=postgres_url, folder=tmp_path) as world:
        morning(world, 300)
        sms, both = Scripted(), Barrier(2, timeout=30)
        waiting = iter([True, True])

        def together(batch: Iterator[OutboundSms | None]) -> Iterator[SendResult]:
            if next(waiting, False):
                both.wait()  # two batches are claimed before the first of them is answered
            yield from sms.accept_all(batch)

        sms.script = together
        delivered = delivery_of(world, sms, abreast=2).deliver_all(Channel.SMS)
        assert (delivered.claimed, delivered.sent) == (300, 300)
        assert set(Counter(sms.numbers).values()) == {1}
        assert len(sms.taken) == 300
        assert standing(world) == {"sent": 300}
