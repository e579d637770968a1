"""The tables of the job engine (Procrastinate) on PostgreSQL, in a schema of their own.

Jobs say no more than what kind of work to look for, and the work itself is on record in our tables: nothing here is
worth keeping. So the schema is never migrated. It carries a mark of the script that made it, and `install` makes it
anew when the installed engine brings another script.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, text

from scheduler.store.engine import StoreUnavailable, place_of, reading

SCHEMA = "procrastinate"
_MARK = "Job queue of Bonewise; holds nothing worth keeping. Made from "
_ADVISORY_LOCK = 0x626F6E6577697366  # "bonewisf": the one of our own migrations, plus one

_COMMENT = text("SELECT oid, obj_description(oid, 'pg_namespace') FROM pg_catalog.pg_namespace WHERE nspname = :name")


def is_available(engine: Engine) -> bool:
    """Whether jobs can be kept in this kind of database."""
    return engine.dialect.name == "postgresql"


def install(engine: Engine) -> bool:
    """Makes the tables, or makes them anew for another version of the engine; True when there was work to do.

    All or nothing, and processes that start together take turns. Raises `StoreUnavailable`, also where a schema of
    that name belongs to another program. On SQLite there is nothing to do.
    """
    if not is_available(engine):
        return False
    with reading(engine) as connection:
        if _mark(connection) == _expected():
            return False
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        mark = _mark(connection)
        if mark == _expected():
            return False
        if mark is not None and not mark.startswith(_MARK):
            raise StoreUnavailable(
                f"{place_of(engine.url)} has a schema '{SCHEMA}' of another program; give Bonewise a database of "
                "its own in BONEWISE_DATABASE_URL"
            )
        _make(connection, is_there=mark is not None)
    return True


def require(engine: Engine) -> None:
    """Raises `StoreUnavailable` with the remedy unless the tables are those of the installed engine."""
    with reading(engine) as connection:
        if _mark(connection) != _expected():
            raise StoreUnavailable(
                f"{place_of(engine.url)} has no job queue of this version; run `bonewise init`, then start the worker"
            )


def connection_settings(engine: Engine) -> dict[str, Any]:
    """How the job engine reaches the database: the arguments of `psycopg.connect`."""
    _, settings = engine.dialect.create_connect_args(engine.url)
    # A server that vanished from the network must not be waited for; what the address itself says comes first.
    patience = {"connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
    settings.pop("context", None)  # SQLAlchemy's own ways with types
    return {**patience, "application_name": "bonewise-jobs", **settings}


def _make(connection: Connection, *, is_there: bool) -> None:
    if is_there:
        connection.exec_driver_sql(f"DROP SCHEMA {SCHEMA} CASCADE")
    connection.exec_driver_sql(f"CREATE SCHEMA {SCHEMA}")
    connection.exec_driver_sql(f"COMMENT ON SCHEMA {SCHEMA} IS '{_expected()}'")
    connection.exec_driver_sql(f"SET LOCAL search_path TO {SCHEMA}")
    driver = cast("Any", connection.connection.driver_connection)
    driver.execute(_script())  # by the driver itself, which without parameters takes many statements at once


def _mark(connection: Connection) -> str | None:
    """The comment of the schema, "" when it has none; None when there is no such schema."""
    found = connection.execute(_COMMENT, {"name": SCHEMA}).one_or_none()
    return None if found is None else (found[1] or "")


def _expected() -> str:
    return _MARK + hashlib.sha256(_script().encode()).hexdigest()[:16]


def _script() -> str:
    """What Procrastinate's own `SchemaManager.get_schema` returns; importing it would take most of a second."""
    package = find_spec("procrastinate")
    if package is None or package.origin is None:
        raise StoreUnavailable("the package procrastinate is not installed; run `make setup` again")
    return (Path(package.origin).parent / "sql" / "schema.sql").read_text(encoding="utf-8")
