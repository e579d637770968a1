"""A worker is killed between handing texts over and writing down that it did. Real processes, killed for real."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

from tests.support.clinics import DUE, CommandLine, clinic_over, number_of
from tests.support.twilio_server import Fault, FaultKind, TwilioServer
from tests.support.waiting import wait_until

PATIENTS = 4
EVERYBODY = range(1, PATIENTS + 1)


def reminders(run: CommandLine) -> list[tuple[str, str, str | None]]:
    """(patient, status, reason) of the reminders, without those that gave way to another."""
    rows = [row for row in run.listed("messages") if row["reason"] != "budget"]
    return sorted((row["patient"], row["status"], row["reason"]) for row in rows)


def test_a_worker_killed_while_the_provider_thinks_leaves_texts_that_the_providers_list_settles(
    database_url: str, tmp_path: Path
) -> None:
    with (
        TwilioServer() as twilio,
        clinic_over(twilio.url, database_url=database_url, folder=tmp_path, patients=PATIENTS, timeout=20) as run,
    ):
        twilio.clock = DUE.timestamp
        twilio.fail(Fault(FaultKind.HANG), to=number_of(2))
        worker = run.fresh.start("tick", at=DUE)
        wait_until(lambda: len(twilio.messages) == PATIENTS, what="every text at the provider")
        worker.kill()
        worker.communicate(timeout=30)
        assert reminders(run) == [(f"P{n}", "sending", None) for n in EVERYBODY]

        too_soon = run.tick(DUE + timedelta(seconds=30))
        assert (too_soon["sent"], too_soon["rescued"]) == (0, 0)

        rescue = run.tick(DUE + timedelta(minutes=6))
        assert (rescue["rescued"], rescue["unknown"], rescue["sent"]) == (PATIENTS, PATIENTS, 0)
        assert reminders(run) == [(f"P{n}", "unknown", "interrupted") for n in EVERYBODY]

        assert run.tick(DUE + timedelta(minutes=9))["reconciled"] == PATIENTS
        rows = [row for row in run.listed("messages") if row["status"] == "sent"]
        assert {(row["patient"], row["provider_id"]) for row in rows} == {
            (f"P{n}", one.sid) for n in EVERYBODY for one in twilio.messages if one.form["To"] == number_of(n)
        }
        assert run.listed("tasks") == []

        run.tick(DUE + timedelta(hours=3))
        assert Counter(one.form["To"] for one in twilio.messages) == {number_of(n): 1 for n in EVERYBODY}
