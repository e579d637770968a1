"""The working days of a clinic, from its own record and the calendar that it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from scheduler.domain.holidays import HolidayCalendar
from scheduler.domain.working_days import WorkingDays
from scheduler.records import Clinic


def working_days(calendars: Mapping[str, HolidayCalendar], clinic: Clinic) -> WorkingDays:
    """The days on which `clinic` works. Of a calendar that is no longer there, only weekends are left."""
    calendar = calendars.get(clinic.holidays) if clinic.holidays else None
    return WorkingDays(
        zone=ZoneInfo(clinic.timezone),
        holidays=calendar if calendar is not None else frozenset(),
        closed=clinic.closed_days,
    )
