"""What a tick costs among ever more patients, a thousand of whom are due."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench import figures, text
from tests.bench.databases import Patients
from tests.bench.growth.fill import SEEDS
from tests.bench.laps import Run
from tests.bench.report import Reached
from tests.bench.stage import Stage

QUICK = (10_000, 20_000)
FULL = (10_000, 200_000)
LARGE = (10_000, 1_000_000)
HUGE = (10_000, 1_000_000, 10_000_000)
_FILL_SECONDS = 7_200


@dataclass(frozen=True)
class Grown:
    """One database of one size; times in milliseconds, medians. `cpu` is of this process in a tick."""

    database: str
    patients: int
    scan: float
    claim: float
    tick: float
    tick_cpu: float
    idle: float
    idle_cpu: float
    faults: tuple[str, ...]


def measure(stage: Stage, sizes: Sequence[int], databases: Sequence[str]) -> list[Grown]:
    """Fill and measure a database of each size on each of `databases`, one after another."""
    return [_measure(stage, database, size) for size in sizes for database in databases]


def _measure(stage: Stage, database: str, size: int) -> Grown:
    since = time.monotonic()
    print(f"growth: {size:,} patients, {database}", end="", file=sys.stderr, flush=True)
    made = stage.databases
    seeded = made.due_sqlite if database == "SQLite" else made.due_postgres
    url = seeded(Patients.TOGETHER, patients=SEEDS)
    try:
        run = stage.measure_within(_FILL_SECONDS, "growth.measure:fill", database=url, size=size)
        if not run.faults:
            run = stage.measure("growth.measure:ticks", environment=made.environment(url))
    finally:
        made.drop(url)
    grown = _grown(database, size, run)
    # At once: a run of an hour that is broken off has then shown what it had.
    shown = f"scan {grown.scan:.3g}, claim {grown.claim:.3g}, tick {grown.tick:.3g}, idle {grown.idle:.3g} ms"
    print(f", {time.monotonic() - since:.1f} s: {shown}", file=sys.stderr)
    return grown


def _grown(database: str, size: int, run: Run) -> Grown:
    values = {name: run.values.get(name, 0.0) for name in ("scan", "claim", "tick", "tick_cpu", "idle", "idle_cpu")}
    return Grown(database, size, **values, faults=tuple(run.faults))


def table(grown: Sequence[Grown]) -> str:
    """Milliseconds, with the processor time of the measured process beside them."""
    rows = [
        [
            f"{one.patients:,}, {one.database}",
            *(text.number(value) for value in (one.scan, one.claim, one.tick, one.tick_cpu, one.idle, one.idle_cpu)),
        ]
        for one in grown
    ]
    headings = ["patients", "due scan ms", "claim 500 ms", "tick ms", "its CPU ms", "idle tick ms", "its CPU ms"]
    return text.table(headings, rows)


def targets(grown: Sequence[Grown]) -> list[Reached]:
    """The largest database against the smallest, and the dearest idle tick, of each kind of database."""
    found = []
    for database in sorted({one.database for one in grown}):
        sizes = [one for one in grown if one.database == database and not one.faults]
        if len(sizes) < 2:
            continue
        small, large = sizes[0], sizes[-1]
        against = f"{small.patients:,} patients, {database}"
        bars = figures.SCAN_AT_LEAST, figures.SCAN_AIM
        for what, ratio in (
            ("due scan and claim", (large.scan + large.claim) / (small.scan + small.claim)),
            ("tick, 1,000 due", large.tick / small.tick),
        ):
            named = f"{what}, {large.patients:,} patients"
            found.append(Reached(named, against, ratio, *bars, less_is_better=True))
        idle = max(one.idle for one in sizes)
        found.append(
            Reached("idle tick in ms", database, idle, figures.IDLE_MS, figures.IDLE_MS, less_is_better=True)
        )
    return found


def faults(grown: Sequence[Grown]) -> list[str]:
    return [f"growth, {one.patients:,} patients, {one.database}: {fault}" for one in grown for fault in one.faults]
