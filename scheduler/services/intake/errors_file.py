"""Rejected records in a file of their own, which can be corrected and imported again."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from scheduler.services.intake.csv_header import ERROR_COLUMN, Header
from scheduler.services.intake.draft import Rejected, RowError
from scheduler.services.intake.formulas import harmless

_OUTCOME = '{"resourceType": "OperationOutcome"'  # how a FHIR errors file begins
_LONGEST_HEADER = 10_000  # bytes


class _Form(Protocol):
    """How a rejected record is written down."""

    def write(self, rejected: Rejected, stream: IO[str]) -> None: ...


class ErrorsFileRefused(ValueError):  # noqa: N818 - it says what became of the file
    """The rejected rows cannot be written there. The text says why and what to do."""


class ErrorsFile:
    """Writes rejected records as they come; a context manager. `count` is how many it holds.

    The file is readable by its owner alone, for it holds what the source held, and it is removed when nothing
    was rejected. Raises `ErrorsFileRefused` when the file cannot be written, or is another one that would be lost.
    """

    def __init__(self, path: Path, *, source: Path, form: _Form) -> None:
        self.path = path
        self.count = 0
        self._form = form
        try:
            _require_replaceable(path, source)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.fchmod(descriptor, 0o600)  # an older file of that name may have been open to others
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ErrorsFileRefused(f"{path} cannot be written: {reason}; choose another place for it") from error
        self._stream = os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="")

    def write(self, rejected: Rejected) -> None:
        """Add one record with the reasons why it was rejected."""
        self._form.write(rejected, self._stream)
        self.count += 1

    def close(self) -> None:
        """Finish the file, or remove it when it is empty."""
        self._stream.close()
        if self.count == 0:
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _require_replaceable(path: Path, source: Path) -> None:
    """An earlier errors file is replaced by the next; any other file of that name would be lost."""
    if not path.exists():
        return
    if path.samefile(source):
        raise ErrorsFileRefused(f"{path} is the file being imported; choose another name for the rejected rows")
    if not path.is_file():
        raise ErrorsFileRefused(f"{path} is not a file; name one for the rejected rows")
    with path.open("rb") as stream:
        start = stream.readline(_LONGEST_HEADER).decode("utf-8", "replace").rstrip().rstrip('"')
    if start and not start.endswith(ERROR_COLUMN) and not start.startswith(_OUTCOME):
        raise ErrorsFileRefused(f"{path} is there already, and holds no rejected rows; choose another name")


def csv_errors_file(path: Path, *, source: Path, header: Header) -> ErrorsFile:
    """Rejected CSV rows under the header of their source, with a column `error` at the end.

    Cells that a spreadsheet would run as formulas get an apostrophe in front, which is taken off again when
    the file is imported: a reader knows it by the `error` column.
    """
    return ErrorsFile(path, source=source, form=_CsvForm(header))


def fhir_errors_file(path: Path, *, source: Path) -> ErrorsFile:
    """Rejected resources as NDJSON, each after an OperationOutcome that says what is wrong with it.

    Imported again, the OperationOutcomes are passed over. A line that is no JSON is written as it stood.
    """
    return ErrorsFile(path, source=source, form=_FhirForm())


class _CsvForm:
    def __init__(self, header: Header) -> None:
        self._header = header
        self._begun = False

    def write(self, rejected: Rejected, stream: IO[str]) -> None:
        writer = csv.writer(stream, delimiter=self._header.delimiter, lineterminator="\r\n")
        width, error_at = len(self._header.columns), self._header.error_at
        if not self._begun:
            self._begun = True
            stream.write("\ufeff")  # without it, Excel takes UTF-8 for Windows-1252
            writer.writerow([*_without(self._header.cells[:width], error_at), ERROR_COLUMN])
        cells = tuple(rejected.raw) if isinstance(rejected.raw, tuple) else (rejected.raw,)
        reasons = "; ".join(_sentence(error) for error in rejected.errors)
        writer.writerow(map(harmless, _fitted(cells, reasons, width=width, error_at=error_at)))


def _fitted(cells: tuple[str, ...], reasons: str, *, width: int, error_at: int | None) -> list[str]:
    """The row to write. One with the wrong number of cells must still be wrong when it comes back."""
    if len(cells) >= width and not any(map(str.strip, cells[width:])):
        return [*_without(cells[:width], error_at), reasons]
    if len(cells) > width:
        return [*cells, reasons]
    filled_up = [*cells, *[""] * (width - len(cells))]
    beyond = 1 if error_at is None else 0
    return [*filled_up, *[""] * beyond, f"{reasons}; complete the row and empty this cell"]


def _without(cells: tuple[str, ...], index: int | None) -> list[str]:
    return [cell for at, cell in enumerate(cells) if at != index]


def _sentence(error: RowError) -> str:
    return f"{error.column}: {error.reason}" if error.column else error.reason


class _FhirForm:
    def write(self, rejected: Rejected, stream: IO[str]) -> None:
        outcome = {"resourceType": "OperationOutcome", "issue": [_issue(error) for error in rejected.errors]}
        stream.write(json.dumps(outcome, ensure_ascii=False) + "\n")
        text = rejected.raw if isinstance(rejected.raw, str) else ""
        if text:
            stream.write(text + "\n")


def _issue(error: RowError) -> dict[str, object]:
    issue: dict[str, object] = {
        "severity": "error",
        "code": "invalid",
        "diagnostics": f"line {error.line}: {error.reason}",
    }
    return issue | {"expression": [error.column]} if error.column else issue
