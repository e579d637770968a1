"""How far into a batch messages may have been handed over: on record ahead of the hand-over, a little at a time.

A worker that is killed leaves only what it had put on record to be looked into; the rest surely never went, and
others send it. Each step is committed while the last one is being handed over, so that hardly anybody waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from math import ceil

from scheduler.records import Batch

FIRST = 16  # messages that are on record with the claim itself
_MOST = 100  # messages in one step
_STEP = 0.02  # seconds that a step should last by the pace of the last one ...
_RENEW = 20.0  # seconds after which the lease is renewed, near the end of a step or not
_COMMITS = 3  # ... or as long as so many commits take, for a slow disk must not set the pace

Commit = Callable[[int], bool]
"""Puts on record that the first so many messages may be with the provider; False when others have taken over."""


class Progress:
    """Tells whether a message may go already, and sees to it that the next ones soon may."""

    def __init__(self, batch: Batch, commit: Commit, *, beside: Executor, steady: Callable[[], float]) -> None:
        """`beside` runs the commits. `steady` is a clock that is never set, in seconds."""
        self._size = len(batch.message_ids)
        self._commit = commit
        self._beside = beside
        self._steady = steady
        self._covered = self._step = batch.handed
        self._asked_at = self._came_at = steady()
        self._place = 0  # up to which messages had gone when the last step was asked for
        self._under_way: Future[int | None] | None = None
        self._commit_seconds = 0.0
        self.is_lost = False

    def covers(self, place: int, *, now: float) -> bool:
        """Whether the message at `place` of the batch may go, at `now` of the clock. Raises what a commit raised."""
        if self._under_way is not None and self._under_way.done():
            self._see(self._under_way.result())
        if self._under_way is None and not self.is_lost:
            if self._covered < self._size and place + max(1, self._step // 2) >= self._covered:
                self._go_on(place, now)
            elif now - self._asked_at >= _RENEW:
                self._ask(self._covered, now)
        return place < self._covered and not self.is_lost

    def _see(self, reached: int | None) -> None:
        self._under_way = None
        if reached is None:
            self.is_lost = True
        else:
            self._covered = reached

    def _go_on(self, place: int, now: float) -> None:
        if place > self._place:
            self._step = self._fitting(place - self._place, now - self._came_at)
        self._place, self._came_at = place, now
        self._ask(min(self._covered + self._step, self._size), now)

    def _ask(self, handed: int, now: float) -> None:
        self._asked_at = now
        self._under_way = self._beside.submit(self._reach, handed, now)

    def _fitting(self, handed: int, seconds: float) -> int:
        """How many messages the next step should hold, when so many went in so many seconds."""
        lasting = max(_STEP, _COMMITS * self._commit_seconds)
        return _MOST if handed * lasting >= _MOST * seconds else ceil(handed * lasting / seconds)

    def _reach(self, handed: int, asked_at: float) -> int | None:
        is_ours = self._commit(handed)
        self._commit_seconds = self._steady() - asked_at
        return handed if is_ours else None
