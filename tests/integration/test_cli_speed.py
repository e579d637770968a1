"""A command line that answers at once: what a short command loads, and the processor time it takes."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import MAIN, ROOT
from tests.support.commands import CLINIC, Commands, ready

# Each costs more than a short command should.
HEAVY = {"sqlalchemy", "cryptography", "jinja2", "yaml", "alembic", "twilio", "fastapi", "uvicorn", "phonenumbers"}
ONLY_ELSEWHERE = {
    *("alembic", "apscheduler", "fastapi", "phonenumbers", "psycopg", "pydantic", "pyphen", "starlette", "twilio"),
    *("urllib3", "uvicorn", "sqlalchemy.dialects.postgresql", "smtplib"),
}
TELL_MODULES = f"import atexit, sys\natexit.register(lambda: print(*sys.modules, file=sys.stderr))\n{MAIN}"


@pytest.fixture
def bonewise(tmp_path: Path) -> Commands:
    return ready(tmp_path)


def run(commands: Commands, *arguments: str, program: str = MAIN) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=commands.folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )


def loaded(commands: Commands, *arguments: str) -> set[str]:
    return set(run(commands, *arguments, program=TELL_MODULES).stderr.split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["import", "--help"], ["serve", "--help"]], ids=" ".join
)
def test_help_loads_nothing_heavy(arguments: list[str], bonewise: Commands) -> None:
    modules = loaded(bonewise, *arguments)
    assert "scheduler.cli.group" in modules
    assert not modules & HEAVY
    assert not {
        name for name in modules if name.startswith(("scheduler.services", "scheduler.store", "scheduler.web"))
    }


@pytest.mark.parametrize("arguments", [["tick"], ["patients", "--clinic", CLINIC], ["status"]], ids=" ".join)
def test_a_short_command_loads_no_other_database_no_web_and_no_provider(
    arguments: list[str], bonewise: Commands
) -> None:
    modules = loaded(bonewise, *arguments)
    assert "sqlalchemy" in modules
    assert not modules & ONLY_ELSEWHERE


def seconds(commands: Commands, *arguments: str) -> float:
    """The least processor time, user and system, of some runs: others on the machine only ever add to it."""
    taken = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run(commands, *arguments)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken)


@pytest.mark.alone
def test_help_takes_less_than_three_tenths_of_a_second(bonewise: Commands) -> None:
    assert seconds(bonewise, "--help") < 0.3


@pytest.mark.alone
def test_an_idle_tick_takes_less_than_a_second(bonewise: Commands) -> None:
    assert seconds(bonewise, "tick") < 1.0
