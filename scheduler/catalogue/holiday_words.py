"""Reads when a holiday is, as people write it: `third monday of january`, `2 days before easter`."""

from __future__ import annotations

import re
from dataclasses import replace

from scheduler.domain.calendar import Weekday
from scheduler.domain.holidays import LAST, DayRule, FixedDay, FromEaster, Holiday, NthWeekday

_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PLACES = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": LAST}
_YEARS = (1583, 2999)

_DATE = re.compile(rf"({'|'.join(_MONTHS)}) ([0-9]{{1,2}})")
_NTH = re.compile(rf"({'|'.join(_PLACES)}) ({'|'.join(_WEEKDAYS)}) of ({'|'.join(_MONTHS)})")
_APART = re.compile(r"([0-9]{1,2}) days? (before|after) (.+)")
_EVERY = re.compile(r"(?:every ([0-9]{1,2}) years )?from ([0-9]{4})")

HOW = (
    "write it as 'january 1', 'third monday of january', 'last monday of may', 'easter', '2 days before easter' or "
    "'1 day after first monday of november', and behind a comma, if need be, 'from 2021' or 'every 6 years from 2024'"
)


class NotADayError(ValueError):
    """What is written tells no day of the year. The text says how to write one."""


def read_holiday(name: str, written: str) -> Holiday:
    """The holiday `name` that falls on what is `written`. Raises `NotADayError`."""
    day, _, years = (part.strip() for part in " ".join(written.lower().split()).partition(","))
    rule = _read_rule(day)
    if rule is None:
        raise NotADayError(f"'{written}' is not a day of the year; {HOW}")
    if not years:
        return Holiday(name=name, rule=rule)
    found = _EVERY.fullmatch(years)
    if found is None or not _YEARS[0] <= int(found[2]) <= _YEARS[1] or found[1] in ("0", "00"):
        raise NotADayError(f"'{years}' does not say in which years; {HOW}")
    return Holiday(name=name, rule=rule, since=int(found[2]), every=int(found[1] or 1))


def _read_rule(day: str) -> DayRule | None:
    if day == "easter":
        return FromEaster(days=0)
    if found := _DATE.fullmatch(day):
        return _fixed(_MONTHS.index(found[1]) + 1, int(found[2]))
    if found := _NTH.fullmatch(day):
        month, weekday = _MONTHS.index(found[3]) + 1, Weekday(_WEEKDAYS.index(found[2]))
        return NthWeekday(month=month, weekday=weekday, nth=_PLACES[found[1]])
    if found := _APART.fullmatch(day):
        return _moved(_read_rule(found[3]), int(found[1]) * (1 if found[2] == "after" else -1))
    return None


def _fixed(month: int, day: int) -> FixedDay | None:
    return FixedDay(month=month, day=day) if 1 <= day <= _LENGTHS[month - 1] else None


def _moved(rule: DayRule | None, days: int) -> DayRule | None:
    """Counted from a day that moves itself. What is a fixed date away from another is to be written as a date."""
    match rule:
        case NthWeekday(plus=0):
            return replace(rule, plus=days)
        case FromEaster(days=0):
            return FromEaster(days=days)
        case _:
            return None
