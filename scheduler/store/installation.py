"""What belongs to the installation: its clinics and staff, its notes to itself, its audit, its heartbeats."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select, update

from scheduler.records import Clinic
from scheduler.store import rows
from scheduler.store.bulk import insert_rows
from scheduler.store.tables import audit, clinics, heartbeats, meta, staff
from scheduler.store.upsert import insert_into

_SILENT_FOR = timedelta(days=30)  # after which the heartbeat of a worker that is gone goes too


class Installation:
    """Clinics, staff, notes, heartbeats and the audit trail, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # Clinics and staff

    def add_clinic(self, clinic: Clinic, *, now: datetime) -> int:
        """Store a clinic; returns its id."""
        values = rows.clinic_values(clinic)
        added = self._connection.execute(insert(clinics).values(**values, created_at=now, reported_at=now))
        (clinic_id,) = added.inserted_primary_key or (0,)
        return int(clinic_id)

    def clinics(self) -> dict[int, Clinic]:
        """All clinics, by id."""
        found = self._connection.execute(select(clinics).order_by(clinics.c.id))
        return {row.id: rows.clinic_from(row) for row in found}

    def clinic(self, code: str) -> Clinic | None:
        row = self._connection.execute(select(clinics).where(clinics.c.code == code)).one_or_none()
        return None if row is None else rows.clinic_from(row)

    def change_clinic(self, clinic: Clinic) -> None:
        """Write the record of a clinic that is stored."""
        values = rows.clinic_values(clinic)
        self._connection.execute(update(clinics).where(clinics.c.id == clinic.id).values(**values))

    def set_next_digest(self, clinic_id: int, at: datetime | None) -> None:
        """When the clinic's next digest is due; None: never."""
        self._connection.execute(update(clinics).where(clinics.c.id == clinic_id).values(digest_due_at=at))

    def move_digest(self, clinic_id: int, *, seen: datetime, to: datetime) -> bool:
        """Move the next digest on from `seen`; False when somebody else has done so."""
        own = (clinics.c.id == clinic_id) & (clinics.c.digest_due_at == seen)
        return self._connection.execute(update(clinics).where(own).values(digest_due_at=to)).rowcount == 1

    def digests_due(self, now: datetime) -> dict[int, datetime]:
        """The clinics whose digest is due at `now`, and since when."""
        query = select(clinics.c.id, clinics.c.digest_due_at).where(clinics.c.digest_due_at <= now)
        return {row.id: row.digest_due_at for row in self._connection.execute(query.order_by(clinics.c.id))}

    def next_digest(self) -> datetime | None:
        """The earliest instant at which a digest is due; it may have passed."""
        earliest: datetime | None = self._connection.scalar(select(func.min(clinics.c.digest_due_at)))
        return earliest

    def staff_role(self, clinic_id: int, email: str) -> str | None:
        """The role of a member of staff, or None when no such person works at the clinic."""
        own = (staff.c.clinic_id == clinic_id) & (staff.c.email == email.lower()) & staff.c.left_at.is_(None)
        role: str | None = self._connection.scalar(select(staff.c.role).where(own))
        return role

    # Notes of the installation to itself

    def note(self, name: str) -> str | None:
        value: str | None = self._connection.scalar(select(meta.c.value).where(meta.c.name == name))
        return value

    def set_note(self, name: str, value: str) -> None:
        """Write the note, new or not; another transaction that writes it waits for the end of this one."""
        noted = insert_into(self._connection, meta).values(name=name, value=value)
        self._connection.execute(
            noted.on_conflict_do_update(index_elements=[meta.c.name], set_={"value": noted.excluded.value})
        )

    # Heartbeats

    def beat(self, worker: str, *, now: datetime) -> None:
        changed = self._connection.execute(
            update(heartbeats).where(heartbeats.c.worker == worker).values(beat_at=now)
        )
        if changed.rowcount == 0:
            self._connection.execute(delete(heartbeats).where(heartbeats.c.beat_at < now - _SILENT_FOR))
            self._connection.execute(insert(heartbeats).values(worker=worker, beat_at=now))

    def last_beat(self, worker: str) -> datetime | None:
        beat: datetime | None = self._connection.scalar(
            select(heartbeats.c.beat_at).where(heartbeats.c.worker == worker)
        )
        return beat

    def latest_beat(self) -> datetime | None:
        """When any worker last gave a sign of life."""
        beat: datetime | None = self._connection.scalar(select(func.max(heartbeats.c.beat_at)))
        return beat

    # Audit

    def audit(self, entries: Iterable[tuple[int, str, UUID | None, str]], *, actor: str, now: datetime) -> None:
        """Append (clinic, action, patient, detail). The detail never holds a name, number, address or body."""
        values = (
            {
                "clinic_id": clinic_id,
                "at": now,
                "actor": actor,
                "action": action,
                "patient_id": patient_id,
                "detail": detail,
            }
            for clinic_id, action, patient_id, detail in entries
        )
        insert_rows(self._connection, audit, values)

    def audit_entries(self, clinic_id: int) -> list[tuple[datetime, str, str, UUID | None, str]]:
        """(at, actor, action, patient, detail), oldest first."""
        query = select(audit.c.at, audit.c.actor, audit.c.action, audit.c.patient_id, audit.c.detail)
        found = self._connection.execute(query.where(audit.c.clinic_id == clinic_id).order_by(audit.c.id))
        return [tuple(row) for row in found]
