"""What comes after a storm: leases run out, the provider is asked, the day ends, and the next one begins.

The provider's journal is the judge: nobody has two texts, our ledger holds what the journal holds, and on the next
day everybody has had one.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from tests.support.clinics import DUE
from tests.support.mornings import Morning, Process
from tests.support.waiting import wait_until

MINUTE = timedelta(minutes=1)
NIGHT = DUE.replace(hour=1, minute=20) + timedelta(days=1)  # 20:20 in New York, when a text can no longer arrive
NEXT_DAY = DUE + timedelta(days=1, hours=2)


class Day:
    """The time of day during a storm: `haste` seconds in each second."""

    def __init__(self, haste: float = 1) -> None:
        self._began = time.monotonic()
        self._haste = haste

    def now(self) -> datetime:
        return DUE + (time.monotonic() - self._began) * timedelta(seconds=self._haste)


def work_until(
    morning: Morning, command: tuple[str, ...], *, processes: int, at: datetime, done: Callable[[], bool], what: str
) -> None:
    """Let them work in peace from `at` until `done`."""
    running: list[Process] = [morning.start(command, at=at) for _ in range(processes)]
    wait_until(done, what=what, seconds=60)
    morning.stop(running)


def settle(morning: Morning, day: Day) -> None:
    """What is due in the rest of the first day: leases run out, the provider is asked, the window closes."""
    morning.twilio.latency = 0.0
    after = day.now()
    for later in (6 * MINUTE, 9 * MINUTE):  # the last lease has run out; two minutes later the provider is asked
        morning.tick(after + later)
    standing, journal = morning.standing(), morning.journal()
    assert standing["sent"] == len(journal), standing
    assert standing.keys() <= {"sent", "unknown"}, standing
    assert morning.recorded() == journal
    morning.tick(NIGHT)


def judge(morning: Morning) -> None:
    """At the end of the day: whoever has a text is on record with it, and whoever has none is known to have none."""
    journal = morning.journal()
    assert morning.recorded() == journal
    assert morning.standing() == +Counter(sent=len(journal), not_sent=morning.patients - len(journal))
    assert morning.astray() == 0


def calm(morning: Morning, command: tuple[str, ...], *, processes: int, day: Day) -> None:
    """The calm after a storm, and the next day, on which everybody has had one text."""
    settle(morning, day)
    judge(morning)
    morning.twilio.clock = NEXT_DAY.timestamp
    work_until(
        morning,
        command,
        processes=processes,
        at=NEXT_DAY,
        done=lambda: morning.standing()["sent"] == morning.patients,
        what="everybody to have a text",
    )
    assert morning.journal().keys() == morning.everybody()
    assert morning.recorded() == morning.journal()
