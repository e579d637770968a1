"""Columns that recur from row to row: right in type and value, and one object for all that are equal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Engine,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Time,
    Uuid,
    select,
)

from scheduler.domain.people import Channel
from scheduler.store.bulk import insert_rows
from scheduler.store.engine import make_engine, reading, writing
from scheduler.store.recurring import Recurring
from scheduler.store.types import Instant, Sealed
from tests.support.worlds import MONDAY, World, new_york, world_at

NOW = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)
EVERY: dict[str, Any] = {
    "clinic_id": 7,
    "status": "planned",
    "count": 3,
    "is_open": True,
    "due": date(2026, 3, 2),
    "wall": time(9, 30),
    "at": NOW,
    "owner": UUID(int=5),
    "body": b"\x00sealed",
}
NOTHING = dict.fromkeys(EVERY)

_metadata = MetaData()
things = Table(
    "things",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("clinic_id", Integer),
    Column("status", String(12)),
    Column("count", SmallInteger),
    Column("is_open", Boolean),
    Column("due", Date),
    Column("wall", Time),
    Column("at", Instant),
    Column("owner", Uuid),
    Column("body", Sealed),
)
ALL = Recurring([things.c[name] for name in EVERY])


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url)
    _metadata.create_all(made)
    yield made
    made.dispose()


def add(engine: Engine, *rows: dict[str, Any]) -> None:
    with writing(engine) as connection:
        insert_rows(connection, things, [{"id": number, **row} for number, row in enumerate(rows)])


def read(engine: Engine, recurring: Recurring = ALL) -> list[dict[str, Any]]:
    """What `make` returned for every row, in their order."""
    query = select(*recurring.columns).order_by(things.c.id)
    with reading(engine) as connection:
        from_row = recurring.reader(engine.dialect, lambda row: row._asdict())
        return [from_row(row) for row in connection.execute(query).all()]


# Right


def test_every_type_comes_back_as_it_was(engine: Engine) -> None:
    add(engine, EVERY, NOTHING)
    found = read(engine)
    assert found == [EVERY, NOTHING]
    assert {name: type(value) for name, value in found[0].items()} == {
        name: type(value) for name, value in EVERY.items()
    }


def test_it_is_what_the_plain_columns_give(engine: Engine) -> None:
    add(engine, EVERY, NOTHING, EVERY | {"is_open": False, "due": date(2028, 2, 29), "wall": time(0, 0)})
    with reading(engine) as connection:
        plain = connection.execute(select(*(things.c[name] for name in EVERY)).order_by(things.c.id)).all()
    assert read(engine) == [row._asdict() for row in plain]


def test_no_and_yes_are_booleans_not_numbers(engine: Engine) -> None:
    add(engine, {"is_open": True}, {"is_open": False})
    assert [each["is_open"] for each in read(engine, Recurring([things.c.is_open]))] == [True, False]
    assert all(isinstance(each["is_open"], bool) for each in read(engine, Recurring([things.c.is_open])))


def test_an_instant_is_aware_and_in_utc_whatever_zone_it_came_in(engine: Engine) -> None:
    add(engine, {"at": new_york(7, 1)}, {"at": None})
    summer, none = read(engine, Recurring([things.c.at]))
    assert summer["at"] == new_york(7, 1)
    assert summer["at"].utcoffset() == timedelta(0)
    assert none["at"] is None


def test_a_labelled_expression_is_an_attribute_of_that_name(engine: Engine) -> None:
    add(engine, {"body": b"x"}, {"body": None})
    has_body = Recurring([things.c.body.is_not(None).label("has_body"), things.c["count"].label("times")])
    found = read(engine, has_body)
    assert [bool(each["has_body"]) for each in found] == [True, False]
    assert set(found[0]) == {"has_body", "times"}


# One object for all that are equal


def test_equal_rows_are_one_and_the_same_object(engine: Engine) -> None:
    add(engine, EVERY, NOTHING, EVERY, NOTHING)
    first, empty, same, also_empty = read(engine)
    assert first is same
    assert empty is also_empty
    assert first is not empty


@pytest.mark.parametrize("name", list(EVERY))
def test_rows_that_differ_in_one_column_are_two_objects(engine: Engine, name: str) -> None:
    add(engine, EVERY, EVERY | {name: None})
    one, other = read(engine)
    assert one is not other
    assert (one[name], other[name]) == (EVERY[name], None)


def test_what_is_equal_to_python_but_not_to_the_database_is_not_confused(engine: Engine) -> None:
    add(
        engine,
        {"clinic_id": 1, "is_open": False, "count": 0},
        {"clinic_id": 0, "is_open": True, "count": 1},
    )
    columns = Recurring([things.c.clinic_id, things.c.is_open, things.c["count"]])
    found = [tuple(each.values()) for each in read(engine, columns)]
    assert found == [(1, False, 0), (0, True, 1)]
    assert [type(value) for value in found[1]] == [int, bool, int]


def test_make_is_called_once_for_all_that_are_equal(engine: Engine) -> None:
    add(engine, *([EVERY] * 50), NOTHING)
    made: list[Any] = []

    def make(row: Any) -> Any:
        made.append(row)
        return row

    with reading(engine) as connection:
        from_row = ALL.reader(engine.dialect, make)
        for row in connection.execute(select(*ALL.columns)).all():
            from_row(row)
    assert len(made) == 2


def test_one_query_knows_nothing_of_another(engine: Engine) -> None:
    add(engine, EVERY)
    assert read(engine)[0] is not read(engine)[0]


# Where it is used


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


def test_patients_who_stand_alike_have_one_contact_and_one_state(world: World) -> None:
    for mrn in ("P1", "P2"):
        world.enrol_sms(mrn)
    world.enrol_sms("P3", timezone="America/Chicago")
    world.clock.at = new_york(3, 3, 12, 0)
    with world.store.writing() as unit:
        due = unit.patients.claim_due(world.clock.at, limit=10, clinics=unit.installation.clinics())
    contacts = [one.contact for one in due]
    assert len(due) == 3
    assert len({id(contact) for contact in contacts}) == 2
    assert {contact.zone.key for contact in contacts} == {"America/New_York", "America/Chicago"}
    states = {id(one.state) for patient in due for one in patient.enrolments}
    assert len(states) == len(world.rules.pathways.keys() - world.rules.off_by_default)


def test_what_the_planner_reads_is_what_the_whole_record_says(world: World) -> None:
    cells = {"timezone": "America/Chicago", "mobility": "wheelchair", "exercise_days": "mon;fri"}
    world.enrol_sms("P1", **cells, contact_time="10:15")
    world.clock.at = new_york(3, 3, 12, 0)
    with world.store.writing() as unit:
        (due,) = unit.patients.claim_due(world.clock.at, limit=10, clinics=unit.installation.clinics())
    patient = world.patient("P1")
    assert due.contact == patient.contact(world.clinic)
    assert due.contact.channel is Channel.SMS
    assert {one.state.pathway: one.state for one in due.enrolments} == {
        name: world.enrolment(name) for name in world.rules.pathways.keys() - world.rules.off_by_default
    }


def test_an_id_that_nobody_has_ever_seen_is_its_own(engine: Engine) -> None:
    ids = [uuid4() for _ in range(20)]
    add(engine, *({"owner": one} for one in ids))
    assert [each["owner"] for each in read(engine, Recurring([things.c.owner]))] == ids
