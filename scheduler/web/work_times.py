"""How long the scheduler of this process took for each part of its work, and how often a part failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock

from scheduler.services.spans import Spans


class WorkTimes:
    """Times by part of the work; safe to share between threads. Begins at nothing with every process."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._spans: dict[str, Spans] = {}
        self._failures: dict[str, int] = {}

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Times what is done inside. What it raises goes on, and is counted."""
        begun = self._monotonic()
        failed = 1
        try:
            yield
            failed = 0
        finally:
            spent = self._monotonic() - begun
            with self._lock:
                self._spans[part] = self._spans.get(part, Spans()).with_one(spent)
                self._failures[part] = self._failures.get(part, 0) + failed

    def spans(self) -> Mapping[str, Spans]:
        """By part, all that was done so far, also what failed."""
        with self._lock:
            return dict(self._spans)

    def failures(self) -> Mapping[str, int]:
        """By part, how often it failed so far."""
        with self._lock:
            return dict(self._failures)


WORK_TIMES = WorkTimes()
