"""Patients from a CSV file, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from scheduler.services.intake.assemble import draft_from_cells
from scheduler.services.intake.csv_header import (
    ERROR_COLUMN,
    IGNORED,
    Header,
    find_header,
    read_header,
    with_columns,
)
from scheduler.services.intake.csv_records import MAX_LINES, Record, split_records
from scheduler.services.intake.draft import IntakeDefaults, PatientDraft, Rejected, Row, RowError
from scheduler.services.intake.duplicates import first_of_its_mrn
from scheduler.services.intake.formulas import original
from scheduler.services.intake.text_files import TextFile, examine

MAX_LINE_BYTES = 1_000_000


class CsvRows:
    """The rows of one CSV file, read once and never held in memory all together.

    `header` and `lines` (physical lines, for showing progress) are known before the first row.
    """

    def __init__(self, file: TextFile, defaults: IntakeDefaults, *, places: Mapping[str, int] | None = None) -> None:
        start = islice(file.read(), MAX_LINES)
        self.header: Header = (
            read_header(file.path, start) if places is None else with_columns(find_header(file.path, start), places)
        )
        self.lines = file.lines
        self._rows = self._parse(file, defaults)

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        return next(self._rows)

    def _parse(self, file: TextFile, defaults: IntakeDefaults) -> Iterator[Row]:
        header = self.header
        seen: dict[str, int] = {}
        body = islice(file.read(), header.line, None)
        for record in split_records(body, header.delimiter):
            if not any(map(str.strip, record.cells)):
                continue
            yield first_of_its_mrn(_row(record, header, defaults), seen)


def read_csv(path: Path, *, defaults: IntakeDefaults, places: Mapping[str, int] | None = None) -> CsvRows:
    """Read a list of patients; the columns are `fields.COLUMNS`, in any order, `mrn` and `name` required.

    With `places`, which column is which is not read from the header: they say where each of ours stands, from 0.

    Gives a draft or a rejection for each row that is not blank. Raises `UnreadableFile` at once, before the
    first row, when the file as a whole cannot be imported: not UTF-8, not text, a column missing, unknown or
    named twice.
    """
    return CsvRows(examine(path, max_line_bytes=MAX_LINE_BYTES), defaults, places=places)


def _row(record: Record, header: Header, defaults: IntakeDefaults) -> PatientDraft | Rejected:
    line = header.line + record.line
    cells = record.cells if header.error_at is None else tuple(map(original, record.cells))
    if fault := record.fault or _miscounted(cells, header):
        return Rejected(line=line, errors=(RowError(line, "", "", fault),), raw=cells)
    named = dict(zip(header.columns, cells, strict=False))
    named.pop(ERROR_COLUMN, None)
    named.pop(IGNORED, None)
    return draft_from_cells(named, defaults=defaults, line=line, raw=cells, given=header.given)


def _miscounted(cells: tuple[str, ...], header: Header) -> str | None:
    wanted, found = len(header.columns), len(cells)
    if found == wanted or (found > wanted and not any(map(str.strip, cells[wanted:]))):
        return None
    if found < wanted:
        return f"the row has {found} cells, the header {wanted} columns; the row may be cut short"
    quoted = f'put cells that contain "{header.delimiter}" in quotation marks'
    return f"the row has {found} cells, the header {wanted} columns; {quoted}"
