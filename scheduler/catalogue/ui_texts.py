"""What the pages say in English: every text that is marked for translation, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.extract import extract_python
from jinja2.ext import babel_extract

_MARKS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
_OPTIONS = {"newstyle_gettext": "true"}


@dataclass(frozen=True, slots=True, order=True)
class UiText:
    """A text as it is looked up: `many` is its plural, empty for most."""

    one: str
    many: str = ""


def ui_texts(pages: Path, code: Path) -> dict[UiText, str]:
    """The texts of the page templates below `pages` and of the program below `code`, each with its first place."""
    found: dict[UiText, str] = {}
    for path in sorted(pages.rglob("*.html")):
        for text, line in _in_template(path):
            found.setdefault(text, f"{pages.name}/{path.relative_to(pages).as_posix()}:{line}")
    for path in sorted(code.rglob("*.py")):
        for text, line in _in_program(path):
            found.setdefault(text, f"{code.name}/{path.relative_to(code).as_posix()}:{line}")
    return found


def _in_template(path: Path) -> Iterator[tuple[UiText, int]]:
    with path.open("rb") as file:
        for line, _, message, _ in babel_extract(file, list(_MARKS), (), _OPTIONS):
            yield from _texts(message, line)


def _in_program(path: Path) -> Iterator[tuple[UiText, int]]:
    with path.open("rb") as file:
        for line, _, message, _ in extract_python(file, _MARKS, (), {}):
            yield from _texts(message, line)


def _texts(message: object, line: int) -> Iterator[tuple[UiText, int]]:
    parts = [part for part in message if isinstance(part, str)] if isinstance(message, tuple) else [message]
    if parts and isinstance(parts[0], str) and parts[0]:
        many = parts[1] if len(parts) > 1 and isinstance(parts[1], str) else ""
        yield UiText(parts[0], many), line
