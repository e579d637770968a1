"""A clinic's worklist items: their kinds, who they are for, when they are due."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TaskStatus(StrEnum):
    """Where a worklist item stands."""

    OPEN = "open"  # somebody has to act
    DONE = "done"  # somebody did
    CANCELLED = "cancelled"  # it settled itself, for example because the result came in


class TaskStep(StrEnum):
    """What can happen to a task; its history is a list of these, which is only added to."""

    OPENED = "opened"
    ESCALATED = "escalated"  # it became urgent: overdue, or a pathway asked for it
    ASSIGNED = "assigned"  # to somebody, or to nobody again
    NOTED = "noted"
    CLOSED = "closed"
    REOPENED = "reopened"


class Resolution(StrEnum):
    """How a task ended, in a word."""

    DONE = "done"  # what the task asks for was done
    NOT_REACHED = "not_reached"  # tried, and given up
    NOT_NEEDED = "not_needed"
    DUPLICATE = "duplicate"  # another task has it
    OTHER = "other"  # the words beside it say how
    SETTLED = "settled"  # by itself: what it asked for came about. Only the service ends tasks this way


BY_PEOPLE = tuple(resolution for resolution in Resolution if resolution is not Resolution.SETTLED)
"""The ways in which a person can end a task."""


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
    CONFIRM_NUMBER = "confirm_number"  # a week of silence after asking whether we may text the number
    WRONG_NUMBER = "wrong_number"  # whoever has the number is not the patient
    UNCLEAR_REPLY = "unclear_reply"
    MORE_TO_READ = "more_to_read"  # an answer was understood, and there were further words with it
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
