"""The services of docker-compose.yml, as real processes with its commands and settings but without Docker."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from scheduler.services.deliver import BATCH
from tests.support.cli import ROOT, Cli, fake_time_library
from tests.support.clinics import DUE, ENROLLED, number_of
from tests.support.twilio_server import ACCOUNT, TOKEN, TwilioServer
from tests.support.waiting import wait_until

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
WORKERS = 4
PATIENTS = 600
OF_THE_CONTAINER = ("BONEWISE_DATABASE_URL", "BONEWISE_DATA_DIR", "PGPASSFILE")  # another database and folder here

pytestmark = pytest.mark.skipif(fake_time_library() is None, reason="needs libfaketime, which is for Linux")
Process = subprocess.Popen[str]


@dataclass
class Stack:
    """The installation that the compose file describes, on a test's database and folder."""

    folder: Path
    database_url: str
    settings: dict[str, str]
    running: ExitStack = field(default_factory=ExitStack)
    _asking: psycopg.Connection | None = None

    def cli(self, service: str) -> Cli:
        """The command line with a service's environment; fails when the file sets what this test does not know."""
        environment = {name: str(value) for name, value in SERVICES[service]["environment"].items()}
        assert set(OF_THE_CONTAINER) <= environment.keys()
        for name in OF_THE_CONTAINER:
            del environment[name]
        mapped = {
            "BONEWISE_DATABASE_URL": self.database_url,
            "BONEWISE_DATA_DIR": str(self.folder / "data"),
        }
        return Cli(self.folder, {**environment, **mapped, **self.settings})

    def run(self, service: str, *, at: datetime) -> None:
        """Run a service that ends by itself."""
        self.cli(service)(*command(service), at=at)

    def start(self, service: str, *, at: datetime) -> Process:
        """Start a service and leave it running, to the end of the test at the latest."""
        process = self.cli(service).start(*command(service), at=at)
        self.running.callback(process.communicate, timeout=10)
        self.running.callback(process.kill)
        return process

    def listed(self, what: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.cli("init")(what, "--clinic", "main", "--json").json
        return found

    def asked(self, query: str) -> int:
        """A number that the database knows."""
        if self._asking is None:
            url = self.database_url.replace("+psycopg", "")
            self._asking = self.running.enter_context(psycopg.connect(url, autocommit=True))
        found = self._asking.execute(query.encode()).fetchone()
        assert found is not None
        return int(found[0])


def command(service: str) -> list[str]:
    """What comes after `bonewise`; the port is any free one, for the one in the file may be taken here."""
    program, *words = SERVICES[service]["command"]
    assert program == "bonewise"
    return ["0" if word == "8000" else word for word in words]


@contextmanager
def stack_over(twilio: TwilioServer, *, database_url: str, folder: Path, patients: int) -> Iterator[Stack]:
    """Everything before `web` and `worker`: the database made by `init`, and patients who are due at `DUE`."""
    settings = {
        "BONEWISE_SMS": "twilio",
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_API_URL": twilio.url,
    }
    stack = Stack(folder, database_url, settings)
    stack.run("init", at=ENROLLED)
    run = stack.cli("init")
    named = ("--code", "main", "--name", "Harbor Clinic", "--timezone", "America/New_York")
    run("clinic", "add", *named, "--sms-from", "+16175550100", at=ENROLLED)
    with (folder / "patients.csv").open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(("mrn", "name", "phone", "sms_consent", "pathways"))
        for number in range(1, patients + 1):
            table.writerow((f"P{number}", f"Pat {number}", number_of(number), "yes", "vitamin_d"))
    run("import", "patients.csv", "--clinic", "main", "--phone-check", "possible", "--json", at=ENROLLED)
    with stack.running:
        yield stack


def everybody() -> dict[str, int]:
    return {number_of(n): 1 for n in range(1, PATIENTS + 1)}


def texts(twilio: TwilioServer) -> Counter[str]:
    """How many texts the provider took for which number."""
    return Counter(one.form["To"] for one in list(twilio.messages))


def ready(web: Process) -> tuple[int, dict[str, Any]]:
    assert web.stdout is not None
    address = web.stdout.readline().removeprefix("Bonewise is at ").strip()
    assert address.startswith("http://127.0.0.1:"), web.stderr and web.stderr.read()
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=10) as answer:  # noqa: S310 - our own address
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def ended(processes: list[Process]) -> list[tuple[int, str]]:
    """SIGTERM to all; the exit code of each and what it wrote to standard error."""
    for process in processes:
        process.send_signal(signal.SIGTERM)
    return [(process.wait(timeout=20), process.stderr.read() if process.stderr else "") for process in processes]


def test_four_workers_and_a_web_half_share_a_morning_and_every_text_goes_once(
    postgres_url: str, tmp_path: Path
) -> None:
    with (
        TwilioServer(latency=0.02) as twilio,
        stack_over(twilio, database_url=postgres_url, folder=tmp_path, patients=PATIENTS) as stack,
    ):
        workers = [stack.start("worker", at=DUE) for _ in range(WORKERS)]
        web = stack.start("web", at=DUE)
        assert ready(web) == (200, {"ready": True, "database": "ok"})
        wait_until(lambda: stack.asked("SELECT count(*) FROM heartbeats") == WORKERS, what="a sign of life of all")
        wait_until(
            lambda: stack.asked("SELECT count(*) FROM messages WHERE status = 'sent'") == PATIENTS,
            what="every text to be recorded as sent",
        )
        assert ended([*workers, web]) == [(0, "")] * (WORKERS + 1)
        assert texts(twilio) == everybody()
        rows = stack.listed("messages")
        assert {row["provider_id"] for row in rows} == {one.sid for one in twilio.messages}
        assert {(row["status"], row["attempts"]) for row in rows} == {("sent", 1)}
        assert stack.asked("SELECT count(*) FROM procrastinate.procrastinate_workers") == 0


def test_a_worker_that_is_killed_midway_costs_no_text_and_doubles_none(postgres_url: str, tmp_path: Path) -> None:
    with (
        TwilioServer(latency=0.2) as twilio,
        stack_over(twilio, database_url=postgres_url, folder=tmp_path, patients=PATIENTS) as stack,
    ):
        workers = [stack.start("worker", at=DUE) for _ in range(WORKERS)]
        wait_until(lambda: len(twilio.messages) > 0, what="the first text")
        held = stack.asked("SELECT split_part(min(worker), ':', 2)::int FROM batches")
        killed = next(worker for worker in workers if worker.pid == held)
        killed.kill()
        killed.wait(timeout=10)
        wait_until(
            lambda: (
                stack.asked(f"SELECT count(*) FROM batches WHERE split_part(worker, ':', 2) <> '{held}'") == 0
                and stack.asked("SELECT count(*) FROM messages WHERE status IN ('sent', 'sending')") == PATIENTS
            ),
            what="the others to take up all that the killed one had not",
        )
        workers.remove(killed)
        assert ended(workers) == [(0, "")] * len(workers)

        assert max(texts(twilio).values()) == 1
        rows = stack.listed("messages")
        fates = Counter(row["status"] for row in rows)
        assert fates.keys() == {"sent", "sending"}  # until its lease runs out, when they are looked into
        assert fates["sent"] >= PATIENTS - BATCH  # what a worker may hold at once
        sent = {row["provider_id"] for row in rows if row["status"] == "sent"}
        assert sent <= {one.sid for one in twilio.messages}
