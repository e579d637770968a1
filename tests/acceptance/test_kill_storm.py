"""A storm: 2,000 patients due, and a random one of the processes that serve them is killed every two seconds.

Real processes, `kill -9`, a real database and real HTTP to a provider whose journal is the judge. During the storm
time passes more quickly: whoever starts anew finds the clock about a minute further on. So there is always somebody
newly due, leases run out and lost answers are looked into while the killing goes on, and the clocks of two workers
disagree.
"""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pytest

from tests.support.cli import fake_time_library
from tests.support.mornings import SERVE, WORKER, Morning, morning_over
from tests.support.storms import Day, calm
from tests.support.twilio_server import TwilioServer
from tests.support.waiting import wait_until

PATIENTS = 2_000
STORM, EMBEDDED_STORM = 20.0, 10.0  # seconds; one process alone leaves more behind, which takes longer to settle
KILL_EVERY = 2.0
LATENCY = 0.3  # seconds the provider takes over each text, so that every kill finds texts under way
AT_LEAST = 3  # kills that hit a process with texts under way; else the storm was none
AT_WORK = 100  # texts since the last kill, after which the next may come: by then they are in the middle of it ...
PATIENCE = 15.0  # ... or so many seconds later, for a machine may be slow
HASTE = 30  # seconds of the day in a second of the storm
SEED = 20260303
WAVES = [f"09:{30 + minute}" for minute in range(int(STORM * HASTE / 60))]  # when how many are due, in equal parts

pytestmark = pytest.mark.skipif(fake_time_library() is None, reason="needs libfaketime, which is for Linux")


def storm(morning: Morning, command: tuple[str, ...], *, processes: int, seconds: float, day: Day) -> int:
    """Kill and start anew until the storm is over, then kill them all; returns how many kills hit work under way."""
    chance, hits = Random(SEED), 0
    running = [morning.start(command, at=day.now()) for _ in range(processes)]
    over = time.monotonic() + seconds
    while time.monotonic() < (over if hits >= AT_LEAST else over + 3 * seconds):  # longer on a slow machine
        texts = len(morning.twilio.messages)
        await_the_kill(morning, since=texts)
        place = chance.randrange(processes)
        morning.kill(running[place])
        hits += len(morning.twilio.messages) > texts
        running[place] = morning.start(command, at=day.now())
    for process in running:
        morning.kill(process)
    return hits


def await_the_kill(morning: Morning, *, since: int) -> None:
    """Until it is time for the next kill, and texts have gone since the last one or none will."""
    began = time.monotonic()

    def is_time() -> bool:
        waited = time.monotonic() - began
        are_at_work = len(morning.twilio.messages) >= since + AT_WORK
        return waited >= KILL_EVERY and (are_at_work or waited >= KILL_EVERY + PATIENCE)

    wait_until(is_time, what="the next to be killed")


def weather(morning: Morning, command: tuple[str, ...], *, processes: int, seconds: float) -> None:
    day = Day(HASTE)
    morning.twilio.clock = lambda: day.now().timestamp()
    assert storm(morning, command, processes=processes, seconds=seconds, day=day) >= AT_LEAST
    calm(morning, command, processes=processes, day=day)


def test_workers_on_postgresql_lose_and_double_nothing_in_a_storm(postgres_url: str, tmp_path: Path) -> None:
    with (
        TwilioServer(latency=LATENCY) as twilio,
        morning_over(
            twilio, database_url=postgres_url, folder=tmp_path, patients=PATIENTS, contact_times=WAVES
        ) as morning,
    ):
        weather(morning, WORKER, processes=2, seconds=STORM)


def test_the_embedded_service_on_sqlite_loses_and_doubles_nothing_in_a_storm(sqlite_url: str, tmp_path: Path) -> None:
    with (
        TwilioServer(latency=LATENCY) as twilio,
        morning_over(
            twilio, database_url=sqlite_url, folder=tmp_path, patients=PATIENTS, contact_times=WAVES
        ) as morning,
    ):
        weather(morning, SERVE, processes=1, seconds=EMBEDDED_STORM)
