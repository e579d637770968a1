"""Brings a database to the tables that this version of Bonewise works with.

Asking whether it is there already costs two small queries and does not load Alembic: every start can ask.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from scheduler.store.engine import WRITES, StoreUnavailable, is_absent, make_engine, place_of, reading

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0003"  # the newest script in migrations/versions; a test compares

_SCRIPTS = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 0x626F6E6577697365  # "bonewise": any number that others are unlikely to lock
_WAIT_MS = 600_000  # for another process that migrates a large database

_HAS_VERSIONS = {
    "sqlite": text("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"),
    # Not to_regclass(): it may answer from a cache that predates the wait for another process's migration.
    "postgresql": text(
        "SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'alembic_version' AND pg_table_is_visible(oid)"
    ),
}
_VERSION = text("SELECT version_num FROM alembic_version")


def head() -> str:
    """The schema version that this code works with."""
    return HEAD


def current(engine: Engine) -> str | None:
    """The database's schema version; None when it has no tables yet. Raises `StoreUnavailable`.

    A database file that is not there is not made by asking: who works in the wrong folder leaves nothing behind.
    """
    if is_absent(engine):
        return None
    with reading(engine) as connection:
        return _current(connection)


def is_current(engine: Engine) -> bool:
    """Whether the database has exactly the tables of this version. Raises `StoreUnavailable`."""
    return current(engine) == HEAD


def require_current(engine: Engine) -> None:
    """Raises `StoreUnavailable` with the remedy unless the database has the tables of this version."""
    version = current(engine)
    if version == HEAD:
        return
    if version is None:
        raise StoreUnavailable(f"{place_of(engine.url)} has not been set up; run `bonewise init`")
    if version > HEAD:
        raise StoreUnavailable(_too_new(engine, version))
    raise StoreUnavailable(
        f"{place_of(engine.url)} has the tables of an older version ({version}, now {HEAD}); run `bonewise init`"
    )


def upgrade(engine: Engine) -> bool:
    """Creates or migrates the tables, all or nothing; True when there was work to do.

    Processes that start together take turns; the later ones find the work done. Raises `StoreUnavailable`,
    also for a database that a newer Bonewise has migrated.
    """
    if is_current(engine):
        return False
    with _migrating(engine) as connection:
        version = _current(connection)
        if version == HEAD:
            return False
        if version is not None and version > HEAD:
            raise StoreUnavailable(_too_new(engine, version))
        from alembic import command

        with _explaining_strangers(connection):
            command.upgrade(_config(connection), "head")
    return True


def draft(message: str, *, scratch: Path) -> Path:
    """Writes the script from the newest one to today's tables, using `scratch` as a throw-away database."""
    from alembic import command

    engine = make_engine(f"sqlite:///{scratch}")
    upgrade(engine)
    with reading(engine) as connection:
        number = f"{int(HEAD) + 1:04}"
        made = command.revision(_config(connection), message, autogenerate=True, rev_id=number)
    engine.dispose()
    if made is None or isinstance(made, list):
        raise RuntimeError("one script was expected")
    return Path(made.path)


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("file_template", "v%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def _current(connection: Connection) -> str | None:
    if connection.scalar(_HAS_VERSIONS[connection.dialect.name]) is None:
        return None
    version: str | None = connection.scalar(_VERSION)
    return version


def _too_new(engine: Engine, version: str) -> str:
    return (
        f"{place_of(engine.url)} has the tables of a newer version ({version}, this one knows {HEAD}); "
        "install that version of Bonewise again, or restore a backup"
    )


@contextmanager
def _explaining_strangers(connection: Connection) -> Iterator[None]:
    """Tables of our names that no version is noted for are another program's, or of a database that was damaged."""
    try:
        yield
    except DBAPIError as error:
        if "already exists" not in str(error.orig):
            raise
        raise StoreUnavailable(
            f"{place_of(connection.engine.url)} has tables that no version of Bonewise is noted for "
            f"({str(error.orig).splitlines()[0]}); restore a backup, or correct BONEWISE_DATABASE_URL"
        ) from error


@contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    """A transaction that no second migration runs beside."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            with _sqlite_without_foreign_keys(connection), connection.begin():
                yield connection
                _check_foreign_keys(connection)
        else:
            with connection.begin():
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
                yield connection


@contextmanager
def _sqlite_without_foreign_keys(connection: Connection) -> Iterator[None]:
    """Batch mode drops tables that others refer to and makes them anew; they are checked together at the end.

    The switch has no effect inside a transaction, hence before it (https://www.sqlite.org/lang_altertable.html).
    """
    connection.execution_options(**{WRITES: True})
    driver = cast("sqlite3.Connection", connection.connection.driver_connection)
    patience = driver.execute("PRAGMA busy_timeout").fetchone()[0]
    driver.execute("PRAGMA foreign_keys=OFF").close()
    driver.execute(f"PRAGMA busy_timeout={_WAIT_MS}").close()
    try:
        yield
    finally:
        driver.execute(f"PRAGMA busy_timeout={patience}").close()
        driver.execute("PRAGMA foreign_keys=ON").close()


def _check_foreign_keys(connection: Connection) -> None:
    if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise RuntimeError(f"the migration would leave rows of {broken[0]} without their {broken[2]}; undone")
