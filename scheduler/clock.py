"""The time: the machine's, or in a simulated installation one that a visitor has moved forward."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_LOOK_AGAIN = 0.5  # seconds between looks at how far another process has moved the clock


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current instant, in UTC."""
        return datetime.now(UTC)


class ShiftedClock:
    """The machine's clock, moved by an offset that all processes of the installation share."""

    def __init__(self, read_offset: Callable[[], timedelta]) -> None:
        self._read_offset = read_offset
        self._offset = timedelta()
        self._look_at = 0.0

    def now(self) -> datetime:
        """The current instant in the moved time, in UTC."""
        return datetime.now(UTC) + self._current_offset()

    def moved(self) -> None:
        """The offset has changed: the next look shows it."""
        self._look_at = 0.0

    def _current_offset(self) -> timedelta:
        if time.monotonic() >= self._look_at:
            self._offset = self._read_offset()
            self._look_at = time.monotonic() + _LOOK_AGAIN
        return self._offset
