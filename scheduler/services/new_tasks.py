"""Tasks to open: what they are about, and when they are due in the working days of their clinic."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from scheduler.domain.tasks import ServiceTask
from scheduler.records import Clinic, NewTask
from scheduler.services.rules import Rules
from scheduler.services.working_days import working_days

_OF_SERVICE = frozenset(ServiceTask)


def cause(patient_id: UUID, kind: str, pathway: str = "") -> str:
    """What a task about a patient is about: of one cause there is one open task.

    What the service itself opens, it opens once for a patient. What a pathway opens is also the pathway's: the result
    of one settles nothing that another waits for.
    """
    if kind in _OF_SERVICE or not pathway:
        return f"{patient_id.hex}:{kind}"
    return f"{patient_id.hex}:{pathway}:{kind}"


def patient_task(
    rules: Rules, kind: str, clinic: Clinic, patient_id: UUID, *, pathway: str = "", now: datetime, note: str = ""
) -> NewTask:
    """A task of `kind` about a patient of the clinic, with the priority and due date of its kind."""
    about = cause(patient_id, kind, pathway)
    return replace(clinic_task(rules, kind, clinic, cause=about, now=now, note=note), patient_id=patient_id)


def clinic_task(rules: Rules, kind: str, clinic: Clinic, *, cause: str, now: datetime, note: str = "") -> NewTask:
    """A task of `kind` for the clinic as a whole; one for the same `cause` is open at a time."""
    described = rules.task_kinds[kind]
    days = working_days(rules.holidays, clinic)
    due = days.due(now, described.due_working_days)
    return NewTask(
        clinic_id=clinic.id,
        patient_id=None,
        kind=kind,
        cause=cause,
        priority=described.priority.value,
        due=due,
        overdue_at=days.overdue_at(due),
        note=note,
    )
