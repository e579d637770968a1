"""The jobs of the cluster, run twice, late, side by side and after a death: the provider's journal stays right."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.ports import Waiting, Work
from scheduler.runtime.cluster_jobs import LANES, PLANNING, SHARES, STALLED_AFTER, JobQueue
from scheduler.services.deliver import BATCH
from scheduler.services.replies import Arrival, Inbound, Reception
from tests.support.over_twilio import DAY_1, world_over
from tests.support.twilio_server import TwilioServer
from tests.support.worlds import World

PATIENTS = 450  # more than two batches of messages
PROCESSES = 2


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    with TwilioServer(latency=0.01) as server:
        yield server


@pytest.fixture
def world(twilio: TwilioServer, postgres_url: str, tmp_path: Path) -> Iterator[World]:
    """A clinic on the morning on which everybody is due."""
    with world_over(twilio.url, database_url=postgres_url, folder=tmp_path) as world:
        cells = {"sms_consent": "yes", "pathways": "vitamin_d"}
        world.import_drafts([world.draft(f"P{n}", {"phone": number(n), **cells}) for n in range(PATIENTS)])
        world.clock.at = DAY_1
        yield world


@pytest.fixture
def others(world: World) -> Iterator[list[World]]:
    """Two processes on the same database."""
    made = [world.second_process() for _ in range(PROCESSES)]
    yield made
    for one in made:
        one.app.close()


def number(patient: int) -> str:
    return f"+1617555{patient:04}"


def texts(twilio: TwilioServer) -> Counter[str]:
    return Counter(one.form["To"] for one in list(twilio.messages))


def assert_everybody_has_one_text(world: World, twilio: TwilioServer) -> None:
    assert texts(twilio) == {number(n): 1 for n in range(PATIENTS)}
    assert Counter(row.status for row in world.ledger()) == {MessageStatus.SENT: PATIENTS}
    assert {row.provider_id for row in world.ledger()} == {one.sid for one in twilio.messages}


class Idle:
    """Work that there is none of; it counts what it is asked."""

    def __init__(self, waiting: Waiting | None = None) -> None:
        self.asked: Counter[str] = Counter()
        self._waiting = waiting or Waiting(plan=0, deliver={})

    def tick(self, *, stopping: Callable[[], bool] = lambda: False) -> object:
        raise NotImplementedError

    def look(self) -> Waiting:
        self.asked["look"] += 1
        return self._waiting

    def plan_batch(self) -> int:
        self.asked["plan"] += 1
        return 0

    def deliver_batch(self, channel: Channel, *, stopping: Callable[[], bool]) -> int:
        self.asked[channel.value] += 1
        return 0

    def ask_all(self, *, stopping: Callable[[], bool]) -> None:
        self.asked["ask"] += 1

    def understand_all(self, *, stopping: Callable[[], bool], limit: int | None = None) -> None:
        self.asked["understand"] += 1

    def run_office(self, *, stopping: Callable[[], bool]) -> None:
        self.asked["office"] += 1

    def plan_all(self, *, stopping: Callable[[], bool]) -> object:
        raise NotImplementedError("workers plan batch by batch")

    def deliver_all(self, channel: Channel, *, stopping: Callable[[], bool]) -> object:
        raise NotImplementedError("workers deliver batch by batch")


@asynccontextmanager
async def queue_of(
    world: World, work: Work | None = None, *, stopping: Callable[[], bool] = lambda: False
) -> AsyncIterator[JobQueue]:
    """The queue as one process sees it, which does its own work unless told otherwise."""
    address, schema = world.app.job_queue()
    queue = JobQueue(address, schema=schema, work=work or world.app.ticker, stopping=stopping)
    async with queue.app.open_async():
        yield queue


async def run_until_idle(*queues: JobQueue) -> None:
    """All lanes of all processes, until no job is left."""
    lanes = [asyncio.create_task(queue.run_lane(lane)) for queue in queues for lane in LANES]
    try:
        deadline = time.monotonic() + 30
        while await jobs(queues[0]):
            assert time.monotonic() < deadline, await jobs(queues[0])
            assert not any(lane.done() for lane in lanes)
            await asyncio.sleep(0.02)
    finally:
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)


async def jobs(queue: JobQueue) -> list[str]:
    """Kind, status and payload of every job there is."""
    found = await queue.app.job_manager.list_jobs_async()
    return [f"{job.task_name} {job.status} {job.task_kwargs}" for job in found if job.task_name != "tidy"]


def execute(world: World, statement: str) -> None:
    with psycopg.connect(world.app.settings.database_url.replace("+psycopg", "")) as connection:
        connection.execute(statement.encode())


# The work itself, whatever the engine


def test_every_piece_of_work_done_by_two_processes_at_once_and_again_sends_each_text_once(
    world: World, others: list[World], twilio: TwilioServer
) -> None:
    start = threading.Barrier(PROCESSES)

    def do_everything(own: World) -> None:
        ticker = own.app.ticker
        start.wait(10)
        for _ in range(4):
            ticker.look()
            ticker.plan_batch()
            ticker.plan_batch()
            for channel in (*Channel, *Channel):
                ticker.deliver_batch(channel)

    threads = [threading.Thread(target=do_everything, args=(own,)) for own in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert_everybody_has_one_text(world, twilio)


@pytest.mark.reports
def test_what_waits_is_counted_in_batches(world: World) -> None:
    ticker = world.app.ticker
    assert ticker.look() == Waiting(plan=1, deliver={}, office=True)  # its days are to be counted for the reports
    assert ticker.plan_batch() == PATIENTS
    ticker.run_office(stopping=lambda: False)
    assert ticker.look() == Waiting(plan=0, deliver={Channel.SMS: -(-PATIENTS // BATCH)})
    assert ticker.plan_batch() == 0


# The engine's jobs


def test_one_tick_brings_out_everything_that_is_due(world: World, others: list[World], twilio: TwilioServer) -> None:
    async def run() -> None:
        async with queue_of(others[0]) as one, queue_of(others[1]) as two:
            await one.defer_tick(1_000)
            await run_until_idle(one, two)

    asyncio.run(run())
    assert_everybody_has_one_text(world, twilio)


def test_every_job_twice_late_and_beside_itself_sends_each_text_once(
    world: World, others: list[World], twilio: TwilioServer
) -> None:
    async def run() -> None:
        async with queue_of(others[0]) as one, queue_of(others[1]) as two:
            for copy in range(8):
                for task, queue, args in (
                    ("tick", PLANNING, {"timestamp": copy}),
                    ("plan", PLANNING, {}),
                    ("deliver", "sms", {"channel": "sms"}),
                    ("deliver", "email", {"channel": "email"}),
                ):
                    lock = f"{queue} {task}:{copy}"
                    await one.app.configure_task(task, queue=queue, queueing_lock=lock).defer_async(**args)
            world.clock.at += timedelta(minutes=40)  # so late are they
            await run_until_idle(one, two)

    asyncio.run(run())
    assert_everybody_has_one_text(world, twilio)


def test_a_job_whose_worker_died_after_the_work_is_rescued_and_doubles_nothing(
    world: World, others: list[World], twilio: TwilioServer
) -> None:
    async def run() -> None:
        async with queue_of(others[0]) as one, queue_of(others[1]) as two:
            others[0].app.ticker.plan_batch()
            await one._add("sms", "0")
            dead = await one.app.job_manager.register_worker()
            job = await one.app.job_manager.fetch_job(queues=["sms"], worker_id=dead)
            assert job is not None
            others[0].app.ticker.deliver_batch(Channel.SMS)  # and then the power went
            assert await two.rescue() == 0  # its heartbeat is too young for a verdict
            execute(
                world,
                "UPDATE procrastinate.procrastinate_workers "
                f"SET last_heartbeat = now() - interval '{STALLED_AFTER + 1} seconds'",
            )
            assert await two.rescue() == 1
            assert await jobs(two) == ["deliver todo {'channel': 'sms'}"]
            await run_until_idle(two)

    asyncio.run(run())
    assert_everybody_has_one_text(world, twilio)


def test_a_stalled_job_whose_successor_waits_already_is_dropped(world: World) -> None:
    async def run() -> None:
        async with queue_of(world) as queue:
            manager = queue.app.job_manager
            await queue._add("sms", "0")
            dead = await manager.register_worker()
            assert await manager.fetch_job(queues=["sms"], worker_id=dead)
            await queue._add("sms", "0")
            await manager.unregister_worker(dead)
            assert await queue.rescue() == 1
            assert await jobs(queue) == ["deliver todo {'channel': 'sms'}"]
            assert await queue.rescue() == 0

    asyncio.run(run())


def test_two_rescuers_do_not_get_in_each_others_way(world: World, others: list[World]) -> None:
    async def run() -> None:
        async with queue_of(others[0]) as one, queue_of(others[1]) as two:
            for share in map(str, range(SHARES)):
                await one._add("sms", share)
                dead = await one.app.job_manager.register_worker()
                assert await one.app.job_manager.fetch_job(queues=["sms"], worker_id=dead)
                await one.app.job_manager.unregister_worker(dead)
            await asyncio.gather(one.rescue(), two.rescue(), one.rescue(), two.rescue())
            assert await jobs(one) == ["deliver todo {'channel': 'sms'}"] * SHARES

    asyncio.run(run())


def test_no_job_says_more_than_what_kind_of_work_it_is(world: World) -> None:
    async def run() -> set[str]:
        seen: set[str] = set()
        async with queue_of(world) as queue:
            world.app.ticker.plan_batch()
            await queue.defer_tick(1_000)
            seen.update(await jobs(queue))
            await queue._look(1_000)
            await queue._add(PLANNING, "0")
            seen.update(await jobs(queue))
        return seen

    assert asyncio.run(run()) == {
        "tick todo {'timestamp': 1000}",
        "plan todo {}",
        "deliver todo {'channel': 'sms'}",
        "office todo {}",
    }


def test_workers_that_ask_for_the_same_tick_get_one(world: World, others: list[World]) -> None:
    async def run() -> None:
        idle = Idle()
        async with queue_of(others[0], idle) as one, queue_of(others[1], idle) as two:
            await asyncio.gather(*(queue.defer_tick(5_000) for queue in (one, two) * 4))
            assert await jobs(one) == ["tick todo {'timestamp': 5000}"]
            await run_until_idle(one, two)
            await two.defer_tick(5_000)  # late: that one is over
            assert await jobs(one) == []
            await one.defer_tick(6_000)
            await two.defer_tick(7_000)  # while the one before waits
            assert await jobs(two) == ["tick todo {'timestamp': 6000}"]
            await run_until_idle(one, two)
            assert idle.asked["look"] == 2

    asyncio.run(run())


def test_a_clock_that_was_set_back_still_ticks(world: World) -> None:
    async def run() -> int:
        idle = Idle()
        async with queue_of(world, idle) as queue:
            for instant in (9_000_000, 1_800_000):  # two hours before
                await queue.defer_tick(instant)
                await run_until_idle(queue)
        return idle.asked["look"]

    assert asyncio.run(run()) == 2


def test_a_large_backlog_is_shared_out_in_so_many_jobs_and_no_more(world: World) -> None:
    async def run() -> None:
        idle = Idle(Waiting(plan=1_000, deliver={Channel.SMS: 1_000, Channel.EMAIL: 2}))
        async with queue_of(world, idle) as queue:
            for _ in range(2):
                await queue._look(1_000)
            kinds = Counter(job.split(" ", 1)[0] for job in await jobs(queue))
            assert kinds == {"plan": SHARES, "deliver": SHARES + 2}
            await run_until_idle(queue)
            assert idle.asked == {"look": 2, "plan": SHARES, "sms": SHARES, "email": 2}

    asyncio.run(run())


def test_a_job_that_comes_with_the_signal_to_stop_is_left_to_others(world: World) -> None:
    idle = Idle()

    async def run() -> list[str]:
        def stopping() -> bool:
            lane.cancel()
            return True

        async with queue_of(world, idle, stopping=stopping) as queue:
            await queue._add(PLANNING, "0")
            lane = asyncio.create_task(queue.run_lane(PLANNING))
            await asyncio.wait([lane], timeout=30)
            assert lane.cancelled()
            return await jobs(queue)

    assert asyncio.run(run()) == ["plan todo {}"]
    assert not idle.asked


def test_the_engines_tables_do_not_grow(world: World) -> None:
    async def run() -> None:
        async with queue_of(world, Idle(Waiting(plan=3, deliver={Channel.SMS: 3}))) as queue:
            for instant in range(1_000, 20_000, 1_000):
                await queue.defer_tick(instant)
                await run_until_idle(queue)

    asyncio.run(run())
    with psycopg.connect(world.app.settings.database_url.replace("+psycopg", "")) as connection:
        left = {
            name: connection.execute(f"SELECT count(*) FROM procrastinate.procrastinate_{name}".encode()).fetchone()
            for name in ("jobs", "events", "workers", "periodic_defers")
        }
    periodic = left.pop("periodic_defers")
    assert left == {"jobs": (0,), "events": (0,), "workers": (0,)}
    assert periodic is not None
    assert periodic[0] <= 2  # the last instant of each kind


def test_a_job_that_fails_is_told_of_and_the_next_one_runs(world: World, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Idle):
        def look(self) -> Waiting:
            super().look()
            raise RuntimeError("no such luck")

    failing = Failing()

    async def run() -> None:
        async with queue_of(world, failing) as queue:
            for instant in (1_000, 2_000):
                await queue.defer_tick(instant)
                await run_until_idle(queue)

    asyncio.run(run())
    assert failing.asked["look"] == 2
    told = [record for record in caplog.records if record.name == "scheduler.runtime.cluster_jobs"]
    assert [record.getMessage() for record in told] == ["a job failed (tick); trying again"] * 2
    assert "no such luck" in caplog.text


def test_replies_that_their_web_process_left_are_understood_by_a_worker(world: World) -> None:
    inbound = Inbound(channel=Channel.SMS, sender=number(1), body="HELP", provider_id="SM1")
    Reception(store=world.store, rules=world.rules).take_in(
        [Arrival(inbound=inbound, at=world.clock.at, clinic=world.clinic)]
    )

    async def run() -> None:
        async with queue_of(world) as queue:
            await queue.defer_tick(1_000)
            await run_until_idle(queue)

    asyncio.run(run())
    with world.store.reading() as unit:
        assert [reply.meaning for reply in unit.inbox.replies(world.clinic.id)] == ["help"]
