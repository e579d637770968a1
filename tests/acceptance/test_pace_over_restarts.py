"""No second holds more than the pace allows, by the provider's own clock, whoever sends and however it ends.

Real workers on a real PostgreSQL: one is told to stop, one is killed, and two work at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.services.lanes import HOLD
from tests.support.cli import fake_time_library
from tests.support.clinics import DUE
from tests.support.mornings import WORKER, Morning, morning_over
from tests.support.paces import most_in_any_second
from tests.support.twilio_server import TwilioServer
from tests.support.waiting import wait_until

PACE = 20  # segments a second
PATIENTS = 400
BEFORE_STOP, BEFORE_KILL, TOGETHER = 50, 50, 100  # texts that each of the three is good for, at least
LATENCY = 0.05

pytestmark = pytest.mark.skipif(fake_time_library() is None, reason="needs libfaketime, which is for Linux")


def accepted(twilio: TwilioServer) -> Sequence[tuple[float, int]]:
    """When the provider took which number of segments, by its monotonic clock."""
    return [(one.monotonic, 1) for one in list(twilio.messages)]


def wait_for_texts(morning: Morning, count: int, *, what: str) -> None:
    goal = len(morning.twilio.messages) + count
    wait_until(lambda: len(morning.twilio.messages) >= goal, what=what)


def test_a_pace_is_kept_over_a_stop_a_kill_and_two_workers_at_once(postgres_url: str, tmp_path: Path) -> None:
    with (
        TwilioServer(latency=LATENCY) as twilio,
        morning_over(twilio, database_url=postgres_url, folder=tmp_path, patients=PATIENTS, mps=PACE) as morning,
    ):
        stopped = morning.start(WORKER, at=DUE)
        wait_for_texts(morning, BEFORE_STOP, what="the worker that will be told to stop")
        morning.stop([stopped])
        assert morning.standing().keys() <= {"sent", "planned"}  # what it had not handed over, it gave back

        killed = morning.start(WORKER, at=DUE)
        wait_for_texts(morning, BEFORE_KILL, what="the worker that will be killed")
        morning.kill(killed)
        held, texts = morning.standing()["sending"], len(twilio.messages)
        assert held > 0

        after_the_hold = DUE + HOLD + timedelta(seconds=5)  # until then the sender is the dead worker's
        too_soon = morning.tick(DUE + HOLD / 2)
        assert (too_soon["sent"], len(twilio.messages)) == (0, texts)
        both = [morning.start(WORKER, at=after_the_hold) for _ in range(2)]
        wait_for_texts(morning, TOGETHER, what="two workers at once")
        wait_until(lambda: morning.standing()["planned"] == 0, what="everything that the dead one had not held")
        morning.stop(both)

        assert most_in_any_second(accepted(twilio)) <= PACE
        assert len(morning.journal()) >= PATIENTS - held


def test_a_pace_is_used_and_not_only_kept(sqlite_url: str, tmp_path: Path) -> None:
    """A pace that nobody exceeds because nothing goes would be none."""
    with (
        TwilioServer() as twilio,
        morning_over(twilio, database_url=sqlite_url, folder=tmp_path, patients=6 * PACE, mps=PACE) as morning,
    ):
        morning.tick(DUE)
        times = [at for at, _ in accepted(twilio)]
        assert len(times) == 6 * PACE
        assert most_in_any_second(accepted(twilio)) <= PACE
        assert max(times) - min(times) < 10  # five seconds on a machine that does nothing else
