"""The end of a pause as patients name it: until Monday, until the 15th, until 15 June. Pure."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta

from scheduler.domain.calendar import Weekday, add_months, on_or_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """A day named without its year: a weekday, a day of the month, or a month and a day.

    Exactly one of `weekday` and `day` is set; `month` goes with `day`.
    """

    weekday: Weekday | None = None
    day: int | None = None
    month: int | None = None

    def after(self, day: date) -> date:
        """The first such local date after `day`. A day that a month does not have is its last one."""
        if self.weekday is not None:
            return on_or_after(day + timedelta(days=1), {self.weekday})
        months = (add_months(day.replace(day=1), count) for count in range(13))
        dates = (_clamped(first, self.day or 1) for first in months if self.month in (None, first.month))
        return next(found for found in dates if found > day)


def _clamped(first: date, day: int) -> date:
    return first.replace(day=min(day, calendar.monthrange(first.year, first.month)[1]))
