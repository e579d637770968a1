"""Many rows by one statement.

Handed a list of parameters, SQLAlchemy builds and converts a mapping for each row, which costs more than the row
itself. Here a statement is compiled once and values are converted column by column; on PostgreSQL a batch is one
statement over `unnest` instead of one per row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any, cast

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    Dialect,
    Insert,
    Table,
    Time,
    Update,
    bindparam,
    column,
    func,
    insert,
    select,
)
from sqlalchemy.types import TypeEngine

from scheduler.store.types import Instant

Values = Mapping[str, Any]

_KEYS = {"of_id": "id", "of_clinic": "clinic_id"}  # which row an update is about, and the columns that say so


def keyed(row_id: object, clinic_id: int, **values: Any) -> dict[str, Any]:
    """The new values of one row, as `update_rows` takes them."""
    return {"of_id": row_id, "of_clinic": clinic_id, **values}


def insert_rows(connection: Connection, table: Table, rows: Iterable[Values]) -> None:
    """Insert `rows`, which all name the same columns."""
    _execute(connection, _insert_into(table), list(rows))


def update_rows(connection: Connection, statement: Update, rows: Iterable[Values]) -> None:
    """Update the rows that `keyed` names, each at most once; all name the same columns.

    `statement` is what holds for all of them: conditions on the row as it is, and values that are the same in each.
    It should live as long as the program, for what is made of it is kept.
    """
    _execute(connection, statement, list(rows))


def _execute(connection: Connection, statement: Insert | Update, rows: list[Values]) -> None:
    if not rows:
        return
    names = tuple(rows[0])
    if set(map(len, rows)) != {len(names)}:
        raise ValueError(f"the rows for {_table(statement).name} do not all name the same columns")
    if connection.dialect.name == "postgresql":
        arrays = {name: [row[name] for row in rows] for name in names}
        connection.execute(_over_arrays(statement, names), arrays)
    else:
        many = _many(statement, names, connection.dialect)
        connection.exec_driver_sql(many.sql, many.parameters(rows))


# SQLite: one statement, executed many times by the driver


@dataclass(frozen=True, slots=True)
class _Place:
    """What goes to one question mark: a value of each row, or the same in all."""

    name: str | None
    convert: Callable[[Any], Any] | None
    same: Any

    def values(self, rows: Sequence[Values]) -> Iterable[Any]:
        if self.name is None:
            return repeat(self.same, len(rows))
        name = self.name
        values = [row[name] for row in rows]
        return values if self.convert is None else map(self.convert, values)


@dataclass(frozen=True, slots=True)
class _Many:
    sql: str
    places: tuple[_Place, ...]

    def parameters(self, rows: Sequence[Values]) -> list[tuple[Any, ...]]:
        return list(zip(*(place.values(rows) for place in self.places), strict=True))


@lru_cache(maxsize=256)
def _many(statement: Insert | Update, names: tuple[str, ...], dialect: Dialect) -> _Many:
    table = _table(statement)
    complete = _with(statement, {name: bindparam(name, type_=_column(table, name).type) for name in names})
    compiled = complete.compile(dialect=dialect)
    places = []
    for bound in compiled.positiontup or ():
        convert = _converter(compiled.binds[bound].type, dialect)
        if bound in names:
            places.append(_Place(bound, convert, None))
        else:
            same = compiled.params[bound]
            places.append(_Place(None, None, same if convert is None else convert(same)))
    return _Many(str(compiled), tuple(places))


_RECURRING = (Boolean, Date, Time, Instant)  # few different values stand in many rows


def _converter(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes a value fit for the driver; None when it is as it comes."""
    convert = kind.dialect_impl(dialect).bind_processor(dialect)
    return lru_cache(convert) if convert is not None and isinstance(kind, _RECURRING) else convert


# PostgreSQL: one statement over arrays


@lru_cache(maxsize=256)
def _over_arrays(statement: Insert | Update, names: tuple[str, ...]) -> Insert | Update:
    from sqlalchemy.dialects.postgresql import ARRAY  # a heavy import, which SQLite has no use for

    table = _table(statement)
    arrays = [bindparam(name, type_=ARRAY(_column(table, name).type)) for name in names]
    columns = [column(name, _column(table, name).type) for name in names]
    given = func.unnest(*arrays).table_valued(*columns, name="given").render_derived()
    if isinstance(statement, Insert):
        return statement.from_select(list(names), select(*(given.c[name] for name in names)))
    return _with(statement, {name: given.c[name] for name in names})


# Both


def _with(statement: Insert | Update, given: Mapping[str, ColumnElement[Any]]) -> Insert | Update:
    """The statement with what each row gives: its values, and for an update which row it is."""
    table = _table(statement)
    values = {name: value for name, value in given.items() if name not in _KEYS}
    if isinstance(statement, Insert):
        return statement.values(values)
    keys = [table.c[_KEYS[name]] == value for name, value in given.items() if name in _KEYS]
    return statement.where(*keys).values(values)


def _table(statement: Insert | Update) -> Table:
    return cast("Table", statement.table)


def _column(table: Table, name: str) -> Column[Any]:
    return table.c[_KEYS.get(name, name)]


@lru_cache
def _insert_into(table: Table) -> Insert:
    return insert(table)
