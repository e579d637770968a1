"""What a failing database means in one sentence: what is wrong, where, and what to do."""

from __future__ import annotations

import re
import sqlite3
from contextlib import suppress

from sqlalchemy.exc import DBAPIError


class StoreUnavailable(Exception):  # noqa: N818 - a state of the store, not a fault in a program
    """The database cannot be reached, opened or written to. The message is one sentence for the operator."""


_NOT_SET_UP = "lacks tables that this version needs; run `bonewise init`, or restore a backup"

_SQLITE_CODES = {
    sqlite3.SQLITE_READONLY: "cannot be written to; make the file and its folder writable",
    sqlite3.SQLITE_FULL: "cannot grow because the disk is full; free some space",
    sqlite3.SQLITE_BUSY: "is locked by another program; end what else has the file open, or try again",
    sqlite3.SQLITE_LOCKED: "is locked by other work of this process; try again",
    sqlite3.SQLITE_NOTADB: "is no database; move that file away or correct BONEWISE_DATABASE_URL",
    sqlite3.SQLITE_CORRUPT: "is damaged; stop the service and restore a backup with `bonewise restore`",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; make the file and its folder writable",
    sqlite3.SQLITE_PERM: "may not be opened; correct the owner or the mode of the file",
    sqlite3.SQLITE_IOERR: "cannot be read or written; check the disk for errors and free space",
}

_POSTGRES_STATES = {
    "28P01": "refuses the password of this user; correct the user or password in BONEWISE_DATABASE_URL",
    "28000": "refuses this user; allow the user in pg_hba.conf or correct BONEWISE_DATABASE_URL",
    "3D000": "has no such database; create it with `createdb` or correct BONEWISE_DATABASE_URL",
    "25006": "is read-only, probably a standby; point BONEWISE_DATABASE_URL at the primary server",
    "42P01": _NOT_SET_UP,
    "42501": "does not let this user work here; make the user the owner of the database",
    "53100": "has a full disk; free some space on the database server",
    "53200": "is out of memory; give the database server more or lower its settings",
    "53300": "has no connection left; raise its max_connections or run fewer workers",
    "57P01": "closed the connection because it is being stopped; start it again",
    "57P02": "closed the connection after a crash; look at the log of the database server",
    "57P03": "is still starting up; try again in a moment",
}
_CONNECTION_LOST = "closed the connection; check that it is running"

# libpq reports a failed connection without a state, in words only. A translated server falls through to the
# last resort, which quotes them.
_POSTGRES_WORDS = (
    ("password authentication failed", _POSTGRES_STATES["28P01"]),
    ("no password supplied", "asks for a password; write it into BONEWISE_DATABASE_URL"),
    ("no pg_hba.conf entry", _POSTGRES_STATES["28000"]),
    ("too many (clients|connections)", _POSTGRES_STATES["53300"]),
    ("remaining connection slots", _POSTGRES_STATES["53300"]),
    ("the database system is", _POSTGRES_STATES["57P03"]),
    ('role ".*" does not exist', "knows no such user; correct the user in BONEWISE_DATABASE_URL"),
    ('database ".*" does not exist', _POSTGRES_STATES["3D000"]),
    ("server closed the connection|connection is (lost|closed)", _CONNECTION_LOST),
    (
        "connection refused",
        "does not answer; start it, or correct the host and port in BONEWISE_DATABASE_URL",
    ),
    ("no such file or directory", "does not answer; start it, or correct the host in BONEWISE_DATABASE_URL"),
    ("could not translate host|failed to resolve host", "has an unknown host; correct BONEWISE_DATABASE_URL"),
    (
        "timeout expired|connection timeout",
        "does not answer in time; check the network to the database server",
    ),
)


def explain(error: BaseException, *, place: str = "the database") -> str | None:
    """One sentence for a failure an operator can do something about, or None for any other error.

    `error` is SQLAlchemy's or the driver's; `place` names the database as the operator knows it.
    """
    if isinstance(error, StoreUnavailable):
        return str(error)
    cause = error.orig if isinstance(error, DBAPIError) else error
    what = _explain_sqlite(cause) if isinstance(cause, sqlite3.Error) else _explain_postgres(cause)
    return f"{place} {what}" if what else None


def _explain_sqlite(error: sqlite3.Error) -> str | None:
    if str(error).startswith("no such table"):
        return _NOT_SET_UP
    code = getattr(error, "sqlite_errorcode", None)
    return _SQLITE_CODES.get(code & 0xFF) if code is not None else None  # the low byte is the primary code


def _explain_postgres(error: BaseException | None) -> str | None:
    # Only where PostgreSQL is in use has its driver been loaded; asking for the name costs nothing elsewhere.
    if error is None or not type(error).__module__.startswith("psycopg"):
        return None
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return _POSTGRES_STATES.get(state) or (_CONNECTION_LOST if state.startswith("08") else None)
    with suppress(ImportError):
        import psycopg

        if isinstance(error, psycopg.OperationalError):
            return _explain_words(str(error))
    return None


def _explain_words(message: str) -> str:
    for words, what in _POSTGRES_WORDS:
        if re.search(words, message, re.IGNORECASE):
            return what
    first_line = message.strip().splitlines()[0] if message.strip() else "no reason given"
    return f"cannot be used: {first_line}"
