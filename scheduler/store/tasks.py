"""A clinic's worklist items, and the history of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, literal_column, select, text, update

from scheduler.domain.tasks import Resolution, TaskPriority, TaskStatus, TaskStep
from scheduler.ports import SERVICE
from scheduler.records import NewTask, OpenTasks, Task, TaskEvent
from scheduler.store import rows
from scheduler.store.bulk import insert_rows
from scheduler.store.tables import patients, task_events, tasks
from scheduler.store.upsert import insert_into
from scheduler.store.vault import Vault

# A literal: with a parameter in its place a prepared statement could not use the partial indexes.
_OPEN: ColumnElement[bool] = tasks.c.status == literal_column(f"'{TaskStatus.OPEN.value}'")
_OVERDUE: ColumnElement[bool] = _OPEN & tasks.c.overdue_at.is_not(None)
_CLOSED = (TaskStatus.DONE.value, TaskStatus.CANCELLED.value)


class Tasks:
    """Tasks and their history, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    # By their cause

    def open(self, new: Iterable[NewTask], *, now: datetime) -> None:
        """Open tasks. One whose cause already has an open task in the clinic changes nothing."""
        values = [
            {
                "clinic_id": task.clinic_id,
                "patient_id": task.patient_id,
                "kind": task.kind,
                "cause": task.cause,
                "priority": task.priority,
                "opened_at": now,
                "due": task.due,
                "overdue_at": task.overdue_at,
                "status": TaskStatus.OPEN.value,
                "note": self._vault.seal("tasks.note", task.note or None),
            }
            for task in new
        ]
        if values:
            statement = insert_into(self._connection, tasks).on_conflict_do_nothing(
                index_elements=[tasks.c.clinic_id, tasks.c.cause], index_where=text("status = 'open'")
            )
            self._connection.execute(statement, values)

    def add_words(self, clinic_id: int, cause: str, words: str, *, now: datetime) -> bool:
        """Write `words` under the note of the open task with this cause; False when there is none."""
        query = select(tasks.c.id, tasks.c.note).where(tasks.c.clinic_id == clinic_id, tasks.c.cause == cause, _OPEN)
        found = self._connection.execute(query.with_for_update()).first()
        if found is None:
            return False
        note = "\n".join(each for each in (self._vault.open("tasks.note", found.note), words) if each)
        self._change(clinic_id, tasks.c.id == found.id, note=self._vault.seal("tasks.note", note))
        self._tell([(clinic_id, found.id)], TaskStep.NOTED, by=SERVICE, now=now, words=words)
        return True

    def is_open(self, clinic_id: int, cause: str) -> bool:
        """Whether a task with this cause is open."""
        query = select(tasks.c.id).where(tasks.c.clinic_id == clinic_id, tasks.c.cause == cause, _OPEN)
        return self._connection.execute(query).first() is not None

    def close(
        self, clinic_id: int, causes: Sequence[str], *, now: datetime, by: str = SERVICE, words: str = ""
    ) -> None:
        """Close the open tasks with these causes: what they asked for has come about, as `words` say."""
        if causes:
            status = TaskStatus.CANCELLED if by == SERVICE else TaskStatus.DONE
            resolution = Resolution.SETTLED if by == SERVICE else Resolution.DONE
            self._close(clinic_id, tasks.c.cause.in_(causes), status, resolution, words, by=by, now=now)

    def close_all_of(self, clinic_id: int, patient_id: UUID, *, now: datetime, words: str) -> None:
        """Close all open tasks about a patient, with the reason in `words`."""
        which = tasks.c.patient_id == patient_id
        self._close(clinic_id, which, TaskStatus.CANCELLED, Resolution.SETTLED, words, by=SERVICE, now=now)

    def escalate(self, clinic_id: int, causes: Sequence[str], *, now: datetime) -> None:
        """Make the open tasks with these causes urgent."""
        if causes:
            which = tasks.c.cause.in_(causes) & (tasks.c.priority != TaskPriority.URGENT.value)
            changed = self._change(clinic_id, which, priority=TaskPriority.URGENT.value)
            self._tell([(clinic_id, task) for task in changed], TaskStep.ESCALATED, by=SERVICE, now=now)

    # Overdue, in all clinics

    def next_overdue(self) -> datetime | None:
        """The earliest instant at which a task becomes overdue; it may have passed."""
        earliest: datetime | None = self._connection.scalar(select(func.min(tasks.c.overdue_at)).where(_OVERDUE))
        return earliest

    def escalate_overdue(self, now: datetime, *, limit: int) -> int:
        """Make up to `limit` overdue tasks urgent, each once whoever else does so; returns how many."""
        query = (
            select(tasks.c.id, tasks.c.clinic_id, tasks.c.due)
            .where(_OVERDUE, tasks.c.overdue_at <= now)
            .order_by(tasks.c.overdue_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        found = self._connection.execute(query).all()
        for row in found:
            escalated = {"priority": TaskPriority.URGENT.value, "overdue_at": None}
            self._change(row.clinic_id, tasks.c.id == row.id, **escalated)
            whose = [(row.clinic_id, row.id)]
            self._tell(whose, TaskStep.ESCALATED, by=SERVICE, now=now, detail=f"was due {row.due}")
        return len(found)

    # One task, by its number

    def task(self, clinic_id: int, task_id: int, *, lock: bool = False) -> Task | None:
        """One task of the clinic; with `lock`, held until the transaction ends."""
        if lock:
            held = select(tasks.c.id).where(tasks.c.clinic_id == clinic_id, tasks.c.id == task_id)
            self._connection.execute(held.with_for_update())
        return next(iter(self._found(clinic_id, tasks.c.id == task_id)), None)

    def history(self, clinic_id: int, task_id: int) -> list[TaskEvent]:
        """All that happened to a task, oldest first."""
        own = tasks.c.clinic_id == clinic_id
        opened = self._connection.scalar(select(tasks.c.opened_at).where(own, tasks.c.id == task_id))
        if opened is None:
            return []
        of_task = (task_events.c.clinic_id == clinic_id) & (task_events.c.task_id == task_id)
        later = self._connection.execute(select(task_events).where(of_task).order_by(task_events.c.id))
        return [
            TaskEvent(at=opened, by=SERVICE, step=TaskStep.OPENED),
            *(
                TaskEvent(
                    at=row.at,
                    by=row.actor,
                    step=TaskStep(row.step),
                    detail=row.detail,
                    words=self._vault.open("task_events.words", row.words) or "",
                )
                for row in later
            ),
        ]

    def note(self, clinic_id: int, task_id: int, words: str, *, by: str, now: datetime) -> None:
        """Add a note to the history of a task of the clinic."""
        self._tell([(clinic_id, task_id)], TaskStep.NOTED, by=by, now=now, words=words)

    def assign(self, clinic_id: int, task_id: int, assignee: str | None, *, by: str, now: datetime) -> None:
        """Give an open task to somebody, or to nobody."""
        changed = self._change(clinic_id, tasks.c.id == task_id, assignee=assignee)
        self._tell([(clinic_id, task) for task in changed], TaskStep.ASSIGNED, by=by, now=now, detail=assignee)

    def resolve(
        self, clinic_id: int, task_id: int, resolution: Resolution, words: str, *, by: str, now: datetime
    ) -> bool:
        """End an open task; False when it is not open."""
        which = tasks.c.id == task_id
        return self._close(clinic_id, which, TaskStatus.DONE, resolution, words, by=by, now=now) == 1

    def successor(self, clinic_id: int, task_id: int) -> int | None:
        """The open task that has the same cause as this closed one."""
        of_it = select(tasks.c.cause).where(tasks.c.clinic_id == clinic_id, tasks.c.id == task_id)
        query = select(tasks.c.id).where(
            tasks.c.clinic_id == clinic_id, tasks.c.cause == of_it.scalar_subquery(), tasks.c.id != task_id, _OPEN
        )
        found: int | None = self._connection.scalar(query)
        return found

    def reopen(
        self, clinic_id: int, task_id: int, words: str, *, due: date, overdue_at: datetime, by: str, now: datetime
    ) -> bool:
        """Open a closed task again; False when it is open."""
        opened = self._connection.execute(
            update(tasks)
            .where(tasks.c.clinic_id == clinic_id, tasks.c.id == task_id, tasks.c.status.in_(_CLOSED))
            .values(
                status=TaskStatus.OPEN.value,
                due=due,
                overdue_at=overdue_at,
                closed_at=None,
                closed_by=None,
                resolution=None,
                resolution_words=None,
            )
        )
        if opened.rowcount:
            self._tell([(clinic_id, task_id)], TaskStep.REOPENED, by=by, now=now, detail=f"due {due}", words=words)
        return opened.rowcount == 1

    # Many tasks

    def tasks(self, clinic_id: int, *, mrn: str | None = None, only_open: bool = False) -> list[Task]:
        """The clinic's tasks, oldest first."""
        which = [_OPEN] if only_open else []
        if mrn is not None:
            which.append(tasks.c.patient_id == rows.patient_id_of(clinic_id, mrn))
        return self._found(clinic_id, *which)

    def open_counts(self, clinic_id: int) -> list[OpenTasks]:
        """How many tasks are open, by what a digest tells of them."""
        is_assigned = tasks.c.assignee.is_not(None).label("is_assigned")
        alike = (tasks.c.kind, tasks.c.priority, tasks.c.due, is_assigned)
        query = (
            select(*alike, func.count().label("number")).where(tasks.c.clinic_id == clinic_id, _OPEN).group_by(*alike)
        )
        return [
            OpenTasks(
                kind=row.kind,
                priority=row.priority,
                due=row.due,
                is_assigned=bool(row.is_assigned),
                count=row.number,
            )
            for row in self._connection.execute(query)
        ]

    def open_dues(self, clinic_id: int) -> list[date]:
        """The dates on which open tasks that are not overdue are due."""
        query = select(tasks.c.due).where(tasks.c.clinic_id == clinic_id, _OVERDUE).distinct()
        return list(self._connection.scalars(query.order_by(tasks.c.due)))

    def set_overdue(self, clinic_id: int, instants: Iterable[tuple[date, datetime]]) -> None:
        """Write when open tasks become overdue, by the date on which they are due."""
        for due, at in instants:
            which = (tasks.c.clinic_id == clinic_id) & (tasks.c.due == due) & (tasks.c.overdue_at != at)
            self._connection.execute(update(tasks).where(which, _OVERDUE).values(overdue_at=at))

    # Small steps

    def _close(
        self,
        clinic_id: int,
        which: ColumnElement[bool],
        status: TaskStatus,
        resolution: Resolution,
        words: str,
        *,
        by: str,
        now: datetime,
    ) -> int:
        closed = self._change(
            clinic_id,
            which,
            status=status.value,
            closed_at=now,
            closed_by=by,
            resolution=resolution.value,
            resolution_words=self._vault.seal("tasks.resolution_words", words or None),
        )
        whose = [(clinic_id, task) for task in closed]
        self._tell(whose, TaskStep.CLOSED, by=by, now=now, detail=resolution.value, words=words)
        return len(closed)

    def _change(self, clinic_id: int, which: ColumnElement[bool], **values: Any) -> list[int]:
        """Write `values` to the clinic's open tasks that `which` means; returns their numbers."""
        changed = update(tasks).where(tasks.c.clinic_id == clinic_id, which, _OPEN).values(**values)
        return sorted(self._connection.scalars(changed.returning(tasks.c.id)))

    def _tell(
        self,
        whose: Sequence[tuple[int, int]],
        step: TaskStep,
        *,
        by: str,
        now: datetime,
        detail: str | None = None,
        words: str = "",
    ) -> None:
        """Add to the history of (clinic, task)."""
        told = (
            {
                "clinic_id": clinic_id,
                "task_id": task_id,
                "at": now,
                "actor": by,
                "step": step.value,
                "detail": detail,
                "words": self._vault.seal("task_events.words", words or None),
            }
            for clinic_id, task_id in whose
        )
        insert_rows(self._connection, task_events, told)

    def _found(self, clinic_id: int, *which: ColumnElement[bool]) -> list[Task]:
        query = (
            select(tasks, patients.c.mrn)
            .outerjoin(patients, patients.c.id == tasks.c.patient_id)
            .where(tasks.c.clinic_id == clinic_id, *which)
            .order_by(tasks.c.id)
        )
        return [self._task(row) for row in self._connection.execute(query)]

    def _task(self, row: rows.AnyRow) -> Task:
        return Task(
            id=row.id,
            kind=row.kind,
            patient=row.mrn,
            priority=row.priority,
            opened_at=row.opened_at,
            due=row.due,
            status=row.status,
            note=self._vault.open("tasks.note", row.note) or "",
            assignee=row.assignee,
            closed_at=row.closed_at,
            closed_by=row.closed_by,
            resolution=row.resolution,
            resolution_words=self._vault.open("tasks.resolution_words", row.resolution_words) or "",
        )
