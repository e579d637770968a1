"""Turning page templates into HTML: escaped, strict about missing values, without anything from elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from scheduler.domain.languages import DEFAULT_LANGUAGE
from scheduler.ports.ui import UiWords
from scheduler.services.links import without_keys

PACKAGE = Path(__file__).resolve().parents[1]
STATIC = Path(__file__).parent / "static"


class Pages:
    """The page templates, those of the installation before the shipped ones."""

    def __init__(self, templates_dir: Path, *, public_url: str, words: UiWords) -> None:
        shipped = (PACKAGE.parent / "templates", PACKAGE / "_shipped" / "templates")
        self._environment = Environment(
            loader=FileSystemLoader([folder / "web" for folder in (templates_dir, *shipped)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            extensions=["jinja2.ext.i18n"],
        )
        self.words = words
        _speak(self._environment, words)
        links = _Links(public_url)
        self._environment.filters.update(
            clock=_clock,
            day=_day,
            in_zone=_in_zone,
            place=_place,
            linked=links.linked,
            brief=_brief,
            plural=_plural,
            coded=_coded,
            keyless=without_keys,
        )
        self._environment.globals["asset"] = _assets().__getitem__
        for name in self._environment.list_templates(extensions=["html"]):
            self._environment.get_template(name)  # compiled now, and a broken one stops the start

    def html(self, template: str, *, language: str = DEFAULT_LANGUAGE, **values: Any) -> str:
        """The page, its marked texts in `language`.

        Raises `jinja2.UndefinedError` when the template names a value that was not given.
        """
        return self._environment.get_template(template).render(language=language, **values)

    def block(self, template: str, block: str, *, language: str = DEFAULT_LANGUAGE) -> str:
        """The words of one block of a page, which may name no values: what somebody saw, to be kept on record."""
        found = self._environment.get_template(template)
        return " ".join("".join(found.blocks[block](found.new_context({"language": language}))).split())


def _speak(environment: Environment, words: UiWords) -> None:
    """Let templates mark their texts, by `{% trans %}` or `_()`; each page names the language that it is in."""

    @pass_context
    def one(context: Context, text: str) -> str:
        return words.one(context["language"], text)

    @pass_context
    def some(context: Context, single: str, many: str, number: int) -> str:
        return words.some(context["language"], single, many, number)

    # The extension adds the method; jinja2's types do not know of it.
    environment.install_gettext_callables(one, some, newstyle=True)  # type: ignore[attr-defined]


def _assets() -> dict[str, str]:
    """Addresses of our own style and script, with a mark of their content so that browsers may keep them."""
    return {
        path.name: f"/static/{path.name}?v={hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
        for path in STATIC.iterdir()
        if path.is_file()
    }


def _clock(at: datetime) -> str:
    """The time of day, in the zone that `at` is in."""
    return f"{at:%H:%M}"


def _in_zone(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone))


def _day(day: date | datetime, *, year: bool = False) -> str:
    """The date as people say it: Sunday 22 November."""
    said = f"{day:%A} {day.day} {day:%B}"
    return f"{said} {day.year}" if year else said


def _place(zone: ZoneInfo | str | None) -> str:
    """The city of a time zone."""
    return str(zone).rpartition("/")[2].replace("_", " ")


def _brief(text: str, length: int = 180) -> str:
    """One line of at most `length` characters, without the keys of links."""
    line = " ".join(without_keys(text).split())
    return line if len(line) <= length else f"{line[: length - 1].rsplit(' ', 1)[0]}…"


def _plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _coded(text: str) -> Markup:
    """The text with what stands between backticks as code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


class _Links:
    """Makes our own links in a message clickable, and no others."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url.rstrip("/")

    def linked(self, text: str) -> Markup:
        """The text with its line breaks kept; each word that is a link of ours leads to the same path here."""
        return Markup("\n").join(Markup(" ").join(self._words(line.split(" "))) for line in text.split("\n"))

    def _words(self, words: Iterable[str]) -> Iterable[Markup]:
        for word in words:
            if word.startswith(f"{self._public_url}/"):
                yield Markup('<a href="{}">{}</a>').format(urlsplit(word).path, word)
            else:
                yield escape(word)
