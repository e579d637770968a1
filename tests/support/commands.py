"""Commands of the command line run in this process, in a folder of their own: quick enough to try a hundred."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from scheduler.cli.group import cli
from scheduler.cli.output import run
from tests.support.cli import Ran

CLINIC = "river"


@dataclass(frozen=True, slots=True)
class Commands:
    """Runs commands in `folder`, with `settings` added to the environment."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *args: str | Path, given: str | bytes = b"") -> Ran:
        """Run a command to its end, whatever that is, with `given` on its standard input."""
        out, err = _stream(), _stream()
        with (
            chdir(self.folder),
            patch.dict(os.environ, self.settings),
            patch("sys.stdin", _stream(given.encode() if isinstance(given, str) else given)),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = run(cli, [str(argument) for argument in args])
        return Ran(code, _text(out), _text(err))

    def done(self, *args: str | Path) -> Ran:
        """Run a command that has to succeed."""
        ran = self(*args)
        assert ran.code == 0, ran
        return ran

    def given(self, **settings: str) -> Commands:
        """The same folder with other settings."""
        return Commands(self.folder, {**self.settings, **settings})

    def write(self, name: str, content: str | bytes) -> Path:
        """A file in the folder; text as UTF-8 with the line ends it has."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


def bare(folder: Path) -> Commands:
    """A folder in which nothing has been set up."""
    return Commands(folder)


def ready(folder: Path) -> Commands:
    """A folder with a database and one clinic, `CLINIC`, in New York."""
    shutil.copytree(Path(_template().name) / "var", folder / "var")
    return Commands(folder)


@cache
def _template() -> TemporaryDirectory[str]:
    """Made once for all tests of a process; goes away with it."""
    made = TemporaryDirectory(prefix="bonewise-")
    commands = Commands(Path(made.name))
    commands.done("init")
    commands.done(
        *("clinic", "add", "--code", CLINIC, "--name", "River Clinic", "--timezone", "America/New_York"),
        *("--sms-from", "+16175550100", "--email-from", "care@river.example"),
    )
    return made


def _stream(content: bytes = b"") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    binary = stream.buffer
    assert isinstance(binary, io.BytesIO)
    return binary.getvalue().decode()
