"""A worker is killed between handing texts over and writing down that it did. Real processes, killed for real."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

from tests.support.cli import Cli
from tests.support.clinics import DUE, clinic_over, number_of
from tests.support.twilio_server import Fault, FaultKind, TwilioServer
from tests.support.waiting import wait_until

PATIENTS = 4


def reminders(cli: Cli) -> list[tuple[str, str, str | None]]:
    """(patient, status, reason) of the reminders, without those that gave way to another."""
    rows = cli("messages", "--clinic", "main", "--json").json
    return sorted((row["patient"], row["status"], row["reason"]) for row in rows if row["reason"] != "budget")


def test_a_worker_killed_while_the_provider_thinks_leaves_texts_unknown_and_none_goes_twice(
    database_url: str, tmp_path: Path
) -> None:
    with TwilioServer() as twilio:
        cli = clinic_over(twilio.url, database_url=database_url, folder=tmp_path, patients=PATIENTS, timeout=60)
        twilio.fail(Fault(FaultKind.HANG), to=number_of(2))
        tick = cli.start("tick", at=DUE)
        wait_until(lambda: len(twilio.messages) == PATIENTS, what="every text at the provider")
        tick.kill()
        tick.communicate(timeout=30)
        assert reminders(cli) == [(f"P{n}", "sending", None) for n in range(1, PATIENTS + 1)]

        too_soon = cli("tick", at=DUE + timedelta(minutes=2)).json
        assert (too_soon["sent"], too_soon["rescued"]) == (0, 0)

        rescued = cli("tick", at=DUE + timedelta(minutes=6)).json
        assert (rescued["rescued"], rescued["unknown"], rescued["sent"]) == (PATIENTS, PATIENTS, 0)
        assert reminders(cli) == [(f"P{n}", "unknown", "interrupted") for n in range(1, PATIENTS + 1)]
        tasks = cli("tasks", "--clinic", "main", "--json").json
        assert [task["kind"] for task in tasks] == ["delivery_unknown"] * PATIENTS
        assert Counter(one.form["To"] for one in twilio.messages) == {number_of(n): 1 for n in range(1, PATIENTS + 1)}
