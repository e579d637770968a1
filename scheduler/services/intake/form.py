"""Which form a file of patients has: CSV or FHIR."""

from __future__ import annotations

from pathlib import Path

_FHIR_SUFFIXES = (".ndjson", ".json")
_PEEK = 4096  # bytes; enough to pass over a byte order mark and blank lines


def form_of(file: Path, *, name: str = "") -> str:
    """`csv` or `fhir`, by the file's name (or the `name` it came by), else by how it begins."""
    if Path(name or file.name).suffix.lower() in _FHIR_SUFFIXES:
        return "fhir"
    try:
        with file.open("rb") as stream:
            start = stream.read(_PEEK)
    except OSError:
        return "csv"  # the reader says what is wrong with the file
    return "fhir" if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{") else "csv"
