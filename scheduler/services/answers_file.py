"""Scripted answers for the simulator, from a CSV file."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from datetime import date
from pathlib import Path

from scheduler.services.intake.draft import FieldError
from scheduler.services.intake.fields import parse_time
from scheduler.services.simulate import NOON, ScriptedAnswer

_REQUIRED = ("patient", "date", "reply")
_KNOWN = (*_REQUIRED, "time")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class AnswersFileError(ValueError):
    """The file of answers cannot be used. The text says where and why."""


def read_answers(path: Path) -> dict[str, list[ScriptedAnswer]]:
    """The answers by MRN. Columns: patient, date (YYYY-MM-DD), reply, and time (HH:MM, local) or noon.

    Separated by commas, or by semicolons as Excel writes them in some countries. Raises `AnswersFileError`.
    """
    answers: dict[str, list[ScriptedAnswer]] = defaultdict(list)
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            header = stream.readline()
            stream.seek(0)
            delimiter = ";" if header.count(";") > header.count(",") else ","
            reader = csv.reader(stream, delimiter=delimiter, strict=True)
            columns = _columns(path, next(reader, []))
            for cells in reader:
                if any(map(str.strip, cells)):
                    patient, answer = _answer(f"{path}:{reader.line_num}", columns, cells)
                    answers[patient].append(answer)
    except OSError as error:
        raise AnswersFileError(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise AnswersFileError(f'{path} is not UTF-8 text; save it as "CSV UTF-8" and use that') from error
    except csv.Error as error:
        place = f"{path}:{reader.line_num}"
        raise AnswersFileError(f"{place}: this is not CSV ({error}); look for a stray quotation mark") from error
    return dict(answers)


def _columns(path: Path, header: list[str]) -> list[str]:
    columns = [name.strip().lower() for name in header]
    if missing := [name for name in _REQUIRED if name not in columns]:
        raise AnswersFileError(
            f"{path}: the column {missing[0]} is missing; the first line has to name {', '.join(_REQUIRED)}"
        )
    if unknown := [name for name in columns if name not in _KNOWN]:
        raise AnswersFileError(f"{path}: '{unknown[0]}' is not a column; the columns are {', '.join(_KNOWN)}")
    return columns


def _answer(place: str, columns: list[str], cells: list[str]) -> tuple[str, ScriptedAnswer]:
    if len(cells) != len(columns):
        raise AnswersFileError(
            f"{place}: the row has {len(cells)} cells, the header {len(columns)} columns; "
            "put a reply that contains the separator in quotation marks"
        )
    row = {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
    for name in _REQUIRED:
        if not row[name]:
            raise AnswersFileError(f"{place}: the {name} is missing; every answer needs one")
    try:
        at = parse_time(row["time"]) if row.get("time") else NOON
    except FieldError as error:
        raise AnswersFileError(f"{place}: {error}") from error
    return row["patient"], ScriptedAnswer(day=_day(place, row["date"]), text=cells[columns.index("reply")], at=at)


def _day(place: str, text: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise AnswersFileError(f"{place}: '{text[:40]}' is not a date; write YYYY-MM-DD, such as 2026-03-31")
