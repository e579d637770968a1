"""How fast one sender may send: so many segments a second, and no more than that in any one second.

What counts is when the provider accepts a message, which is some time between the start of the request and its
answer. So a message counts from its start until a whole second after its answer, and the next one starts only when
there is room: then no second can hold more, however long requests take. A rate with a fraction above one counts as
the whole number below it, for a second cannot hold half a segment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field

_SECOND = 1.0


@dataclass(slots=True)
class Pace:
    """The pace of one sender. `rate` is in segments per second; all times are in seconds of one steady clock."""

    rate: float
    _started: dict[Hashable, int] = field(default_factory=dict)
    _counted: deque[tuple[float, int]] = field(default_factory=deque)  # until when, and how many segments
    _load: int = 0

    @property
    def capacity(self) -> int:
        """How many segments one window may hold."""
        return max(1, int(self.rate))

    def has_room(self, segments: int, *, now: float) -> bool:
        """Whether a message of so many segments may start. One that is longer than a window has one for itself."""
        while self._counted and self._counted[0][0] <= now:
            self._load -= self._counted.popleft()[1]
        return self._load == 0 or self._load + segments <= self.capacity

    def start(self, key: Hashable, segments: int) -> None:
        """A message starts."""
        self._started[key] = segments
        self._load += segments

    def end(self, key: Hashable, *, now: float) -> None:
        """Its answer is there, or will never be."""
        segments = self._started.pop(key, 0)
        until = now + self._window(segments)
        if self._counted and until < self._counted[-1][0]:
            until = self._counted[-1][0]  # after a longer one: in order, at the cost of a moment
        self._counted.append((until, segments))

    def rests_for(self) -> float:
        """Seconds of silence after which whoever takes over may start without knowing what went before."""
        counted = (segments for _, segments in self._counted)
        return self._window(max((*self._started.values(), *counted), default=1))

    def _window(self, segments: int) -> float:
        """For how many seconds so many segments count: one, or as many as the rate needs for them."""
        return max(_SECOND, segments / self.rate)
