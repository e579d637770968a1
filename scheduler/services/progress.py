"""How far into a batch messages may have been handed over: on record ahead of the hand-over, a little at a time.

A worker that is killed leaves only what it had put on record to be looked into; the rest surely never went, and
others send it. Each step is committed while the last one is being handed over, so that hardly anybody waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from math import ceil

from scheduler.records import Batch

FIRST = 16  # messages that are on record with the claim itself, when nothing is known of the provider
_LEAST, _MOST = 8, 250  # messages in one step; fewer where fewer are on record with the claim
_STEP = 0.05  # seconds that a step should last as messages are answered ...
_COMMITS = 3  # ... or as long as so many commits take, for a slow disk must not set the pace

Commit = Callable[[int], bool]
"""Puts on record that the first so many messages may be with the provider; False when others have taken over."""


def first_step(rate: float | None) -> int:
    """How many messages to put on record with the claim, when so many a second were answered of the last batch."""
    return FIRST if rate is None else min(max(FIRST, ceil(rate * _STEP)), _MOST)


class Progress:
    """Tells whether a message may go already, and sees to it that the next ones soon may."""

    def __init__(self, batch: Batch, commit: Commit, *, beside: Executor, steady: Callable[[], float]) -> None:
        """`beside` runs the commits. `steady` is a clock that is never set, in seconds."""
        self._size = len(batch.message_ids)
        self._commit = commit
        self._beside = beside
        self._steady = steady
        self._began_at = steady()
        self._covered = batch.handed
        self._step = self._least = min(_LEAST, batch.handed)
        self._under_way: Future[int | None] | None = None
        self._commit_seconds = 0.0
        self.is_lost = False

    def covers(self, place: int, *, answered: int, now: float) -> bool:
        """Whether the message at `place` of the batch may go, at `now` of the clock. Raises what a commit raised.

        `answered`: how many of those that went have their answers. Their pace says how many can go soon; the
        first ones go at any pace, until no more can be under way.
        """
        if self._under_way is not None and self._under_way.done():
            self._see(self._under_way.result())
        is_near = self._covered < self._size and place + self._step >= self._covered
        if is_near and self._under_way is None and not self.is_lost:
            self._step = self._fitting(answered, now - self._began_at)
            reached = min(self._covered + self._step, self._size)
            self._under_way = self._beside.submit(self._reach, reached, now)
        return place < self._covered and not self.is_lost

    def lose(self) -> None:
        """Others have taken the batch over: no more of it may go."""
        self.is_lost = True

    def _see(self, reached: int | None) -> None:
        self._under_way = None
        if reached is None:
            self.lose()
        else:
            self._covered = reached

    def _fitting(self, answered: int, seconds: float) -> int:
        """How many messages the next step should hold, when so many were answered in so many seconds."""
        expected = answered * max(_STEP, _COMMITS * self._commit_seconds)
        if expected >= _MOST * seconds:
            return _MOST if answered else self._least
        return max(self._least, ceil(expected / seconds))

    def _reach(self, handed: int, asked_at: float) -> int | None:
        is_ours = self._commit(handed)
        self._commit_seconds = self._steady() - asked_at
        return handed if is_ours else None
