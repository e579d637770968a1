"""A morning with many patients, served by processes that come and go, over a server that speaks Twilio's protocol.

Everybody is asked about vitamin D that morning, and about nothing else for a week: by its end each has one text.
"""

from __future__ import annotations

import csv
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, text

from tests.support.cli import Cli, ReadyCli
from tests.support.clinics import ENROLLED, number_of
from tests.support.twilio_server import ACCOUNT, TOKEN, TwilioServer

Process = subprocess.Popen[str]
WORKER = ("worker",)
SERVE = ("serve", "--port", "0")

_ASTRAY = """
    SELECT (SELECT count(*) FROM messages m WHERE m.enrolment_id IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM enrolments e WHERE e.id = m.enrolment_id AND e.patient_id = m.patient_id))
         + (SELECT count(*) FROM attempts a
            WHERE NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = a.message_id AND m.clinic_id = a.clinic_id))
"""


@dataclass(slots=True)
class Morning:
    """One installation, its provider, and the processes that serve it."""

    twilio: TwilioServer
    cli: Cli
    quick: ReadyCli
    patients: int
    database: Engine
    running: ExitStack = field(default_factory=ExitStack)

    # Processes

    def start(self, command: tuple[str, ...], *, at: datetime) -> Process:
        """Start a command that believes it is `at`, and leave it running to the end of the test at the latest."""
        process = self.cli.start(*command, at=at)
        self.running.callback(process.communicate, timeout=20)
        self.running.callback(process.kill)
        return process

    def kill(self, process: Process) -> None:
        process.kill()
        process.wait(timeout=20)

    def stop(self, processes: list[Process], *, quietly: bool = True) -> None:
        """SIGTERM to all: each ends well, and without a complaint; one that had not begun yet, by the signal."""
        for process in processes:
            process.send_signal(signal.SIGTERM)
        ended = [(process.wait(timeout=30), process.stderr.read() if process.stderr else "") for process in processes]
        assert all(code in (0, -signal.SIGTERM) and not (said and quietly) for code, said in ended), ended

    def tick(self, at: datetime) -> dict[str, int]:
        """The report of a tick that starts `at`."""
        report: dict[str, int] = self.quick("tick", at=at).json
        return report

    # Looking

    def standing(self) -> Counter[str]:
        """How many messages have which status."""
        with self.database.connect() as connection:
            found = connection.execute(text("SELECT status, count(*) FROM messages GROUP BY status"))
            return Counter({row[0]: row[1] for row in found})

    def astray(self) -> int:
        """How many messages and attempts refer to an enrolment or a message that there is not: no key forbids it."""
        with self.database.connect() as connection:
            return int(connection.execute(text(_ASTRAY)).scalar_one())

    def listed(self) -> list[dict[str, Any]]:
        """The ledger as `bonewise messages --json` shows it."""
        rows: list[dict[str, Any]] = self.quick("messages", "--clinic", "main", "--json").json
        return rows

    def journal(self) -> dict[str, str]:
        """The provider's id of each number's text, by its own journal; fails when a number has two."""
        taken = list(self.twilio.messages)
        doubled = {number: n for number, n in Counter(one.form["To"] for one in taken).items() if n > 1}
        assert doubled == {}
        return {one.form["To"]: one.sid for one in taken}

    def recorded(self) -> dict[str, str | None]:
        """The same by our own ledger: the texts that it holds to have gone."""
        return {
            number_of(int(row["patient"][1:])): row["provider_id"]
            for row in self.listed()
            if row["status"] in ("sent", "delivered")
        }

    def everybody(self) -> set[str]:
        return {number_of(patient) for patient in range(1, self.patients + 1)}


@contextmanager
def morning_over(
    twilio: TwilioServer,
    *,
    database_url: str,
    folder: Path,
    patients: int,
    timeout: float = 10,
    mps: int | None = None,
    name: str = "Harbor Clinic",
    contact_times: Sequence[str] = ("09:30",),
) -> Iterator[Morning]:
    """Clinic `main` in New York with patients P1, P2, ..., enrolled the day before; `mps` is its pace.

    Each patient has one of the contact times (HH:MM), in turn.
    """
    settings = {
        "BONEWISE_DATABASE_URL": database_url,
        "BONEWISE_SMS": "twilio",
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_API_URL": twilio.url,
        "BONEWISE_PROVIDER_TIMEOUT": str(timeout),
    }
    cli = Cli(folder, settings)
    engine = create_engine(database_url, poolclass=NullPool)
    with ReadyCli(cli) as quick:
        quick("init", at=ENROLLED)
        named = ("--code", "main", "--name", name, "--timezone", "America/New_York")
        pace = () if mps is None else ("--mps", str(mps))
        quick("clinic", "add", *named, "--sms-from", "+16175550100", *pace, at=ENROLLED)
        _write(folder / "patients.csv", patients, contact_times)
        loaded = ("import", "patients.csv", "--clinic", "main", "--phone-check", "possible", "--json")
        assert quick(*loaded, at=ENROLLED).json["created"] == patients
        morning = Morning(twilio, cli, quick, patients, engine)
        with morning.running:
            yield morning
    engine.dispose()


def _write(path: Path, patients: int, contact_times: Sequence[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(("mrn", "name", "phone", "sms_consent", "pathways", "contact_time"))
        for number, time in zip(range(1, patients + 1), cycle(contact_times), strict=False):
            table.writerow((f"P{number}", f"Pat {number}", number_of(number), "yes", "vitamin_d", time))
