"""Overdue tasks become urgent: when the working day after the one they were due on begins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from scheduler.domain.holidays import HolidayCalendar
from scheduler.ports import Stopping, Store, Unit
from scheduler.records import Clinic
from scheduler.services.working_days import working_days

BATCH = 200  # tasks per transaction


def escalate_overdue(store: Store, now: datetime, *, stopping: Stopping) -> int:
    """Make every task that is overdue at `now` (UTC) urgent, each once whoever else does so; returns how many."""
    total = 0
    while not stopping():
        with store.writing() as unit:
            escalated = unit.worklist.escalate_overdue(now, limit=BATCH)
        total += escalated
        if escalated < BATCH:
            break
    return total


def follow_working_days(unit: Unit, calendars: Mapping[str, HolidayCalendar], clinic: Clinic, now: datetime) -> None:
    """Work out anew when open tasks become overdue, and when the next digest is due.

    For a clinic whose zone, holidays, closed days or digest has changed. The dates on which tasks are due stay what
    people were told.
    """
    days = working_days(calendars, clinic)
    dues = unit.worklist.open_dues(clinic.id)
    unit.worklist.set_overdue(clinic.id, ((due, days.overdue_at(due)) for due in dues))
    wanted = clinic.digest_to is not None
    unit.installation.set_next_digest(clinic.id, days.next_at(clinic.digest_at, after=now) if wanted else None)
