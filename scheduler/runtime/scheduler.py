"""The scheduler inside one process: a look every so often, a sign of life after each, a clean stop.

The engine only says when to look. What is due, and that nothing goes twice, is decided in the database.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import partial
from threading import Event
from typing import Any, Protocol

from apscheduler.executors.pool import ThreadPoolExecutor as EngineThreads
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from scheduler.domain.people import Channel
from scheduler.ports import Stopping, Store, Work
from scheduler.runtime import BEAT_EVERY
from scheduler.services.turn import Turn
from scheduler.web.work_times import WORK_TIMES

PATIENCE = 10.0  # seconds without a sign of life, or as many ticks, after which the scheduler counts as stuck

_PLAN = "plan"
_PLANNED_MEANWHILE = 0.05  # seconds between two looks at what planning has left to deliver

_log = logging.getLogger(__name__)


class Part(Protocol):
    """One part of the work."""

    def __call__(self, *, stopping: Stopping) -> object: ...


class EmbeddedScheduler:
    """Ticks in a thread of its own from `start` to `stop`."""

    def __init__(
        self, *, work: Work, store: Store, worker: str, every: float, turn: Turn, patience: float = PATIENCE
    ) -> None:
        """`every` and `patience` are in seconds; `turn` is held by whoever works in this process."""
        self._work = work
        self._store = store
        self._worker = worker
        self._turn = turn
        self._stopping = Event()
        self._alive_at = time.monotonic()
        self._planned_at = time.monotonic()
        self._beat_at = float("-inf")
        self._patience = max(patience, 10 * every)
        self._parts = ThreadPoolExecutor(len(Channel) + 4, thread_name_prefix="part")  # and each below
        self._running: dict[str, Future[None]] = {}
        self._engine = _engine(self._round, every=every)

    def start(self) -> None:
        """Tick now, and from now on."""
        self._alive_at = time.monotonic()
        self._engine.start()

    def stop_soon(self) -> None:
        """Take no new batch; what is claimed is finished. Does not wait, and may be called by a signal handler."""
        self._stopping.set()

    def stop(self) -> None:
        """Stop after the batch in hand. Returns when nothing is running any more."""
        self._stopping.set()
        if self._engine.running:
            self._engine.shutdown(wait=True)
        self._parts.shutdown(wait=True)

    def is_alive(self) -> bool:
        """Whether the scheduler's thread runs."""
        thread = self._engine._thread  # the engine has no other way to tell
        return thread is not None and thread.is_alive()

    def fault(self) -> str | None:
        """Why no work is being done, in one sentence; None when all is well."""
        if self._stopping.is_set():
            return "the scheduler is stopping"
        if not self.is_alive():
            return "the scheduler's thread has ended; restart the service"
        now = time.monotonic()
        alive_at = [self._alive_at]
        if _is_running(self._running.get(_PLAN)):
            alive_at.append(self._planned_at)
        silent = now - min(alive_at)
        if silent > self._patience:
            return f"the scheduler has given no sign of life for {silent:.0f} seconds; its log says why"
        return None

    def _round(self) -> None:
        """One look at what waits. Whatever goes wrong, the next round comes."""
        if self._stopping.is_set():
            return
        try:
            with WORK_TIMES.of("look"):
                with self._turn.shared() as is_free:
                    if is_free:
                        self._start_what_waits()
                self._beat()
        except Exception:  # noqa: BLE001 - the thread must outlive any fault; readiness shows that rounds fail
            _log.exception("a round of work failed; trying again")

    def _start_what_waits(self) -> None:
        """Each part in a thread of its own, so that a provider that hangs delays only its own channel."""
        waiting = self._work.look()
        if waiting.plan:
            self._start(_PLAN, self._plan)
        for channel in Channel:
            if waiting.deliver.get(channel) or waiting.plan:
                self._start(channel.value, partial(self._deliver, channel))
        if waiting.ask:
            self._start("ask", self._work.ask_all)
        if waiting.understand:
            self._start("understand", self._work.understand_all)
        if waiting.office:
            self._start("office", self._work.run_office)

    def _start(self, name: str, part: Part) -> None:
        if not _is_running(self._running.get(name)):
            self._running[name] = self._parts.submit(self._guarded, name, part)

    def _guarded(self, name: str, part: Part) -> None:
        try:
            with self._turn.shared() as is_free:
                if is_free:
                    with WORK_TIMES.of(name):
                        part(stopping=self._stopping.is_set)
        except Exception:  # noqa: BLE001 - the next round starts it again
            _log.exception("a part of the work failed; trying again")

    def _plan(self, *, stopping: Stopping) -> None:
        """Plan, with a sign of life after each batch: unlike a provider, the database has to answer."""

        def between_batches() -> bool:
            self._planned_at = time.monotonic()
            return stopping()

        between_batches()
        self._work.plan_all(stopping=between_batches)

    def _deliver(self, channel: Channel, *, stopping: Stopping) -> None:
        """Deliver while planning goes on: the first messages do not wait for the last patient."""
        while True:
            planning = self._running.get(_PLAN)
            was_running = _is_running(planning)
            self._work.deliver_all(channel, stopping=stopping)
            if planning is None or not was_running or stopping():
                return
            wait([planning], timeout=_PLANNED_MEANWHILE)

    def _beat(self) -> None:
        """The heartbeat is of the machine's time: a moved sample clock must not make it look old."""
        self._alive_at = time.monotonic()
        if self._alive_at - self._beat_at < BEAT_EVERY:
            return
        with self._store.writing() as unit:
            unit.installation.beat(self._worker, now=datetime.now(UTC))
        self._beat_at = self._alive_at


def _is_running(part: Future[None] | None) -> bool:
    return part is not None and not part.done()


def _engine(job: Any, *, every: float) -> Any:
    """An APScheduler that never runs the job beside itself, and after a delay runs it once instead of many times."""
    logging.getLogger("apscheduler").setLevel(
        logging.ERROR
    )  # it warns whenever a tick takes longer than its interval
    engine = BackgroundScheduler(timezone=UTC, executors={"default": EngineThreads(1)})
    engine.add_job(
        job,
        IntervalTrigger(seconds=every, timezone=UTC),
        next_run_time=datetime.now(UTC),
        misfire_grace_time=None,
        coalesce=True,
        max_instances=1,
    )
    return engine
