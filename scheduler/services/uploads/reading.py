"""How a sent list is read: what somebody said about its columns, and what is wrong with a file as a whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from scheduler.ports.uploads import Upload
from scheduler.services.intake.csv_header import Header, find_header
from scheduler.services.intake.csv_records import MAX_LINES, split_records
from scheduler.services.intake.csv_rows import MAX_LINE_BYTES, CsvRows, read_csv
from scheduler.services.intake.draft import IntakeDefaults, UnreadableFile
from scheduler.services.intake.fhir_patients import FhirRows, read_fhir
from scheduler.services.intake.text_files import TextFile, examine

Rows = CsvRows | FhirRows


class UploadError(ValueError):
    """It cannot be done with this list now. The text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a list is to be read. `places` says for CSV where each of our columns stands, from 0."""

    places: Mapping[str, int] | None = None
    grant_consent: bool = False


def options_of(upload: Upload) -> Options:
    """How the list is to be read, as somebody has said before."""
    return Options(**json.loads(upload.options)) if upload.options else Options()


def as_json(options: Options) -> str:
    """What `options_of` gives back."""
    return json.dumps({"places": options.places, "grant_consent": options.grant_consent})


def rows_of(upload: Upload, path: Path, defaults: IntakeDefaults) -> Rows:
    """The patients in the list. Raises `UnreadableFile`."""
    options = options_of(upload)
    if upload.kind == "csv":
        return read_csv(path, defaults=defaults, places=options.places)
    return read_fhir(path, defaults=defaults, grant_consent=options.grant_consent)


def header_of(path: Path) -> tuple[Header, tuple[str, ...]]:
    """The header of a CSV file that is text from end to end, and its first row. Raises `UnreadableFile`."""
    examine(path, max_line_bytes=MAX_LINE_BYTES)
    return beginning_of(path)


def beginning_of(path: Path) -> tuple[Header, tuple[str, ...]]:
    """As `header_of`, of a file that was found to be text before."""
    lines = list(islice(TextFile(path, lines=0).read(), 2 * MAX_LINES))
    header = find_header(path, lines[:MAX_LINES])
    first = next(split_records(lines[header.line :], header.delimiter), None)
    return header, first.cells if first is not None else ()


def said_of(error: UnreadableFile, path: Path, name: str) -> str:
    """The reason with the name by which the sender knows the file."""
    return str(error).replace(str(path), f"“{name}”")
