"""The few words of SQL that SQLite and PostgreSQL have different ones for, where a database fills itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import Connection

Indexes = list[tuple[str, str]]  # name, and the statement that makes it


class Dialect(Protocol):
    """`n` in an expression is an integer expression."""

    @property
    def before(self) -> Sequence[str]:
        """Makes a bulk load quick."""
        ...

    @property
    def after(self) -> Sequence[str]:
        """Makes the database what it is in use."""
        ...

    @property
    def doubles_percent(self) -> bool:
        """Whether its driver wants that in statements."""
        ...

    def numbers(self, count: int) -> str:
        """A common table expression `n(i)` from 1 to `count`."""
        ...

    def key(self, kind: int, n: str) -> str:
        """An id; those of one kind ascend with `n`."""
        ...

    def instant(self, base: datetime, plus_seconds: str) -> str: ...

    def day(self, base: date, minus: str) -> str: ...

    def noise(self, n: str) -> str:
        """Sixteen bytes."""
        ...

    def indexes(self, connection: Connection, tables: Sequence[str]) -> Indexes:
        """The indexes that no constraint rests on."""
        ...


class Sqlite:
    before = (
        "PRAGMA foreign_keys=OFF",
        "PRAGMA journal_mode=OFF",
        "PRAGMA synchronous=OFF",
        "PRAGMA cache_size=-200000",
        "PRAGMA temp_store=FILE",
    )
    after = ("PRAGMA journal_mode=WAL",)
    doubles_percent = False

    def numbers(self, count: int) -> str:
        return f"n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"

    def key(self, kind: int, n: str) -> str:
        return f"printf('%08x%024x', {kind}, {n})"

    def instant(self, base: datetime, plus_seconds: str) -> str:
        start = base.strftime("%Y-%m-%d %H:%M:%S")
        return f"strftime('%Y-%m-%d %H:%M:%S.000000', '{start}', '+' || ({plus_seconds}) || ' seconds')"

    def day(self, base: date, minus: str) -> str:
        return f"date('{base}', '-' || ({minus}) || ' days')"

    def noise(self, n: str) -> str:
        return "randomblob(16)"

    def indexes(self, connection: Connection, tables: Sequence[str]) -> Indexes:
        listed = ", ".join(f"'{name}'" for name in tables)
        found = connection.exec_driver_sql(
            f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({listed})"
        )
        return [(row[0], row[1]) for row in found]


class Postgres:
    before = ("SET session_replication_role = replica", "SET maintenance_work_mem = '256MB'", "SET work_mem = '64MB'")
    after = ("VACUUM ANALYZE", "CHECKPOINT")
    doubles_percent = True

    def numbers(self, count: int) -> str:
        return f"n(i) AS (SELECT generate_series(1, {count}::bigint))"

    def key(self, kind: int, n: str) -> str:
        return f"(lpad(to_hex({kind}), 8, '0') || lpad(to_hex({n}), 24, '0'))::uuid"

    def instant(self, base: datetime, plus_seconds: str) -> str:
        return f"'{base.isoformat()}'::timestamptz + ({plus_seconds}) * interval '1 second'"

    def day(self, base: date, minus: str) -> str:
        return f"date '{base}' - ({minus})::int"

    def noise(self, n: str) -> str:
        return f"decode(md5(({n})::text), 'hex')"

    def indexes(self, connection: Connection, tables: Sequence[str]) -> Indexes:
        listed = ", ".join(f"'{name}'" for name in tables)
        found = connection.exec_driver_sql(
            f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ({listed}) AND NOT EXISTS"
            " (SELECT 1 FROM pg_constraint WHERE conindid = indexname::regclass)"
        )
        return [(row[0], row[1]) for row in found]


def dialect_of(connection: Connection) -> Dialect:
    return Postgres() if connection.dialect.name == "postgresql" else Sqlite()
