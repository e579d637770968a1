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
from operator import itemgetter
from typing import Any, TypeVar
from typing import cast as as_type
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    Dialect,
    Insert,
    LargeBinary,
    Table,
    Text,
    Time,
    Update,
    Uuid,
    bindparam,
    cast,
    column,
    func,
    insert,
    literal,
    literal_column,
    select,
)
from sqlalchemy.types import TypeEngine

from scheduler.store.arrays import array_text
from scheduler.store.types import Instant, Sealed

Values = Mapping[str, Any]
T = TypeVar("T")

_KEYS = {"of_id": "id", "of_clinic": "clinic_id"}  # which row an update is about, and the columns that say so


def keyed(row_id: object, clinic_id: int, **values: Any) -> dict[str, Any]:
    """The new values of one row, as `update_rows` takes them."""
    return {"of_id": row_id, "of_clinic": clinic_id, **values}


def once_each(make: Callable[[T], Values]) -> Callable[[T], Values]:
    """`make`, called once for each object: where many rows share an object, they share what is made of it."""
    made: dict[int, tuple[T, Values]] = {}  # with the object, so that its identity stays taken

    def values(of: T) -> Values:
        known = made.get(id(of))
        if known is None:
            known = made[id(of)] = of, make(of)
        return known[1]

    return values


_NOTHING: Values = {}


def insert_rows(connection: Connection, table: Table, rows: Iterable[Values], *, same: Values = _NOTHING) -> None:
    """Insert `rows`, which all name the same columns; `same` is what they have in common besides.

    What is common is sent once and not once a row.
    """
    _execute(connection, _insert_into(table), list(rows), same=same)


@dataclass(frozen=True, eq=False, slots=True)
class Alike:
    """What rows to insert have in common. To be kept for the next of them, for what is made of it is kept too.

    The shared values stand in the statement's text: binding them anew for every row costs more than the row.
    """

    table: Table
    shared: Mapping[str, ColumnElement[Any]]

    @classmethod
    def of(cls, table: Table, values: Values) -> Alike:
        """Rows of `table` that all have `values`."""
        types = {name: table.c[name].type for name in values}
        return cls(table, {name: literal(values[name], types[name], literal_execute=True) for name in values})


def insert_alike(connection: Connection, alike: Alike, rows: Iterable[Values]) -> None:
    """Insert `rows`, which all name the same columns: those that `alike` does not give."""
    _execute(connection, _insert_into(alike.table), list(rows), alike)


def by_key_alone(column: Column[str]) -> ColumnElement[str]:
    """The value of `column`, for a condition of `update_rows`: the rows are found by their keys, never by it.

    Nothing is added but the certainty that no index on the column is of use. By statistics of an hour when nothing
    waited PostgreSQL would else walk all that waits, once for each row of the batch.
    """
    return column.concat(literal_column("''"))


def update_rows(
    connection: Connection, statement: Update, rows: Iterable[Values], *, same: Values = _NOTHING
) -> None:
    """Update the rows that `keyed` names, each at most once; all name the same columns, and get `same` besides.

    `statement` is what holds for all of them: conditions on the row as it is, and values that are the same in each.
    It should live as long as the program, for what is made of it is kept.
    """
    _execute(connection, statement, list(rows), same=same)


def _execute(
    connection: Connection,
    statement: Insert | Update,
    rows: list[Values],
    alike: Alike | None = None,
    *,
    same: Values = _NOTHING,
) -> None:
    if not rows:
        return
    names = tuple(rows[0])
    if set(map(len, rows)) != {len(names)}:
        raise ValueError(f"the rows for {_table(statement).name} do not all name the same columns")
    if connection.dialect.name == "postgresql":
        table = _table(statement)
        arrays = {name: array_text(_column(table, name).type, map(itemgetter(name), rows)) for name in names}
        connection.execute(_over_arrays(statement, names, tuple(same), alike), {**arrays, **same})
    else:
        many = _many(statement, (*names, *same), connection.dialect, alike)
        connection.exec_driver_sql(many.sql, many.parameters(rows, same))


