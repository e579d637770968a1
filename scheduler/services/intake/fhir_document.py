"""A FHIR resource that is one JSON document, and on which line each entry of a Bundle begins."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from scheduler.services.intake.draft import UnreadableFile
from scheduler.services.intake.text_files import open_binary, unreadable

_SPACE = re.compile(r"[ \t\r\n]*")


def load_document(path: Path, max_bytes: int) -> tuple[dict[str, Any], tuple[int, ...]]:
    """The resource in `path`, and the line of each of its `entry` elements, if it has any.

    Raises `UnreadableFile`: too large, not UTF-8, not JSON (with line and column), not a resource.
    """
    text = _read(path, max_bytes)
    try:
        value, entries_at = _Document(text).load()
    except json.JSONDecodeError as error:
        csv = "; if this is CSV, import it with --format csv" if error.pos == 0 else ""
        raise UnreadableFile(
            f"{path}, line {error.lineno}, column {error.colno} is not JSON: {error.msg}; "
            f"a FHIR file is NDJSON (one resource a line), a Bundle or one resource{csv}"
        ) from None
    except (RecursionError, ValueError) as error:
        raise UnreadableFile(f"{path} is not JSON that can be read: {error}") from None
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise UnreadableFile(
            f"{path} is JSON, but not a FHIR resource (it has no resourceType); "
            "export the patients as NDJSON or a Bundle"
        )
    return value, _line_numbers(text, entries_at)


def _read(path: Path, max_bytes: int) -> str:
    try:
        with open_binary(path) as stream:
            data = stream.read(max_bytes + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    if len(data) > max_bytes:
        raise UnreadableFile(
            f"{path} is one JSON document of more than {max_bytes // 1_000_000} MB; "
            "export it as NDJSON, which has no limit"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(
            f"{path}, line {line} is not UTF-8, which JSON has to be; export it again as UTF-8"
        ) from None


def _line_numbers(text: str, positions: list[int]) -> tuple[int, ...]:
    lines, line, counted_to = [], 1, 0
    for position in positions:
        line += text.count("\n", counted_to, position)
        counted_to = position
        lines.append(line)
    return tuple(lines)


class _Document:
    """Reads one JSON object member by member, noting where the elements of the member `entry` begin."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._decoder = json.JSONDecoder()
        self._entries_at: list[int] = []

    def load(self) -> tuple[object, list[int]]:
        self._skip()
        value = self._members() if self._peek() == "{" else self._value()
        self._skip()
        if self._at < len(self._text):
            raise json.JSONDecodeError("Extra data", self._text, self._at)
        return value, self._entries_at

    def _members(self) -> dict[str, Any]:
        members: dict[str, Any] = {}
        self._take("{")
        while self._peek() != "}":
            if members:
                self._take(",")
            if self._peek() != '"':
                raise json.JSONDecodeError("Expecting a member name in double quotes", self._text, self._at)
            name = self._value()
            self._take(":")
            is_list = name == "entry" and self._peek() == "["
            members[str(name)] = self._elements() if is_list else self._value()
        self._take("}")
        return members

    def _elements(self) -> list[object]:
        elements: list[object] = []
        self._entries_at.clear()  # of a member given twice, the last one counts
        self._take("[")
        while self._peek() != "]":
            if elements:
                self._take(",")
            self._entries_at.append(self._at)
            elements.append(self._value())
        self._take("]")
        return elements

    def _value(self) -> object:
        value, self._at = self._decoder.raw_decode(self._text, self._at)
        self._skip()
        return value

    def _take(self, mark: str) -> None:
        if self._peek() != mark:
            raise json.JSONDecodeError(f"Expecting '{mark}'", self._text, self._at)
        self._at += 1
        self._skip()

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self) -> None:
        if match := _SPACE.match(self._text, self._at):
            self._at = match.end()
