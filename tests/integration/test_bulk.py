"""Many rows by one statement: the same outcome as row by row, on both databases, and by index on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    Engine,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Time,
    Uuid,
    event,
    select,
    text,
    update,
)

from scheduler.store.among import among
from scheduler.store.bulk import insert_rows, keyed, update_rows
from scheduler.store.engine import make_engine, reading, writing
from scheduler.store.types import Instant, Sealed

_metadata = MetaData()
things = Table(
    "things",
    _metadata,
    Column("id", Uuid, primary_key=True),
    Column("clinic_id", Integer, nullable=False),
    Column("status", String(12), nullable=False),
    Column("count", SmallInteger),
    Column("is_open", Boolean),
    Column("due", Date),
    Column("wall", Time),
    Column("at", Instant),
    Column("body", Sealed),
)
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MANY = 500


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url, worker=True)
    _metadata.create_all(made)
    yield made
    made.dispose()


def thing(row_id: UUID, **values: Any) -> dict[str, Any]:
    full = {"id": row_id, "clinic_id": 1, "status": "planned", "count": 7, "is_open": True}
    return full | {"due": date(2026, 3, 2), "wall": time(9, 30), "at": NOW, "body": b"\x00sealed"} | values


def stored(engine: Engine) -> dict[UUID, dict[str, Any]]:
    with reading(engine) as connection:
        return {row.id: dict(row._mapping) for row in connection.execute(select(things))}


def add(engine: Engine, *rows: dict[str, Any]) -> None:
    with writing(engine) as connection:
        insert_rows(connection, things, rows)


def test_rows_come_back_as_they_were_inserted_whatever_their_type(engine: Engine) -> None:
    full = thing(uuid4())
    empty = thing(uuid4(), count=None, is_open=None, due=None, wall=None, at=None, body=None)
    add(engine, full, empty)
    assert stored(engine) == {full["id"]: full, empty["id"]: empty}


def test_each_row_gets_its_own_values(engine: Engine) -> None:
    first, second = thing(uuid4()), thing(uuid4())
    add(engine, first, second)
    with writing(engine) as connection:
        changes = (keyed(one["id"], 1, body=body, at=None) for one, body in ((first, b"a"), (second, None)))
        update_rows(connection, update(things), changes)
    assert stored(engine) == {
        first["id"]: first | {"body": b"a", "at": None},
        second["id"]: second | {"body": None, "at": None},
    }


def test_what_holds_for_all_rows_is_set_in_all_of_them(engine: Engine) -> None:
    one = thing(uuid4())
    add(engine, one)
    later = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
    with writing(engine) as connection:
        update_rows(connection, update(things).values(status="sent", at=later), [keyed(one["id"], 1, count=8)])
    assert stored(engine)[one["id"]] == one | {"status": "sent", "at": later, "count": 8}


def test_a_row_that_a_condition_leaves_out_stays_as_it_was(engine: Engine) -> None:
    planned, skipped = thing(uuid4()), thing(uuid4(), status="skipped")
    add(engine, planned, skipped)
    with writing(engine) as connection:
        move = update(things).where(things.c.status == "planned").values(status="sending")
        update_rows(connection, move, [keyed(one["id"], 1, count=1) for one in (planned, skipped)])
    assert [row["status"] for row in stored(engine).values() if row["count"] == 1] == ["sending"]
    assert stored(engine)[skipped["id"]] == skipped


def test_a_row_of_another_clinic_is_not_touched(engine: Engine) -> None:
    one = thing(uuid4(), clinic_id=2)
    add(engine, one)
    with writing(engine) as connection:
        update_rows(connection, update(things), [keyed(one["id"], 1, count=1)])
    assert stored(engine)[one["id"]] == one


def test_no_rows_are_no_statement(engine: Engine) -> None:
    statements = _record_statements(engine)
    with writing(engine) as connection:
        insert_rows(connection, things, [])
        update_rows(connection, update(things), [])
    assert [each for each, _ in statements if "things" in each] == []


def test_rows_that_name_different_columns_are_refused(engine: Engine) -> None:
    first, second = thing(uuid4()), thing(uuid4())
    del second["body"]
    with pytest.raises(ValueError, match="things do not all name the same columns"):
        add(engine, first, second)
    assert stored(engine) == {}


def test_a_batch_is_found_by_index_however_stale_the_statistics(postgres_url: str) -> None:
    engine = make_engine(postgres_url, worker=True)
    _metadata.create_all(engine)
    ids = [uuid4() for _ in range(20 * MANY)]
    add(engine, *(thing(row_id) for row_id in ids))
    statements = _record_statements(engine)
    move = update(things).where(things.c.status == "planned").values(status="sending")
    with writing(engine) as connection:
        connection.execute(text("ANALYZE things"))
        update_rows(connection, move, [keyed(row_id, 1, count=1) for row_id in ids[:MANY]])
        plan = _explain(connection, *next(each for each in statements if each[0].startswith("UPDATE things")))
    engine.dispose()
    assert "Index Scan using things_pkey" in plan
    assert "Seq Scan" not in plan


def _record_statements(engine: Engine) -> list[tuple[str, Any]]:
    seen: list[tuple[str, Any]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def record(_c: object, _cursor: object, statement: str, parameters: Any, _x: object, _many: object) -> None:
        seen.append((statement, parameters))

    return seen


def _explain(connection: Connection, statement: str, parameters: Any) -> str:
    lines = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
    return "\n".join(line for (line,) in lines)


COMMON = {
    "status": "planned",
    "is_open": False,
    "due": date(2026, 3, 2),
    "wall": time(9, 30),
    "at": NOW,
    "body": b"x",
}
NOTHING = dict.fromkeys(("count", "is_open", "due", "wall", "at", "body"))


@pytest.mark.parametrize("same", [COMMON, NOTHING], ids=["values", "nothing"])
def test_what_inserted_rows_have_in_common_is_in_each(engine: Engine, same: dict[str, Any]) -> None:
    rows = [{name: value for name, value in thing(uuid4()).items() if name not in same} for _ in range(3)]
    with writing(engine) as connection:
        insert_rows(connection, things, rows, same=same)
    assert stored(engine) == {row["id"]: row | same for row in rows}


@pytest.mark.parametrize("same", [COMMON, NOTHING], ids=["values", "nothing"])
def test_what_updated_rows_have_in_common_is_set_in_each_and_in_no_other(
    engine: Engine, same: dict[str, Any]
) -> None:
    first, second, other = thing(uuid4()), thing(uuid4()), thing(uuid4())
    add(engine, first, second, other)
    common = {name: value for name, value in same.items() if name != "status"}
    statement = update(things)
    for turn in (1, 2):  # the second time what has been made of the statement is used again
        changes = [keyed(first["id"], 1, status="sent"), keyed(second["id"], 1, status=f"turn {turn}")]
        with writing(engine) as connection:
            update_rows(connection, statement, changes, same={**common, "count": turn})
    expected = {**common, "count": 2}
    assert stored(engine) == {
        first["id"]: {**first, **expected, "status": "sent"},
        second["id"]: {**second, **expected, "status": "turn 2"},
        other["id"]: other,
    }


@pytest.mark.parametrize("wanted", [0, 1, 3])
def test_rows_are_found_by_their_keys_however_many_are_asked_for(engine: Engine, wanted: int) -> None:
    rows = [thing(uuid4()) for _ in range(4)]
    add(engine, *rows)
    ids = [row["id"] for row in rows[:wanted]]
    with reading(engine) as connection:
        found = connection.scalars(select(things.c.id).where(among(connection, things.c.id, ids))).all()
    assert sorted(found) == sorted(ids)
