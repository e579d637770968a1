"""Lengths of time, counted by how long they were."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from scheduler.ports.gauges import SPAN_BOUNDS


@dataclass(frozen=True, slots=True)
class Spans:
    """How many fell under each of `SPAN_BOUNDS` and not under the one before, the last above all; and their sum.

    `seconds` is what all of them took together.
    """

    counts: tuple[int, ...] = (0,) * (len(SPAN_BOUNDS) + 1)
    seconds: float = 0.0

    @property
    def total(self) -> int:
        return sum(self.counts)

    def plus(self, bucket: int, *, count: int, seconds: float) -> Spans:
        """With `count` more in one bucket, which took `seconds` together."""
        counts = (n + count if place == bucket else n for place, n in enumerate(self.counts))
        return Spans(tuple(counts), self.seconds + seconds)

    def with_one(self, seconds: float) -> Spans:
        """With one more that took `seconds`."""
        return self.plus(bisect_left(SPAN_BOUNDS, seconds), count=1, seconds=seconds)
