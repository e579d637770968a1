"""How much comes in just now, so that what can wait gives way to it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

HEAVY = 20  # texts within
WITHIN = 0.5  # seconds
SHARE = 10  # of the time of a process, what can wait takes one part in so many while traffic is heavy
LONGEST_REST = 1.0  # seconds


class Traffic:
    """Counts what comes in to one process. Threads may share it."""

    def __init__(self, *, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._latest: deque[float] = deque([float("-inf")] * HEAVY, maxlen=HEAVY)

    def passed(self) -> None:
        """Something came in."""
        self._latest.append(self._steady())

    @property
    def is_heavy(self) -> bool:
        """Whether so much came in lately that all the time there is should be for it."""
        return self._steady() - self._latest[0] <= WITHIN

    def rest_after(self, spent: float) -> float:
        """For how many seconds to rest after so many of work that could have waited."""
        return min(spent * (SHARE - 1), LONGEST_REST) if self.is_heavy else 0.0
