"""A worker that is held up so long that others take its batch over: nobody is texted twice, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.ports import OutboundSms, SendResult
from scheduler.services import progress
from scheduler.services.deliver import Delivered
from scheduler.services.leases import LEASE
from scheduler.services.rescuing import Rescued
from tests.integration.test_feeding import morning, outcomes, standing
from tests.support.deliveries import AtOnce, delivery_of
from tests.support.scripted_sms import Scripted, accepted
from tests.support.worlds import MONDAY, World, world_at

FIRST, REST = 2, 4


class Frozen(AtOnce):
    """Does nothing until it is thawed."""

    def __init__(self) -> None:
        self._tasks: list[Callable[[], None]] = []

    def submit(self, task: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        promised: Future[Any] = Future()
        self._tasks.append(lambda: promised.set_result(task(*given, **named)))
        return promised

    def thaw(self) -> None:
        while self._tasks:
            self._tasks.pop(0)()


@pytest.fixture
def world(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(progress, "FIRST", FIRST)
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


def test_what_a_frozen_worker_never_handed_over_others_send_and_it_does_not_go_on(world: World) -> None:
    morning(world, FIRST + REST)
    frozen, sms, others = Frozen(), Scripted(), Scripted()
    other = delivery_of(world, others, worker="other")

    def freezing(batch: Iterator[OutboundSms | None]) -> Iterator[SendResult]:
        handed = [message for message, _ in zip(batch, range(FIRST), strict=False) if message is not None]
        assert next(batch) is None  # no more is on record
        world.clock.at += LEASE
        assert other.rescue() == Rescued(unknown=FIRST, released=REST)
        assert other.deliver_all(Channel.SMS).sent == REST
        frozen.thaw()
        assert next(batch, "over") == "over"
        yield from map(accepted, handed)

    sms.script = freezing
    assert delivery_of(world, sms, beside=frozen).deliver(Channel.SMS).sent == FIRST
    assert standing(world) == {"sent": FIRST + REST}
    assert set(Counter(sms.numbers + others.numbers).values()) == {1}
    assert outcomes(world) == {"accepted": FIRST + REST, "released": REST}
    assert other.rescue() == Rescued()


def test_what_others_are_sending_is_not_released_by_the_worker_that_had_it_before(world: World) -> None:
    morning(world, FIRST + REST)
    sms, others, are_under_way, may_end = Scripted(), Scripted(), Event(), Event()
    first = delivery_of(world, sms, beside=Frozen())
    other = delivery_of(world, others, worker="other")

    def slowly(batch: Iterator[OutboundSms | None]) -> Iterator[SendResult]:
        under_way = [message for message in batch if message is not None]
        are_under_way.set()
        assert may_end.wait(30)
        yield from map(accepted, under_way)

    def freezing(batch: Iterator[OutboundSms | None]) -> Iterator[SendResult]:
        next(batch), next(batch)
        world.clock.at += LEASE
        assert other.rescue() == Rescued(unknown=FIRST, released=REST)
        going.append(threads.submit(other.deliver, Channel.SMS))
        assert are_under_way.wait(30)
        yield from ()

    sms.script, others.script = freezing, slowly
    going: list[Future[Delivered]] = []
    with ThreadPoolExecutor(1) as threads:
        assert first.deliver(Channel.SMS).sent == 0  # it ends in the middle of the other's batch
        assert standing(world) == {"unknown": FIRST, "sending": REST}
        assert first.deliver(Channel.SMS).claimed == 0
        may_end.set()
        assert going[0].result().sent == REST
    assert standing(world) == {"unknown": FIRST, "sent": REST}
    assert set(Counter(sms.numbers + others.numbers).values()) == {1}


def test_what_is_released_is_left_out_when_an_answer_has_made_it_pointless(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    morning(world, FIRST + REST)
    sms = Scripted()

    def dying(batch: Iterator[OutboundSms | None]) -> Iterator[SendResult]:
        next(batch), next(batch)
        raise OSError("gone")

    def lost(*_: object) -> list[MessageStatus]:
        raise OSError("gone")

    sms.script = dying
    dead = delivery_of(world, sms, beside=Frozen())
    monkeypatch.setattr(dead._recording, "record", lost)
    with pytest.raises(OSError, match="gone"):
        dead.deliver(Channel.SMS)
    waiting = next(row.patient for row in world.ledger() if world.patient(row.patient).phone not in sms.numbers)
    world.receive(waiting, "I had my vitamin D checked")
    world.clock.at += LEASE
    other = delivery_of(world, Scripted())
    assert other.rescue() == Rescued(unknown=FIRST, released=REST)
    other.deliver_all(Channel.SMS)
    asked = [(row.patient, row.reason) for row in world.ledger() if row.status is MessageStatus.SKIPPED]
    assert asked == [(waiting, "superseded")]
