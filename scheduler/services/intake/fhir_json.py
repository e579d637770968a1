"""FHIR resources out of a file, whichever of its usual shapes it has: NDJSON, a Bundle, or one resource."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scheduler.services.intake.draft import UnreadableFile
from scheduler.services.intake.fhir_document import load_document
from scheduler.services.intake.text_files import open_binary, unreadable

MAX_LINE_BYTES = 10_000_000  # a Patient may carry a photograph; no more than that
MAX_DOCUMENT_BYTES = 256_000_000  # a document, unlike NDJSON, has to be in memory as a whole
_LINES_TO_LOOK_AT = 100


@dataclass(frozen=True, slots=True)
class Found:
    """A resource. `path` is what its elements are named from: `Patient`, or `Bundle.entry[3].resource`."""

    line: int
    path: str
    resource: dict[str, Any] = field(repr=False)
    text: str = field(repr=False)  # its JSON on one line


@dataclass(frozen=True, slots=True)
class Broken:
    """A line, or an entry of a Bundle, that holds no resource. `text` is empty when too long to keep."""

    line: int
    reason: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Survey:
    lines: int
    begins_with_resource: bool
    has_resource_lines: bool


class ResourceFile:
    """The resources of a file, Bundles opened up.

    `lines` is for showing progress; `notices` fills while reading.

    A file is NDJSON (one resource a line, as FHIR Bulk Data exports it) or one JSON document. Raises
    `UnreadableFile` when it is neither, before the first resource; a broken line of NDJSON is given as
    `Broken` and reading goes on.
    """

    def __init__(self, path: Path) -> None:
        self.notices: list[str] = []
        survey = _survey(path)
        self.lines = survey.lines
        if survey.begins_with_resource:
            self._found = self._ndjson(path)
            return
        try:
            resource, entry_lines = load_document(path, MAX_DOCUMENT_BYTES)
        except UnreadableFile:
            if not survey.has_resource_lines:
                raise
            self._found = self._ndjson(path)  # NDJSON whose first line is broken
        else:
            self._found = self._open(resource, line=1, text=None, entry_lines=entry_lines)

    def __iter__(self) -> Iterator[Found | Broken]:
        return self._found

    def _ndjson(self, path: Path) -> Iterator[Found | Broken]:
        for number, line in _lines(path):
            if line is None:
                yield Broken(number, f"the line is longer than {MAX_LINE_BYTES:,} bytes and was not read", "")
            elif line.strip():
                value, fault = _decode(line)
                text = line.decode("utf-8", "surrogateescape").strip()  # a broken byte survives the way back out
                if isinstance(value, dict) and "resourceType" in value:
                    yield from self._open(value, line=number, text=text, entry_lines=())
                else:
                    yield Broken(number, fault or "the line is JSON, but not a FHIR resource: no resourceType", text)

    def _open(
        self, resource: dict[str, Any], *, line: int, text: str | None, entry_lines: tuple[int, ...]
    ) -> Iterator[Found | Broken]:
        kind = resource["resourceType"]
        if kind != "Bundle":
            yield Found(line, str(kind), resource, _json(resource) if text is None else text)
            return
        links = resource.get("link")
        for link in links if isinstance(links, list) else []:
            if isinstance(link, dict) and link.get("relation") == "next":
                self.notices.append(
                    f"line {line}: the Bundle is one page of a longer result (link next); import the other pages, too"
                )
        entries = resource.get("entry", [])
        if not isinstance(entries, list):
            yield Broken(line, "Bundle.entry has to be a list", text or _json(resource))
            return
        for index, entry in enumerate(entries):
            yield from _entry(index, entry, entry_lines[index] if entry_lines else line)


def _entry(index: int, entry: object, line: int) -> Iterator[Found | Broken]:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    if isinstance(resource, dict) and "resourceType" in resource:
        yield Found(line, f"Bundle.entry[{index}].resource", resource, _json(resource))
    elif not isinstance(entry, dict) or resource is not None:
        yield Broken(line, f"Bundle.entry[{index}] holds no FHIR resource", _json(entry))
    # An entry without a resource is a deletion or the bare answer to a request: nothing to read.


def _survey(path: Path) -> _Survey:
    number, looked_at, begins, has = 0, 0, False, False
    for number, line in _lines(path):  # noqa: B007 - the last number is the count
        if has or looked_at >= _LINES_TO_LOOK_AT or (line is not None and not line.strip()):
            continue
        looked_at += 1
        value, _ = _decode(line) if line is not None else (None, None)
        has = isinstance(value, dict) and "resourceType" in value
        begins = begins or (has and looked_at == 1)
    if looked_at == 0:
        raise UnreadableFile(f"{path} is empty; it needs FHIR resources, as NDJSON or a Bundle")
    return _Survey(number, begins, has)


def _lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines; None in place of one that is too long."""
    try:
        with open_binary(path) as stream:
            number = 0
            while line := stream.readline(MAX_LINE_BYTES + 1):
                number += 1
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if len(line) <= MAX_LINE_BYTES:
                    yield number, line
                    continue
                yield number, None
                while line and not line.endswith(b"\n"):
                    line = stream.readline(MAX_LINE_BYTES)
    except OSError as error:
        raise unreadable(path, error) from error


def _decode(line: bytes) -> tuple[object, str | None]:
    """The JSON value of a line, or None and what is wrong with it."""
    try:
        return json.loads(line.decode("utf-8").strip()), None
    except UnicodeDecodeError as error:
        return None, f"byte {error.start + 1} of the line is not UTF-8, which JSON has to be"
    except json.JSONDecodeError as error:
        return None, f"not JSON: {error.msg} at character {error.pos + 1}"
    except RecursionError:
        return None, "not a FHIR resource: nested too deeply"
    except ValueError as error:  # a number with thousands of digits
        return None, f"not JSON that can be read: {error}"


def _json(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if text.isprintable() else json.dumps(value, separators=(",", ":"))
