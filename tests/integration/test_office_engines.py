"""The engines look after the worklist too, and the look that they take costs nothing, however long the lists are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from scheduler.domain.staff_mail import StaffMailKind, StaffMailStatus
from scheduler.ids import new_id
from scheduler.runtime.cluster_jobs import LANES, OFFICE, JobQueue
from scheduler.runtime.scheduler import EmbeddedScheduler
from scheduler.services.advance import walk
from scheduler.services.clinic_settings import OfficeSettings, set_clinic
from scheduler.services.deliver import never
from scheduler.services.new_tasks import clinic_task
from scheduler.services.turn import Turn
from scheduler.store.engine import writing
from scheduler.store.tables import staff_mail, tasks
from tests.support.explaining import catching, explained
from tests.support.waiting import wait_until
from tests.support.worlds import MONDAY, World, new_york, world_at

TUESDAY = new_york(3, 3, 8, 0)
MANY = 4_000


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with with_digest(database_url, tmp_path) as made:
        yield made


@contextmanager
def with_digest(database_url: str, folder: Path) -> Iterator[World]:
    """A clinic with one task that is overdue on Wednesday, and a digest."""
    with world_at(MONDAY, database_url=database_url, folder=folder) as made:
        settings = OfficeSettings(digest_to="team@harbor.example")
        made.clinic = set_clinic(made.store, made.rules.holidays, made.clinic, settings, now=MONDAY)
        with made.store.writing() as unit:
            task = clinic_task(made.rules, "unclear_reply", made.clinic, cause="x", now=MONDAY)
            unit.worklist.open([task], now=MONDAY)
        yield made


def sent(world: World) -> int:
    with world.store.reading() as unit:
        return sum(one.status is StaffMailStatus.SENT for one in unit.staff_mail.entries(world.clinic.id))


def test_the_embedded_engine_runs_the_office(world: World) -> None:
    world.clock.at = TUESDAY
    scheduler = EmbeddedScheduler(work=world.app.ticker, store=world.store, worker="w", every=0.01, turn=Turn())
    scheduler.start()
    try:
        wait_until(lambda: sent(world) == 1, what="the digest")
    finally:
        scheduler.stop()


def test_the_shared_queue_runs_the_office(postgres_url: str, tmp_path: Path) -> None:
    async def work(world: World) -> None:
        address, schema = world.app.job_queue()
        queue = JobQueue(address, schema=schema, work=world.app.ticker, stopping=never)
        async with queue.app.open_async():
            await queue.defer_tick(1000)
            lanes = [asyncio.create_task(queue.run_lane(lane)) for lane in LANES]
            deadline = time.monotonic() + 30
            while not await asyncio.to_thread(sent, world):
                assert time.monotonic() < deadline, "the digest did not go"
                await asyncio.sleep(0.05)
            for lane in lanes:
                lane.cancel()
            await asyncio.gather(*lanes, return_exceptions=True)

    assert OFFICE in LANES
    with with_digest(postgres_url, tmp_path) as world:
        world.clock.at = TUESDAY
        asyncio.run(work(world))
        assert sent(world) == 1


def test_a_moved_clock_stops_at_each_digest_and_at_each_task_that_becomes_overdue(world: World) -> None:
    def show(at: object) -> None:
        world.clock.at = at  # type: ignore[assignment]

    walk(world.store, world.app.ticker, start=MONDAY, target=new_york(3, 6, 12, 0), show=show)
    with world.store.reading() as unit:
        mails = unit.staff_mail.entries(world.clinic.id)
        history = unit.worklist.history(world.clinic.id, 1)
    assert [one.planned_at for one in mails] == [new_york(3, day, 8, 0) for day in (3, 4, 5, 6)]
    assert [one.at for one in history] == [MONDAY, new_york(3, 4, 0, 0)]


def fill(world: World) -> None:
    """Long lists of tasks that are closed or not yet overdue, and of mails that have gone."""
    later = world.clock.at + timedelta(days=30)
    task = {"clinic_id": world.clinic.id, "kind": "x", "priority": "normal", "opened_at": later, "due": later.date()}
    mail = {
        "clinic_id": world.clinic.id,
        "kind": StaffMailKind.DIGEST.value,
        "address": b"x",
        "subject": b"x",
        "body": b"x",
        "status": StaffMailStatus.SENT.value,
        "planned_at": later,
        "send_from": later,
        "attempts": 1,
        "is_again": False,
    }
    with writing(world.app.engine) as connection:
        statuses = ("open", "done")
        connection.execute(
            insert(tasks),
            [
                {**task, "cause": f"c{number}", "overdue_at": later, "status": statuses[number % 2]}
                for number in range(MANY)
            ],
        )
        rows = [{**mail, "id": new_id(), "cause": f"c{number}"} for number in range(MANY)]
        connection.execute(insert(staff_mail), rows)
        connection.execute(text("ANALYZE"))


def test_the_look_at_each_tick_goes_by_the_indexes_made_for_it(world: World) -> None:
    worker = world.second_process()
    fill(world)
    with catching(worker.app.engine) as caught, worker.store.reading() as unit:
        assert not unit.gauges.is_office_waiting(MONDAY)
    (plan,) = explained(worker.app.engine, caught, r"SELECT.*EXISTS")
    worker.app.close()
    for index in ("ix_tasks_overdue", "ix_staff_mail_ready", "ix_staff_mail_leased"):
        assert index in plan, plan
    assert "SCAN tasks" not in plan
    assert "SCAN staff_mail" not in plan
    assert "Seq Scan on tasks" not in plan
    assert "Seq Scan on staff_mail" not in plan
