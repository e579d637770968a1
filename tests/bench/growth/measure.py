"""What a tick costs in a database of some size: with a thousand patients due, and with nothing to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from statistics import median

from scheduler.bootstrap import App
from scheduler.services.plan import BATCH
from tests.bench.growth.fill import COHORTS, DUE_AT_ONCE, due_at, grow
from tests.bench.laps import Run
from tests.bench.ours import open_worker

_IDLE_TICKS = 100
_LOOKS = 5  # at each cohort


def fill(*, database: str, size: int) -> Run:
    """Bring the installation to its size."""
    run = Run()
    with run.lap("fill", done=size):
        grow(database, size=size)
    return run


def ticks(*, environment: dict[str, str]) -> Run:
    """Each cohort in turn becomes due: look, claim and let go, then a whole tick with a null sender.

    `values` are medians in milliseconds: by the clock, and of this process's own processor time (`_cpu`).
    """
    run, (app, clock) = Run(), open_worker(environment, at=due_at(0) - timedelta(seconds=30), null_sender=True)
    _idle(app)  # the first ones fill caches and prepare statements
    idle, scan, claim, whole = _idle(app), [], [], []
    for cohort in range(COHORTS):
        clock.at = due_at(cohort)
        scan += [_timed(lambda: _scan(app)) for _ in range(_LOOKS)]
        claim += [_timed(lambda: _claim(app, run)) for _ in range(_LOOKS)]
        whole.append(_timed(lambda: _tick(app, run, wanted=DUE_AT_ONCE)))
    idle += _idle(app)
    app.close()
    for name, taken in (("scan", scan), ("claim", claim), ("tick", whole), ("idle", idle)):
        run.values[name] = median(wall for wall, _ in taken)
        run.values[f"{name}_cpu"] = median(cpu for _, cpu in taken)
    return run


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    """Milliseconds by the clock and of the processor."""
    started, cpu = time.perf_counter(), time.process_time()
    work()
    return 1000 * (time.perf_counter() - started), 1000 * (time.process_time() - cpu)


def _idle(app: App) -> list[tuple[float, float]]:
    """Ticks that find nothing."""
    run = Run()
    taken = [_timed(lambda: _tick(app, run, wanted=0)) for _ in range(_IDLE_TICKS)]
    if run.faults:
        raise AssertionError(f"a tick that was to be idle: {run.faults[0]}")
    return taken


def _tick(app: App, run: Run, *, wanted: int) -> None:
    run.expect("messages sent by a tick", found=app.ticker.tick().sent, wanted=wanted)


def _scan(app: App) -> None:
    with app.store.reading() as unit:
        unit.gauges.due(app.clock.now())


class _LetGoError(Exception):
    """Rolls the transaction back."""


def _claim(app: App, run: Run) -> None:
    with suppress(_LetGoError), app.store.writing() as unit:
        due = unit.patients.claim_due(app.clock.now(), limit=BATCH, clinics=unit.installation.clinics())
        if len(due) != BATCH:
            run.faults.append(f"patients claimed: {len(due)}, not {BATCH}")
        raise _LetGoError
