"""The provider is down for hours, seen from the command line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.support.clinics import DUE, clinic_over, number_of
from tests.support.twilio_server import TwilioServer

HOUR = timedelta(hours=1)


def test_ticks_during_an_outage_succeed_quietly_and_the_texts_go_when_it_ends(
    sqlite_url: str, tmp_path: Path
) -> None:
    with TwilioServer() as soon_down:
        url, port = soon_down.url, soon_down.port
    with clinic_over(url, database_url=sqlite_url, folder=tmp_path, patients=3) as run:
        for at in (DUE, DUE + HOUR, DUE + 4 * HOUR):
            ran = run.quick("tick", at=at)
            assert (ran.json["sent"], ran.json["failed"], ran.json["retried"]) == (0, 0, 3)
            assert "Traceback" not in ran.err
            assert number_of(1) not in ran.err
        with TwilioServer(port=port) as twilio:
            run.tick(DUE + 5 * HOUR)
            assert sorted(one.form["To"] for one in twilio.messages) == [number_of(n) for n in (1, 2, 3)]
            run.tick(DUE + 6 * HOUR)
            assert len(twilio.messages) == 3
        rows = [row for row in run.listed("messages") if row["pathway"] == "vitamin_d"]
        assert {(row["status"], row["attempts"]) for row in rows} == {("sent", 4)}


def test_an_outage_over_the_whole_window_drops_the_nudge_and_moves_the_question(
    sqlite_url: str, tmp_path: Path
) -> None:
    with TwilioServer() as soon_down:
        url, port = soon_down.url, soon_down.port
    with clinic_over(url, database_url=sqlite_url, folder=tmp_path, patients=1) as run:
        only = ("--mrn", "P2", "--name", "Pat 2", "--phone", number_of(2), "--sms-consent", "yes")
        run.quick(
            *("enrol", "--clinic", "main", *only, "--pathways", "exercise", "--phone-check", "possible"),
            at=DUE - 20 * HOUR,
        )
        assert run.tick(DUE)["retried"] == 2
        assert run.tick(DUE + 11 * HOUR)["expired"] == 2
        with TwilioServer(port=port) as twilio:
            assert run.tick(DUE + 12 * HOUR)["sent"] == 0  # it is evening
            assert run.tick(DUE + 24 * HOUR)["sent"] == 2
            bodies = {one.form["To"]: one.form["Body"] for one in twilio.messages}
            assert "vitamin D" in bodies[number_of(1)]
            assert run.tick(DUE + 25 * HOUR)["sent"] == 0
            assert len(twilio.messages) == 2
