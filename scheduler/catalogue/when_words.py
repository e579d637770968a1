"""A day, a time of day or days of the week, as a message says them in its language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from functools import lru_cache
from pathlib import Path

from scheduler.catalogue.ui_words import SHIPPED, UiWords, load_ui_words
from scheduler.domain.calendar import Weekday
from scheduler.domain.languages import DEFAULT_LANGUAGE, base_language

_NOON = 12
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DATE = "%(month)s %(day)s, %(year)s"


def said_when(when: str, language: str, templates_dir: Path) -> str:
    """`when` (2026-09-30 or 19:30) in words; empty when it is neither.

    The words are those of the web pages; English where they lack the language.
    """
    one, known = _speech(language, templates_dir)
    for say in (_day, _clock):
        try:
            return say(when, one, known)
        except ValueError:
            continue
    return ""


def said_days(days: str, language: str, templates_dir: Path) -> str:
    """`days` (mon wed fri) in words, Monday, Wednesday, Friday; empty when they are none. The words are as above."""
    one, _ = _speech(language, templates_dir)
    try:
        return ", ".join(one(_WEEKDAYS[Weekday[day.upper()]]) for day in days.split())
    except KeyError:
        return ""


def _speech(language: str, templates_dir: Path) -> tuple[Callable[[str], str], str]:
    """What says a marked text, and in which language."""
    words = _words(templates_dir)
    known = words.choose((language, base_language(language)))
    return lambda text: words.one(known, text), base_language(known)


@lru_cache(maxsize=8)
def _words(templates_dir: Path) -> UiWords:
    return load_ui_words((templates_dir, *SHIPPED))


def _day(when: str, one: Callable[[str], str], language: str) -> str:
    """September 30, 2026."""
    day = date.fromisoformat(when)
    return one(_DATE) % {"month": one(_MONTHS[day.month - 1]), "day": day.day, "year": day.year}


def _clock(when: str, one: Callable[[str], str], language: str) -> str:
    """7:30 pm in English, 19:30 elsewhere."""
    at = time.fromisoformat(when)
    if language != DEFAULT_LANGUAGE:
        return f"{at.hour}:{at.minute:02}"
    return f"{at.hour % _NOON or _NOON}:{at.minute:02} {'am' if at.hour < _NOON else 'pm'}"
