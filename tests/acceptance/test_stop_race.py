"""Five hundred texts are on their way while patients write STOP: who was told so gets none a second later.

Real processes, real webhooks, and a provider that takes its time. What the provider accepted, and when, is its own
word.
"""

from __future__ import annotations

import http.client
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from tests.support.cli import fake_time_library
from tests.support.clinics import DUE, number_of
from tests.support.mornings import SERVE, WORKER, Morning, Process, morning_over
from tests.support.twilio_server import ACCOUNT, TOKEN, TwilioServer
from tests.support.waiting import wait_until
from tests.support.web import HERE, signature

PATIENTS = 500
STOPS = 120
LATENCY, SLOWEST = 0.05, 0.3  # seconds that the provider takes to accept a text, at least and at most
AFTER = 1.0  # seconds after the 200 to a STOP in which the provider may still accept what was handed over before
INBOUND = "/hooks/twilio/inbound"
UNDER_WAY = {"planned", "sending"}
WEB = ("web", "--port", "0")

pytestmark = pytest.mark.skipif(fake_time_library() is None, reason="needs libfaketime, which is for Linux")


@dataclass(frozen=True, slots=True)
class Stopped:
    """A STOP that was answered 200, at a moment of the machine's monotonic clock."""

    patient: int
    at: float


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    with TwilioServer(latency=LATENCY, spread=SLOWEST - LATENCY) as server:
        server.clock = DUE.timestamp
        yield server


def address_of(process: Process) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Bonewise is at "), line
    return line.removeprefix("Bonewise is at ").strip()


def stop(address: str, patient: int) -> Stopped:
    """Write STOP as this patient, as often as it takes: Twilio comes again after a 503."""
    fields = {
        "MessageSid": f"SM{patient:032x}",
        "AccountSid": ACCOUNT,
        "From": number_of(patient),
        "To": "+16175550100",
        "Body": random.Random(patient).choice(("STOP", "stop please", "Please stop texting me")),
        "NumMedia": "0",
    }
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": signature(HERE + INBOUND, fields, token=TOKEN),
    }
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    try:
        connection.request("POST", INBOUND, urlencode(fields), headers)
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    at = time.monotonic()
    if answer.status == 503:
        return stop(address, patient)
    assert answer.status == 200
    return Stopped(patient, at)


def write_while_texts_go(address: str, twilio: TwilioServer) -> list[Stopped]:
    """STOPs of patients all over the list, a few at a time, from the moment the first texts are taken."""
    wait_until(lambda: len(twilio.messages) > 5, what="the first texts")
    patients = random.Random(7).sample(range(1, PATIENTS + 1), STOPS)
    with ThreadPoolExecutor(6) as phones:
        return list(phones.map(lambda patient: stop(address, patient), patients))


def late(twilio: TwilioServer, stopped: Sequence[Stopped]) -> list[tuple[str, float]]:
    """What the provider took for somebody too long after their STOP, and how long; the confirmation may come.

    A text is taken when its answer leaves, which is `SLOWEST` after it came at the latest.
    """
    at = {number_of(one.patient): one.at for one in stopped}
    reminders = [one for one in list(twilio.messages) if "vitamin D" in one.form["Body"]]
    after = {
        one.form["To"]: one.monotonic + SLOWEST - at[one.form["To"]] for one in reminders if one.form["To"] in at
    }
    return [(number, seconds) for number, seconds in after.items() if seconds > AFTER]


def ended_for(morning: Morning, stopped: Sequence[Stopped]) -> dict[str, int]:
    """How many of the stopped patients' reminders came to what."""
    mrns = {f"P{one.patient}" for one in stopped}
    found: dict[str, int] = {}
    for row in morning.listed():
        if row["patient"] in mrns and row["pathway"] == "vitamin_d":
            end = row["status"] if row["reason"] is None else f"{row['status']} {row['reason']}"
            found[end] = found.get(end, 0) + 1
    return found


@pytest.mark.parametrize("pace", [None, 25])
def test_in_one_process(sqlite_url: str, tmp_path: Path, twilio: TwilioServer, pace: int | None) -> None:
    with morning_over(twilio, database_url=sqlite_url, folder=tmp_path, patients=PATIENTS, mps=pace) as morning:
        server = morning.start(SERVE, at=DUE)
        check(morning, address_of(server), twilio, [server])


def test_with_a_web_process_and_two_workers(postgres_url: str, tmp_path: Path, twilio: TwilioServer) -> None:
    # At a pace, so that on a slow machine, too, STOPs come while texts go.
    with morning_over(twilio, database_url=postgres_url, folder=tmp_path, patients=PATIENTS, mps=100) as morning:
        web = morning.start(WEB, at=DUE)
        address = address_of(web)
        workers = [morning.start(WORKER, at=DUE) for _ in range(2)]
        check(morning, address, twilio, [web, *workers])


def check(morning: Morning, address: str, twilio: TwilioServer, processes: list[Process]) -> None:
    stopped = write_while_texts_go(address, twilio)
    wait_until(lambda: not UNDER_WAY & set(morning.standing()), what="every text to go or fall", seconds=90)
    assert late(twilio, stopped) == []
    ended = ended_for(morning, stopped)
    assert ended.get("skipped stopped", 0) > 0, ended  # else nothing was caught on its way
    assert sum(ended.values()) == STOPS
    numbers = {number_of(one.patient) for one in stopped}
    confirmed = [one.form["To"] for one in twilio.messages if "vitamin D" not in one.form["Body"]]
    assert sorted(confirmed) == sorted(numbers)
    asked = {one.form["To"] for one in twilio.messages if "vitamin D" in one.form["Body"]}
    assert asked >= morning.everybody() - numbers
    morning.stop(processes)
