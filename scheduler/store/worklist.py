"""What people have to settle: tasks, supplement cases, and the results that close them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update

from scheduler.ids import new_id
from scheduler.records import Clearance, Result
from scheduler.store import rows
from scheduler.store.tables import clearances, patients, results
from scheduler.store.tasks import Tasks


class Worklist(Tasks):
    """Tasks, clearances and results, inside one transaction."""

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

    def clearances(
        self, clinic_id: int | None = None, *, case: int | None = None, patient_id: UUID | None = None
    ) -> list[Clearance]:
        """The supplement cases of a clinic, or of one patient, or the one with this number in any, oldest first."""
        query = (
            select(clearances, patients.c.mrn)
            .join(patients, patients.c.id == clearances.c.patient_id)
            .order_by(clearances.c.id)
        )
        if clinic_id is not None:
            query = query.where(clearances.c.clinic_id == clinic_id)
        if case is not None:
            query = query.where(clearances.c.id == case)
        if patient_id is not None:
            query = query.where(clearances.c.patient_id == patient_id)
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
            signed_with=row.signed_with,
            shown=self._vault.open("clearances.shown", row.shown),
        )

    def decide_clearance(
        self,
        case: Clearance,
        *,
        decision: str,
        by: str,
        now: datetime,
        signed_with: str | None = None,
        shown: str | None = None,
    ) -> bool:
        """Record a decision on an open case; False when somebody else has decided it meanwhile."""
        decided = self._connection.execute(
            update(clearances)
            .where(
                clearances.c.id == case.id,
                clearances.c.clinic_id == case.clinic_id,
                clearances.c.decision.is_(None),
            )
            .values(
                decision=decision,
                decided_by=by,
                decided_at=now,
                signed_with=signed_with,
                shown=self._vault.seal("clearances.shown", shown),
            )
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
                moved=result.moved,
            )
        )
