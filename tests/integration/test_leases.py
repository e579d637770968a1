"""The lease on a batch lasts as long as its worker lives, and no longer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from scheduler.domain.people import Channel
from scheduler.ids import new_id
from scheduler.ports import OutboundSms, SendResult
from scheduler.records import Batch
from scheduler.services.leases import LEASE, RENEWED, Leases
from scheduler.services.rescuing import Rescued
from scheduler.store.engine import reading
from scheduler.store.tables import batches
from tests.integration.test_feeding import morning, standing
from tests.support.deliveries import delivery_of
from tests.support.scripted_sms import Scripted, accepted
from tests.support.waiting import wait_until
from tests.support.worlds import MONDAY, World, world_at

SOON = timedelta(milliseconds=5)


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


def in_hand(world: World) -> Batch:
    batch = Batch(id=new_id(), worker="w", message_ids=(), handed=0)
    with world.store.writing() as unit:
        unit.batches.begin(batch, lease_until=world.clock.at + LEASE)
    return batch


def take_over(world: World) -> Batch | None:
    with world.store.writing() as unit:
        return unit.batches.take_over(world.clock.at)


def lease_of(world: World, batch: Batch) -> object:
    with reading(world.app.engine) as connection:
        return connection.scalar(select(batches.c.lease_until).where(batches.c.id == batch.id))


def test_a_worker_that_waits_long_for_its_provider_keeps_its_batch(world: World) -> None:
    morning(world, 2)
    sms = Scripted()
    delivery = delivery_of(world, sms)

    def slowly(batch: Iterator[OutboundSms | None]) -> Iterator[SendResult]:
        under_way = [message for message in batch if message is not None]
        for _ in range(5):
            world.clock.at += RENEWED
            delivery._leases.renew()
            assert delivery.rescue() == Rescued()
        yield from map(accepted, under_way)

    sms.script = slowly
    assert delivery.deliver(Channel.SMS).sent == 2
    assert standing(world) == {"sent": 2}


def test_leases_are_renewed_from_beside(world: World) -> None:
    batch, losses = in_hand(world), list[str]()
    leases = Leases(world.store, world.clock, every=SOON)
    with leases.kept(batch.id, when_lost=lambda: losses.append("lost")):
        for _ in range(3):
            world.clock.at += LEASE / 2
            wait_until(lambda: lease_of(world, batch) == world.clock.at + LEASE, what="the lease to be renewed")
        assert take_over(world) is None
        world.clock.at += LEASE
        leases.close()
    assert losses == []


def test_whoever_has_lost_a_batch_hears_of_it(world: World) -> None:
    lost, kept, losses = in_hand(world), in_hand(world), list[str]()
    leases = Leases(world.store, world.clock)
    with world.store.writing() as unit:
        assert unit.batches.end(lost.id)
    with (
        leases.kept(lost.id, when_lost=lambda: losses.append("lost")),
        leases.kept(kept.id, when_lost=lambda: losses.append("kept")),
    ):
        leases.renew()
    assert losses == ["lost"]
    leases.close()


def test_a_database_that_is_away_for_a_moment_does_not_end_the_renewing(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    batch = in_hand(world)
    leases = Leases(world.store, world.clock, every=SOON)
    renew, away = leases.renew, iter([True, True])

    def sometimes() -> None:
        if next(away, False):
            raise OSError("the database is away")
        renew()

    monkeypatch.setattr(leases, "renew", sometimes)
    with leases.kept(batch.id, when_lost=lambda: None):
        world.clock.at += LEASE / 2
        wait_until(lambda: lease_of(world, batch) == world.clock.at + LEASE, what="the lease to be renewed")
    leases.close()
    assert "the database is away" in caplog.text
