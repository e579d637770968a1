"""One of many workers that share the work over PostgreSQL, woken and spread by Procrastinate.

The engine only says when to look, and who. What is due, and that nothing goes twice, is decided in the database.
"""

from __future__ import annotations

import asyncio
import logging
import math
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import psycopg
from procrastinate.exceptions import ConnectorException

from scheduler import garbage
from scheduler.bootstrap import App
from scheduler.runtime import BEAT_EVERY
from scheduler.runtime.cluster_jobs import LANES, JobQueue

STUCK_AFTER = 300.0  # seconds that no batch takes: then the worker gives no sign of life, so that somebody looks
RESCUE_EVERY = 10.0  # seconds between two looks for jobs of workers that died
_PAUSES = (0.5, 1.0, 2.0, 5.0)  # seconds before the next try to come back; the last again and again

_log = logging.getLogger(__name__)


def work(app: App) -> None:
    """Take part in the work until SIGTERM or SIGINT; the batches in hand are finished.

    Raises what keeps it from starting. Later a database that goes away is waited for.
    """
    app.warm_up()
    app.job_queue()
    garbage.never_look_again()
    _be_quiet()
    asyncio.run(ClusterWorker(app).run())


class ClusterWorker:
    """One worker process. It has as many jobs in hand as there are lanes."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._lost = (app.store_unavailable, ConnectorException, psycopg.Error)
        self._stopping = asyncio.Event()
        self._outage = Outage()

    async def run(self) -> None:
        """Work until a signal or `stop_soon`, through every outage of the database."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._overlook)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop_soon)
        while not self._stopping.is_set():
            try:
                await self._session()
            except self._lost as error:
                if not self._stopping.is_set():
                    await self._tell_of(error)
                    await self._pause(self._outage.pause())

    def stop_soon(self) -> None:
        """Take no new batch; what is claimed is finished. Does not wait."""
        self._stopping.set()

    async def _session(self) -> None:
        """Work over one set of connections. Ends by itself when told to stop, and raises when they are lost."""
        address, schema = await asyncio.to_thread(self._app.job_queue)
        await self._beat()
        queue = JobQueue(
            address, schema=schema, work=self._app.ticker, stopping=self._stopping.is_set, lost=self._lost
        )
        async with queue.app.open_async():
            await self._together(
                *(queue.run_lane(lane) for lane in LANES),
                queue.failure(),
                at_every(self._app.settings.tick_seconds, queue.defer_tick),
                at_every(RESCUE_EVERY, lambda _: queue.rescue()),
                self._stay_alive(queue),
            )

    async def _together(self, *parts: Coroutine[Any, Any, None]) -> None:
        """Run the parts until one ends or it is time to stop; then end the others, with what they have in hand."""
        tasks = [asyncio.create_task(part) for part in parts]
        stop = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([*tasks, stop], return_when=asyncio.FIRST_COMPLETED)
        failure = _failure(tasks)
        if failure is not None and not self._stopping.is_set():
            await self._tell_of(failure)  # now: to end the others may take as long as the outage
        for task in (*tasks, stop):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if not self._stopping.is_set():
            raise failure or ConnectorException("a lane of the worker ended by itself")

    async def _stay_alive(self, queue: JobQueue) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY)
            stuck = queue.longest_in_hand()
            if stuck < STUCK_AFTER:
                await self._beat()
                self._outage.ended()
            else:
                self._outage.began(
                    f"a job has been running for {stuck:.0f} seconds; restart the worker if it goes on"
                )

    async def _beat(self) -> None:
        """The heartbeat is of the machine's time: a moved sample clock must not make it look old."""
        await asyncio.to_thread(self._write_beat, datetime.now(UTC))

    def _write_beat(self, now: datetime) -> None:
        with self._app.store.writing() as unit:
            unit.installation.beat(self._app.worker_name, now=now)

    async def _tell_of(self, error: Exception) -> None:
        if not isinstance(error, self._lost):
            return  # whoever started the worker gets to see it
        fault = await asyncio.to_thread(self._app.database_fault)
        first_line = next(iter(str(error.__cause__ or error).splitlines()), type(error).__name__)
        self._outage.began(fault or f"the job queue failed ({first_line.strip()})")

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    def _overlook(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The engine leaves behind jobs that could not note their end; an outage has been told of already."""
        if not isinstance(context.get("exception"), self._lost):
            loop.default_exception_handler(context)


def _failure(tasks: list[asyncio.Task[None]]) -> Exception | None:
    """What the first of those that have ended raised."""
    for task in tasks:
        if task.done() and isinstance(error := task.exception(), Exception):
            return error
    return None


class Outage:
    """Says once that the worker cannot work, and once that it can again."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._since: float | None = None
        self._tries = 0

    def began(self, reason: str) -> None:
        """Something is away; told only when it had not been."""
        if self._since is None:
            self._since = self._monotonic()
            _log.warning("the worker waits, and goes on by itself: %s", reason)

    def ended(self) -> None:
        """All is well."""
        if self._since is not None:
            _log.warning("the worker works again, after %.0f seconds", self._monotonic() - self._since)
        self._since, self._tries = None, 0

    def pause(self) -> float:
        """How long to wait before the next try, in seconds: longer each time."""
        self._tries += 1
        return _PAUSES[min(self._tries, len(_PAUSES)) - 1]


async def at_every(seconds: float, do: Callable[[int], Awaitable[object]]) -> None:
    """Call `do` now and at every multiple of `seconds` of this machine's clock, with that instant in milliseconds.

    Processes with the same clock call with the same instants. A clock that is set back changes the instants, not
    the rhythm; a call that takes longer than `seconds` leaves out what it missed.
    """
    while True:
        turn = math.floor(time.time() / seconds)
        await do(round(turn * seconds * 1000))
        await asyncio.sleep(min(seconds, max(0.0, (turn + 1) * seconds - time.time())))


def _be_quiet() -> None:
    """The engine and its pool tell of every failed try, with tracebacks; the worker tells once what is wrong."""
    if _log.isEnabledFor(logging.DEBUG):
        return
    for name in ("procrastinate", "psycopg.pool"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
