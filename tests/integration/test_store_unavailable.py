"""Each usual failure of a database, provoked for real: one sentence that names the place and the remedy."""

from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, make_url, text

from scheduler.store.engine import StoreUnavailable, make_engine, reading, writing
from scheduler.store.unavailable import explain
from tests.support.postgres import PostgresServer

CREATE = text("CREATE TABLE note (body TEXT)")
ADD = text("INSERT INTO note VALUES (:body)")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bonewise.db"


def sqlite_engine(path: Path, *, busy_seconds: float = 0.05) -> Engine:
    return make_engine(f"sqlite:///{path}", busy_seconds=busy_seconds)


def set_up(path: Path) -> Engine:
    engine = sqlite_engine(path)
    with writing(engine) as connection:
        connection.execute(CREATE)
    return engine


@contextmanager
def refusal(*words: str) -> Iterator[None]:
    """The block raises `StoreUnavailable` with one sentence that has all these words and no password."""
    with pytest.raises(StoreUnavailable) as caught:
        yield
    message = str(caught.value)
    assert [word for word in words if word not in message] == [], message
    assert "\n" not in message
    assert "secret" not in message


def test_a_database_locked_by_another_program_is_named(path: Path) -> None:
    engine = set_up(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with refusal(str(path), "locked by another program"), writing(engine):
            pass
    with writing(engine) as connection:  # the lock is gone, and so is the trouble
        connection.execute(ADD, {"body": "late"})


def test_a_writer_that_waits_too_long_for_its_own_process_is_told(path: Path) -> None:
    engine = set_up(path)
    outcome: list[str] = []

    def second() -> None:
        try:
            with writing(engine):
                outcome.append("wrote")
        except StoreUnavailable as unavailable:
            outcome.append(str(unavailable))

    with writing(engine):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    (message,) = outcome
    assert message.startswith(f"the database {path} has been busy for 0.05 seconds with other work")


def test_a_read_only_file_is_named(path: Path) -> None:
    set_up(path).dispose()
    engine = make_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    with refusal(str(path), "cannot be written to", "writable"), writing(engine) as connection:
        connection.execute(ADD, {"body": "x"})
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM note")).scalar() == 0


def test_a_folder_that_cannot_be_made_is_named() -> None:
    engine = make_engine("sqlite:////proc/bonewise/bonewise.db")
    with refusal(str(engine.url.database), "cannot be opened", "BONEWISE_DATABASE_URL"), reading(engine):
        pass


def test_a_folder_in_the_place_of_the_file_is_named(path: Path) -> None:
    path.mkdir()
    with refusal(str(path), "is a folder"), reading(sqlite_engine(path)):
        pass


def test_a_file_in_the_place_of_the_folder_is_named(path: Path) -> None:
    path.write_text("")
    with refusal(str(path), "would lie in a file"), reading(sqlite_engine(path / "bonewise.db")):
        pass


def test_a_full_disk_is_named_and_loses_only_what_did_not_fit(path: Path) -> None:
    engine = set_up(path)
    with writing(engine) as connection:
        connection.execute(ADD, {"body": "kept"})
    with refusal(str(path), "disk is full", "free some space"), writing(engine) as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=3")
        connection.execute(ADD, {"body": "x" * 100_000})
    with reading(engine) as connection:
        assert connection.execute(text("SELECT body FROM note")).scalars().all() == ["kept"]


def test_a_file_that_is_no_database_is_named_and_left_alone(path: Path) -> None:
    path.write_text("patients,phones\n" * 100)
    with refusal(str(path), "is no database"), reading(sqlite_engine(path)):
        pass
    assert path.read_text().startswith("patients,phones")


def test_a_damaged_database_is_named(path: Path) -> None:
    engine = set_up(path)
    with writing(engine) as connection:
        connection.execute(ADD, [{"body": "x" * 3000} for _ in range(50)])
    engine.dispose()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * 10)
    with refusal(str(path), "damaged", "bonewise restore"), reading(sqlite_engine(path)) as connection:
        connection.execute(text("SELECT sum(length(body)) FROM note")).all()


def test_a_database_without_tables_says_to_run_init(database_url: str) -> None:
    with refusal("bonewise init"), reading(make_engine(database_url)) as connection:
        connection.execute(text("SELECT * FROM clinics"))


