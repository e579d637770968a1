"""What the measured processes work on: fresh databases, a patient list, a server that speaks Twilio's protocol."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, cast
from unittest.mock import patch
from uuid import uuid4

from sqlalchemy import create_engine, text

from tests.bench import clinic
from tests.bench.laps import Run
from tests.support import postgres as postgres_support
from tests.support.postgres import PostgresServer, PostgresUnavailableError, running_server

ROOT = Path(__file__).resolve().parents[2]
_CHILD_SECONDS = 180


@dataclass(frozen=True)
class Sizes:
    """How much work each measured process gets; the slow ones get less, and only rates are compared."""

    patients: int
    slow_patients: int  # of APScheduler
    looped_patients: int  # of the tutorial's loop
    year_patients: int


class Stage:
    """Everything outside the measured processes. `postgres` is None, with the reason, where there is no server."""

    def __init__(self, directory: Path, sizes: Sizes, postgres: PostgresServer | None, why_not: str) -> None:
        self.sizes = sizes
        self.directory = directory
        self.postgres = postgres
        self.why_no_postgres = why_not
        self.csv = directory / "patients.csv"
        self._few = directory / "few.csv"
        clinic.write_csv(self.csv, sizes.patients)
        clinic.write_csv(self._few, sizes.year_patients)
        self._due = directory / "due.db"
        self._fill(self.sqlite(self._due), self.csv)
        self.year_ahead = self.sqlite(directory / "year.db")
        self._fill(self.year_ahead, self._few)

    # Databases

    def sqlite(self, path: Path | None = None) -> str:
        """The address of a SQLite file that is not there yet, unless `path` names one that is."""
        return f"sqlite:///{path or self.directory / f'{uuid4().hex}.db'}"

    def due_sqlite(self) -> str:
        """A copy of the installation where everybody is due."""
        path = self.directory / f"{uuid4().hex}.db"
        shutil.copyfile(self._due, path)
        return self.sqlite(path)

    def empty_postgres(self) -> str:
        assert self.postgres is not None
        return self.postgres.create_database()

    def due_postgres(self) -> str:
        """A copy of the installation where everybody is due, its statistics gathered."""
        assert self.postgres is not None
        template = self.postgres.ensure_template("bench_due", lambda url: self._fill(url, self.csv))
        return self.postgres.create_database(template=template)

    def drop(self, url: str) -> None:
        """Remove a database that has served."""
        if self.postgres is not None and url.startswith("postgresql"):
            self.postgres.drop_database(url)
            return
        path = Path(url.removeprefix("sqlite:///"))
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()

    def environment(self, database: str, *, twilio: str | None = None) -> dict[str, str]:
        return clinic.settings_for(database, data_dir=self.directory, twilio=twilio)

    def _fill(self, url: str, csv: Path) -> None:
        """An installation with the patients of `csv`, as it is after its first tick."""
        app = clinic.open_app(self.environment(url), at=clinic.ENROLLED)
        clinic.import_csv(app, clinic.new_clinic(app), csv)
        app.ticker.tick()
        app.close()
        engine = create_engine(url)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
            if engine.dialect.name == "sqlite":
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        engine.dispose()

    # Processes

    def measure(self, function: str, **arguments: object) -> Run:
        """Run `MODULE:FUNCTION` of the bench in a process of its own."""
        command = [sys.executable, "-m", "tests.bench.child", function, json.dumps(arguments)]
        with subprocess.Popen(command, cwd=ROOT, env=_clean_environment(), stdout=subprocess.PIPE) as child:
            try:
                output, _ = child.communicate(timeout=_CHILD_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                return Run(faults=[f"{function} was not done within {_CHILD_SECONDS} s"])
        if child.returncode:
            return Run(faults=[f"{function} ended with exit code {child.returncode}; its error is above"])
        return Run.from_json(json.loads(output.splitlines()[-1]))

    def measure_sending(self, function: str, *, wanted: int, arguments: Callable[[str], dict[str, object]]) -> Run:
        """As `measure`, beside a fresh server, whose journal must hold `wanted` messages, one for each number."""
        with self._server() as (url, journal):
            run = self.measure(function, **arguments(url))
        numbers = [json.loads(line)["form"]["To"] for line in journal.read_text().splitlines()]
        run.expect("messages that the server took", found=len(numbers), wanted=wanted)
        run.expect("numbers that were texted", found=len(set(numbers)), wanted=wanted)
        return run

    @contextmanager
    def _server(self) -> Iterator[tuple[str, Path]]:
        journal = self.directory / f"{uuid4().hex}.journal"
        journal.touch()
        command = [sys.executable, "-m", "tests.support.twilio_server", "--journal", str(journal)]
        with subprocess.Popen(command, cwd=ROOT, env=_clean_environment(), stdout=subprocess.PIPE) as server:
            try:
                yield cast("IO[bytes]", server.stdout).readline().decode().strip(), journal
            finally:
                server.terminate()


def _clean_environment() -> dict[str, str]:
    """Ours without anybody's settings. Children may keep their bytecode: without it each would compile it anew."""
    foreign = ("BONEWISE_", "TWILIO_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


@contextmanager
def _durable_server() -> Iterator[PostgresServer]:
    """The tests' server, set up to keep what it is told: on disk, every commit synced, as for a clinic."""
    durable = ("shared_buffers=128MB", "listen_addresses=127.0.0.1")
    with patch.multiple(postgres_support, FAST=durable, _roomy_memory=lambda: None), running_server() as server:
        yield server


@contextmanager
def open_stage(sizes: Sizes) -> Iterator[Stage]:
    """A stage in a temporary folder, with PostgreSQL where there is one."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="bonewise-bench-")))
        postgres, why_not = None, ""
        try:
            postgres = stack.enter_context(_durable_server())
        except PostgresUnavailableError as unavailable:
            why_not = str(unavailable)
        yield Stage(directory, sizes, postgres, why_not)
