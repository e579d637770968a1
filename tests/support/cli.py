"""The command line as a real process, and as one that is ready to fork when many runs are wanted.

`Cli` starts Python anew for each command. `ReadyCli` starts it once, under libfaketime, loads the program and
forks for each command: still one process per run that shares nothing with the run before it but loaded modules,
at a time of the test's choosing and without paying for the imports each time.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn, Self

ROOT = Path(__file__).resolve().parents[2]
MAIN = "from scheduler.cli import main; main()"
_TOO_LONG = 120  # seconds

# What commands import when they run; loaded before the fork.
_LOADED = (
    "alembic.command",
    "scheduler.bootstrap",
    "scheduler.catalogue.pathway_files",
    "scheduler.catalogue.reply_words",
    "scheduler.catalogue.task_kinds",
    "scheduler.catalogue.templates",
    "scheduler.channels.smtp",
    "scheduler.channels.twilio",
    "scheduler.cli.running",
    "scheduler.services.importing",
    "scheduler.services.intake.csv_rows",
    "scheduler.services.intake.fhir_patients",
    "scheduler.services.tick",
    "scheduler.store.migrate",
    "scheduler.store.unit",
    "sqlalchemy.dialects.postgresql.psycopg",
)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on standard output."""
        return json.loads(self.out)


class CommandFailedError(AssertionError):
    """A command that a test relies on did not end with 0."""

    def __init__(self, args: tuple[str, ...], ran: Ran) -> None:
        super().__init__(f"bonewise {' '.join(args)} ended with {ran.code}\n{ran.err[-4000:]}{ran.out[-1000:]}")


@dataclass(frozen=True, slots=True)
class Cli:
    """Commands in `folder`, with `settings` as their environment and none of the test's own."""

    folder: Path
    settings: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("BONEWISE_", "TWILIO_"))}
        return {**kept, "PYTHONPATH": str(ROOT), "TZ": "UTC", **self.settings}

    def run(self, *args: str, at: datetime | None = None) -> Ran:
        """Run a command to its end, with `at` as if it started then; whatever it ends with."""
        done = subprocess.run(
            [sys.executable, "-c", MAIN, *args],
            cwd=self.folder,
            env=self.environment if at is None else {**self.environment, **fake_time(at)},
            capture_output=True,
            text=True,
            timeout=_TOO_LONG,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def __call__(self, *args: str, at: datetime | None = None) -> Ran:
        """Run a command that has to succeed. Raises `CommandFailedError`."""
        ran = self.run(*args, at=at)
        if ran.code != 0:
            raise CommandFailedError(args, ran)
        return ran

    def start(self, *args: str, at: datetime | None = None) -> subprocess.Popen[str]:
        """Start a command and leave it running."""
        return subprocess.Popen(
            [sys.executable, "-c", MAIN, *args],
            cwd=self.folder,
            env=self.environment if at is None else {**self.environment, **fake_time(at)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def fake_time(at: datetime | None) -> dict[str, str]:
    """The environment of a process that believes it is `at`; None: that libfaketime leaves alone for now."""
    library = fake_time_library()
    if library is None:
        raise RuntimeError("no libfaketime here: check `fake_time_library` first")
    preloaded = {
        "LD_PRELOAD": str(library),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # else every wait for Python's own lock ends at once, and spins
    }
    return preloaded if at is None else {**preloaded, "FAKETIME": _offset(at)}


def fake_time_library() -> Path | None:
    """The library that fakes the time, from the package libfaketime; None where there is none (only Linux has it)."""
    found = find_spec("libfaketime")
    if found is None or found.origin is None:
        return None
    library = Path(found.origin).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
    return library if library.is_file() else None


def _offset(at: datetime) -> str:
    # As an offset: the clock goes on from there. An absolute time would be read in the machine's zone.
    return f"{at.timestamp() - time.time():+.3f}"


class ReadyCli:
    """A process that forks for every command. Use as a context manager."""

    def __init__(self, cli: Cli) -> None:
        self._cli = cli
        self._process: subprocess.Popen[str]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=self._cli.folder,
            env={**self._cli.environment, **fake_time(None), "FAKETIME_NO_CACHE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(_TOO_LONG)
        self._process.stdout.close()

    def __call__(self, *args: str, at: datetime | None = None) -> Ran:
        """Run a command that has to succeed, with `at` as if it started then. Raises `CommandFailedError`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"args": args, "offset": "+0" if at is None else _offset(at)}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise AssertionError(f"the process that runs commands ended with {self._process.wait(5)}")
        ran = Ran(**json.loads(answer))
        if ran.code != 0:
            raise CommandFailedError(args, ran)
        return ran


def _serve_forks() -> None:
    for name in _LOADED:
        importlib.import_module(name)
    gc.freeze()  # else each child's first collection copies every page
    out, err = Path("forked.out"), Path("forked.err")
    for line in sys.stdin:
        wanted = json.loads(line)
        child = os.fork()
        if child == 0:
            _run_here(wanted["args"], wanted["offset"], out, err)
        _, status = os.waitpid(child, 0)
        ran = {"code": os.waitstatus_to_exitcode(status), "out": out.read_text(), "err": err.read_text()}
        sys.stdout.write(json.dumps(ran) + "\n")
        sys.stdout.flush()


def _run_here(args: list[str], offset: str, out: Path, err: Path) -> NoReturn:
    """In the child: become the command."""
    for path, descriptor in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
    os.environ["FAKETIME"] = offset
    sys.argv = ["bonewise", *args]
    code = 1
    try:
        from scheduler.cli import main

        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve_forks()
