"""What a tick costs in a database of some size: with a thousand patients due, and with nothing to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from statistics import median, quantiles

from scheduler.bootstrap import App
from scheduler.services.plan import BATCH
from tests.bench.clinic import StandingClock
from tests.bench.growth.fill import COHORTS, DUE_AT_ONCE, due_at, grow
from tests.bench.laps import Run
from tests.bench.ours import open_worker

_IDLE_TICKS = 100
_LOOKS = 9


def fill(*, database: str, size: int) -> Run:
    """Bring the installation to its size."""
    run = Run()
    with run.lap("fill", done=size):
        grow(database, size=size)
    return run


def ticks(*, environment: dict[str, str]) -> Run:
    """Each cohort in turn becomes due: look, claim and let go, then a whole tick with a null sender.

    `values` are milliseconds: medians over the cohorts, and of the idle ticks also the slowest in twenty.
    """
    clock = StandingClock(due_at(0) - timedelta(seconds=30))
    app = open_worker(environment, at=clock.at, null_sender=True, clock=clock)
    run = Run()
    _idle(app)  # the first ones fill caches and prepare statements
    idle, scan, claim, whole = _idle(app), [], [], []
    for cohort in range(COHORTS):
        clock.at = due_at(cohort)
        scan.append(_timed(lambda: _scan(app)))
        claim.append(_timed(lambda: _claim(app, run)))
        started = time.perf_counter()
        report = app.ticker.tick()
        whole.append(1000 * (time.perf_counter() - started))
        run.expect(f"messages sent to cohort {cohort}", found=report.sent, wanted=DUE_AT_ONCE)
    idle += _idle(app)
    app.close()
    run.values = {
        "scan": median(scan),
        "claim": median(claim),
        "tick": median(whole),
        "idle": median(idle),
        "slow idle": quantiles(idle, n=20)[-1],
    }
    return run


def _idle(app: App) -> list[float]:
    """Milliseconds of ticks that find nothing."""
    taken = []
    for _ in range(_IDLE_TICKS):
        started = time.perf_counter()
        report = app.ticker.tick()
        taken.append(1000 * (time.perf_counter() - started))
        if report.planned_patients or report.sent:
            raise AssertionError("a tick that was to be idle found work")
    return taken


def _timed(work: Callable[[], None]) -> float:
    """The median of some tries, in milliseconds."""
    taken = []
    for _ in range(_LOOKS):
        started = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - started))
    return median(taken)


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
