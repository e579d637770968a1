"""The table that every peer keeps: whom to remind, whether that was done, and under which id the provider has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
from sqlalchemy import make_url

from tests.bench.laps import Run
from tests.bench.people import phone_of

_TABLE = (
    "CREATE TABLE reminders (id integer PRIMARY KEY, phone text NOT NULL, due_at timestamptz NOT NULL,"
    " status text NOT NULL, sid text, sent_at timestamptz)"
)
_INDEX = "CREATE INDEX reminders_due ON reminders (due_at) WHERE status = 'due'"
DUE = "SELECT id, phone FROM reminders WHERE status = 'due' AND due_at <= now() ORDER BY id"
MARK_SENT = "UPDATE reminders SET status = 'sent', sid = %s, sent_at = now() WHERE id = %s"
MARK_MANY_SENT = (
    "UPDATE reminders r SET status = 'sent', sid = v.sid, sent_at = now()"
    " FROM unnest(%s::text[], %s::int[]) v(sid, id) WHERE r.id = v.id"
)
_IS_LEFT = "SELECT EXISTS (SELECT 1 FROM reminders WHERE status = 'due')"


def dsn_of(database: str) -> str:
    """The address as libpq takes it."""
    return make_url(database).set(drivername="postgresql").render_as_string(hide_password=False)


def due_at() -> datetime:
    """An instant that has just passed: everybody is due."""
    return datetime.now(UTC) - timedelta(seconds=1)


def fill(database: str, patients: int) -> None:
    """A new table with a reminder for each patient, all of them due, its statistics gathered."""
    with connected(database) as connection:
        for statement in (_TABLE, _INDEX):
            connection.execute(statement.encode())
        due = due_at()
        with (
            connection.cursor() as cursor,
            cursor.copy("COPY reminders (id, phone, due_at, status) FROM STDIN") as copy,
        ):
            for number in range(patients):
                copy.write_row((number, phone_of(number), due, "due"))
        connection.execute("ANALYZE reminders")


@contextmanager
def connected(database: str) -> Iterator[psycopg.Connection]:
    """A connection where every statement is its own transaction."""
    with psycopg.connect(dsn_of(database), autocommit=True) as connection:
        yield connection


def is_left(connection: psycopg.Connection) -> bool:
    """Whether any reminder has not been sent yet."""
    found = connection.execute(_IS_LEFT).fetchone()
    return bool(found and found[0])


def check(run: Run, database: str, patients: int) -> None:
    """Note a fault unless every reminder is marked as sent, under an id of its own."""
    with connected(database) as connection:
        found = connection.execute("SELECT count(DISTINCT sid) FROM reminders WHERE status = 'sent'").fetchone()
    run.expect("reminders marked sent", found=found and found[0], wanted=patients)
