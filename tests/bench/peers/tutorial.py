"""The peer that loops: the tutorials' script over a table of reminders, with the `twilio` package as it comes."""

from __future__ import annotations

from tests.bench.laps import Run
from tests.bench.peers import reminders, table


def loop(*, database: str, patients: int, url: str) -> Run:
    """Select what is due; for each render, send, mark it sent, commit. One thread."""
    table.fill(database, patients)
    client, run = reminders.twilio_client(url), Run()
    with table.connected(database) as connection, run.lap("spike", done=patients):
        for number, phone in connection.execute(table.DUE.encode()).fetchall():
            sid = reminders.send(client, phone)
            connection.execute(table.MARK_SENT, (sid, number))
    table.check(run, database, patients)
    return run
