"""A SQLite database that this process holds open over several connections, while other processes come and go.

POSIX takes away all of a process's locks on a file when it closes any descriptor of that file. SQLite knows that and
is careful; a program that opens the file itself is not. Then the next process to leave believes that it is the last,
deletes the write-ahead log, and what is written from then on is lost.
https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from scheduler.store.engine import make_engine, reading, writing

VISIT = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM texts').fetchone()[0])"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path / 'bonewise.db'}")
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE texts (number INTEGER)"))
    yield engine
    engine.dispose()


def seen_by_another_process(path: Path) -> int:
    """How many texts another process finds; it closes the database when it ends."""
    ran = subprocess.run([sys.executable, "-c", VISIT, str(path)], capture_output=True, text=True, timeout=30)
    assert ran.returncode == 0, ran.stderr
    return int(ran.stdout)


def note(engine: Engine, number: int) -> None:
    with writing(engine) as connection:
        connection.execute(text("INSERT INTO texts VALUES (:number)"), {"number": number})


def test_what_is_written_after_another_process_has_left_is_there_for_the_next(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "bonewise.db"
    with reading(engine), reading(engine):  # two connections at once, as a scheduler's threads have
        pass
    note(engine, 1)
    assert seen_by_another_process(path) == 1
    note(engine, 2)
    assert seen_by_another_process(path) == 2


def test_another_process_that_leaves_does_not_take_the_log_with_it(engine: Engine, tmp_path: Path) -> None:
    log = tmp_path / "bonewise.db-wal"
    with reading(engine), reading(engine):
        pass
    note(engine, 1)
    before = log.stat().st_ino
    seen_by_another_process(tmp_path / "bonewise.db")
    assert log.stat().st_ino == before


def test_many_connections_later_the_database_is_whole(engine: Engine, tmp_path: Path) -> None:
    for number in range(5):
        with reading(engine), reading(engine):
            note(engine, number)
        seen_by_another_process(tmp_path / "bonewise.db")
    engine.dispose()
    with sqlite3.connect(tmp_path / "bonewise.db") as found:
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert found.execute("SELECT count(*) FROM texts").fetchone() == (5,)
