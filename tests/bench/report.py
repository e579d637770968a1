"""From many runs to the figures that people and programs read: medians, ratios, a table, a JSON document."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median
from typing import Any

from tests.bench.cases import Comparison, Shown
from tests.bench.laps import Run

Runs = Mapping[str, Sequence[Run]]

_PACKAGES = ("apscheduler", "jinja2", "psycopg", "sqlalchemy", "twilio", "urllib3")
_HEADINGS = ("", "per second", "Bonewise is", "CPU s / 1,000", "peak MB")
_WIDTHS = (52, 12, 13, 15, 9)


@dataclass(frozen=True)
class Figure:
    """The medians of one line. `ratio` is the service's rate over this one, or None on its own line."""

    label: str
    rate: float
    cpu_per_1000: float
    peak_mb: float
    ratio: float | None


@dataclass(frozen=True)
class Group:
    """One comparison with its figures, the service's own first."""

    title: str
    unit: str
    figures: tuple[Figure, ...]


def groups(comparisons: Iterable[Comparison], runs: Runs) -> list[Group]:
    """The comparisons that were measured, each line the median of its runs."""
    found = []
    for one in comparisons:
        ours = _figure(one.ours, runs, None)
        if ours is not None:
            others = [figure for shown in one.others if (figure := _figure(shown, runs, ours.rate)) is not None]
            found.append(Group(one.title, one.unit, (ours, *others)))
    return found


def _figure(shown: Shown, runs: Runs, ours: float | None) -> Figure | None:
    measured = [run for run in runs.get(shown.case, ()) if shown.lap in run.laps]
    if not measured:
        return None
    laps = [run.laps[shown.lap] for run in measured]
    rate = median(lap.rate for lap in laps)
    return Figure(
        label=shown.label,
        rate=rate,
        cpu_per_1000=median(1000 * lap.cpu / lap.done for lap in laps),
        peak_mb=median(run.peak_mb for run in measured),
        ratio=None if ours is None else ours / rate,
    )


def table(found: Iterable[Group]) -> str:
    """The figures as aligned text."""
    lines = [_line(*_HEADINGS)]
    for group in found:
        lines.append(f"\n{group.title}: {group.unit}")
        for figure in group.figures:
            lines.append(
                _line(
                    f"  {figure.label}",
                    _number(figure.rate),
                    "" if figure.ratio is None else f"{_number(figure.ratio)} x",
                    _number(figure.cpu_per_1000),
                    f"{figure.peak_mb:,.0f}",
                )
            )
    return "\n".join(lines)


def _line(*cells: str) -> str:
    first, *rest = zip(cells, _WIDTHS, strict=True)
    return (f"{first[0]:<{first[1]}}" + "".join(f"{cell:>{width}}" for cell, width in rest)).rstrip()


def _number(value: float) -> str:
    """Three digits that mean something, no more."""
    if value >= 1000:
        return f"{round(value, -len(str(int(value))) + 3):,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def machine(postgres: str) -> dict[str, Any]:
    """Where it was measured, in general terms."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "postgresql": postgres,
        "packages": {name: version(name) for name in _PACKAGES},
    }


def faults(runs: Runs) -> list[str]:
    """What was lost, doubled or left undone, in any run."""
    return sorted({f"{name}: {fault}" for name, several in runs.items() for run in several for fault in run.faults})


def as_json(found: Iterable[Group], runs: Runs, where: dict[str, Any]) -> dict[str, Any]:
    return {
        "machine": where,
        "rounds": max((len(several) for several in runs.values()), default=0),
        "faults": faults(runs),
        "figures": [
            {
                "title": group.title,
                "unit": group.unit,
                "lines": [
                    {
                        "label": figure.label,
                        "per_second": figure.rate,
                        "cpu_seconds_per_1000": figure.cpu_per_1000,
                        "peak_mb": figure.peak_mb,
                        "ratio": figure.ratio,
                    }
                    for figure in group.figures
                ],
            }
            for group in found
        ],
        "runs": {name: [run.as_json() for run in several] for name, several in runs.items()},
    }
