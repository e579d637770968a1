"""A clinic's working days: what due dates and overdue tasks are counted in. Pure."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scheduler.domain.calendar import Weekday
from scheduler.domain.when import instant, local_date

_WEEKEND = frozenset({Weekday.SAT, Weekday.SUN})
_NONE: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingDays:
    """The days on which a clinic in `zone` works.

    Saturdays and Sundays are none, nor what is in `holidays`, nor the days on which the clinic is `closed`.
    """

    zone: ZoneInfo
    holidays: Container[date] = _NONE
    closed: Container[date] = _NONE

    def __contains__(self, day: date) -> bool:
        """Whether the clinic works on `day`."""
        return Weekday(day.weekday()) not in _WEEKEND and day not in self.holidays and day not in self.closed

    def today(self, now: datetime) -> date:
        """The clinic's own date at `now`."""
        return local_date(now, self.zone)

    def due(self, now: datetime, n: int) -> date:
        """The date `n` working days after that of `now`; with 0 it is today, or the next working day."""
        return self.add(self.today(now), n)

    def add(self, day: date, n: int) -> date:
        """The working day `n` working days after `day`, which itself does not count.

        With `n` 0 it is `day`, or the next working day when `day` is none. Raises `ValueError` when `n` is negative,
        `OverflowError` past the year 9999.
        """
        if n < 0:
            raise ValueError(f"working days must be 0 or more, not {n}")
        for _ in range(n):
            day = self._from(day + timedelta(days=1))
        return self._from(day)

    def overdue_at(self, due: date) -> datetime:
        """The instant (UTC) from which a task due on `due` is overdue: when the next working day begins."""
        return instant(self._from(due + timedelta(days=1)), time.min, self.zone)

    def next_at(self, wall: time, *, after: datetime) -> datetime:
        """The first instant (UTC) after `after` at which a working day's clocks show `wall`."""
        day = self._from(self.today(after))
        while (at := instant(day, wall, self.zone)) <= after:
            day = self._from(day + timedelta(days=1))
        return at

    def _from(self, day: date) -> date:
        while day not in self:
            day += timedelta(days=1)
        return day
