"""What people do with a task: take it, note something, end it, open it again. All of it stands in its history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from scheduler.domain.tasks import Resolution, ServiceTask, TaskStatus
from scheduler.ports import Store, Unit
from scheduler.records import Clinic, Task, TaskEvent
from scheduler.services.refusals import RefusedError
from scheduler.services.rules import Rules
from scheduler.services.working_days import working_days

_VIEWER = "viewer"
_LONGEST_WORDS = 4000  # characters


class TaskError(RefusedError):
    """It cannot be done with this task. The text says why and what to do; `field` is what of a form is wrong."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something with which task, and when (UTC). `by` is the e-mail address of a member of staff."""

    clinic: Clinic
    task_id: int
    by: str
    now: datetime


def find(unit: Unit, clinic: Clinic, task_id: int) -> tuple[Task, list[TaskEvent]]:
    """A task of the clinic and its history. Raises `TaskError`."""
    return _task(unit, clinic, task_id), unit.worklist.history(clinic.id, task_id)


def assign(store: Store, act: Act, *, to: str | None, seen: str | None = None) -> Task:
    """Give an open task to a member of staff, or with None to nobody. Raises `TaskError`.

    `seen` is who has it as far as the caller knows, empty for nobody: it is not taken from anybody else.
    """
    with store.writing() as unit:
        return assign_in(unit, act, to=to, seen=seen)


def assign_in(unit: Unit, act: Act, *, to: str | None, seen: str | None = None) -> Task:
    """As `assign`, as a part of a transaction."""
    task = _begin(unit, act)
    _require_open(act.clinic, task)
    if seen is not None and task.assignee not in (None, seen, to):
        raise TaskError(f"{task.assignee} has taken it meanwhile; ask them before you take it over")
    assignee = None if to is None else _able(unit, act.clinic, to)
    unit.worklist.assign(act.clinic.id, task.id, assignee, by=_able(unit, act.clinic, act.by), now=act.now)
    return _end(unit, act, "assigned")


def note(store: Store, act: Act, words: str) -> Task:
    """Add a note to a task, open or closed. Raises `TaskError`."""
    with store.writing() as unit:
        task = _begin(unit, act)
        said = _words(words)
        if not said:
            raise TaskError("the note is empty; write what is to be remembered", field="words")
        unit.worklist.note(act.clinic.id, task.id, said, by=_able(unit, act.clinic, act.by), now=act.now)
        return _end(unit, act, "noted")


def close(store: Store, act: Act, *, resolution: Resolution, words: str = "") -> Task:
    """End an open task. Raises `TaskError`."""
    with store.writing() as unit:
        return close_in(unit, act, resolution=resolution, words=words)


def close_in(unit: Unit, act: Act, *, resolution: Resolution, words: str = "") -> Task:
    """As `close`, as a part of a transaction."""
    said = _words(words)
    if resolution is Resolution.SETTLED:
        raise TaskError("'settled' is how a task ends by itself; choose another resolution")
    if resolution is Resolution.OTHER and not said:
        raise TaskError(
            "the resolution 'other' says nothing by itself; say in words how the task ended", field="words"
        )
    task = _begin(unit, act)
    _require_open(act.clinic, task)
    _require_decided(unit, act.clinic, task)
    by = _able(unit, act.clinic, act.by)
    unit.worklist.resolve(act.clinic.id, task.id, resolution, said, by=by, now=act.now)
    return _end(unit, act, f"closed: {resolution.value}")


def reopen(store: Store, rules: Rules, act: Act, *, words: str = "") -> Task:
    """Open a closed task again; it is due as if it had been opened now. Raises `TaskError`."""
    said = _words(words)
    with store.writing() as unit:
        task = _begin(unit, act)
        if task.status == TaskStatus.OPEN.value:
            raise TaskError(f"task {task.id} is open already")
        successor = unit.worklist.successor(act.clinic.id, task.id)
        if successor is not None:
            raise TaskError(f"task {successor} is open for the same cause; work on that one, or note it there")
        days = working_days(rules.holidays, act.clinic)
        kind = rules.task_kinds.get(task.kind)  # the file may have lost it since
        due = days.due(act.now, kind.due_working_days if kind else 0)
        by = _able(unit, act.clinic, act.by)
        unit.worklist.reopen(
            act.clinic.id, task.id, said, due=due, overdue_at=days.overdue_at(due), by=by, now=act.now
        )
        return _end(unit, act, "reopened")


# Small steps


def _task(unit: Unit, clinic: Clinic, task_id: int, *, lock: bool = False) -> Task:
    task = unit.worklist.task(clinic.id, task_id, lock=lock)
    if task is None:
        raise TaskError(
            f"clinic {clinic.code} has no task {task_id}",
            command=f"; `bonewise tasks --clinic {clinic.code}` lists them",
            page="; the worklist has those that are open",
        )
    return task


def _begin(unit: Unit, act: Act) -> Task:
    """The task, held, for somebody who may change it."""
    task = _task(unit, act.clinic, act.task_id, lock=True)
    _able(unit, act.clinic, act.by)
    return task


def _end(unit: Unit, act: Act, what: str) -> Task:
    """The task after what was done, which goes on record."""
    entry = (act.clinic.id, "task changed", None, f"task {act.task_id}: {what}")
    unit.installation.audit([entry], actor=act.by.lower(), now=act.now)
    return _task(unit, act.clinic, act.task_id)


def _able(unit: Unit, clinic: Clinic, email: str) -> str:
    """The address of somebody who works on tasks in the clinic, as it is on record."""
    address = email.strip().lower()
    role = unit.installation.staff_role(clinic.id, address)
    if role is None:
        raise TaskError(
            f"{email} is not on the staff of clinic {clinic.code}",
            command=f"; `bonewise staff add --clinic {clinic.code} --email {email} --role coordinator` adds them",
            page="; an administrator of the clinic adds them",
        )
    if role == _VIEWER:
        raise TaskError(f"{email} is a viewer of clinic {clinic.code}, who may look at tasks but not work on them")
    return address


def _require_open(clinic: Clinic, task: Task) -> None:
    if task.status != TaskStatus.OPEN.value:
        raise TaskError(
            f"task {task.id} is closed ({task.resolution}, by {task.closed_by})",
            command=f"; `bonewise task reopen {task.id} --clinic {clinic.code}` opens it again",
            page="; “Open it again” on its own page does that",
        )


def _require_decided(unit: Unit, clinic: Clinic, task: Task) -> None:
    """The patient waits for the decision: without it the task must not go from sight."""
    if task.kind != ServiceTask.SUPPLEMENT_CLEARANCE:
        return
    waiting = [
        case.id
        for case in unit.worklist.clearances(clinic.id)
        if case.patient == task.patient and case.decision is None
    ]
    if waiting:
        raise TaskError(
            f"task {task.id} closes by itself when its supplement case is decided",
            command=f": `bonewise clearance decide {waiting[0]}`",
            page=", which a clinician does under “Supplements”",
        )


def _words(words: str) -> str:
    said = words.strip()
    if len(said) > _LONGEST_WORDS:
        raise TaskError(f"the words have {len(said)} characters; write at most {_LONGEST_WORDS}", field="words")
    return said
