"""The audit trail, read a page at a time by its index, however long it is."""

from __future__ import annotations

from sqlalchemy import Connection, and_, or_, select

from scheduler.ports.auditing import AuditEntry, Place, Which
from scheduler.store.tables import audit, patients


class Auditing:
    """Reading, inside one transaction, always of one clinic."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(self, clinic_id: int, which: Which, *, before: Place | None, limit: int) -> list[AuditEntry]:
        """The newest entries, or the newest before a place."""
        query = (
            select(audit.c.id, audit.c.at, audit.c.actor, audit.c.action, audit.c.detail, patients.c.mrn)
            .outerjoin(patients, and_(patients.c.id == audit.c.patient_id, patients.c.clinic_id == clinic_id))
            .where(audit.c.clinic_id == clinic_id)
            .order_by(audit.c.at.desc(), audit.c.id.desc())
            .limit(limit)
        )
        same = ((audit.c.actor, which.actor), (audit.c.action, which.action), (audit.c.patient_id, which.patient_id))
        for column, wanted in same:
            if wanted is not None:
                query = query.where(column == wanted)
        if which.since is not None:
            query = query.where(audit.c.at >= which.since)
        if which.until is not None:
            query = query.where(audit.c.at < which.until)
        if before is not None:
            is_same = (audit.c.at == before.at) & (audit.c.id < before.id)
            query = query.where(audit.c.at <= before.at, or_(audit.c.at < before.at, is_same))
        return [
            AuditEntry(id=row.id, at=row.at, actor=row.actor, action=row.action, mrn=row.mrn, detail=row.detail)
            for row in self._connection.execute(query)
        ]
