"""What the database could do with nothing around it: the same number of rows claimed, added and changed in batches.

The driver alone, its quickest way of writing many rows, the same batch sizes, the same durability. Rows are as
narrow as the work allows, and nothing in them is sealed.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg
from sqlalchemy import make_url

from scheduler.services.deliver import BATCH as DELIVER_BATCH
from scheduler.services.plan import BATCH as PLAN_BATCH
from tests.bench.laps import Run

_TABLES = (
    "CREATE TABLE patients (id integer PRIMARY KEY, due integer, name text, phone text)",
    "CREATE TABLE enrolments (id integer PRIMARY KEY, patient integer NOT NULL, step text, timer integer)",
    "CREATE TABLE messages (id integer PRIMARY KEY, patient integer NOT NULL, status integer NOT NULL, body {bytes})",
    "CREATE TABLE attempts (id integer PRIMARY KEY, message integer NOT NULL, outcome text)",
    "CREATE INDEX patients_due ON patients (due) WHERE due IS NOT NULL",
    "CREATE INDEX messages_ready ON messages (id) WHERE status = 0",
)
_CLAIM = (
    "SELECT m.id, p.phone FROM messages m JOIN patients p ON p.id = m.patient WHERE status = 0"
    f" ORDER BY m.id LIMIT {DELIVER_BATCH}"
)
_LATER = 2_000_000_000
_PATHWAYS = 4


class _Rows(Protocol):
    """Transactions, and statements for many rows at once."""

    bytes_type: str

    @contextmanager
    def transaction(self) -> Iterator[None]: ...

    def run(self, sql: str) -> list[Any]: ...

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None: ...

    def update(self, table: str, column: str, rows: Sequence[tuple[Any, int]]) -> None: ...


class _Sqlite:
    bytes_type = "blob"

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._connection.execute(f"PRAGMA {pragma}")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        yield
        self._connection.execute("COMMIT")

    def run(self, sql: str) -> list[Any]:
        return self._connection.execute(sql).fetchall()

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        marks = ", ".join("?" * len(columns))
        self._connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)

    def update(self, table: str, column: str, rows: Sequence[tuple[Any, int]]) -> None:
        self._connection.executemany(f"UPDATE {table} SET {column} = ? WHERE id = ?", rows)


class _Postgres:
    bytes_type = "bytea"

    def __init__(self, dsn: str) -> None:
        self._connection = psycopg.connect(dsn, autocommit=True)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._connection.transaction():
            yield

    def run(self, sql: str) -> list[Any]:
        cursor = self._connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN".encode()
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    def update(self, table: str, column: str, rows: Sequence[tuple[Any, int]]) -> None:
        kind = {"due": "int", "timer": "int", "status": "int", "body": "bytea", "outcome": "text"}[column]
        self._connection.execute(
            f"UPDATE {table} t SET {column} = v.value FROM unnest(%s::{kind}[], %s::int[]) v(value, id)"
            " WHERE t.id = v.id".encode(),
            ([value for value, _ in rows], [row_id for _, row_id in rows]),
        )


def plan(*, database: str, patients: int) -> Run:
    """Claim due patients with their enrolments, add a message and a skip for each, move patient and enrolments."""
    rows, run, claimed = _open(database, patients), Run(), 0
    with run.lap("plan", done=patients):
        while True:
            with rows.transaction():
                due = rows.run(f"SELECT id FROM patients WHERE due <= 1 ORDER BY due LIMIT {PLAN_BATCH}")
                if not due:
                    break
                ids = [row[0] for row in due]
                known = ", ".join(map(str, ids))
                steps = rows.run(f"SELECT id, step, timer FROM enrolments WHERE patient IN ({known})")
                rows.update("patients", "due", [(_LATER, patient) for patient in ids])
                rows.update("enrolments", "timer", [(_LATER, row[0]) for row in steps[: 2 * len(ids)]])
                planned = [(2 * patient + skipped, patient, 2 * skipped) for patient in ids for skipped in (0, 1)]
                rows.insert("messages", ("id", "patient", "status"), planned)
                claimed += len(ids)
    run.expect("patients claimed", found=claimed, wanted=patients)
    return run


def record(*, database: str, patients: int) -> Run:
    """Claim ready messages and commit their attempts with the text; then record what became of them."""
    rows, run, recorded = _open(database, patients), Run(), 0
    with rows.transaction():
        rows.insert("messages", ("id", "patient", "status"), [(n, n, 0) for n in range(patients)])
    body = os.urandom(150)
    with run.lap("record", done=patients):
        while True:
            with rows.transaction():
                ids = [row[0] for row in rows.run(_CLAIM)]
                rows.update("messages", "body", [(body, one) for one in ids])
                rows.update("messages", "status", [(1, one) for one in ids])
                rows.insert("attempts", ("id", "message"), [(one, one) for one in ids])
            if not ids:
                break
            with rows.transaction():
                rows.update("attempts", "outcome", [("accepted", one) for one in ids])
                rows.update("messages", "status", [(2, one) for one in ids])
            recorded += len(ids)
    run.expect("messages recorded", found=recorded, wanted=patients)
    return run


def enrol(*, database: str, rows: int) -> Run:
    """Add patients and their enrolments, in batches."""
    run = Run()
    with run.lap("insert", done=rows):
        _open(database, rows)
    return run


def _open(database: str, patients: int) -> _Rows:
    address = make_url(database)
    rows: _Rows
    if address.drivername == "sqlite":
        rows = _Sqlite(str(address.database))
    else:
        rows = _Postgres(address.set(drivername="postgresql").render_as_string(hide_password=False))
    for statement in _TABLES:
        rows.run(statement.format(bytes=rows.bytes_type))
    for start in range(0, patients, PLAN_BATCH):
        batch = range(start, min(start + PLAN_BATCH, patients))
        with rows.transaction():
            rows.insert("patients", ("id", "due", "name", "phone"), [(n, 1, "name", "+16175550100") for n in batch])
            enrolled = [(_PATHWAYS * n + k, n, "ask", 1) for n in batch for k in range(_PATHWAYS)]
            rows.insert("enrolments", ("id", "patient", "step", "timer"), enrolled)
    return rows
