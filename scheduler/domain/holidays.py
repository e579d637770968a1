"""The days on which a country or region does not work: rules that give the dates of any year. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

from scheduler.domain.calendar import Weekday

LAST = -1  # the place of the last such weekday of a month


class Weekend(StrEnum):
    """What becomes of a holiday with a fixed date that falls on a weekend."""

    STAYS = "stays"  # the weekend has swallowed it
    NEAREST = "nearest"  # Saturday's is kept on Friday, Sunday's on Monday (5 U.S.C. 6103(b), Executive Order 11582)
    MONDAY = "monday"  # Sunday's is kept on Monday, Saturday's is lost (New York: General Construction Law, s. 24)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedDay:
    """The same date every year. 29 February exists in leap years only."""

    month: int
    day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NthWeekday:
    """The `nth` `weekday` of a month, counted from 1, or `LAST`; moved by `plus` days."""

    month: int
    weekday: Weekday
    nth: int
    plus: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FromEaster:
    """So many days after Easter Sunday of the western churches; before it when negative."""

    days: int


DayRule = FixedDay | NthWeekday | FromEaster


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A holiday that began in the year `since` (None: long ago) and comes `every` so many years from then on."""

    name: str
    rule: DayRule
    since: int | None = None
    every: int = 1

    def is_kept_in(self, year: int) -> bool:
        """Whether the holiday occurs in `year`."""
        if self.since is None:
            return True
        return year >= self.since and (year - self.since) % self.every == 0


@dataclass(frozen=True, slots=True)
class HolidayCalendar:
    """The holidays of a country, a region or one clinic, under the name that clinics choose it by."""

    name: str
    title: str
    holidays: tuple[tuple[Holiday, Weekend], ...]

    def __contains__(self, day: object) -> bool:
        """Whether `day` is kept as a holiday."""
        return isinstance(day, date) and day in self.dates(day.year)

    def dates(self, year: int) -> frozenset[date]:
        """The dates in `year` on which nobody works. One that the next year's New Year is moved to is among them."""
        return _dates(self.holidays, year)


@lru_cache(maxsize=256)
def _dates(holidays: Sequence[tuple[Holiday, Weekend]], year: int) -> frozenset[date]:
    kept = (
        observed(day, holiday.rule, weekend)
        for each in (year - 1, year, year + 1)
        for holiday, weekend in holidays
        if date.min.year < each < date.max.year
        and holiday.is_kept_in(each)
        and (day := day_of(holiday.rule, each)) is not None
    )
    return frozenset(day for day in kept if day.year == year)


def day_of(rule: DayRule, year: int) -> date | None:
    """The date of the rule in `year`, before any weekend moves it; None when that year has no such day."""
    match rule:
        case FixedDay(month=month, day=day):
            try:
                return date(year, month, day)
            except ValueError:
                return None
        case NthWeekday():
            found = _nth_weekday(rule, year)
            return None if found is None else found + timedelta(days=rule.plus)
        case FromEaster(days=days):
            return easter(year) + timedelta(days=days)


def observed(day: date, rule: DayRule, weekend: Weekend) -> date:
    """The date on which a holiday that falls on `day` is kept. Only fixed dates move."""
    if not isinstance(rule, FixedDay) or weekend is Weekend.STAYS:
        return day
    match Weekday(day.weekday()):
        case Weekday.SAT:
            return day - timedelta(days=weekend is Weekend.NEAREST)
        case Weekday.SUN:
            return day + timedelta(days=1)
        case _:
            return day


def _nth_weekday(rule: NthWeekday, year: int) -> date | None:
    if rule.nth == LAST:
        following = date(year + rule.month // 12, rule.month % 12 + 1, 1)
        last = following - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - rule.weekday) % 7)
    first = date(year, rule.month, 1)
    found = first + timedelta(days=(rule.weekday - first.weekday()) % 7 + 7 * (rule.nth - 1))
    return found if found.month == rule.month else None


def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar, from 1583 on.

    The anonymous algorithm of 1876 as in Meeus, Astronomical Algorithms, chapter 8.
    """
    golden = year % 19
    century, in_century = divmod(year, 100)
    leap_centuries, rest = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - correction + 15) % 30
    leaps, since_leap = divmod(in_century, 4)
    to_sunday = (32 + 2 * rest + 2 * leaps - epact - since_leap) % 7
    late = (golden + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)
