"""The scheduler inside one process: a tick every so often, a sign of life after each, a clean stop.

The engine only says when to look. What is due, and that nothing goes twice, is decided in the database.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Lock
from typing import Any, Protocol

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from scheduler.ports import Store

PATIENCE = 10.0  # seconds without a sign of life, or as many ticks, after which the scheduler counts as stuck
BEAT_EVERY = 1.0  # seconds between two heartbeat rows, at least

_log = logging.getLogger(__name__)


class Ticks(Protocol):
    """Does all work that is due, stopping between batches when it is told to."""

    def tick(self, *, stopping: Callable[[], bool]) -> object: ...


class EmbeddedScheduler:
    """Ticks in a thread of its own from `start` to `stop`."""

    def __init__(
        self, *, ticker: Ticks, store: Store, worker: str, every: float, turn: Lock, patience: float = PATIENCE
    ) -> None:
        """`every` and `patience` are in seconds; `turn` is held by whoever ticks in this process."""
        self._ticker = ticker
        self._store = store
        self._worker = worker
        self._turn = turn
        self._stopping = Event()
        self._alive_at = time.monotonic()
        self._beat_at = float("-inf")
        self._patience = max(patience, 10 * every)
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
        silent = time.monotonic() - self._alive_at
        if silent > self._patience:
            return f"the scheduler has given no sign of life for {silent:.0f} seconds; its log says why"
        return None

    def _round(self) -> None:
        """One tick. Whatever goes wrong, the next round comes."""
        if self._stopping.is_set():
            return
        try:
            if self._turn.acquire(blocking=False):
                try:
                    self._ticker.tick(stopping=self._between_batches)
                finally:
                    self._turn.release()
            self._beat()
        except Exception:  # noqa: BLE001 - the thread must outlive any fault; readiness shows that rounds fail
            _log.exception("a round of work failed; trying again")

    def _between_batches(self) -> bool:
        self._alive_at = time.monotonic()
        return self._stopping.is_set()

    def _beat(self) -> None:
        """The heartbeat is of the machine's time: a moved sample clock must not make it look old."""
        self._alive_at = time.monotonic()
        if self._alive_at - self._beat_at < BEAT_EVERY:
            return
        with self._store.writing() as unit:
            unit.installation.beat(self._worker, now=datetime.now(UTC))
        self._beat_at = self._alive_at


def _engine(job: Any, *, every: float) -> Any:
    """An APScheduler that never runs the job beside itself, and after a delay runs it once instead of many times."""
    logging.getLogger("apscheduler").setLevel(
        logging.ERROR
    )  # it warns whenever a tick takes longer than its interval
    engine = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(1)})
    engine.add_job(
        job,
        IntervalTrigger(seconds=every, timezone=UTC),
        next_run_time=datetime.now(UTC),
        misfire_grace_time=None,
        coalesce=True,
        max_instances=1,
    )
    return engine
