"""How the databases find what is due: by the index made for it, in its order, whatever else there is.

Every statement is caught as it runs and explained as the worker's connections run it: on PostgreSQL as a prepared
statement with a generic plan. A plan that sorts, or reads a whole table, would grow with the number of patients.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql as psycopg_sql
from sqlalchemy import Connection, Engine, Table, event, insert, select, text

from scheduler.domain.messages import MessageKind, MessageStatus
from scheduler.domain.people import Channel
from scheduler.ids import new_id
from scheduler.ports import Unit
from scheduler.store.engine import reading, writing
from scheduler.store.tables import attempts, messages, patients
from tests.support.worlds import MONDAY, World, new_york, world_at

NOW = new_york(3, 3, 12, 0)
SOME_TIME = timedelta(hours=1)
PATIENTS = 3_000
_PARAMETER = re.compile(r"%\((\w+)\)s")


# What is in the database


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """Two clinics, thousands of patients and of messages in every status; a tenth of each is due."""
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as made:
        made.enrol_sms("P0")
        made.tick_at(new_york(3, 3))
        first, second = made.clinic, made.add_clinic("second")
        worker = made.second_process()
        clinic_ids = (first.id, second.id)
        with writing(worker.app.engine) as connection:
            _copy_patients(connection, clinic_ids)
            _copy_messages(connection)
        with worker.app.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
        worker.clock.at = NOW
        yield worker
        worker.app.close()


def _copy_patients(connection: Connection, clinic_ids: Sequence[int]) -> None:
    pattern = dict(connection.execute(select(patients)).mappings().one())
    for number in range(1, PATIENTS):
        due = NOW + SOME_TIME * (1 if number % 10 else -1) + timedelta(seconds=number)
        own = {"id": new_id(), "mrn": f"P{number}", "clinic_id": clinic_ids[number % 5 == 0]}
        connection.execute(insert(patients), [pattern | own | {"next_contact_at": due}])


def _copy_messages(connection: Connection) -> None:
    """One message for each patient: most are history, the others wait for something that is due or not yet."""
    pattern = dict(connection.execute(select(messages).where(messages.c.body.is_not(None)).limit(1)).mappings().one())
    attempt = dict(connection.execute(select(attempts).limit(1)).mappings().one())
    people = connection.execute(select(patients.c.id, patients.c.clinic_id).where(patients.c.mrn != "P0")).all()
    new_messages, new_attempts = [], []
    for number, person in enumerate(people):
        own = {"id": new_id(), "patient_id": person.id, "clinic_id": person.clinic_id, "enrolment_id": None}
        new_messages.append(pattern | own | _fate(number))
        new_attempts.append(attempt | {"id": new_id(), "message_id": own["id"], "clinic_id": person.clinic_id})
    connection.execute(insert(messages), new_messages)
    connection.execute(insert(attempts), new_attempts)


def _fate(number: int) -> dict[str, Any]:
    at = NOW + timedelta(seconds=number) + SOME_TIME * (1 if number % 3 == 0 else -1)
    kind = list(MessageKind)[number // 10 % 3]
    channel = Channel.EMAIL if number % 7 == 0 else Channel.SMS
    usual = {"kind": kind.value, "channel": channel.value}
    match number % 10:
        case 0 | 1 | 2:
            return usual | {"status": MessageStatus.PLANNED.value, "send_from": at}
        case 3:
            return usual | {"status": MessageStatus.SENDING.value, "lease_until": at, "worker": "gone"}
        case 4:
            return usual | {"status": MessageStatus.UNKNOWN.value, "ask_at": at}
        case _:
            return usual | {"status": MessageStatus.SENT.value}


# Catching and explaining


@dataclass(frozen=True, slots=True)
class Caught:
    """A statement as it ran."""

    sql: str
    parameters: Any


@contextmanager
def catching(engine: Engine) -> Iterator[list[Caught]]:
    """The SELECTs that run inside."""
    caught: list[Caught] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, _x: object, _many: object) -> None:
        if statement.startswith("SELECT"):
            caught.append(Caught(statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield caught
    finally:
        event.remove(engine, "before_cursor_execute", note)


def plans_of(world: World, use: Callable[[Unit], object], *, of: Table) -> list[str]:
    """How each statement that begins with rows of a table is carried out."""
    engine = world.app.engine
    with catching(engine) as caught, world.store.writing() as unit:
        use(unit)
    wanted = [each for each in caught if f"FROM {of.name}" in each.sql]
    explain = _explain_on_sqlite if engine.dialect.name == "sqlite" else _explain_on_postgres
    with reading(engine) as connection:
        plans = [explain(connection, each) for each in wanted]
    assert plans, f"nothing was selected from {of.name}"
    return plans


def _explain_on_sqlite(connection: Connection, caught: Caught) -> str:
    found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {caught.sql}", caught.parameters)
    return "\n".join(row[-1] for row in found)


def _explain_on_postgres(connection: Connection, caught: Caught) -> str:
    """The plan of the prepared statement: psycopg prepares on the server what it runs often."""
    assert connection.exec_driver_sql("SHOW plan_cache_mode").scalar_one() == "force_generic_plan"
    names: list[str] = []

    def place(found: re.Match[str]) -> str:
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    numbered = _PARAMETER.sub(place, caught.sql)
    driver = connection.connection.driver_connection
    assert driver is not None
    values = psycopg_sql.SQL(", ").join(psycopg_sql.Literal(caught.parameters[name]) for name in names)
    given = psycopg_sql.SQL("({})").format(values) if names else psycopg_sql.SQL("")
    connection.exec_driver_sql(f"PREPARE caught AS {numbered}".replace("%", "%%"))
    try:
        query = psycopg_sql.SQL("EXPLAIN EXECUTE caught {}").format(given).as_string(driver)
        return "\n".join(row[0] for row in connection.exec_driver_sql(query.replace("%", "%%")))
    finally:
        connection.exec_driver_sql("DEALLOCATE caught")



def test_show(world):
    with world.store.reading() as unit:
        clinics = unit.installation.clinics()
    cases = {
      "due": (lambda u: u.patients.claim_due(NOW, limit=500, clinics=clinics), patients),
      "ready": (lambda u: u.ledger.claim_ready(Channel.SMS, NOW, limit=5000, clinics=clinics), messages),
      "only": (lambda u: u.ledger.claim_ready(Channel.SMS, NOW, limit=5000, clinics=clinics, only=(2,)), messages),
      "but": (lambda u: u.ledger.claim_ready(Channel.SMS, NOW, limit=5000, clinics=clinics, but=(1,)), messages),
      "abandoned": (lambda u: u.ledger.claim_abandoned(NOW, limit=500, clinics=clinics), messages),
      "questions": (lambda u: u.questions.claim(NOW, limit=500, lease_until=NOW), messages),
      "g.due": (lambda u: u.gauges.due(NOW), patients),
      "g.ready": (lambda u: u.gauges.ready(NOW), messages),
      "g.next": (lambda u: u.gauges.next_ready(), messages),
      "g.aband": (lambda u: u.gauges.abandoned(NOW), messages),
      "q.due": (lambda u: u.questions.is_due(NOW), messages),
      "q.next": (lambda u: u.questions.next_ask(), messages),
      "next_due": (lambda u: u.patients.next_due(), patients),
    }
    for name, (use, of) in cases.items():
        for plan in plans_of(world, use, of=of):
            print("##", name); print(plan)
