"""The jobs that many workers share over PostgreSQL, and the lanes they run in.

A job says what kind of work to look for and never for whom: a job that is lost, doubled or late loses, doubles and
delays nothing but a look. So jobs are deleted when they end, however they end, and the next tick makes what is
missing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.tasks import Task
from procrastinate.worker import Worker

from scheduler.domain.people import Channel
from scheduler.ports import Work

PLANNING = "plan"
ASKING = "ask"
UNDERSTANDING = "understand"
OFFICE = "office"
LANES = (PLANNING, *(channel.value for channel in Channel), ASKING, OFFICE)
"""The queues. A process has one job of each in hand at a time: a provider that hangs delays only its own channel."""

SHARES = 16  # jobs of a kind that wait at the most: as many processes can take part in a spike
STALLED_AFTER = 20.0  # seconds without a heartbeat of its worker, after which another takes over a job
HEARTBEAT_EVERY = 5.0  # seconds
_POLL_EVERY = 1.0  # seconds; a notification usually comes first
_GET_CONNECTION = 3.0  # seconds to wait for one before the database counts as away
_UNDERSTOOD_AT_ONCE = 200  # replies to a job: web processes do most of it, and planning waits meanwhile
_TICK_FIRST = 10  # priority: what waits is looked at before more of it is begun
_AT_ONCE = datetime(2000, 1, 1, tzinfo=UTC)  # has passed by the database's clock, whatever this machine's says

_log = logging.getLogger(__name__)


class JobQueue:
    """The queue as one worker process sees it. Use its `app` open."""

    def __init__(
        self,
        address: dict[str, Any],
        *,
        schema: str,
        work: Work,
        stopping: Callable[[], bool],
        lost: tuple[type[Exception], ...] = (ConnectorException,),
    ) -> None:
        """`address` has the arguments of `psycopg.connect`; the engine's tables are in `schema`.

        `lost` are the exceptions of a database that is away.
        """
        self._work = work
        self._stopping = stopping
        self._lost = lost
        self._in_hand: dict[int, float] = {}  # job -> since when
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.app = App(connector=_connector(address, schema))
        self._tick: Task[..., Any, ...] = self.app.task(
            name="tick", queue=PLANNING, queueing_lock="tick", priority=_TICK_FIRST
        )(self._look)
        self._plan: Task[..., Any, ...] = self.app.task(name="plan", queue=PLANNING, pass_context=True)(
            self._plan_batch
        )
        self._deliver: Task[..., Any, ...] = self.app.task(name="deliver", queue=PLANNING, pass_context=True)(
            self._deliver_batch
        )
        self._ask: Task[..., Any, ...] = self.app.task(name="ask", queue=ASKING, queueing_lock=ASKING)(self._ask_all)
        self._understand: Task[..., Any, ...] = self.app.task(
            name="understand", queue=PLANNING, queueing_lock=UNDERSTANDING
        )(self._understand_all)
        self._office: Task[..., Any, ...] = self.app.task(name="office", queue=OFFICE, queueing_lock=OFFICE)(
            self._run_office
        )
        # Jobs delete themselves. This is for those that an operator cancelled; and a worker watches over its other
        # tasks only as long as the one for periodic jobs runs, which it does as soon as there is one.
        self.app.periodic(cron="17 * * * *", periodic_id="tidy")(
            self.app.task(name="tidy", queue=PLANNING, queueing_lock="tidy")(self._tidy)
        )

    async def run_lane(self, lane: str) -> None:
        """Do the jobs of one lane, one after the other. Cancelled, it finishes the job in hand first.

        Raises, or returns, when the database goes away.
        """
        await self.app.run_worker_async(
            queues=[lane],
            name=lane,
            concurrency=1,
            delete_jobs="always",
            install_signal_handlers=False,
            fetch_job_polling_interval=_POLL_EVERY,
            abort_job_polling_interval=60.0,
            update_heartbeat_interval=HEARTBEAT_EVERY,
            stalled_worker_timeout=STALLED_AFTER,
            worker_middleware=[self._guarded],
        )

    async def failure(self) -> None:
        """Ends only by raising: what told a job that the database is away."""
        await asyncio.shield(self._failed)

    def longest_in_hand(self) -> float:
        """For how many seconds the oldest job of this process has been running."""
        now = time.monotonic()
        return max((now - since for since in self._in_hand.values()), default=0.0)

    async def _guarded(self, call_next: Callable[[], Awaitable[Any]], context: JobContext, _: Worker) -> Any:
        """Every job runs within: its faults are told here, for the engine only counts them."""
        self._in_hand[id(context)] = time.monotonic()
        try:
            return await call_next()
        except self._lost as error:
            if not self._failed.done():
                self._failed.set_exception(error)
            raise
        except Exception:
            _log.exception("a job failed (%s); trying again", context.job.task_name)
            raise
        finally:
            del self._in_hand[id(context)]

    # What is put into the queue

    async def defer_tick(self, instant: int) -> None:
        """Have the work looked at once, by whichever worker comes first.

        `instant` is what the workers agree on, in milliseconds: of all that ask for the same one, one is heard.
        """
        if await self._waits("tick"):
            return
        deferrer = self._tick.configure(task_kwargs={"timestamp": instant})
        with suppress(AlreadyEnqueued):
            await deferrer.job_manager.defer_periodic_job(
                job=deferrer.job, periodic_id="tick", defer_timestamp=instant
            )

    async def rescue(self) -> int:
        """Give the jobs of workers that died to others; returns how many there were."""
        stalled = list(await self.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER))
        for job in stalled:
            await self._rescue(job)
        return len(stalled)

    async def _rescue(self, job: Job) -> None:
        try:
            try:
                await self.app.job_manager.retry_job(job, retry_at=_AT_ONCE)
            except UniqueViolation:  # its successor waits already
                await self.app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)
        except ConnectorException as error:
            if not isinstance(error.__cause__, psycopg.errors.RaiseException):
                raise
            # Another worker has rescued it meanwhile, or its own came back and ended it.

    async def _waits(self, queueing_lock: str) -> bool:
        """Asked before, because PostgreSQL writes a refused duplicate into its log."""
        return bool(await self._waiting(queueing_lock=queueing_lock))

    async def _waiting(self, queueing_lock: str | None = None) -> set[str | None]:
        jobs = await self.app.job_manager.list_jobs_async(status=Status.TODO.value, queueing_lock=queueing_lock)
        return {job.queueing_lock for job in jobs}

    async def _add(self, kind: str, share: str) -> None:
        """Put in the job of this kind and share unless it waits already. A channel is a kind."""
        with suppress(AlreadyEnqueued):
            if kind == PLANNING:
                await self._plan.configure(queueing_lock=_name(kind, share)).defer_async()
            else:
                await self._deliver.configure(queue=kind, queueing_lock=_name(kind, share)).defer_async(channel=kind)

    # The jobs

    async def _look(self, timestamp: int) -> None:
        """Look at what waits, and share it out in batches."""
        found = await asyncio.to_thread(self._work.look)
        wanted = {PLANNING: found.plan} | {channel.value: count for channel, count in found.deliver.items()}
        waiting = await self._waiting() if any(wanted.values()) else set()
        for kind, batches in wanted.items():
            for share in map(str, range(min(batches, SHARES))):
                if _name(kind, share) not in waiting:
                    await self._add(kind, share)
        for is_wanted, task, name in (
            (found.ask, self._ask, ASKING),
            (found.understand, self._understand, UNDERSTANDING),
            (found.office, self._office, OFFICE),
        ):
            if is_wanted and not await self._waits(name):
                with suppress(AlreadyEnqueued):
                    await task.defer_async()

    async def _plan_batch(self, context: JobContext) -> None:
        share = _share(context)
        if self._stopping():
            await self._again(PLANNING, share)
        elif await asyncio.to_thread(self._work.plan_batch) > 0:
            for kind in (
                PLANNING,
                *(channel.value for channel in Channel),
            ):  # what was planned is to be delivered, and more is probably due
                await self._again(kind, share)

    async def _deliver_batch(self, context: JobContext, *, channel: str) -> None:
        share = _share(context)
        deliver = partial(self._work.deliver_batch, Channel(channel), stopping=self._stopping)
        if self._stopping() or await asyncio.to_thread(deliver) > 0:
            await self._again(channel, share)

    async def _ask_all(self) -> None:
        """Ask providers about what nobody knows."""
        await asyncio.to_thread(partial(self._work.ask_all, stopping=self._stopping))

    async def _understand_all(self) -> None:
        """Understand replies that wait, beside the web processes."""
        understand = partial(self._work.understand_all, limit=_UNDERSTOOD_AT_ONCE, stopping=self._stopping)
        await asyncio.to_thread(understand)

    async def _run_office(self) -> None:
        """Look after overdue tasks, digests and mail to staff."""
        await asyncio.to_thread(partial(self._work.run_office, stopping=self._stopping))

    async def _again(self, kind: str, share: str) -> None:
        if not await self._waits(_name(kind, share)):
            await self._add(kind, share)

    async def _tidy(self, timestamp: int) -> None:
        await self.app.job_manager.delete_old_jobs(
            nb_hours=24, include_failed=True, include_cancelled=True, include_aborted=True
        )


def _name(kind: str, share: str) -> str:
    """The queueing lock: of each, one job waits at a time."""
    return f"{kind}:{share}"


def _share(context: JobContext) -> str:
    return (context.job.queueing_lock or "").rpartition(":")[2] or "0"


def _connector(address: dict[str, Any], schema: str) -> PsycopgConnector:
    async def prepare(connection: psycopg.AsyncConnection[Any]) -> None:
        # Not as start-up options: a connection pooler in between would refuse those. A job that a power cut forgets
        # is made again by the next tick, so that nobody waits for the disk.
        await connection.execute(f"SET search_path TO {schema}")
        await connection.execute("SET synchronous_commit TO off")
        await connection.commit()

    return PsycopgConnector(
        kwargs=address, configure=prepare, min_size=1, max_size=4, timeout=_GET_CONNECTION, name="jobs"
    )
