"""Letting the time of a simulated installation run fast: a visitor sees a month of follow-up in two minutes.

Who runs it, and how far, is a note of the installation. So it runs once however many processes there are, each of
them can pause it, and what a process leaves behind when it dies counts as paused.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scheduler.ports import Clock, Store, Unit
from scheduler.services.advance import SimulatedTime

A_MONTH = timedelta(days=30)
LASTS = timedelta(minutes=2)  # how long a month takes
_BEAT = 0.4  # seconds from one step to the next
_BREATH = 0.05  # seconds between two steps at least: whoever waits to answer as a patient comes in between
_LONGEST_STEP = timedelta(hours=12)  # after a slow step the next one catches up no further than that
_SIGN_EVERY = timedelta(seconds=3)
_SILENT = timedelta(seconds=15)  # without a sign of life for so long, nobody runs it any more

_NOTE = "clock_play"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """A run of the clock. `began` and `until` are of the simulated time, `seen` of the machine's (all UTC)."""

    began: datetime
    until: datetime
    seen: datetime  # the runner's last sign of life
    runner: str = ""  # empty: paused

    def is_running(self, wall: datetime) -> bool:
        """Whether somebody runs it, at the machine's time `wall`."""
        return bool(self.runner) and wall - self.seen < _SILENT

    def write(self) -> str:
        """As a note."""
        return "|".join((self.began.isoformat(), self.until.isoformat(), self.seen.isoformat(), self.runner))


def read_play(notes: str | None) -> Play | None:
    """The run that a note holds; None when there is none."""
    if not notes:
        return None
    began, until, seen, runner = notes.split("|")
    return Play(
        began=datetime.fromisoformat(began),
        until=datetime.fromisoformat(until),
        seen=datetime.fromisoformat(seen),
        runner=runner,
    )


class Player:
    """Runs the clock in a thread of its own. One object serves one process."""

    def __init__(
        self,
        *,
        store: Store,
        moves: SimulatedTime,
        clock: Clock,
        wall: Clock,
        length: timedelta = A_MONTH,
        lasts: timedelta = LASTS,
    ) -> None:
        """`clock` shows the simulated time, `wall` the machine's. A run is of `length` and takes about `lasts`."""
        self._store = store
        self._moves = moves
        self._clock = clock
        self._wall = wall
        self._length = length
        self._rate = length / lasts
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._threads: Mapping[str, threading.Thread] = {}

    def state(self, unit: Unit) -> Play | None:
        """The run that is under way or paused; None when there is none, or the clock has come to its end."""
        play = read_play(unit.installation.note(_NOTE))
        return play if play is not None and self._clock.now() < play.until else None

    def is_running(self, play: Play | None) -> bool:
        """Whether somebody runs it now."""
        return play is not None and play.is_running(self._wall.now())

    def play(self) -> None:
        """Run a month from now, or go on with what was paused. Changes nothing while it runs."""
        wall, runner = self._wall.now(), secrets.token_urlsafe(9)
        with self._store.writing() as unit:
            paused = self.state(unit)
            if self.is_running(paused) or self._closing.is_set():
                return
            now = self._clock.now()
            begun = paused or Play(began=now, until=now + self._length, seen=wall)
            unit.installation.set_note(_NOTE, replace(begun, seen=wall, runner=runner).write())
        thread = threading.Thread(target=self._guarded, args=(runner,), name="clock-player", daemon=True)
        with self._lock:
            alive = {name: one for name, one in self._threads.items() if one.is_alive()}
            self._threads = {**alive, runner: thread}
        thread.start()

    def pause(self) -> None:
        """Hold the clock where it is; it then goes on at its usual pace."""
        with self._store.writing() as unit:
            play = read_play(unit.installation.note(_NOTE))
            if play is not None:
                unit.installation.set_note(_NOTE, replace(play, runner="").write())

    def close(self) -> None:
        """End a run of this process between two steps; it stays paused. Returns when nothing runs any more."""
        self._closing.set()
        with self._lock:
            threads = self._threads.values()
        for thread in threads:
            thread.join()

    def _guarded(self, runner: str) -> None:
        try:
            self._run(runner)
        except Exception:  # noqa: BLE001 - the page shows that it is paused, and the button is there again
            _log.exception("the clock stopped running fast; press Play to go on")
        finally:
            self._give_up(runner)

    def _run(self, runner: str) -> None:
        step_from = time.monotonic() - _BEAT
        while (play := self._held(runner)) is not None and not self._closing.is_set():
            now, started = self._clock.now(), time.monotonic()
            if now >= play.until:
                return
            due = min(self._rate * timedelta(seconds=started - step_from), _LONGEST_STEP, play.until - now)
            step_from = started
            self._moves.move(due, stopping=self._closing.is_set)
            self._closing.wait(max(_BREATH, _BEAT - (time.monotonic() - started)))

    def _held(self, runner: str) -> Play | None:
        """The run, if it is still this runner's; leaves a sign of life."""
        with self._store.reading() as unit:
            play = read_play(unit.installation.note(_NOTE))
        if play is None or play.runner != runner:
            return None
        if self._wall.now() - play.seen < _SIGN_EVERY:
            return play
        with self._store.writing() as unit:
            play = read_play(unit.installation.note(_NOTE))
            if play is None or play.runner != runner:
                return None
            play = replace(play, seen=self._wall.now())
            unit.installation.set_note(_NOTE, play.write())
        return play

    def _give_up(self, runner: str) -> None:
        try:
            with self._store.writing() as unit:
                play = read_play(unit.installation.note(_NOTE))
                if play is not None and play.runner == runner:
                    unit.installation.set_note(_NOTE, replace(play, runner="").write())
        except Exception:  # noqa: BLE001 - without a sign of life it counts as paused soon
            _log.exception("could not note that the clock no longer runs fast")
