"""A clinic's worklist items: their kinds, who they are for, when they are due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from scheduler.domain.calendar import Weekday

_WEEKEND = frozenset({Weekday.SAT, Weekday.SUN})


class TaskStatus(StrEnum):
    """Where a worklist item stands."""

    OPEN = "open"  # somebody has to act
    DONE = "done"  # somebody did
    CANCELLED = "cancelled"  # it settled itself, for example because the result came in


class TaskRole(StrEnum):
    """Who in the clinic a task is for."""

    COORDINATOR = "coordinator"
    CLINICIAN = "clinician"


class TaskPriority(StrEnum):
    """How soon a task is looked at; an escalated task becomes urgent."""

    URGENT = "urgent"
    NORMAL = "normal"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the most pressing; orders a worklist."""
        return list(TaskPriority).index(self)


class ServiceTask(StrEnum):
    """The kinds that the service itself opens; pathways name others. `config/tasks.yaml` has them all."""

    CHECK_NUMBER = "check_number"  # the provider says that the number does not work
    NO_CHANNEL = "no_channel"  # no number and no address that may be used
    WRONG_NUMBER = "wrong_number"  # whoever has the number is not the patient
    UNCLEAR_REPLY = "unclear_reply"
    SAFETY = "safety"  # a reply that may speak of an emergency
    DELIVERY_UNKNOWN = "delivery_unknown"  # the provider never said whether a message went
    SENDER_REFUSED = (
        "sender_refused"  # carriers refuse the clinic's sender or account; no patient's number is at fault
    )
    PATHWAY_CHANGED = "pathway_changed"  # the patient stood on a step that the pathway no longer has
    REFERRAL_PT = "referral_pt"
    REFERRAL_DIET = "referral_diet"
    SUPPLEMENT_CLEARANCE = "supplement_clearance"  # comes with every supplement case


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskKind:
    """One kind of task, as `config/tasks.yaml` has it."""

    name: str
    title: str  # what the worklist shows
    role: TaskRole
    priority: TaskPriority
    due_working_days: int  # from the day it is opened, in the clinic's zone; 0 is the same day


def add_working_days(day: date, n: int, holidays: frozenset[date] = frozenset()) -> date:
    """The working day `n` working days after `day`, which itself does not count.

    Saturdays, Sundays and `holidays` are not working days. With `n` 0 it is `day`, or the next working day
    when `day` is none. Raises `ValueError` when `n` is negative, `OverflowError` past the year 9999.
    """
    if n < 0:
        raise ValueError(f"working days must be 0 or more, not {n}")
    for _ in range(n):
        day = _working_from(day + timedelta(days=1), holidays)
    return _working_from(day, holidays)


def _working_from(day: date, holidays: frozenset[date]) -> date:
    while Weekday(day.weekday()) in _WEEKEND or day in holidays:
        day += timedelta(days=1)
    return day
