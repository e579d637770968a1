"""The way to the database: one engine per process, and transactions that say whether they write.

SQLite runs in WAL mode with `synchronous=FULL`: a "sent" that a power cut forgets is a second text.
Writers take the one write lock when they begin (`BEGIN IMMEDIATE`): a transaction that first reads and then
wants to write fails at once, without waiting, when another wrote in between (SQLite, "Isolation").
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError

from scheduler.store.unavailable import StoreUnavailable, explain

__all__ = ["WRITES", "DatabaseUrlFault", "StoreUnavailable", "explain", "make_engine", "reading", "writing"]

BUSY_SECONDS = 10.0
_CONNECT_SECONDS = 10
WRITES = "bonewise_writes"  # execution option: begin with the write lock
_READS = "bonewise_reads"

_SQLITE_PRAGMAS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-16000",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA recursive_triggers=ON",  # else INSERT OR REPLACE slips past the triggers that forbid deleting
    "PRAGMA journal_size_limit=67108864",
)

# Batches are written as UPDATE ... FROM unnest(...) over partial indexes. Planned while every row still
# qualified, such a statement becomes a sequential scan per batch; a worker's statements are all of this kind.
_WORKER_SETTINGS = (
    "plan_cache_mode=force_generic_plan",
    "enable_seqscan=off",
    "enable_hashjoin=off",
    "enable_mergejoin=off",
    "enable_bitmapscan=off",  # it would sort the whole backlog to take the first few hundred
    "max_parallel_workers_per_gather=0",  # starting helpers takes longer than any of these statements
    "jit=off",  # likewise compiling them
)

# Without these a worker would wait a quarter of an hour for a server that vanished from the network.
_KEEPALIVES = {
    "connect_timeout": _CONNECT_SECONDS,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "application_name": "bonewise",
}

_PSYCOPG = "postgresql+psycopg"
_REWRITTEN = {"postgres": _PSYCOPG, "postgresql": _PSYCOPG, "sqlite+pysqlite": "sqlite"}


@dataclass(frozen=True, slots=True)
class _Turnstile:
    """The turn of SQLite's writers inside this process.

    SQLite's own waiting is a sleep that grows to 100 ms between tries: beside a busy scheduler a web request
    starves for seconds. Waiting on a lock it goes on as soon as the writer before it is done.
    """

    lock: threading.Lock
    patience: float  # seconds
    place: str


_turnstiles: WeakKeyDictionary[Engine, _Turnstile] = WeakKeyDictionary()


class DatabaseUrlFault(ValueError):  # noqa: N818 - a fault in what a person wrote
    """A database address that cannot be used. Says what to write, and never shows the password."""


def make_engine(url: str, *, worker: bool = False, busy_seconds: float = BUSY_SECONDS) -> Engine:
    """An engine for `BONEWISE_DATABASE_URL`; connects at first use, not here.

    `worker` fits PostgreSQL's planner to the batch statements of the scheduler. `busy_seconds` is how long a
    writer waits for SQLite's write lock. Raises `DatabaseUrlFault`. All that the engine does later raises
    `StoreUnavailable` where the database cannot be reached, opened or written to.
    """
    address = _checked(url)
    if address.drivername == "sqlite":
        return _sqlite_engine(address, busy_seconds=busy_seconds)
    return _postgres_engine(address, worker=worker)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that may write; commits at the end, rolls back on any exception.

    READ COMMITTED on PostgreSQL. On SQLite there is one writer at a time: others wait here and raise
    `StoreUnavailable` after `busy_seconds`. Not to be nested.
    """
    with _turn(engine), engine.connect() as connection:
        connection.execution_options(**{WRITES: True})
        with connection.begin():
            yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection in a read-only transaction: a write in it raises. It never waits for a writer."""
    with engine.connect() as connection:
        connection.execution_options(**{_READS: True})
        if engine.dialect.name == "sqlite":
            with _query_only(connection), connection.begin():
                yield connection
        else:
            connection.execution_options(postgresql_readonly=True)
            with connection.begin():
                yield connection


def _checked(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:  # a ValueError: the port is no number
        raise DatabaseUrlFault(
            "BONEWISE_DATABASE_URL is not a database address; write sqlite:///var/bonewise.db or "
            f"{_PSYCOPG}://user:password@host/database (/ ? # @ : in a password as %2F %3F %23 %40 %3A)"
        ) from error
    address = address.set(drivername=_REWRITTEN.get(address.drivername, address.drivername))
    if address.drivername not in ("sqlite", _PSYCOPG):
        raise DatabaseUrlFault(
            f"BONEWISE_DATABASE_URL names {address.drivername!r}; Bonewise runs on sqlite:///... and {_PSYCOPG}://..."
        )
    if not address.database:
        what, example = ("file", "sqlite:///var/bonewise.db")
        if address.drivername == _PSYCOPG:
            what, example = ("database", f"{_PSYCOPG}://user:password@host/database")
        raise DatabaseUrlFault(f"BONEWISE_DATABASE_URL names no {what}; write {example}")
    if address.database == ":memory:" or address.query.get("mode") == "memory":
        raise DatabaseUrlFault("BONEWISE_DATABASE_URL is in memory and would forget everything; name a file")
    return address


def _sqlite_engine(address: URL, *, busy_seconds: float) -> Engine:
    engine = create_engine(
        address,
        hide_parameters=True,
        max_overflow=15,
        connect_args={"timeout": busy_seconds, "check_same_thread": False},
    )
    place = place_of(address)
    _turnstiles[engine] = _Turnstile(threading.Lock(), busy_seconds, place)

    @event.listens_for(engine, "do_connect")
    def make_file(_dialect: object, _record: object, args: list[Any], _params: object) -> None:
        _make_private_file(str(args[0]))

    @event.listens_for(engine, "connect")
    def prepare(driver: sqlite3.Connection, _record: object) -> None:
        driver.isolation_level = None  # the driver's own BEGIN comes late and only for some statements
        _switch_to_wal(driver, patience=busy_seconds)
        for pragma in _SQLITE_PRAGMAS:
            driver.execute(pragma).close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    _explain_failures(engine, place)
    return engine


def place_of(address: URL) -> str:
    """The database as an operator knows it, without its password."""
    if address.drivername == "sqlite":
        return _named(str(address.database))
    host = address.host or "the local socket"
    return f"the PostgreSQL database {address.database} at {host}:{address.port or 5432}"


def is_absent(engine: Engine) -> bool:
    """Whether the database is a file that is not there. Connecting would make it."""
    file = str(engine.url.database)
    if engine.dialect.name != "sqlite" or file.startswith("file:"):
        return False
    try:
        return not Path(file).exists()
    except OSError:  # its folder may not be looked into; connecting says why
        return False


def _named(file: str) -> str:
    return f"the database {file if file.startswith('file:') else Path(file).absolute()}"


def _make_private_file(name: str) -> None:
    """Makes the folder and an empty file that only the owner may read; SQLite's side files copy its mode.

    One that is there is not opened: closing it would drop all locks that this process holds on it, and the next
    process to leave would delete the log under it (https://www.sqlite.org/howtocorrupt.html, section 2.2).
    """
    if name.startswith("file:"):  # a URI says itself what may be created
        return
    path = Path(name)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError
        if not path.exists():
            with suppress(FileExistsError):  # somebody else was quicker
                os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except IsADirectoryError as error:
        raise StoreUnavailable(f"{_named(name)} is a folder; name a file in BONEWISE_DATABASE_URL") from error
    except (FileExistsError, NotADirectoryError) as error:
        raise StoreUnavailable(
            f"{_named(name)} would lie in a file, not in a folder; correct BONEWISE_DATABASE_URL"
        ) from error
    except OSError as error:
        raise StoreUnavailable(
            f"{_named(name)} cannot be opened or created: {error.strerror}; "
            "choose a writable folder with BONEWISE_DATABASE_URL"
        ) from error


def _switch_to_wal(driver: sqlite3.Connection, *, patience: float) -> None:
    """WAL mode is kept in the file. Only the very first switch can meet another process; SQLite then gives up
    without waiting, so the waiting is done here."""
    until = time.monotonic() + patience
    while True:
        try:
            driver.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    turnstile = _turnstiles.get(engine)
    if turnstile is None:
        yield
        return
    if not turnstile.lock.acquire(timeout=turnstile.patience):
        raise StoreUnavailable(
            f"{turnstile.place} has been busy for {turnstile.patience:g} seconds with other work of this "
            "process; try again in a moment"
        )
    try:
        yield
    finally:
        turnstile.lock.release()


@contextmanager
def _query_only(connection: Connection) -> Iterator[None]:
    driver = cast("sqlite3.Connection", connection.connection.driver_connection)
    driver.execute("PRAGMA query_only=ON").close()
    try:
        yield
    finally:
        driver.execute("PRAGMA query_only=OFF").close()


def _postgres_engine(address: URL, *, worker: bool) -> Engine:
    engine = create_engine(
        address,
        hide_parameters=True,  # an error message must not carry what it was about into a log
        max_overflow=5,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args={name: value for name, value in _KEEPALIVES.items() if name not in address.query},
    )
    settings = ["timezone='UTC'", *(_WORKER_SETTINGS if worker else ())]

    @event.listens_for(engine, "connect")
    def prepare(driver: Any, _record: object) -> None:
        # Not as start-up options: a connection pooler in between would refuse those.
        driver.execute("; ".join(f"SET {setting}" for setting in settings))
        driver.commit()

    _explain_failures(engine, place_of(address))
    return engine


def _explain_failures(engine: Engine, place: str) -> None:
    @event.listens_for(engine, "handle_error")
    def handle(context: ExceptionContext) -> StoreUnavailable | None:
        if context.is_pre_ping:
            return None  # the pool is about to replace the connection by itself
        if context.connection is not None and context.connection.get_execution_options().get(_READS):
            refused = "25006", sqlite3.SQLITE_READONLY
            error = context.original_exception
            if getattr(error, "sqlstate", None) in refused or getattr(error, "sqlite_errorcode", None) in refused:
                return None  # a write inside `reading` is a fault of the program, not of the database
        message = explain(context.original_exception, place=place)
        return StoreUnavailable(message) if message else None
