"""The header of a CSV file: its columns, what separates them, and whether they can be imported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from scheduler.services.intake.csv_records import Record, split_records
from scheduler.services.intake.draft import UnreadableFile
from scheduler.services.intake.fields import COLUMNS, REQUIRED, suggestion, word

ERROR_COLUMN = "error"  # what an errors file adds; read again, it is skipped
IGNORED = "-"  # a column that somebody said to leave out
_DELIMITERS = (",", ";", "\t", "|")  # Excel writes ; where the comma is the decimal sign
_MOST_NAMED = 5  # columns that are wrong in the same way; the others are counted
_OTHER_NAMES = {
    "patient_id": "mrn",
    "id": "mrn",
    "medical_record_number": "mrn",
    "patient_name": "name",
    "full_name": "name",
    "dob": "birth_date",
    "date_of_birth": "birth_date",
    "birthday": "birth_date",
    "mobile": "phone",
    "cell": "phone",
    "telephone": "phone",
    "phone_number": "phone",
    "mail": "email",
    "e_mail": "email",
    "lang": "language",
    "tz": "timezone",
    "zone": "timezone",
    "days": "exercise_days",
    "risks": "risk_factors",
}


@dataclass(frozen=True)
class Header:
    """`cells` as written, `columns` as understood (none blank at the end), `line` where the header ends."""

    cells: tuple[str, ...]
    columns: tuple[str, ...]
    delimiter: str
    line: int

    @cached_property
    def given(self) -> frozenset[str]:
        """The patient fields that this file speaks about."""
        return frozenset(self.columns) - {ERROR_COLUMN, IGNORED}

    @cached_property
    def error_at(self) -> int | None:
        """Where the `error` column of an earlier errors file stands, if this is one being imported again."""
        return self.columns.index(ERROR_COLUMN) if ERROR_COLUMN in self.columns else None


def read_header(path: Path, lines: Iterable[str]) -> Header:
    """Find the header in the first `lines` of a file; raises `UnreadableFile` with all its faults."""
    header = find_header(path, lines)
    if faults := _faults(header):
        raise UnreadableFile(f"{path}, line {header.line}: {'; '.join(faults)}")
    return header


def find_header(path: Path, lines: Iterable[str]) -> Header:
    """As `read_header`, whatever its columns are called; raises `UnreadableFile` when there is none."""
    lines = list(lines)
    if lines and "\r" in lines[0].rstrip("\r\n"):
        raise UnreadableFile(f'{path} has old Macintosh line ends; save it as "CSV UTF-8" and import that')
    skipped = 0
    delimiters: tuple[str, ...] = _DELIMITERS
    if lines and lines[0].lower().startswith("sep=") and len(lines[0].strip()) == len("sep=,"):
        skipped, delimiters = 1, (lines[0][4],)  # Excel's own hint at the delimiter
    candidates = [_candidate(lines[skipped:], delimiter, skipped) for delimiter in delimiters]
    headers = [header for header in candidates if header is not None]
    if not headers:
        raise UnreadableFile(f"{path} is empty; it needs a header line that names at least {' and '.join(REQUIRED)}")
    return max(headers, key=lambda header: (sum(map(_is_understood, header.columns)), len(header.columns)))


def with_columns(header: Header, places: Mapping[str, int]) -> Header:
    """The header with our columns at the places that somebody chose for them; all others are left out."""
    chosen = {place: column for column, place in places.items()}
    columns = [
        chosen.get(place, ERROR_COLUMN if name == ERROR_COLUMN else IGNORED)
        for place, name in enumerate(header.columns)
    ]
    return replace(header, columns=tuple(columns))


def likely_places(header: Header, remembered: Mapping[str, str]) -> dict[str, int]:
    """Where each of our columns probably stands: as it was the last time, by its name, or by one that is much alike.

    `remembered` has the column by heading, empty for one that was left out.
    """
    places: dict[str, int] = {}
    for column_of in (remembered.get, _by_name, _by_likeness):
        for place, name in enumerate(header.columns):
            was_left_out = remembered.get(name) == ""
            column = None if was_left_out else column_of(name)
            if column and column not in places and place not in places.values():
                places[column] = place
    return places


def _by_name(name: str) -> str | None:
    return name if name in COLUMNS else _OTHER_NAMES.get(name)


def _by_likeness(name: str) -> str | None:
    close = get_close_matches(name, (*COLUMNS, *_OTHER_NAMES), n=1, cutoff=0.8)
    return _by_name(close[0]) if close else None


def _candidate(lines: list[str], delimiter: str, skipped: int) -> Header | None:
    record: Record | None = next(split_records(lines, delimiter), None)
    if record is None:
        return None
    columns = [word(cell) for cell in record.cells]
    while columns and not columns[-1]:
        columns.pop()
    breaks = sum(cell.count("\n") for cell in record.cells)
    return Header(record.cells, tuple(columns), delimiter, skipped + record.line + breaks)


def _is_understood(column: str) -> bool:
    return column in COLUMNS or column in _OTHER_NAMES


def _faults(header: Header) -> list[str]:
    columns = header.columns
    if not any(map(_is_understood, columns)):
        start = (
            "JSON; import it with --format fhir"
            if header.cells[0].lstrip().startswith(("{", "["))
            else f"no header; the first line has to name the columns: {', '.join(COLUMNS)}"
        )
        return [f"this is {start}"]
    faults = [f"the column {name} is missing, and every row needs it" for name in REQUIRED if name not in columns]
    repeated = [(name, count) for name, count in Counter(columns).items() if count > 1]
    faults += [
        f"the column {name[:40] or '(without a name)'} stands there {count} times; keep one"
        for name, count in repeated[:_MOST_NAMED]
    ]
    if len(repeated) > _MOST_NAMED:
        faults.append(_and_more(len(repeated), "stand there more than once"))
    unknown = [name for name in dict.fromkeys(columns) if name and name not in (*COLUMNS, ERROR_COLUMN)]
    faults += [f'"{name[:40]}" is not a column{_meant(name)}; rename or remove it' for name in unknown[:_MOST_NAMED]]
    if len(unknown) > _MOST_NAMED:
        faults.append(_and_more(len(unknown), "are not columns"))
    if columns.count("") == 1:
        faults.append(f"column {columns.index('') + 1} has no name; name or remove it")
    if unknown:
        faults.append(f"the columns are {', '.join(COLUMNS)}")
    return faults


def _and_more(count: int, what: str) -> str:
    return f"in all {count:,} names {what}"


def _meant(name: str) -> str:
    if other := _OTHER_NAMES.get(name):
        return f' (perhaps "{other}"?)'
    close = suggestion(name, COLUMNS)
    return f" ({close.removeprefix('; ')})" if close else ""
