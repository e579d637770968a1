"""Splitting lines into CSV records (RFC 4180) so that a stray quotation mark costs one record only."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_LINES = 20  # a cell may hold line breaks, but no cell of ours holds a page


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `line` is its first physical line; `fault` says why `cells` are only a best guess."""

    line: int
    cells: tuple[str, ...]
    fault: str | None = None


def split_records(lines: Iterable[str], delimiter: str) -> Iterator[Record]:
    """Split `lines` (each with its line end) into records; blank lines are left out.

    The standard reader would let an unclosed quotation mark swallow the lines after it. Here such a line
    becomes a record with a fault, and reading goes on with the line after it.
    """
    source = iter(lines)
    waiting: deque[str] = deque()  # read ahead for a cell with a line break in it
    number = 0
    while True:
        line = waiting.popleft() if waiting else next(source, None)
        if line is None:
            return
        number += 1
        if '"' not in line:
            text = line.rstrip("\r\n")
            if text:
                yield Record(number, tuple(text.split(delimiter)))
            continue
        cells, used = _quoted(line, source, waiting, delimiter)
        if cells is None:
            stripped = line.rstrip("\r\n")
            yield Record(number, tuple(stripped.split(delimiter)), _QUOTE_FAULT)
            continue
        yield Record(number, cells)
        for _ in range(used):
            waiting.popleft()
        number += used


_QUOTE_FAULT = (
    "a quotation mark is opened and not closed, or closed in the middle of a cell; "
    'put the whole cell in quotation marks and write one inside it as ""'
)


def _quoted(
    line: str, source: Iterator[str], waiting: deque[str], delimiter: str
) -> tuple[tuple[str, ...] | None, int]:
    """The cells of the record that begins with `line`, or None, and how many waiting lines it takes."""
    text = line
    for used in range(MAX_LINES):
        # An even number of quotation marks is what closes every cell; only then is it worth splitting.
        if text.count('"') % 2 == 0:
            return _strict(text, delimiter), used
        if used == len(waiting):
            following = next(source, None)
            if following is None:
                break
            waiting.append(following)
        text += waiting[used]
    return None, 0


def _strict(text: str, delimiter: str) -> tuple[str, ...] | None:
    try:
        records = list(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return tuple(records[0]) if len(records) == 1 else None
