"""Counts and lists for the pages of staff. Each reads a page of rows, however many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel, PatientStatus
from scheduler.domain.tasks import TaskPriority, TaskStatus
from scheduler.ports.browsing import Named, PatientLine, TaskLine, Trouble
from scheduler.store import rows
from scheduler.store.tables import IN_TROUBLE, NOT_ACTIVE, enrolments, messages, patients, replies, tasks
from scheduler.store.vault import Vault

_NAME = "patients.name"
_URGENCY = case({priority.value: priority.rank for priority in TaskPriority}, value=tasks.c.priority)
# As `Patient.contact` has it.
_MAY_BE_REACHED = or_(
    and_(patients.c.sms_consent, patients.c.phone.is_not(None), ~patients.c.phone_bad),
    and_(patients.c.email_consent, patients.c.email.is_not(None), ~patients.c.email_bad),
).label("may_be_reached")
_PATIENT_LINE = (
    patients.c.mrn,
    patients.c.name,
    patients.c.status,
    patients.c.paused_until,
    patients.c.channel,
    patients.c.timezone,
    patients.c.next_contact_at,
    _MAY_BE_REACHED,
)


class Browsing:
    """Reading for pages, inside one transaction, always of one clinic."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    # The day

    def replies_since(self, clinic_id: int, since: datetime) -> int:
        """How many replies have come since then."""
        lately = (replies.c.clinic_id == clinic_id) & (replies.c.received_at >= since)
        return self._count(select(func.count()).select_from(replies).where(lately))

    def troubles(self, clinic_id: int, *, since: datetime, limit: int) -> list[Trouble]:
        """Messages planned since then that did not arrive, or may not have, the newest first."""
        query = (
            select(
                messages.c.planned_at,
                messages.c.channel,
                messages.c.pathway,
                messages.c.status,
                messages.c.reason,
                patients.c.mrn,
                patients.c.name,
            )
            .join(patients, patients.c.id == messages.c.patient_id)
            .where(
                messages.c.clinic_id == clinic_id,
                messages.c.planned_at >= since,
                IN_TROUBLE,
            )
            .order_by(messages.c.planned_at.desc())
            .limit(limit)
        )
        return [
            Trouble(
                planned_at=row.planned_at,
                mrn=row.mrn,
                name=self._name(row),
                channel=Channel(row.channel),
                pathway=row.pathway,
                status=MessageStatus(row.status),
                reason=row.reason,
            )
            for row in self._connection.execute(query)
        ]

    # Tasks

    def open_tasks(
        self,
        clinic_id: int,
        *,
        kind: str | None = None,
        assignee: str | None = None,
        is_free: bool = False,
        is_urgent: bool = False,
        due_before: date | None = None,
        limit: int,
        offset: int = 0,
    ) -> list[TaskLine]:
        """Open tasks, the most pressing first; `is_free`: nobody has them. `due_before` is a day of the clinic."""
        which: list[ColumnElement[bool]] = [tasks.c.clinic_id == clinic_id, tasks.c.status == TaskStatus.OPEN.value]
        if kind is not None:
            which.append(tasks.c.kind == kind)
        if assignee is not None:
            which.append(tasks.c.assignee == assignee)
        if is_free:
            which.append(tasks.c.assignee.is_(None))
        if is_urgent:
            which.append(tasks.c.priority == TaskPriority.URGENT.value)
        if due_before is not None:
            which.append(tasks.c.due < due_before)
        query = (
            select(tasks, patients.c.mrn, patients.c.name)
            .outerjoin(patients, patients.c.id == tasks.c.patient_id)
            .where(*which)
            .order_by(_URGENCY, tasks.c.due, tasks.c.id)
            .limit(limit)
            .offset(offset)
        )
        return [
            TaskLine(
                id=row.id,
                kind=row.kind,
                priority=row.priority,
                opened_at=row.opened_at,
                due=row.due,
                assignee=row.assignee,
                mrn=row.mrn,
                name=self._vault.open(_NAME, row.name),
                note=self._vault.open("tasks.note", row.note) or "",
            )
            for row in self._connection.execute(query)
        ]

    # Patients

    def patient_lines(
        self,
        clinic_id: int,
        *,
        status: PatientStatus | None = None,
        at: tuple[str, str] | None = None,
        after: str = "",
        limit: int,
    ) -> list[PatientLine]:
        """Patients by MRN, those after the MRN `after`; with `at`, those who stand there: a pathway and its step."""
        query = _patients(clinic_id).where(patients.c.mrn > after).limit(limit)
        if at is not None:
            query = query.join(enrolments, enrolments.c.patient_id == patients.c.id).where(
                enrolments.c.clinic_id == clinic_id, enrolments.c.pathway == at[0], enrolments.c.step == at[1]
            )
        return self._lines(query if status is None else query.where(patients.c.status == status.value))

    def patients_of(self, clinic_id: int, mrns: Sequence[str]) -> list[PatientLine]:
        """The patients with these MRNs, by MRN."""
        return self._lines(_patients(clinic_id).where(patients.c.mrn.in_(mrns)))

    def patients_by_status(self, clinic_id: int) -> dict[PatientStatus, int]:
        """How many patients there are of each status."""
        # Nearly all are active: their rows are not read, those of the others have an index.
        others = (
            select(patients.c.status, func.count())
            .where(patients.c.clinic_id == clinic_id, NOT_ACTIVE)
            .group_by(patients.c.status)
        )
        counts = {PatientStatus(status): count for status, count in self._connection.execute(others)}
        everybody = self._count(select(func.count()).select_from(patients).where(patients.c.clinic_id == clinic_id))
        return {PatientStatus.ACTIVE: everybody - sum(counts.values()), **counts}

    def patients_by_step(self, clinic_id: int) -> dict[tuple[str, str], int]:
        """How many patients stand in each step of each pathway."""
        query = (
            select(enrolments.c.pathway, enrolments.c.step, func.count())
            .where(enrolments.c.clinic_id == clinic_id)
            .group_by(enrolments.c.pathway, enrolments.c.step)
        )
        return {(pathway, step): count for pathway, step, count in self._connection.execute(query)}

    def names(self, clinic_id: int, *, changed_since: datetime | None, known: Mapping[UUID, bytes]) -> list[Named]:
        """The names of patients whose record has changed since then; None: of all."""
        query = select(patients.c.id, patients.c.mrn, patients.c.name).where(patients.c.clinic_id == clinic_id)
        if changed_since is not None:
            query = query.where(patients.c.updated_at >= changed_since)
        return [
            Named(row.id, row.mrn, self._name(row), row.name)
            for row in self._connection.execute(query)
            if known.get(row.id) != row.name
        ]

    def _lines(self, query: Select[tuple[object, ...]]) -> list[PatientLine]:
        return [
            PatientLine(
                mrn=row.mrn,
                name=self._name(row),
                status=PatientStatus(row.status),
                paused_until=row.paused_until,
                channel=Channel(row.channel),
                may_be_reached=bool(row.may_be_reached),
                timezone=row.timezone,
                next_contact_at=row.next_contact_at,
            )
            for row in self._connection.execute(query)
        ]

    def _name(self, row: rows.AnyRow) -> str:
        return self._vault.open(_NAME, row.name) or ""

    def _count(self, query: Select[int]) -> int:
        return self._connection.execute(query).scalar_one()


def _patients(clinic_id: int) -> Select[tuple[object, ...]]:
    return select(*_PATIENT_LINE).where(patients.c.clinic_id == clinic_id).order_by(patients.c.mrn)