def altered(url: str, **changes: str | int) -> Engine:
    return make_engine(make_url(url).set(**changes).render_as_string(hide_password=False))  # type: ignore[arg-type]


def execute(url: str, *statements: str) -> None:
    engine = make_engine(url)
    with writing(engine) as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture
def role(postgres_url: str) -> Iterator[str]:
    """A user of the test server that is nobody special."""
    execute(postgres_url, "CREATE ROLE guest LOGIN PASSWORD 'other'")
    yield "guest"
    execute(postgres_url, "DROP ROLE guest")


def test_a_server_that_is_not_running_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        port = taken.getsockname()[1]
        engine = make_engine(f"postgresql://bonewise:secret@127.0.0.1:{port}/clinic")
        with (
            refusal(f"clinic at 127.0.0.1:{port}", "does not answer", "BONEWISE_DATABASE_URL"),
            reading(engine),
        ):
            pass


def test_a_server_on_a_missing_socket_is_named(tmp_path: Path) -> None:
    engine = make_engine(f"postgresql://bonewise@/clinic?host={tmp_path}")
    with refusal("clinic at the local socket", "does not answer"), reading(engine):
        pass


def test_an_unknown_host_is_named() -> None:
    engine = make_engine("postgresql://bonewise:secret@no-such-host.invalid/clinic")
    with refusal("no-such-host.invalid:5432", "unknown host"), reading(engine):
        pass


def test_a_missing_database_is_named(postgres_url: str) -> None:
    with (
        refusal("nowhere", "no such database", "createdb"),
        reading(altered(postgres_url, database="nowhere")),
    ):
        pass


def test_an_unknown_user_is_named(postgres_url: str) -> None:
    with refusal("knows no such user"), reading(altered(postgres_url, username="nobody_at_all")):
        pass


def test_a_wrong_password_is_named_and_not_shown(
    postgres_server: PostgresServer, postgres_url: str, role: str
) -> None:
    rules = postgres_server.directory / "data" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"host all {role} 127.0.0.1/32 scram-sha-256\n{before}")
    try:
        execute(postgres_url, "SELECT pg_reload_conf()")
        with refusal("refuses the password", "BONEWISE_DATABASE_URL"):
            until_refused(altered(postgres_url, username=role, password="secret"))
    finally:
        rules.write_text(before)
        execute(postgres_url, "SELECT pg_reload_conf()")


def until_refused(engine: Engine) -> None:
    """The server reads its rules again a moment after it was told to."""
    for _ in range(10_000):
        with reading(engine):
            engine.dispose()


def test_a_user_without_rights_is_told(postgres_url: str, role: str) -> None:
    with refusal("owner of the database"), writing(altered(postgres_url, username=role)) as connection:
        connection.execute(CREATE)


def test_a_server_without_a_free_connection_is_named(postgres_url: str, role: str) -> None:
    execute(postgres_url, f"ALTER ROLE {role} CONNECTION LIMIT 0")
    with refusal("no connection left", "max_connections"), reading(altered(postgres_url, username=role)):
        pass


def test_a_standby_is_named(postgres_url: str) -> None:
    database = make_url(postgres_url).database
    execute(postgres_url, f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    with refusal("read-only", "primary"), writing(make_engine(postgres_url)) as connection:
        connection.execute(CREATE)


def test_a_connection_lost_in_the_middle_is_named(postgres_url: str) -> None:
    with refusal("closed the connection"), writing(make_engine(postgres_url)) as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        execute(postgres_url, f"SELECT pg_terminate_backend({pid}, 5000)")
        connection.exec_driver_sql("SELECT 1")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (psycopg.errors.DiskFull(), "full disk"),
        (psycopg.errors.CannotConnectNow(), "starting up"),
        (psycopg.errors.ConnectionException(), "closed the connection"),
        (
            psycopg.OperationalError("Verbindung gescheitert: irgendwas\nmehr"),
            "Verbindung gescheitert: irgendwas",
        ),
    ],
)
def test_what_a_test_server_cannot_be_made_to_do_is_explained_too(error: Exception, words: str) -> None:
    assert words in str(explain(error, place="the database"))


@pytest.mark.parametrize("error", [psycopg.errors.UniqueViolation(), sqlite3.IntegrityError(), ValueError("no")])
def test_an_error_that_no_operator_can_help_is_not_explained(error: Exception) -> None:
    assert explain(error) is None
