"""Scripted answers for the simulator, from a CSV file."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date, time
from pathlib import Path

from scheduler.services.simulate import NOON, ScriptedAnswer

_REQUIRED = ("patient", "date", "reply")


class AnswersFileError(ValueError):
    """The file of answers cannot be used. The text says where and why."""


def read_answers(path: Path) -> dict[str, list[ScriptedAnswer]]:
    """The answers by MRN. Columns: patient, date (YYYY-MM-DD), reply, and time (HH:MM, local) or noon."""
    answers: dict[str, list[ScriptedAnswer]] = defaultdict(list)
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, strict=True)
            missing = [name for name in _REQUIRED if name not in (reader.fieldnames or ())]
            if missing:
                raise AnswersFileError(f"{path}: the column {missing[0]} is missing; it needs {', '.join(_REQUIRED)}")
            for row in reader:
                answers[row["patient"] or ""].append(_answer(path, reader.line_num, row))
    except (UnicodeDecodeError, csv.Error) as error:
        raise AnswersFileError(f"{path} is not a CSV file in UTF-8: {error}") from error
    return dict(answers)


def _answer(path: Path, line: int, row: dict[str, str | None]) -> ScriptedAnswer:
    try:
        day = date.fromisoformat(row["date"] or "")
        at = time.fromisoformat(row["time"] or "") if row.get("time") else NOON
    except ValueError as error:
        raise AnswersFileError(f"{path}:{line}: write date as YYYY-MM-DD and time as HH:MM ({error})") from error
    return ScriptedAnswer(day=day, text=row["reply"] or "", at=at)
