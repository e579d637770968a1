"""What people have to settle: tasks, supplement cases, and the results that close them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, insert, select, text, update

from scheduler.domain.tasks import TaskPriority, TaskStatus
from scheduler.ids import new_id
from scheduler.ports import SERVICE
from scheduler.records import Clearance, NewTask, Result, Task
from scheduler.store import rows
from scheduler.store.tables import clearances, patients, results, tasks
from scheduler.store.upsert import insert_into
from scheduler.store.vault import Vault


class Worklist:
    """Tasks, clearances and results, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    # Tasks

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

    def close(self, clinic_id: int, causes: Sequence[str], *, now: datetime, by: str = SERVICE) -> None:
        """Close the open tasks with these causes: what they asked for has come about."""
        if causes:
            status = TaskStatus.CANCELLED if by == SERVICE else TaskStatus.DONE
            self._update_open(clinic_id, causes, status=status.value, closed_at=now, closed_by=by)

    def escalate(self, clinic_id: int, causes: Sequence[str]) -> None:
        """Make the open tasks with these causes urgent."""
        if causes:
            self._update_open(clinic_id, causes, priority=TaskPriority.URGENT.value)

    def _update_open(self, clinic_id: int, causes: Sequence[str], **values: object) -> None:
        self._connection.execute(
            update(tasks)
            .where(
                tasks.c.clinic_id == clinic_id,
                tasks.c.cause.in_(causes),
                tasks.c.status == TaskStatus.OPEN.value,
            )
            .values(**values)
        )

    def tasks(self, clinic_id: int, *, mrn: str | None = None) -> list[Task]:
        """The clinic's tasks, oldest first."""
        query = (
            select(tasks, patients.c.mrn)
            .outerjoin(patients, patients.c.id == tasks.c.patient_id)
            .where(tasks.c.clinic_id == clinic_id)
            .order_by(tasks.c.id)
        )
        if mrn is not None:
            query = query.where(patients.c.mrn == mrn)
        return [
            Task(
                id=row.id,
                kind=row.kind,
                patient=row.mrn,
                priority=row.priority,
                opened_at=row.opened_at,
                due=row.due,
                status=row.status,
                note=self._vault.open("tasks.note", row.note) or "",
            )
            for row in self._connection.execute(query)
        ]

    # Supplement cases

    def open_clearance(self, clinic_id: int, patient_id: UUID, *, named: str, now: datetime) -> None:
        self._connection.execute(
            insert(clearances).values(
                clinic_id=clinic_id,
                patient_id=patient_id,
                named=self._vault.seal("clearances.named", named),
                opened_at=now,
            )
        )

    def clearances(self, clinic_id: int | None = None, *, case: int | None = None) -> list[Clearance]:
        """The supplement cases of a clinic, or the one with this number in any, oldest first."""
        query = (
            select(clearances, patients.c.mrn)
            .join(patients, patients.c.id == clearances.c.patient_id)
            .order_by(clearances.c.id)
        )
        if clinic_id is not None:
            query = query.where(clearances.c.clinic_id == clinic_id)
        if case is not None:
            query = query.where(clearances.c.id == case)
        return [self._clearance(row) for row in self._connection.execute(query)]

    def _clearance(self, row: rows.AnyRow) -> Clearance:
        return Clearance(
            id=row.id,
            clinic_id=row.clinic_id,
            patient_id=row.patient_id,
            patient=row.mrn,
            named=self._vault.open("clearances.named", row.named) or "",
            opened_at=row.opened_at,
            decision=row.decision,
            decided_at=row.decided_at,
            decided_by=row.decided_by,
        )

    def decide_clearance(self, case: Clearance, *, decision: str, by: str, now: datetime) -> bool:
        """Record a decision on an open case; False when somebody else has decided it meanwhile."""
        decided = self._connection.execute(
            update(clearances)
            .where(
                clearances.c.id == case.id,
                clearances.c.clinic_id == case.clinic_id,
                clearances.c.decision.is_(None),
            )
            .values(decision=decision, decided_by=by, decided_at=now)
        )
        return decided.rowcount == 1

    # Results

    def add_result(self, result: Result, *, now: datetime) -> None:
        self._connection.execute(
            insert(results).values(
                id=new_id(),
                clinic_id=result.clinic_id,
                patient_id=result.patient_id,
                kind=result.kind,
                taken_on=result.taken_on,
                value=self._vault.seal("results.value", result.value),
                unit=result.unit,
                next_months=result.next_months,
                recorded_at=now,
                recorded_by=result.recorded_by,
            )
        )
