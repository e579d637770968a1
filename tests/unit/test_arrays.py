"""Columns as the text of PostgreSQL arrays: what the server reads is what was given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    Boolean,
    Connection,
    Date,
    Float,
    Integer,
    Interval,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    Time,
    Uuid,
    bindparam,
    cast,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine

from scheduler.store.arrays import array_text
from scheduler.store.engine import make_engine, reading
from scheduler.store.tables import metadata
from scheduler.store.types import Instant, Sealed
from tests.support.postgres import PostgresServer

NASTY = [
    "",
    " ",
    "  both ends  ",
    '"',
    '""',
    "\\",
    '\\"',
    "\\\\",
    ",",
    "{}",
    "{1,2}",
    "}",
    "NULL",
    "null",
    "Null",
    '"NULL"',
    "a\nb",
    "\r\n\t\v\f",
    "O'Brien; DROP TABLE patients --",
    "%s %(name)s :name $1",
    "Jürgen Ørsted",
    "日本語",
    "🦴",
    "e\u0301",  # a letter and its accent apart
    "\u00a0\u2028\u200b",
    "١٢٣",  # digits, but not ASCII's
    "x" * 100_000,
]

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
instants = st.timedeltas(timedelta(days=-700_000), timedelta(days=2_900_000)).flatmap(
    lambda since: (st.timezones() | st.just(UTC)).map((datetime(1970, 1, 1, tzinfo=UTC) + since).astimezone)
)


@pytest.fixture(scope="module")
def connection(postgres_server: PostgresServer) -> Iterator[Connection]:
    url = postgres_server.create_database()
    engine = make_engine(url)
    with reading(engine) as connection:
        yield connection
    engine.dispose()
    postgres_server.drop_database(url)


def read_back(connection: Connection, kind: TypeEngine[Any], values: Sequence[Any]) -> list[Any]:
    """What PostgreSQL makes of the text, bound as `bulk` binds it."""
    bound = cast(bindparam("given", array_text(kind, values), Text()), ARRAY(kind))
    found: list[Any] = connection.execute(select(bound)).scalar_one()
    return found


def same(connection: Connection, kind: TypeEngine[Any], values: Sequence[Any]) -> bool:
    return read_back(connection, kind, values) == list(values)


# Texts


@pytest.mark.parametrize("nasty", NASTY, ids=lambda text: ascii(text)[:24])
def test_a_nasty_text_comes_back_as_it_was(connection: Connection, nasty: str) -> None:
    assert same(connection, String(), ["before", nasty, None, nasty])


def test_the_word_null_is_a_text_and_none_is_none(connection: Connection) -> None:
    assert read_back(connection, String(), ["NULL", None, "null"]) == ["NULL", None, "null"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.none() | texts, max_size=20))
def test_any_texts_come_back_as_they_were(connection: Connection, values: list[str | None]) -> None:
    assert same(connection, String(64), values)


def test_a_batch_of_nothing_is_an_empty_array(connection: Connection) -> None:
    assert array_text(String(), []) == "{}"
    assert same(connection, String(), [])


def test_a_batch_of_nones_has_its_length(connection: Connection) -> None:
    assert same(connection, Uuid(), [None] * 3)


# Everything else that a table has


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.none() | st.binary(max_size=200), max_size=10))
def test_any_bytes_come_back_as_they_were(connection: Connection, values: list[bytes | None]) -> None:
    for kind in (LargeBinary(), Sealed()):
        assert same(connection, kind, values)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.none() | instants, max_size=10))
def test_any_instant_comes_back_as_the_same_instant_in_utc(
    connection: Connection, values: list[datetime | None]
) -> None:
    found = read_back(connection, Instant(), values)
    assert found == values
    assert all(one is None or one.utcoffset() == timedelta(0) for one in found)


def test_the_two_instants_of_an_hour_that_comes_twice_stay_two(connection: Connection) -> None:
    summer, winter = (datetime(2026, 11, 1, 1, 30, tzinfo=timezone(timedelta(hours=hours))) for hours in (-4, -5))
    assert same(connection, Instant(), [summer, winter])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    days=st.lists(st.none() | st.dates(), max_size=10),
    walls=st.lists(st.none() | st.times(), max_size=10),
    ids=st.lists(st.none() | st.uuids(), max_size=10),
    flags=st.lists(st.none() | st.booleans(), max_size=10),
    counts=st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), max_size=10),
    rates=st.lists(st.none() | st.floats(allow_nan=False), max_size=10),
)
def test_days_times_ids_flags_and_numbers_come_back_as_they_were(
    connection: Connection,
    days: list[date | None],
    walls: list[time | None],
    ids: list[UUID | None],
    flags: list[bool | None],
    counts: list[int | None],
    rates: list[float | None],
) -> None:
    assert same(connection, Date(), days)
    assert same(connection, Time(), walls)
    assert same(connection, Uuid(), ids)
    assert same(connection, Boolean(), flags)
    assert same(connection, Integer(), counts)
    assert same(connection, Float(), rates)


def test_a_small_number_comes_back_as_it_was(connection: Connection) -> None:
    assert same(connection, SmallInteger(), [-32_768, 0, None, 32_767])


def test_whether_something_is_true_is_not_confused_with_one(connection: Connection) -> None:
    found = read_back(connection, Boolean(), [True, False, None])
    assert all(one is expected for one, expected in zip(found, [True, False, None], strict=True))


# What must not get through


def test_a_column_of_ciphertext_takes_no_text() -> None:
    with pytest.raises(TypeError, match="seal the value first"):
        array_text(Sealed(), [b"sealed", "Pat Doe"])


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        array_text(Instant(), [datetime(2026, 3, 2, 9, 30)])  # noqa: DTZ001


def test_a_type_that_no_table_has_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="Interval"):
        array_text(Interval(), [timedelta(1)])


def test_every_column_of_every_table_can_be_written() -> None:
    for table in metadata.tables.values():
        for column in table.columns:
            assert array_text(column.type, [None]) == "{NULL}", column


def test_ids_are_written_alike_however_they_were_made() -> None:
    one = uuid4()
    assert array_text(Uuid(), [one]) == array_text(Uuid(), [UUID(str(one))]) == f"{{{one.hex}}}"
