"""Dates and times as patients say them, in the language of their page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time

from scheduler.domain.calendar import Weekday
from scheduler.domain.languages import DEFAULT_LANGUAGE, base_language
from scheduler.ports.ui import UiWords
from scheduler.web.tongues import N_

_WEEKDAYS = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
)
_MONTHS = (
    N_("January"),
    N_("February"),
    N_("March"),
    N_("April"),
    N_("May"),
    N_("June"),
    N_("July"),
    N_("August"),
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)
_DAY = N_("%(weekday)s, %(month)s %(day)s")
_DATE = N_("%(month)s %(day)s, %(year)s")
_NOON = 12


@dataclass(frozen=True, slots=True)
class Saying:
    """Says things in one language."""

    language: str
    words: UiWords

    def one(self, text: str, **values: object) -> str:
        """A marked text, filled in."""
        return self.words.one(self.language, text) % values if values else self.words.one(self.language, text)

    def weekday(self, day: Weekday) -> str:
        """Monday."""
        return self.one(_WEEKDAYS[day])

    def day(self, day: date) -> str:
        """Tuesday, March 17."""
        return self.one(_DAY, weekday=self.one(_WEEKDAYS[day.weekday()]), month=self._month(day), day=day.day)

    def full_date(self, day: date) -> str:
        """March 17, 2026."""
        return self.one(_DATE, month=self._month(day), day=day.day, year=day.year)

    def clock(self, at: time | datetime) -> str:
        """9:30 am in English, 9:30 elsewhere."""
        if base_language(self.language) != DEFAULT_LANGUAGE:
            return f"{at.hour}:{at.minute:02}"
        return f"{at.hour % _NOON or _NOON}:{at.minute:02} {'am' if at.hour < _NOON else 'pm'}"

    def days(self, days: Iterable[Weekday]) -> str:
        """Monday, Wednesday, Friday."""
        return ", ".join(self.weekday(day) for day in sorted(days))

    def _month(self, day: date) -> str:
        return self.one(_MONTHS[day.month - 1])
