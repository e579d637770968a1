"""A database with very many patients, made by the database itself out of some that were imported.

Every patient is a copy of an imported one, with an id of its own, four enrolments, and one reminder in the ledger
that was sent and delivered. Those who will be due together lie scattered over the whole table, as they would.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from scheduler.store.tables import enrolments, patients
from tests.bench.growth.dialects import Dialect
from tests.bench.growth.ledger import add_past
from tests.bench.growth.loading import Loading, loading
from tests.bench.people import ENROLLED, MORNING

DUE_AT_ONCE = 1_000
COHORTS = 3  # groups of `DUE_AT_ONCE`, due a minute after each other
SEEDS = 100  # imported patients that are copied
_SPREAD_SECONDS = 29 * 24 * 3600  # over which the others are due, from an hour after the cohorts on
_PATHWAYS = 4
_PATIENT, _ENROLMENT = 1, 2  # kinds of ids


def due_at(cohort: int) -> datetime:
    """The instant at which a cohort is due; nobody is between two of them."""
    return MORNING + timedelta(minutes=cohort)


def grow(database: str, *, size: int) -> None:
    """Bring an installation with `SEEDS` patients, as it is after its first tick, to `size` patients."""
    with loading(database) as into:
        _copy_patients(into, size - SEEDS)
        _copy_enrolments(into, size - SEEDS)
        add_past(into, each=1, before=ENROLLED)
        into.run(f"UPDATE patients SET next_contact_at = {_later(into.sql, '0')} WHERE mrn NOT LIKE 'C%'")


def _later(sql: Dialect, n: str) -> str:
    return sql.instant(due_at(60), f"({n}) % {_SPREAD_SECONDS}")


def _copy_patients(into: Loading, copies: int) -> None:
    sql, every = into.sql, copies // DUE_AT_ONCE
    of_cohorts = sql.instant(MORNING, f"60 * (i % {every})")
    is_in_one = f"i <= {every * DUE_AT_ONCE} AND i % {every} < {COHORTS}"
    own = {
        "id": sql.key(_PATIENT, "i"),
        "mrn": "'C' || i",
        "phone_index": sql.noise("i"),
        "email_index": sql.noise("-i"),
        "next_contact_at": f"CASE WHEN {is_in_one} THEN {of_cohorts} ELSE {_later(sql, 'i * 7919')} END",
    }
    seeds = "seeds AS (SELECT row_number() OVER (ORDER BY id) - 1 AS k, p.* FROM patients p)"
    values = {column.name: f"s.{column.name}" for column in patients.columns} | own
    into.insert(patients, values, given=(sql.numbers(copies), seeds), source=f"n JOIN seeds s ON s.k = i % {SEEDS}")


def _copy_enrolments(into: Loading, copies: int) -> None:
    """Those of the seed that the patient is a copy of: `j` numbers a patient's, `k` the seeds."""
    sql = into.sql
    own = {"id": sql.key(_ENROLMENT, f"i * {_PATHWAYS} + j"), "patient_id": sql.key(_PATIENT, "i")}
    seeds = (
        "seeds AS (SELECT dense_rank() OVER (ORDER BY patient_id) - 1 AS k,"
        " row_number() OVER (PARTITION BY patient_id ORDER BY pathway) - 1 AS j, e.* FROM enrolments e)"
    )
    values = {column.name: f"s.{column.name}" for column in enrolments.columns} | own
    into.insert(enrolments, values, given=(sql.numbers(copies), seeds), source=f"n JOIN seeds s ON s.k = i % {SEEDS}")
