"""The loads that are measured, and what is told of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.bench import text
from tests.bench.inbound.measure import Came, Round, measure
from tests.bench.stage import Stage

TEXTS, SECONDS = {"PostgreSQL": 400.0, "SQLite": 200.0}, 30.0  # what one web process has to hold
P99 = 0.250  # seconds
_MORE = (1.0, 1.5, 2.0, 4.0)  # times that: how far it goes, and how it refuses what is beyond


def rounds(databases: Sequence[str], *, quick: bool) -> list[Round]:
    """Every load, the required one first and for its full time."""
    seconds, more = (5.0, (1.0, 4.0)) if quick else (SECONDS, _MORE)
    found = [
        Round(database, "web", TEXTS[database] * times, seconds if times == 1 else min(seconds, 10.0))
        for database in databases
        for times in more
    ]
    return found + [Round(database, "serve", TEXTS[database], min(seconds, 10.0)) for database in databases]


def run(stage: Stage, databases: Sequence[str], *, quick: bool) -> list[Came]:
    """Measure each load on a fresh database."""
    found = []
    for number, one in enumerate(rounds(databases, quick=quick)):
        print(f"inbound: {_name(one)}", end="", file=sys.stderr, flush=True)
        found.append(measure(stage, one, number=number))
        print(f", p99 {1000 * found[-1].p99:.0f} ms", file=sys.stderr)
    return found


def table(found: Sequence[Came]) -> str:
    """One line a load; times in milliseconds, counted from when each text was due."""
    headings = ["texts/s, process", "s", "taken", "refused", "failed", "p50 ms", "p99 ms", "longest", "refused p99",
                "CPU s / 1,000", "understood after s"]  # fmt: skip
    rows = [
        [
            _name(one.of),
            text.number(one.of.seconds),
            f"{one.taken:,}",
            f"{one.refused:,}",
            f"{one.failed:,}",
            *(text.number(1000 * seconds) for seconds in (one.p50, one.p99, one.longest, one.refused_p99)),
            text.number(one.cpu),
            text.number(one.understood_after),
        ]
        for one in found
    ]
    return text.table(headings, rows)


def faults(found: Sequence[Came]) -> list[str]:
    """What was lost or doubled. Slow figures are no fault."""
    return [f"{_name(one.of)}: {fault}" for one in found for fault in one.faults]


def verdicts(found: Sequence[Came]) -> list[str]:
    """Whether each database holds what it has to."""
    told = []
    for one in found:
        if one.of.command == "web" and one.of.rate == TEXTS[one.of.database]:
            holds = one.p99 <= P99 and not one.refused and not one.failed
            word = "holds" if holds else "does NOT hold"
            told.append(f"{_name(one.of)} for {one.of.seconds:.0f} s: {word} p99 under {1000 * P99:.0f} ms")
    return told


def _name(one: Round) -> str:
    return f"{one.rate:,.0f}/s, {one.database}, {one.command}"
