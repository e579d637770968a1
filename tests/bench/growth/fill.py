"""A database with very many patients, made by the database itself out of some that were imported.

Every patient is a copy of an imported one, with an id of its own, four enrolments, and one reminder in the ledger
that was sent and delivered. Those who will be due together lie scattered over the whole table, as they would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, create_engine

from scheduler.store.tables import attempts, enrolments, messages, patients
from tests.bench.growth.dialects import Dialect, dialect_of
from tests.bench.people import ENROLLED, MORNING

DUE_AT_ONCE = 1_000
COHORTS = 5  # groups of `DUE_AT_ONCE`, due a minute after each other
SEEDS = 100  # imported patients that are copied
_SPREAD_SECONDS = 29 * 24 * 3600  # over which the others are due, from the hour after the cohorts on
_PATHWAYS = 4
_EXERCISE = 1  # its place among the pathways, by name
_TABLES = (patients, enrolments, messages, attempts)
_PATIENT, _ENROLMENT, _MESSAGE, _ATTEMPT = range(1, 5)  # kinds of ids
_SENT = ENROLLED - timedelta(days=1)


def due_at(cohort: int) -> datetime:
    """The instant at which a cohort is due; nobody is between two of them."""
    return MORNING + timedelta(minutes=cohort)


def grow(database: str, *, size: int) -> None:
    """Bring an installation with `SEEDS` patients, as it is after its first tick, to `size` patients."""
    engine = create_engine(database)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        sql, copies = dialect_of(connection), size - SEEDS
        for statement in sql.before:
            connection.exec_driver_sql(statement)
        with _without_indexes(connection, sql):
            for statement in (
                _patients(sql, copies),
                _enrolments(sql, copies),
                _messages(sql, copies),
                _attempts(sql, copies),
                f"UPDATE patients SET next_contact_at = {_later(sql, '0')} WHERE mrn NOT LIKE 'C%'",
            ):
                connection.exec_driver_sql(statement.replace("%", "%%") if sql.doubles_percent else statement)
        for statement in sql.after:
            connection.exec_driver_sql(statement)
    engine.dispose()


@contextmanager
def _without_indexes(connection: Connection, sql: Dialect) -> Iterator[None]:
    """Indexes are made much faster once all rows are there."""
    indexes = sql.indexes(connection, [table.name for table in _TABLES])
    for name, _ in indexes:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    yield
    for _, made_by in indexes:
        connection.exec_driver_sql(made_by)


def _later(sql: Dialect, n: str) -> str:
    return sql.instant(due_at(60), f"({n}) % {_SPREAD_SECONDS}")


def _patients(sql: Dialect, copies: int) -> str:
    every = copies // DUE_AT_ONCE
    of_cohorts = sql.instant(MORNING, f"60 * (i % {every})")
    due = f"CASE WHEN i <= {every * DUE_AT_ONCE} AND i % {every} < {COHORTS} THEN {of_cohorts}"
    own = {
        "id": sql.key(_PATIENT, "i"),
        "mrn": "'C' || i",
        "phone_index": sql.noise("i"),
        "email_index": sql.noise("-i"),
        "next_contact_at": f"{due} ELSE {_later(sql, 'i * 7919')} END",
    }
    seeds = "seeds AS (SELECT row_number() OVER (ORDER BY id) - 1 AS k, p.* FROM patients p)"
    copied = {column.name: f"s.{column.name}" for column in patients.columns} | own
    return _insert(patients, copied, f"{sql.numbers(copies)}, {seeds}", f"n JOIN seeds s ON s.k = i % {SEEDS}")


def _enrolments(sql: Dialect, copies: int) -> str:
    """Those of the seed that the patient is a copy of: `j` numbers a patient's, `k` the seeds."""
    own = {"id": sql.key(_ENROLMENT, f"i * {_PATHWAYS} + j"), "patient_id": sql.key(_PATIENT, "i")}
    seeds = (
        "seeds AS (SELECT dense_rank() OVER (ORDER BY patient_id) - 1 AS k,"
        " row_number() OVER (PARTITION BY patient_id ORDER BY pathway) - 1 AS j, e.* FROM enrolments e)"
    )
    copied = {column.name: f"s.{column.name}" for column in enrolments.columns} | own
    return _insert(enrolments, copied, f"{sql.numbers(copies)}, {seeds}", f"n JOIN seeds s ON s.k = i % {SEEDS}")


def _messages(sql: Dialect, copies: int) -> str:
    values = {
        "id": sql.key(_MESSAGE, "i"),
        "clinic_id": "(SELECT min(id) FROM clinics)",
        "patient_id": sql.key(_PATIENT, "i"),
        "enrolment_id": sql.key(_ENROLMENT, f"i * {_PATHWAYS} + {_EXERCISE}"),
        "kind": "'reminder'", "channel": "'sms'", "pathway": "'exercise'", "step": "'daily'", "cycle": "1",
        "fired": "0", "template": "'activity'", "activity_turn": "i % 7", "count": "0", "stop_line": "false",
        "due_date": f"'{_SENT.date()}'", "planned_at": sql.instant(_SENT, "i % 3600"),
        "send_from": sql.instant(_SENT, "i % 3600"), "send_until": sql.instant(_SENT, "i % 3600 + 36000"),
        "status": "'delivered'", "attempts": "1", "provider_id": f"'SM' || {sql.key(_MESSAGE, 'i')}",
        "sent_at": sql.instant(_SENT, "i % 3600 + 1"), "body": _sealed(sql, 9), "language": "'en'", "segments": "1",
        "pathway_version": "'0123456789abcdef'", "template_version": "'0123456789abcdef'",
    }  # fmt: skip
    return _insert(messages, values, sql.numbers(copies), "n")


def _attempts(sql: Dialect, copies: int) -> str:
    values = {
        "id": sql.key(_ATTEMPT, "i"),
        "clinic_id": "(SELECT min(id) FROM clinics)",
        "message_id": sql.key(_MESSAGE, "i"),
        "number": "1",
        "channel": "'sms'",
        "address": _sealed(sql, 3),
        "started_at": sql.instant(_SENT, "i % 3600"),
        "finished_at": sql.instant(_SENT, "i % 3600 + 1"),
        "outcome": "'accepted'",
    }
    return _insert(attempts, values, sql.numbers(copies), "n")


def _sealed(sql: Dialect, blocks: int) -> str:
    """As many bytes as a sealed text has; nobody opens them."""
    return " || ".join(sql.noise(f"i + {block}") for block in range(blocks))


def _insert(table: Table, values: Mapping[str, str], given: str, source: str) -> str:
    names = ", ".join(f'"{name}"' for name in values)
    return (
        f"INSERT INTO {table.name} ({names}) WITH RECURSIVE {given} SELECT {', '.join(values.values())} FROM {source}"
    )
