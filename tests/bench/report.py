"""From many runs to the figures that people and programs read: medians, ratios, tables, a JSON document."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Any

from tests.bench.figures import Shown, Table, Target
from tests.bench.laps import Run, Taken

Runs = Mapping[str, Sequence[Run]]

_PACKAGES = (
    "apscheduler", "asyncpg", "celery", "jinja2", "pgqueuer", "procrastinate", "psycopg", "pycurl", "sqlalchemy",
    "twilio",
)  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """The medians of one line. `ratio` is the table's first rate over this one, or None on that line itself.

    `first` and `last` are the seconds until the provider took that message; `lost` and `doubled` are sums over
    all rounds, of `wanted` messages.
    """

    label: str
    rate: float
    cpu_per_1000: float
    peak_mb: float
    ratio: float | None
    first: float | None = None
    last: float | None = None
    wanted: int = 0
    lost: int | None = None
    doubled: int | None = None


@dataclass(frozen=True)
class Reached:
    """One target and what came of it. `by_cpu` is the other's processor time per message over ours, where known."""

    what: str
    against: str
    reached: float
    at_least: float | None
    aim: float | None
    by_cpu: float | None = None
    less_is_better: bool = False

    @property
    def verdict(self) -> str:
        if _meets(self.reached, self.aim, self.less_is_better):
            return "aim"
        if self.at_least is None:
            return "below"
        return "reached" if _meets(self.reached, self.at_least, self.less_is_better) else "MISSED"


def _meets(reached: float, bar: float | None, less_is_better: bool) -> bool:
    if bar is None:
        return False
    return reached <= bar if less_is_better else reached >= bar


def figures(table: Table, runs: Runs) -> list[Figure]:
    """The lines of a table that were measured. Without the first there is nothing to compare the others to."""
    ours = _rate(table.ours, runs)
    return [one for shown in table.lines if (one := _figure(shown, runs, ours, shown == table.ours)) is not None]


def reached(targets: Iterable[Target], runs: Runs) -> list[Reached]:
    """What came of the targets for which both sides were measured."""
    found = []
    for target in targets:
        ours, other = _rate(target.ours, runs), _rate(target.other, runs)
        if ours and other:
            against, by_cpu = (
                target.other.name or target.other.label,
                _cpu(target.other, runs) / _cpu(target.ours, runs),
            )
            found.append(Reached(target.what, against, ours / other, target.at_least, target.aim, by_cpu))
    return found


def _rate(shown: Shown, runs: Runs) -> float | None:
    rates = [_lap_rate(run, shown.lap) for run in runs.get(shown.case, ()) if shown.lap in run.laps]
    return median(rates) if rates else None


def _cpu(shown: Shown, runs: Runs) -> float:
    """Processor time of a unit, in seconds."""
    return median(
        run.laps[shown.lap].cpu / run.laps[shown.lap].done for run in runs[shown.case] if shown.lap in run.laps
    )


def _lap_rate(run: Run, lap: str) -> float:
    """Units a second; a message that was lost was not sent."""
    measured = run.laps[lap]
    lost = run.taken.lost if run.taken is not None and lap == "spike" else 0
    return (measured.done - lost) / measured.seconds


def _figure(shown: Shown, runs: Runs, ours: float | None, is_ours: bool) -> Figure | None:
    rate = _rate(shown, runs)
    if rate is None:
        return None
    measured = [run for run in runs[shown.case] if shown.lap in run.laps]
    return Figure(
        label=shown.label,
        rate=rate,
        cpu_per_1000=1000 * _cpu(shown, runs),
        peak_mb=median(run.peak_mb for run in measured),
        ratio=None if is_ours or ours is None else ours / rate,
        **_of_journal([run.taken for run in measured if run.taken is not None] if shown.lap != "add" else []),
    )


def _of_journal(taken: Sequence[Taken]) -> dict[str, Any]:
    if not taken:
        return {}
    times = [(one.first, one.last) for one in taken if one.first is not None and one.last is not None]
    return {
        "first": median(first for first, _ in times) if times else None,
        "last": median(last for _, last in times) if times else None,
        "wanted": sum(one.wanted for one in taken),
        "lost": sum(one.lost for one in taken),
        "doubled": sum(one.doubled for one in taken),
    }


def machine(postgres: str, sizes: object) -> dict[str, Any]:
    """Where it was measured, in general terms."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "postgresql": postgres,
        "packages": {name: found for name in _PACKAGES if (found := _version(name)) is not None},
        "sizes": sizes,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def faults(runs: Runs, tables: Iterable[Table]) -> list[str]:
    """What went wrong in any run: work left undone, and of our own also what was lost or doubled."""
    own = {shown.case for table in tables for shown in table.lines if not shown.is_peer}
    found = [f"{name}: {fault}" for name, several in runs.items() for run in several for fault in run.faults]
    for name in sorted(own & runs.keys()):
        lost = sum(run.taken.lost for run in runs[name] if run.taken is not None)
        doubled = sum(run.taken.doubled for run in runs[name] if run.taken is not None)
        found += [f"{name}: {lost} messages lost"] if lost else []
        found += [f"{name}: {doubled} messages doubled"] if doubled else []
    return sorted(set(found))


def as_json(
    tables: Mapping[str, Sequence[Figure]], targets: Sequence[Reached], runs: Runs, where: dict[str, Any]
) -> dict[str, Any]:
    return {
        "machine": where,
        "tables": {title: [asdict(figure) for figure in found] for title, found in tables.items()},
        "targets": [asdict(one) | {"verdict": one.verdict} for one in targets],
        "runs": {name: [run.as_json() for run in several] for name, several in runs.items()},
    }
