"""Figures as tables that are read in a terminal and in Markdown alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.bench.report import Figure, Reached

Row = Sequence[str]


def table(headings: Row, rows: Iterable[Row]) -> str:
    """A Markdown table, its columns aligned; all but the first to the right."""
    cells = [list(headings), *map(list, rows)]
    widths = [max(3, *(len(row[at]) for row in cells)) for at in range(len(headings))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [_line(row, widths) for row in cells]
    return "\n".join([lines[0], f"| {' | '.join(rule)} |", *lines[1:]])


def _line(row: Row, widths: Sequence[int]) -> str:
    first = row[0].ljust(widths[0])
    return (
        "| "
        + " | ".join([first, *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))])
        + " |"
    )


def of_figures(unit: str, figures: Sequence[Figure]) -> str:
    """Rates beside each other, and where messages went to a provider also what its journal shows."""
    headings = [f"{unit}", "per second", "Bonewise is", "CPU s / 1,000", "peak MB"]
    has_journal = any(one.lost is not None for one in figures)
    if has_journal:
        headings += ["first s", "last s", "of", "lost", "doubled"]
    return table(headings, [_figure_row(one, has_journal) for one in figures])


def _figure_row(one: Figure, has_journal: bool) -> list[str]:
    row = [
        one.label,
        number(one.rate),
        "" if one.ratio is None else f"{number(one.ratio)} x",
        number(one.cpu_per_1000),
        f"{one.peak_mb:,.0f}",
    ]
    if not has_journal:
        return row
    if one.lost is None:
        return [*row, "", "", "", "", ""]
    times = ["" if at is None else f"{at:.2f}" for at in (one.first, one.last)]
    return [*row, *times, f"{one.wanted:,}", f"{one.lost:,}", f"{one.doubled:,}"]


def of_targets(targets: Sequence[Reached]) -> str:
    """What was to be reached, and what was."""
    rows = [
        [
            f"{one.what}: {one.against}",
            number(one.reached),
            _bar(one.at_least),
            _bar(one.aim),
            one.verdict,
            "" if one.by_cpu is None else number(one.by_cpu),
        ]
        for one in targets
    ]
    return table(["ours against", "reached", "at least", "aim", "", "by CPU"], rows)


def _bar(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def number(value: float) -> str:
    """Three digits that mean something, no more."""
    if value >= 1000:
        return f"{round(value, -len(str(int(value))) + 3):,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"
