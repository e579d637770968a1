"""Transactions on both databases: who waits, who may write, what a crash keeps."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from scheduler.store.engine import DatabaseUrlFault, StoreUnavailable, make_engine, reading, writing


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = with_counter(make_engine(database_url))
    yield made
    made.dispose()


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Iterator[Engine]:
    made = with_counter(make_engine(sqlite_url))
    yield made
    made.dispose()


@pytest.fixture
def postgres_engine(postgres_url: str) -> Iterator[Engine]:
    made = with_counter(make_engine(postgres_url))
    yield made
    made.dispose()


def with_counter(engine: Engine) -> Engine:
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE counter (id INTEGER PRIMARY KEY, n INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (1, 0)"))
    return engine


def count(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(text("SELECT n FROM counter")).scalar_one())


ADD_ONE = text("UPDATE counter SET n = n + 1")


def test_what_a_writing_block_does_is_kept(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(ADD_ONE)
    assert count(engine) == 1


def test_an_exception_undoes_a_writing_block(engine: Engine) -> None:
    with pytest.raises(LookupError), writing(engine) as connection:
        connection.execute(ADD_ONE)
        raise LookupError
    assert count(engine) == 0
    with writing(engine) as connection:
        connection.execute(ADD_ONE)
    assert count(engine) == 1


def test_new_tables_are_undone_with_the_rest(engine: Engine) -> None:
    with pytest.raises(LookupError), writing(engine) as connection:
        connection.execute(text("CREATE TABLE other (id INTEGER)"))
        raise LookupError
    with pytest.raises(StoreUnavailable, match="bonewise init"), reading(engine) as connection:
        connection.execute(text("SELECT * FROM other"))


def test_a_reading_block_refuses_to_write_and_leaves_no_trace(engine: Engine) -> None:
    with pytest.raises(DBAPIError, match=r"read-?only"), reading(engine) as connection:
        connection.execute(ADD_ONE)
    with writing(engine) as connection:
        connection.execute(ADD_ONE)
    assert count(engine) == 1


def test_a_reader_sees_only_what_is_committed_and_does_not_wait(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(ADD_ONE)
        assert count(engine) == 0
    assert count(engine) == 1


def test_a_broken_rule_of_the_data_stays_an_integrity_error(engine: Engine) -> None:
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(text("INSERT INTO counter VALUES (1, 0)"))


def test_an_error_does_not_show_the_values_of_the_statement(engine: Engine) -> None:
    with pytest.raises(DBAPIError) as caught, writing(engine) as connection:
        connection.execute(text("UPDATE counter SET missing = :mrn"), {"mrn": "MRN-0042"})
    assert "missing" in str(caught.value)
    assert "MRN-0042" not in str(caught.value)


def test_writers_in_many_threads_take_turns_and_lose_nothing(engine: Engine) -> None:
    def work() -> None:
        for _ in range(20):
            with writing(engine) as connection:
                connection.execute(ADD_ONE)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(engine) == 160


def test_two_engines_that_read_before_they_write_do_not_collide(sqlite_url: str) -> None:
    """With a deferred BEGIN one of the two would fail at its UPDATE, however long it is ready to wait."""
    first, second = with_counter(make_engine(sqlite_url)), make_engine(sqlite_url)

    def work(engine: Engine) -> None:
        for _ in range(25):
            with writing(engine) as connection:
                seen = connection.execute(text("SELECT n FROM counter")).scalar_one()
                connection.execute(text("UPDATE counter SET n = :n"), {"n": seen + 1})

    threads = [threading.Thread(target=work, args=(engine,)) for engine in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(first) == 50


def test_sqlite_connections_are_durable_and_checked(sqlite_engine: Engine) -> None:
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1}
    with reading(sqlite_engine) as connection:
        assert {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in expected} == expected


def test_sqlite_holds_to_its_foreign_keys(sqlite_engine: Engine) -> None:
    with writing(sqlite_engine) as connection:
        connection.execute(text("CREATE TABLE child (counter_id INTEGER REFERENCES counter(id))"))
    with pytest.raises(IntegrityError), writing(sqlite_engine) as connection:
        connection.execute(text("INSERT INTO child VALUES (7)"))


def test_the_sqlite_file_and_its_folder_are_made_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "var" / "bonewise.db"
    engine = with_counter(make_engine(f"sqlite:///{path}"))
    assert not path.with_name("other").exists()
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert set(modes) == {"bonewise.db", "bonewise.db-wal", "bonewise.db-shm"}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    engine.dispose()


def test_making_an_engine_touches_nothing(tmp_path: Path) -> None:
    make_engine(f"sqlite:///{tmp_path / 'var' / 'bonewise.db'}")
    assert list(tmp_path.iterdir()) == []


def test_a_writing_block_holds_the_write_lock_from_its_start(sqlite_engine: Engine) -> None:
    path = str(sqlite_engine.url.database)
    with (
        closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other,
        writing(sqlite_engine),
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("BEGIN IMMEDIATE")


def test_a_reading_block_leaves_the_write_lock_free(sqlite_engine: Engine) -> None:
    path = str(sqlite_engine.url.database)
    with (
        closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other,
        reading(sqlite_engine) as connection,
    ):
        connection.execute(text("SELECT n FROM counter")).all()
        other.execute("BEGIN IMMEDIATE")


def test_postgresql_works_in_utc_and_read_committed_whatever_its_defaults(postgres_url: str) -> None:
    database = postgres_url.rpartition("/")[2]
    first = make_engine(postgres_url)
    with writing(first) as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {database} SET timezone = 'America/New_York'")
        connection.exec_driver_sql(f"ALTER DATABASE {database} SET default_transaction_isolation = 'serializable'")
    first.dispose()
    engine = make_engine(postgres_url)
    with writing(engine) as connection:
        assert connection.exec_driver_sql("SHOW timezone").scalar() == "UTC"
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "read committed"
        assert connection.exec_driver_sql("SHOW application_name").scalar() == "bonewise"
    engine.dispose()


def test_a_workers_connections_keep_the_planner_off_scans(postgres_url: str) -> None:
    names = ("plan_cache_mode", "enable_seqscan", "enable_hashjoin", "enable_mergejoin")
    for worker, expected in (
        (True, ["force_generic_plan", "off", "off", "off"]),
        (False, ["auto", "on", "on", "on"]),
    ):
        engine = make_engine(postgres_url, worker=worker)
        with reading(engine) as connection:
            assert [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names] == expected
        engine.dispose()


def test_a_connection_that_died_in_the_pool_is_replaced_unnoticed(postgres_engine: Engine) -> None:
    assert count(postgres_engine) == 0  # leaves its connection in the pool
    assassin = make_engine(postgres_engine.url.render_as_string(hide_password=False))
    with writing(assassin) as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assassin.dispose()
    assert count(postgres_engine) == 0


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg"),
        ("postgresql://u:p@h/d", "postgresql+psycopg"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg"),
        ("sqlite:///var/x.db", "sqlite"),
        ("sqlite+pysqlite:///var/x.db", "sqlite"),
    ],
)
def test_the_usual_spellings_of_an_address_are_understood(url: str, driver: str) -> None:
    assert make_engine(url).url.drivername == driver


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "not a database address"),
        ("bonewise.db", "not a database address"),
        ("mysql://u:secret@h/d", "'mysql'; Bonewise runs on sqlite"),
        ("postgresql+psycopg2://u:secret@h/d", "'postgresql\\+psycopg2'; Bonewise runs on"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "in memory"),
        ("sqlite:///file:x?mode=memory&uri=true", "in memory"),
        ("postgresql://u:secret@h", "names no database"),
    ],
)
def test_an_unusable_address_is_refused_without_showing_its_password(url: str, message: str) -> None:
    with pytest.raises(DatabaseUrlFault, match=message) as caught:
        make_engine(url)
    assert "BONEWISE_DATABASE_URL" in str(caught.value)
    assert "secret" not in str(caught.value)
