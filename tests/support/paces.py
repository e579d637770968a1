"""Whether a pace was kept: what the provider took, by a clock that is never set."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable


def most_in_any_second(accepted: Iterable[tuple[float, int]], *, seconds: float = 1.0) -> int:
    """The most segments that any `seconds` hold. `accepted` are instants in seconds, each with its segments."""
    window: deque[tuple[float, int]] = deque()
    load = most = 0
    for at, segments in sorted(accepted):
        window.append((at, segments))
        load += segments
        while window[0][0] <= at - seconds:
            load -= window.popleft()[1]
        most = max(most, load)
    return most