# SQLite: one statement, executed many times by the driver


@dataclass(frozen=True, slots=True)
class _Place:
    """What goes to one question mark: a value of each row, or the same in all."""

    name: str | None
    convert: Callable[[Any], Any] | None
    same: Any

    def values(self, columns: Mapping[str, Sequence[Any]], same: Values, count: int) -> Iterable[Any]:
        if self.name is None:
            return repeat(self.same, count)
        if self.name in same:
            value = same[self.name]
            return repeat(value if self.convert is None else self.convert(value), count)
        values = columns[self.name]
        return values if self.convert is None else map(self.convert, values)


@dataclass(frozen=True, slots=True)
class _Many:
    sql: str
    places: tuple[_Place, ...]

    def parameters(self, rows: Sequence[Values], same: Values) -> list[tuple[Any, ...]]:
        columns = {name: list(map(itemgetter(name), rows)) for name in rows[0]}
        return list(zip(*(place.values(columns, same, len(rows)) for place in self.places), strict=True))


@lru_cache(maxsize=256)
def _many(statement: Insert | Update, names: tuple[str, ...], dialect: Dialect, alike: Alike | None = None) -> _Many:
    table = _table(statement)
    shared = alike.shared if alike else {}
    given = {name: bindparam(name, None, type_=_column(table, name).type, required=False) for name in names}
    complete = _with(statement, {**given, **shared})
    compiled = complete.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
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
    if isinstance(kind, Sealed):
        return kind.checked  # the dialect's own way wraps bytes in what the driver does not need
    if isinstance(kind, LargeBinary):
        return None
    if isinstance(kind, Uuid):
        return _hex  # what the dialect makes of it, without asking each time how
    convert = kind.dialect_impl(dialect).bind_processor(dialect)
    return lru_cache(convert) if convert is not None and isinstance(kind, _RECURRING) else convert


def _hex(value: UUID | None) -> str | None:
    return None if value is None else f"{value.int:032x}"


# PostgreSQL: one statement over arrays


@lru_cache(maxsize=256)
def _over_arrays(
    statement: Insert | Update, names: tuple[str, ...], same: tuple[str, ...] = (), alike: Alike | None = None
) -> Insert | Update:
    from sqlalchemy.dialects.postgresql import ARRAY  # a heavy import, which SQLite has no use for

    table = _table(statement)
    arrays = [cast(bindparam(name, type_=Text()), ARRAY(_column(table, name).type)) for name in names]
    columns = [column(name, _column(table, name).type) for name in names]
    given = func.unnest(*arrays).table_valued(*columns, name="given").render_derived()
    common = {name: _typed(table, name) for name in same}
    if isinstance(statement, Insert):
        shared = {**common, **(alike.shared if alike else {})}
        chosen = select(*(given.c[name] for name in names), *shared.values())
        return statement.from_select([*names, *shared], chosen)
    return _with(statement, {**{name: given.c[name] for name in names}, **common})


def _typed(table: Table, name: str) -> ColumnElement[Any]:
    kind = _column(table, name).type
    return cast(bindparam(name, type_=kind), kind)


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
    return as_type("Table", statement.table)


def _column(table: Table, name: str) -> Column[Any]:
    return table.c[_KEYS.get(name, name)]


@lru_cache
def _insert_into(table: Table) -> Insert:
    return insert(table)


# Rehearsal


Rehearsed = list[tuple[str, list[tuple[Any, ...]]]]


class Stage:
    """In place of a connection to a database in which nothing is found: notes what would be inserted into SQLite."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.noted: Rehearsed = []

    def execute(self, _query: object) -> tuple[()]:
        return ()

    def exec_driver_sql(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        self.noted.append((sql, rows))


def perform(connection: Connection, rehearsed: Rehearsed) -> None:
    """Insert what a `Stage` has noted."""
    for sql, rows in rehearsed:
        connection.exec_driver_sql(sql, rows)
