"""What measured processes need around them: databases, a server that speaks Twilio's protocol, a Redis."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, cast
from unittest.mock import patch
from uuid import uuid4

from tests.bench.databases import Databases
from tests.bench.journal import read_journal
from tests.bench.laps import Run
from tests.bench.process_tree import TreeMemory
from tests.support import postgres as postgres_support
from tests.support.postgres import PostgresServer, PostgresUnavailableError, running_server

ROOT = Path(__file__).resolve().parents[2]
_CHILD_SECONDS = 300
_START_SECONDS = 10


@dataclass(frozen=True)
class Sizes:
    """How much work each measured process gets; the slow ones get less, and only rates are compared."""

    patients: int
    quick_peers: int  # of PgQueuer and Celery
    slow_peers: int  # of Procrastinate, APScheduler and the tutorial's loop
    year_patients: int


class Stage:
    """Everything outside the measured processes. `missing` says for PostgreSQL and Redis why there is none."""

    def __init__(self, directory: Path, sizes: Sizes, postgres: PostgresServer | None, redis: str | None) -> None:
        self.sizes = sizes
        self.directory = directory
        self.postgres = postgres
        self.redis = redis
        self.databases = Databases(directory, patients=sizes.patients, postgres=postgres)

    def measure(self, function: str, **arguments: object) -> Run:
        """Run `MODULE:FUNCTION` of the bench in a process of its own."""
        return self.measure_within(_CHILD_SECONDS, function, **arguments)

    def measure_within(self, seconds: float, function: str, **arguments: object) -> Run:
        """The same with so many seconds to do it in."""
        command = [sys.executable, "-m", "tests.bench.child", function, json.dumps(arguments)]
        memory = TreeMemory()
        try:
            with _group(command) as child, memory.watched(child.pid):
                output, _ = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return Run(faults=[f"{function} was not done within {seconds:.0f} s"])
        if child.returncode:
            return Run(faults=[f"{function} ended with exit code {child.returncode}; its error is above"])
        run = Run.from_json(json.loads(output.splitlines()[-1]))
        run.peak_mb = max(run.peak_mb, memory.peak_mb)
        return run

    def measure_sending(
        self, function: str, *, wanted: int, arguments: Callable[[str], dict[str, object]], latency: float = 0.0
    ) -> Run:
        """As `measure`, beside a fresh server, whose journal should hold a message for each of `wanted` numbers.

        The server takes `latency` seconds to answer.
        """
        with self._server(latency) as (url, journal):
            run = self.measure(function, **arguments(url))
        run.taken = read_journal(journal, wanted=wanted, laps=run.laps)
        journal.unlink()
        return run

    @contextmanager
    def _server(self, latency: float) -> Iterator[tuple[str, Path]]:
        journal = self.directory / f"{uuid4().hex}.journal"
        journal.touch()
        command = [sys.executable, "-m", "tests.support.twilio_server", "--journal", str(journal)]
        command += ["--latency", str(latency)]
        with subprocess.Popen(command, cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE) as server:
            try:
                address = cast("IO[bytes]", server.stdout).readline().decode().strip()
                if not address:
                    raise RuntimeError("the server that plays Twilio did not start; its error is above")
                yield address, journal
            finally:
                server.terminate()


@contextmanager
def _group(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that takes along, when it ends or must end, all that it has started."""
    child = subprocess.Popen(
        command, cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        yield child
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        cast("IO[bytes]", child.stdout).close()


def clean_environment() -> dict[str, str]:
    """Ours without anybody's settings. Children may keep their bytecode: without it each would compile it anew."""
    foreign = ("BONEWISE_", "TWILIO_", "CELERY_", "PGQUEUER_", "PROCRASTINATE_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


@contextmanager
def _durable_postgres() -> Iterator[PostgresServer]:
    """The tests' server, set up to keep what it is told: on disk, every commit synced, as for a clinic."""
    durable = ("shared_buffers=256MB", "listen_addresses=127.0.0.1", "max_wal_size=4GB", "maintenance_work_mem=256MB")
    with patch.multiple(postgres_support, FAST=durable, _roomy_memory=lambda: None), running_server() as server:
        yield server


class RedisUnavailableError(Exception):
    """No Redis server can be had here; the message says what to install."""


@contextmanager
def _durable_redis(directory: Path) -> Iterator[str]:
    """A Redis server that keeps what it is told, in a folder of its own; yields its address."""
    binary = shutil.which("redis-server")
    if binary is None:
        raise RedisUnavailableError("there is no redis-server here; on Debian: apt-get install redis-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    kept = ("--appendonly", "yes", "--appendfsync", "everysec", "--save", "")
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory), *kept]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            _await_port(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


def _await_port(port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError as error:
            if time.monotonic() > until:
                raise RedisUnavailableError(f"redis-server did not answer within {_START_SECONDS} s") from error
            time.sleep(0.02)
        else:
            return


@contextmanager
def open_stage(sizes: Sizes, *, needs_redis: bool = True) -> Iterator[tuple[Stage, dict[str, str]]]:
    """A stage in a temporary folder; and which servers there are not, each with the reason."""
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="bonewise-bench-")))
        postgres, redis = None, None
        try:
            postgres = stack.enter_context(_durable_postgres())
        except PostgresUnavailableError as unavailable:
            missing["PostgreSQL"] = str(unavailable)
        try:
            redis = stack.enter_context(_durable_redis(directory)) if needs_redis else None
        except RedisUnavailableError as unavailable:
            missing["Redis"] = str(unavailable)
        yield Stage(directory, sizes, postgres, redis), missing
