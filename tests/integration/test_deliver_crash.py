"""A worker that dies in the middle of delivery, and those that come after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.ports import Handed, OutboundSms, Outcome, ProviderUnavailable, SendResult
from scheduler.services.leases import LEASE
from tests.support.over_twilio import DAY_1
from tests.support.worlds import MONDAY, World, new_york, world_at


class DyingSms:
    """Takes the first so many texts, then the process is gone."""

    def __init__(self, *, after: int) -> None:
        self.taken: list[OutboundSms] = []
        self._after = after

    def send(self, batch: Iterable[OutboundSms | None]) -> Iterator[SendResult]:
        for message in filter(None, batch):
            self.taken.append(message)
            if len(self.taken) > self._after:
                raise KeyboardInterrupt
            yield SendResult(attempt_id=message.attempt_id, outcome=Outcome.ACCEPTED, provider_id=f"ID{message.to}")

    def find(self, *, to: str, since: datetime, until: datetime) -> list[Handed]:
        """It lost its memory with the process."""
        raise ProviderUnavailable(f"nothing is known of {len(to)} digits between {since} and {until}")

    def close(self) -> None:
        """Nothing is held open."""


def die_at(world: World, at: datetime, *, after: int) -> DyingSms:
    """A tick whose process dies after the provider took `after` texts and got one more."""
    dying = DyingSms(after=after)
    world.app.delivery._sms = dying
    world.app.delivery._abreast = 1  # no other thread outlives the process
    world.clock.at = at
    with pytest.raises(KeyboardInterrupt):
        world.tick()
    return dying


def test_what_the_provider_answered_before_a_worker_died_is_recorded(database_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        for number in range(4):
            world.enrol_sms(f"P{number}")
        die_at(world, DAY_1, after=2)
        found = sorted(row.status.value for row in world.ledger() if row.reason != "budget")
        assert found == ["planned", "sending", "sent", "sent"]


def test_nobody_touches_what_a_worker_holds_before_its_lease_has_run_out(database_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        world.enrol_sms()
        die_at(world, DAY_1, after=0)
        other = world.second_process()
        other.clock.at = DAY_1 + LEASE - timedelta(seconds=1)
        assert other.tick().rescued == 0
        assert world.ledger()[0].status is MessageStatus.SENDING
        other.app.close()


def test_what_a_dead_worker_left_is_unknown_and_never_sent_again(database_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        world.enrol_sms()
        dying = die_at(world, DAY_1, after=0)
        other = world.second_process()
        other.clock.at = DAY_1 + LEASE
        assert other.tick().rescued == 1
        other.run_until(new_york(3, 3, 23, 0))  # its texts are simulated: there is nobody to ask what became of it
        row = world.ledger()[0]
        assert (row.status, row.reason, row.attempts) == (MessageStatus.UNKNOWN, "interrupted", 1)
        assert world.open_tasks() == {"delivery_unknown"}
        assert len(dying.taken) == 1
        other.app.close()


def test_a_worker_thought_dead_that_still_gets_its_answer_has_it_recorded(tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=f"sqlite:///{tmp_path / 'b.db'}", folder=tmp_path) as world:
        world.enrol_sms()
        other = world.second_process()

        class SlowSms(DyingSms):
            def send(self, batch: Iterable[OutboundSms | None]) -> Iterator[SendResult]:
                for result in super().send(batch):
                    world.clock.at = DAY_1 + LEASE + timedelta(seconds=1)
                    assert other.app.delivery.rescue().messages == 1
                    yield result

        world.app.delivery._sms = SlowSms(after=9)
        world.clock.at = DAY_1
        world.tick()
        row = world.ledger()[0]
        assert (row.status, row.provider_id) == (MessageStatus.SENT, f"ID{world.patient().phone}")
        other.app.close()
