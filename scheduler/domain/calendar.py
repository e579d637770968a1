"""Arithmetic on local dates: months, weeks and days of the week."""

from __future__ import annotations

import calendar
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from enum import IntEnum
from functools import lru_cache


class Weekday(IntEnum):
    """Days of the week, numbered as `date.weekday()` numbers them."""

    MON = 0
    TUE = 1
    WED = 2
    THU = 3
    FRI = 4
    SAT = 5
    SUN = 6


EVERY_DAY = frozenset(Weekday)
_ONE_DAY = timedelta(days=1)


@lru_cache(4096)  # thousands of patients count from few dates
def add_months(day: date, months: int) -> date:
    """`day` moved by whole calendar months; the 31st becomes the last day of a shorter month.

    Always compute from the anchor date: adding one month twice is not adding two (31 January).
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def monday_of(day: date) -> date:
    """The Monday of the week that `day` is in."""
    return day - timedelta(days=day.weekday())


def on_or_after(day: date, weekdays: AbstractSet[Weekday]) -> date:
    """The first date from `day` on that falls on one of `weekdays`, which is not empty."""
    for _ in range(7):
        if day.weekday() in weekdays:
            return day
        day += _ONE_DAY
    raise ValueError("there has to be a day of the week to choose from")
