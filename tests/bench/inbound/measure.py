"""How many texts a second one web process takes in, and how soon it answers each.

What was answered 200 has to be in the database once, whatever the load; and a STOP that was has taken effect.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, func, select, text

from scheduler.store.tables import patients, replies
from tests.bench.databases import Patients
from tests.bench.inbound.texts import PATH, sid_of
from tests.bench.stage import ROOT, Stage, clean_environment

_UNDERSTOOD_WITHIN = 180  # seconds
_COMMAND = "from scheduler.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Round:
    """One load on one kind of database."""

    database: str
    command: str
    rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Came:
    """What came of it. Times in seconds; `cpu` is of the web process, in seconds a thousand texts."""

    of: Round
    taken: int
    refused: int
    failed: int
    p50: float
    p99: float
    longest: float
    refused_p99: float
    cpu: float
    understood_after: float  # seconds from the last answer until nothing waited
    faults: list[str] = field(default_factory=list)


def measure(stage: Stage, one: Round, *, number: int) -> Came:
    """A fresh database of `stage.sizes.patients`, one process, one load."""
    made = stage.databases
    url = (made.due_sqlite if one.database == "SQLite" else made.due_postgres)(Patients.TOGETHER)
    try:
        _nobody_is_due(url)
        with web(one.command, made.environment(url, twilio="http://127.0.0.1:1")) as (address, process):
            _load(address, Round(one.database, one.command, 20, 2), stage.sizes.patients, run=_run(number, 0))
            before = _cpu(process.pid)
            found = _load(address, one, stage.sizes.patients, run=_run(number, 1))
            cpu = _cpu(process.pid) - before
            after = _until_understood(url)
        faults = _faults(url, found, run=_run(number, 1))
    finally:
        made.drop(url)
    statuses = {int(status): count for status, count in found["statuses"].items()}
    taken = statuses.pop(200, 0)
    refused = statuses.pop(503, 0)
    return Came(
        of=one,
        taken=taken,
        refused=refused,
        failed=sum(statuses.values()),
        p50=found["p50"],
        p99=found["p99"],
        longest=found["max"],
        refused_p99=found["refused_p99"],
        cpu=1000 * cpu / max(1, taken + refused),
        understood_after=after,
        faults=faults,
    )


def _run(number: int, part: int) -> str:
    return f"{number:04x}{part:04x}"


def _nobody_is_due(url: str) -> None:
    """So that `serve` has only texts to do with, as at any minute of the day but one."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("UPDATE patients SET next_contact_at = NULL"))
    engine.dispose()


@contextmanager
def web(command: str, environment: dict[str, str]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`bonewise web` or `serve` in a process of its own; yields its address and the process."""
    process = subprocess.Popen(
        [sys.executable, "-c", _COMMAND, command, "--port", "0"],
        cwd=ROOT,
        env={**clean_environment(), **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.startswith("Bonewise is at "):
            raise RuntimeError(f"bonewise {command} did not start; its error is above")
        yield line.removeprefix("Bonewise is at ").strip(), process
    finally:
        process.terminate()
        process.wait(timeout=30)


def _load(address: str, one: Round, people: int, *, run: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.inbound.load", f"{address}{PATH}", "--rate", str(one.rate)]
    command += ["--seconds", str(one.seconds), "--patients", str(people), "--run", run]
    done = subprocess.run(command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"the load did not come to its end: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _until_understood(url: str) -> float:
    engine = create_engine(url, poolclass=NullPool)
    begun = time.monotonic()
    waiting = select(func.count()).select_from(replies).where(replies.c.look_at.is_not(None))
    while True:
        with engine.connect() as connection:
            left = connection.execute(waiting).scalar_one()
        if not left or time.monotonic() - begun > _UNDERSTOOD_WITHIN:
            engine.dispose()
            return time.monotonic() - begun
        time.sleep(0.2)


def _faults(url: str, found: dict[str, Any], *, run: str) -> list[str]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        ids = connection.execute(select(replies.c.provider_id).where(replies.c.provider_id.like(f"SM{run}%")))
        stored = list(ids.scalars())
        left = connection.execute(
            select(func.count()).select_from(replies).where(replies.c.look_at.is_not(None))
        ).scalar_one()
        stopped = connection.execute(
            select(func.count()).select_from(patients).where(patients.c.status == "stopped")
        ).scalar_one()
    engine.dispose()
    answered = {sid_of(run, number) for number in found["kept"]}
    faults = []
    if lost := answered - set(stored):
        faults.append(f"{len(lost)} texts that were answered 200 are not stored")
    if len(stored) != len(set(stored)):
        faults.append(f"{len(stored) - len(set(stored))} texts are stored twice")
    if stopped < len(found["stopped"]):
        faults.append(f"of {len(found['stopped'])} patients whose STOP was answered 200 only {stopped} are stopped")
    if left:
        faults.append(f"{left} texts were never understood")
    return faults


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
