"""What was found in a list, as it is kept with it: the first faults with their rows, and what is worth knowing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from scheduler.ports.uploads import Counts
from scheduler.services.importing import ImportReport
from scheduler.services.intake.draft import RowError

MOST_ERRORS = 200
MOST_WARNINGS = 50
_LONGEST_VALUE = 120  # characters


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a row. `value` is cut where it is long."""

    line: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problems:
    """The first of what was found, and how much there was."""

    errors: tuple[Problem, ...] = ()
    error_count: int = 0
    warnings: tuple[Problem, ...] = ()
    warning_count: int = 0
    ignored: Mapping[str, int] | None = None  # resources that are no Patients, by type
    notices: tuple[str, ...] = ()


def problems_of(report: ImportReport, *, ignored: Mapping[str, int], notices: Iterable[str]) -> Problems:
    """What a report says, cut to what people read."""
    return Problems(
        errors=_first(report.errors, MOST_ERRORS),
        error_count=len(report.errors),
        warnings=_first(report.warnings, MOST_WARNINGS),
        warning_count=len(report.warnings),
        ignored=dict(ignored),
        notices=tuple(notices)[:MOST_WARNINGS],
    )


def counts_of(report: ImportReport) -> Counts:
    """The figures of a report."""
    return Counts(
        created=report.created,
        updated=report.updated,
        unchanged=report.unchanged,
        rejected=report.rejected,
        excluded=report.excluded,
    )


def as_json(problems: Problems) -> str:
    return json.dumps(asdict(problems), ensure_ascii=False)


def from_json(kept: str | None) -> Problems:
    """What `as_json` was given; nothing when it is not kept any more."""
    if kept is None:
        return Problems()
    found = json.loads(kept)
    lists = {name: tuple(Problem(**one) for one in found[name]) for name in ("errors", "warnings")}
    return Problems(**{**found, **lists, "notices": tuple(found["notices"])})


def _first(found: list[RowError], most: int) -> tuple[Problem, ...]:
    return tuple(
        Problem(one.line, one.column, " ".join(one.value.split())[:_LONGEST_VALUE], one.reason)
        for one in found[:most]
    )
