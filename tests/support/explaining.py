"""Catching statements as they run, and having the database explain how it carries them out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import sql as psycopg_sql
from sqlalchemy import Connection, Engine, event

from scheduler.store.engine import reading

_PARAMETER = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Caught:
    """A statement as it ran."""

    sql: str
    parameters: Any


@contextmanager
def catching(engine: Engine) -> Iterator[list[Caught]]:
    """What runs inside."""
    caught: list[Caught] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, _x: object, many: bool) -> None:
        caught.append(Caught(statement, parameters[0] if many else parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield caught
    finally:
        event.remove(engine, "before_cursor_execute", note)


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


def explained(engine: Engine, caught: Sequence[Caught], begins: str) -> list[str]:
    """How each different statement that begins so (a pattern) is carried out; fails when none does."""
    wanted = {each.sql: each for each in caught if re.match(begins, each.sql, re.DOTALL)}
    explain = _explain_on_sqlite if engine.dialect.name == "sqlite" else _explain_on_postgres
    with reading(engine) as connection:
        plans = [explain(connection, each) for each in wanted.values()]
    assert plans, f"no statement began with {begins}"
    return plans
