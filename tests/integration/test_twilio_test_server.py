"""The server that speaks Twilio's protocol in our tests and benchmarks does what it says."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scheduler.ports import Outcome
from tests.support.twilio_channel import PHONE, ROOT, SERVICE, channel_to, send_one, text
from tests.support.twilio_faults import NAMED, FaultMix
from tests.support.twilio_rules import created_answer, message_fields
from tests.support.twilio_server import TwilioServer
from tests.support.waiting import wait_until


@contextmanager
def server_process(*options: str) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.support.twilio_server", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def post_fault(url: str, wanted: dict[str, Any]) -> None:
    import urllib.request

    urllib.request.urlopen(f"{url}/_faults", data=json.dumps(wanted).encode(), timeout=10).close()  # noqa: S310


@pytest.mark.parametrize("changes", [{}, {"service": SERVICE}, {"body": '@to@ "quoted" \\ é 🦴 ' * 20}])
def test_the_quick_answer_of_the_server_is_the_full_resource(changes: dict[str, Any]) -> None:
    with TwilioServer() as server, channel_to(server.url) as channel:
        send_one(channel, text(**changes))
        (message,) = server.messages
    assert json.loads(created_answer(message)) == message_fields(message, created=True)


def test_the_server_process_keeps_a_journal_and_takes_faults(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    before = time.time(), time.monotonic()
    with server_process("--journal", str(journal)) as url:
        post_fault(url, {"kind": "answer", "status": 400, "code": 21614})
        with channel_to(url) as channel:
            assert send_one(channel, text()).code == "21614"
            sid = send_one(channel, text()).provider_id
    (line,) = (json.loads(each) for each in journal.read_text().splitlines())
    assert (line["sid"], line["form"]["To"], line["answered"]) == (sid, PHONE, True)
    assert before[0] <= line["at"] <= time.time()
    assert before[1] <= line["monotonic"] <= time.monotonic()


def test_the_server_process_takes_a_mix_of_faults_from_its_command_line_and_over_http() -> None:
    with server_process("--fault", "500=1.0") as url, channel_to(url) as channel:
        assert send_one(channel, text()).code == "20500"
        post_fault(url, {"rates": {"429": 1.0}, "seed": 3})
        assert send_one(channel, text()).code == "20429"
        post_fault(url, {"rates": {}})
        assert send_one(channel, text()).outcome is Outcome.ACCEPTED


def test_a_mix_of_faults_keeps_to_its_rates_and_to_its_seed() -> None:
    rates = dict.fromkeys(["500", "503", "429", "hang", "accepted_hang", "accepted_closed", "garbage"], 0.05)
    numbers = [f"+1555{n:07}" for n in range(4000)]

    def drawn(order: list[str], seed: int) -> dict[str, object]:
        mix = FaultMix(rates, seed=seed)
        return {number: mix.draw(number) for number in order}

    first = drawn(numbers, 1)
    assert drawn(numbers[::-1], 1) == first  # whatever comes first
    assert drawn(numbers, 2) != first
    counts = Counter(first.values())
    for name in rates:
        assert 140 <= counts[NAMED[name]] <= 260
    assert 2450 <= counts[None] <= 2750


@pytest.mark.parametrize("rates", [{"no such": 0.1}, {"500": 0.6, "503": 0.6}])
def test_a_mix_that_cannot_be_is_refused(rates: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        FaultMix(rates, seed=1)


WHAT_COMES_OF_IT = {
    "500": (Outcome.UNKNOWN, False),
    "500_taken": (Outcome.UNKNOWN, True),
    "503": (Outcome.UNKNOWN, False),
    "503_taken": (Outcome.UNKNOWN, True),
    "429": (Outcome.NOT_HANDED_OVER, False),
    "reset": (Outcome.UNKNOWN, False),
    "hang": (Outcome.UNKNOWN, False),
    "accepted_hang": (Outcome.UNKNOWN, True),
    "accepted_closed": (Outcome.UNKNOWN, True),
    "accepted_cut": (Outcome.UNKNOWN, True),
    "garbage": (Outcome.UNKNOWN, True),
}


@pytest.mark.parametrize("name", NAMED)
def test_each_named_fault_takes_the_message_or_not(name: str) -> None:
    outcome, is_taken = WHAT_COMES_OF_IT[name]
    with TwilioServer() as server, channel_to(server.url, timeout=0.3) as channel:
        server.fail(NAMED[name])
        assert send_one(channel, text()).outcome is outcome
        assert [message.answered for message in server.messages] == ([False] if is_taken else [])


def test_texts_under_a_mix_of_faults_are_taken_once_or_not_at_all() -> None:
    """Every text ends with a result, and what it says agrees with what the server has."""
    rates = dict.fromkeys(NAMED, 0.04)
    with TwilioServer() as server, channel_to(server.url, timeout=1.0) as channel:
        server.fail_at_random(rates, seed=11)
        batch = [text(f"+1555{n:07}") for n in range(600)]
        results = {result.attempt_id: result.outcome for result in channel.send(batch)}
        wait_until(lambda: server.requests == len(batch), what="every request")
        taken = Counter(message.form["To"] for message in server.messages)
        answered = {message.form["To"] for message in server.messages if message.answered}
    assert set(taken.values()) == {1}
    assert len(results) == len(batch)
    for message in batch:
        outcome = results[message.attempt_id]
        assert (outcome is Outcome.ACCEPTED) == (message.to in answered)
        assert outcome is not Outcome.NOT_HANDED_OVER or message.to not in taken
