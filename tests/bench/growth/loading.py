"""Loading very many rows by SQL: without indexes, checks or a log until all are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Table, create_engine

from scheduler.store.tables import attempts, enrolments, messages, patients
from tests.bench.growth.dialects import Dialect, Postgres, Sqlite

_TABLES = (patients, enrolments, messages, attempts)


@dataclass(frozen=True)
class Loading:
    """A database that is being loaded. `sql` knows its dialect."""

    connection: Connection
    sql: Dialect

    def run(self, statement: str) -> None:
        self.connection.exec_driver_sql(statement.replace("%", "%%") if self.sql.doubles_percent else statement)

    def insert(self, table: Table, values: Mapping[str, str], *, given: Sequence[str], source: str) -> None:
        """Rows of `table` from expressions over `source`, which may use the common table expressions `given`."""
        names = ", ".join(f'"{name}"' for name in values)
        selected = f"SELECT {', '.join(values.values())} FROM {source}"
        self.run(f"INSERT INTO {table.name} ({names}) WITH RECURSIVE {', '.join(given)} {selected}")


@contextmanager
def loading(database: str) -> Iterator[Loading]:
    """Load into the busy tables; afterwards the database is as it is in use, its statistics gathered."""
    engine = create_engine(database)
    sql: Dialect = Postgres() if engine.dialect.name == "postgresql" else Sqlite()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        into = Loading(connection, sql)
        for statement in sql.before:
            into.run(statement)
        indexes = sql.indexes(connection, [table.name for table in _TABLES])
        for name, _ in indexes:
            into.run(f"DROP INDEX {name}")
        yield into
        for _, made_by in indexes:
            into.run(made_by)
        for statement in sql.after:
            into.run(statement)
    engine.dispose()
