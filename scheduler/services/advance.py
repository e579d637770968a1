"""Moving the time of an installation that only simulates.

The clock goes from one due instant to the next, and all due work is done at each: every message goes at its own
local time, as it would if somebody had waited.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from scheduler.ports import Stopping, Store
from scheduler.services.deliver import never
from scheduler.services.tick import Ticker
from scheduler.services.turn import Turn

SHORTEST_STEP = timedelta(minutes=1)  # what is due within it goes together; keeps a day under 1,441 steps


class MovedClock(Protocol):
    """A clock that shows the machine's time plus an offset kept with the installation."""

    def now(self) -> datetime: ...

    def moved(self) -> None:
        """The offset has changed: the next look shows it."""
        ...


def walk(
    store: Store,
    ticker: Ticker,
    *,
    start: datetime,
    target: datetime,
    show: Callable[[datetime], None],
    stopping: Stopping = never,
) -> int:
    """Tick at `start`, at every instant until `target` at which something is due, and at `target` (all UTC).

    `show` makes the ticker's clock show an instant. Ends earlier, between two instants, when `stopping` says so.
    Returns the number of ticks.
    """
    at, ticks = start, 0
    while True:
        show(at)
        ticker.tick()
        ticks += 1
        if at >= target or stopping():
            return ticks
        due = _next_due(store)
        at = target if due is None else min(max(due, at + SHORTEST_STEP), target)


def _next_due(store: Store) -> datetime | None:
    with store.reading() as unit:
        instants = (
            unit.patients.next_due(),
            unit.gauges.next_ready(),
            unit.questions.next_ask(),
            unit.worklist.next_overdue(),
            unit.installation.next_digest(),
            unit.staff_mail.next_ready(),
        )
    return min((instant for instant in instants if instant is not None), default=None)


class SimulatedTime:
    """Moves the clock that all processes of a simulated installation share. It never goes back."""

    def __init__(
        self,
        *,
        store: Store,
        ticker: Ticker,
        clock: MovedClock,
        note: str,
        turn: Turn,
        stopping: Stopping = never,
    ) -> None:
        """`stopping` says that the process is asked to end: a move under way then stays where it is."""
        self._store = store
        self._ticker = ticker
        self._clock = clock
        self._note = note  # the installation's note that holds the offset, in seconds
        self._turn = turn  # held by whoever works in this process
        self._stopping = stopping

    def move(self, by: timedelta, *, stopping: Stopping = never) -> datetime:
        """Move the clock forward by `by`, doing on the way all that falls due. Returns the new time (UTC).

        One move at a time: a second one waits, and so do the scheduler's own ticks. `stopping` ends it on the way.
        """

        def is_over() -> bool:
            return stopping() or self._stopping()

        if by < timedelta():
            raise ValueError("the clock only moves forward")
        with self._turn:
            start = self._clock.now()
            walk(self._store, self._ticker, start=start, target=start + by, show=self._show, stopping=is_over)
        return self._clock.now()

    def _show(self, at: datetime) -> None:
        self._clock.moved()  # another process may have moved it: count from what it shows now
        ahead = at - self._clock.now()
        if ahead <= timedelta():
            return
        with self._store.writing() as unit:
            offset = float(unit.installation.note(self._note) or 0) + ahead.total_seconds()
            unit.installation.set_note(self._note, repr(offset))
        self._clock.moved()
