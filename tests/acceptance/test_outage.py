"""The provider is down for hours, seen from the command line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.support.cli import ReadyCli
from tests.support.clinics import DUE, clinic_over, number_of
from tests.support.twilio_server import TwilioServer

HOUR = timedelta(hours=1)


def test_ticks_during_an_outage_succeed_quietly_and_the_texts_go_when_it_ends(
    sqlite_url: str, tmp_path: Path
) -> None:
    with TwilioServer() as soon_down:
        url, port = soon_down.url, soon_down.port
    cli = clinic_over(url, database_url=sqlite_url, folder=tmp_path, patients=3)
    with ReadyCli(cli) as ready:
        for at in (DUE, DUE + HOUR, DUE + 4 * HOUR):
            ran = ready("tick", at=at)
            assert (ran.json["sent"], ran.json["failed"], ran.json["retried"]) == (0, 0, 3)
            assert "Traceback" not in ran.err
            assert number_of(1) not in ran.err
        with TwilioServer(port=port) as twilio:
            ready("tick", at=DUE + 5 * HOUR)
            assert sorted(one.form["To"] for one in twilio.messages) == [number_of(n) for n in (1, 2, 3)]
            ready("tick", at=DUE + 6 * HOUR)
            assert len(twilio.messages) == 3
    rows = cli("messages", "--clinic", "main", "--json").json
    assert {(row["status"], row["attempts"]) for row in rows if row["pathway"] == "vitamin_d"} == {("sent", 4)}


def test_an_outage_over_the_whole_window_drops_the_nudge_and_moves_the_question(
    sqlite_url: str, tmp_path: Path
) -> None:
    with TwilioServer() as soon_down:
        url, port = soon_down.url, soon_down.port
    cli = clinic_over(url, database_url=sqlite_url, folder=tmp_path, patients=1)
    only = ("--mrn", "P2", "--name", "Pat 2", "--phone", number_of(2), "--sms-consent", "yes")
    cli(
        *("enrol", "--clinic", "main", *only, "--pathways", "exercise", "--phone-check", "possible"),
        at=DUE - 20 * HOUR,
    )
    with ReadyCli(cli) as ready:
        assert ready("tick", at=DUE).json["retried"] == 2
        assert ready("tick", at=DUE + 11 * HOUR).json["expired"] == 2
        with TwilioServer(port=port) as twilio:
            assert ready("tick", at=DUE + 12 * HOUR).json["sent"] == 0  # it is evening
            assert ready("tick", at=DUE + 24 * HOUR).json["sent"] == 2
            bodies = {one.form["To"]: one.form["Body"] for one in twilio.messages}
            assert "vitamin D" in bodies[number_of(1)]
            assert ready("tick", at=DUE + 25 * HOUR).json["sent"] == 0
            assert len(twilio.messages) == 2
