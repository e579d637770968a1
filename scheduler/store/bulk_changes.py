"""Changes made for many patients at once, and what each had before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from scheduler.domain.bulk import BulkAction, BulkWish, MemberFate
from scheduler.domain.enrolment import NotSent
from scheduler.domain.messages import MessageKind, MessageStatus, SkipReason
from scheduler.ports.bulk_changes import BulkChange, Came, Member, Waiting
from scheduler.store import rows
from scheduler.store.tables import bulk_changes, bulk_members, enrolments, messages, patients
from scheduler.store.vault import Vault


class BulkChanges:
    """Changes for many, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def add(self, change: BulkChange, mrns: Sequence[str]) -> int:
        """Store it with the clinic's patients among `mrns`; returns its number."""
        values = {
            "clinic_id": change.clinic_id,
            "action": change.wish.action.value,
            "pathway": change.wish.pathway,
            "until": change.wish.until,
            "made_by": change.made_by,
            "made_at": change.made_at,
        }
        added = self._connection.execute(insert(bulk_changes).values(**values))
        (bulk_id,) = added.inserted_primary_key or (0,)
        query = select(patients.c.id).where(patients.c.clinic_id == change.clinic_id, patients.c.mrn.in_(mrns))
        same = {"clinic_id": change.clinic_id, "bulk_id": int(bulk_id), "fate": MemberFate.CHOSEN.value}
        members = [{**same, "patient_id": one} for one in self._connection.execute(query).scalars()]
        if members:
            self._connection.execute(insert(bulk_members), members)
        return int(bulk_id)

    def get(self, clinic_id: int, bulk_id: int) -> BulkChange | None:
        """One of the clinic's."""
        own = (bulk_changes.c.clinic_id == clinic_id) & (bulk_changes.c.id == bulk_id)
        row = self._connection.execute(select(bulk_changes).where(own)).one_or_none()
        return None if row is None else _change(row)

    def members(self, clinic_id: int, bulk_id: int) -> list[Member]:
        """Who was chosen, by MRN."""
        query = (
            select(bulk_members, patients.c.mrn, patients.c.name)
            .join(patients, patients.c.id == bulk_members.c.patient_id)
            .where(
                bulk_members.c.clinic_id == clinic_id,
                bulk_members.c.bulk_id == bulk_id,
                patients.c.clinic_id == clinic_id,
            )
            .order_by(patients.c.mrn)
        )
        return [
            Member(
                patient_id=row.patient_id,
                mrn=row.mrn,
                name=self._vault.open("patients.name", row.name) or "",
                fate=MemberFate(row.fate),
                why=row.why,
                before=row.before,
                after=row.after,
            )
            for row in self._connection.execute(query)
        ]

    def latest_done(self, clinic_id: int, by: str, *, since: datetime) -> BulkChange | None:
        """The latest change of somebody that was done since then and has not been undone."""
        query = (
            select(bulk_changes)
            .where(
                bulk_changes.c.clinic_id == clinic_id,
                bulk_changes.c.made_by == by,
                bulk_changes.c.done_at >= since,
                bulk_changes.c.undone_at.is_(None),
            )
            .order_by(bulk_changes.c.done_at.desc())
            .limit(1)
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _change(row)

    def begin(self, clinic_id: int, bulk_id: int, *, now: datetime) -> bool:
        """It is done at `now`; False when it was done before."""
        own = (bulk_changes.c.clinic_id == clinic_id) & (bulk_changes.c.id == bulk_id)
        fresh = update(bulk_changes).where(own, bulk_changes.c.done_at.is_(None))
        return self._connection.execute(fresh.values(done_at=now)).rowcount == 1

    def begin_undo(self, clinic_id: int, bulk_id: int, *, done_since: datetime, now: datetime) -> bool:
        """It is undone at `now`; False when it was undone, was not done, or was done before `done_since`."""
        own = (bulk_changes.c.clinic_id == clinic_id) & (bulk_changes.c.id == bulk_id)
        fresh = update(bulk_changes).where(
            own, bulk_changes.c.done_at >= done_since, bulk_changes.c.undone_at.is_(None)
        )
        return self._connection.execute(fresh.values(undone_at=now)).rowcount == 1

    def note(self, clinic_id: int, bulk_id: int, came: Sequence[Came]) -> None:
        """Write what it came to for each."""
        if not came:
            return
        changed = update(bulk_members).where(
            bulk_members.c.clinic_id == clinic_id,
            bulk_members.c.bulk_id == bulk_id,
            bulk_members.c.patient_id == bindparam("of_patient"),
        )
        values = [
            {
                "of_patient": one.patient_id,
                "to_fate": one.fate.value,
                "to_why": one.why,
                "to_before": one.before,
                "to_after": one.after,
            }
            for one in came
        ]
        columns: dict[str, Any] = {name: bindparam(f"to_{name}") for name in ("fate", "why", "before", "after")}
        self._connection.execute(changed.values(**columns), values)

    def waiting(self, clinic_id: int, enrolment_ids: Sequence[UUID]) -> list[Waiting]:
        """The messages planned for these enrolments that wait to be sent."""
        named = ("id", "enrolment_id", "kind", "due_date", "step", "cycle", "fired")
        query = select(*(messages.c[name] for name in named)).where(
            messages.c.clinic_id == clinic_id,
            messages.c.enrolment_id.in_(enrolment_ids),
            messages.c.status == MessageStatus.PLANNED.value,
        )
        return [
            Waiting(
                row.id,
                row.enrolment_id,
                NotSent(row.due_date, row.step, row.cycle, row.fired)
                if row.kind == MessageKind.REMINDER.value
                else None,
            )
            for row in self._connection.execute(query)
        ]

    def revive(self, clinic_id: int, message_ids: Sequence[UUID], *, now: datetime) -> set[UUID]:
        """Messages that a change made pointless wait again, where their window is open; returns those that do."""
        own = messages.c.id.in_(message_ids) & (messages.c.clinic_id == clinic_id)
        pointless = own & (messages.c.reason == SkipReason.SUPERSEDED.value) & (messages.c.send_until > now)
        skipped = pointless & (messages.c.status == MessageStatus.SKIPPED.value)
        found = set(self._connection.execute(select(messages.c.id).where(skipped)).scalars())
        self._connection.execute(
            update(messages).where(skipped).values(status=MessageStatus.PLANNED.value, reason=None)
        )
        return found

    def remove_enrolments(self, clinic_id: int, enrolment_ids: Sequence[UUID]) -> None:
        """Take away enrolments that a change began and nothing has come of."""
        if enrolment_ids:
            own = (enrolments.c.clinic_id == clinic_id) & enrolments.c.id.in_(enrolment_ids)
            self._connection.execute(delete(enrolments).where(own))

    def forget(self, clinic_id: int, *, made_before: datetime) -> None:
        """Nothing is kept that nobody can do or undo any more: who was chosen in vain, what there was before."""
        old = (bulk_changes.c.clinic_id == clinic_id) & (bulk_changes.c.made_at < made_before)
        never_done = select(bulk_changes.c.id).where(old, bulk_changes.c.done_at.is_(None))
        self._connection.execute(
            delete(bulk_members).where(bulk_members.c.clinic_id == clinic_id, bulk_members.c.bulk_id.in_(never_done))
        )
        self._connection.execute(delete(bulk_changes).where(old, bulk_changes.c.done_at.is_(None)))
        done = select(bulk_changes.c.id).where(old)
        own = (bulk_members.c.clinic_id == clinic_id) & bulk_members.c.bulk_id.in_(done)
        self._connection.execute(update(bulk_members).where(own).values(before=None, after=None))


def _change(row: rows.AnyRow) -> BulkChange:
    return BulkChange(
        id=row.id,
        clinic_id=row.clinic_id,
        wish=BulkWish(action=BulkAction(row.action), pathway=row.pathway, until=row.until),
        made_by=row.made_by,
        made_at=row.made_at,
        done_at=row.done_at,
        undone_at=row.undone_at,
    )
