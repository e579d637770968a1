"""A clinic set up by the command line, over a server that speaks Twilio's protocol."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Cli, ReadyCli, fake_time_library
from tests.support.twilio_server import ACCOUNT, TOKEN

ENROLLED = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)  # a Monday, 13:00 in New York
DUE = datetime(2026, 3, 3, 14, 30, 5, tzinfo=UTC)  # the next day, just after 09:30 in New York


@dataclass(frozen=True, slots=True)
class CommandLine:
    """One installation and two ways to run commands on it: as fresh processes, and quickly."""

    fresh: Cli
    quick: ReadyCli

    def listed(self, what: str) -> list[dict[str, Any]]:
        """What the clinic's `messages`, `patients` or `tasks` are."""
        found: list[dict[str, Any]] = self.quick(what, "--clinic", "main", "--json").json
        return found

    def tick(self, at: datetime) -> dict[str, int]:
        """The report of a tick that starts `at`."""
        report: dict[str, int] = self.quick("tick", at=at).json
        return report


@contextmanager
def clinic_over(
    twilio_url: str, *, database_url: str, folder: Path, patients: int, timeout: float = 10
) -> Iterator[CommandLine]:
    """Patients P1, P2, ... of clinic `main`, all due at `DUE`. Skips the test where time cannot be faked."""
    if fake_time_library() is None:
        pytest.skip("needs libfaketime, which is installed on Linux only")
    settings = {
        "BONEWISE_DATABASE_URL": database_url,
        "BONEWISE_SMS": "twilio",
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_API_URL": twilio_url,
        "BONEWISE_PROVIDER_TIMEOUT": str(timeout),
    }
    cli = Cli(folder, settings)
    with ReadyCli(cli) as quick:
        quick("init", at=ENROLLED)
        named = ("--code", "main", "--name", "Harbor Clinic", "--timezone", "America/New_York")
        quick("clinic", "add", *named, "--sms-from", "+16175550100", at=ENROLLED)
        with (folder / "patients.csv").open("w", newline="", encoding="utf-8") as stream:
            table = csv.writer(stream)
            table.writerow(("mrn", "name", "phone", "sms_consent"))
            for number in range(1, patients + 1):
                table.writerow((f"P{number}", f"Pat {number}", number_of(number), "yes"))
        loaded = ("import", "patients.csv", "--clinic", "main", "--phone-check", "possible", "--json")
        assert quick(*loaded, at=ENROLLED).json["created"] == patients
        yield CommandLine(cli, quick)


def number_of(patient: int) -> str:
    """The phone of P1, P2, ..."""
    return f"+1617555{1000 + patient:04d}"
