"""What stands before patients' own pages, and what they show. Every query names the clinic, save that by key."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, insert, or_, select, update

from scheduler.domain.messages import MessageKind, MessageStatus
from scheduler.domain.people import Channel
from scheduler.domain.sending import SERVICE_MESSAGES
from scheduler.ports.patient_pages import PageGate, PageMessage
from scheduler.records import Patient
from scheduler.store import rows
from scheduler.store.tables import audit, messages, patient_pages, patients
from scheduler.store.vault import Vault

_NEVER_WENT = [
    status.value
    for status in (MessageStatus.SKIPPED, MessageStatus.EXPIRED, MessageStatus.NOT_SENT, MessageStatus.FAILED)
]


_OF_REST = ("paused", "safety", "resumed")


def _begins(detail: str) -> ColumnElement[bool]:
    """An entry of this detail, alone or "with 3 others"."""
    return or_(audit.c.detail == detail, audit.c.detail.startswith(f"{detail},", autoescape=True))


class PatientPages:
    """Patients' own pages, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def by_key(self, key: bytes) -> Patient | None:
        """Whose page has this key, of all clinics: the link alone says whose it is."""
        row = self._connection.execute(select(patients).where(patients.c.page_key == key)).one_or_none()
        return None if row is None else rows.patient_from(row, self._vault)

    def gate(self, clinic_id: int, patient_id: UUID) -> PageGate:
        """What stands before the patient's page; the plain one where nobody has been there."""
        query = select(patient_pages).where(
            patient_pages.c.clinic_id == clinic_id, patient_pages.c.patient_id == patient_id
        )
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return PageGate(patient_id=patient_id, clinic_id=clinic_id)
        return PageGate(
            patient_id=patient_id,
            clinic_id=clinic_id,
            failures=row.failures,
            locked_until=row.locked_until,
            paused_on=row.paused_on,
            paused_until=row.paused_until,
        )

    def keep_gate(self, gate: PageGate) -> None:
        """Write it. Whoever does holds the patient."""
        values = asdict(gate)
        own = {name: values.pop(name) for name in ("patient_id", "clinic_id")}
        known = (patient_pages.c.patient_id == gate.patient_id) & (patient_pages.c.clinic_id == gate.clinic_id)
        if not self._connection.execute(update(patient_pages).where(known).values(**values)).rowcount:
            self._connection.execute(insert(patient_pages).values(**own, **values))

    def told_of_rest(self, clinic_id: int, patient_id: UUID) -> list[tuple[datetime, str]]:
        """When (UTC) the patient was answered that activities are paused or go on, the newest first."""
        query = (
            select(messages.c.planned_at, messages.c.template)
            .where(
                messages.c.clinic_id == clinic_id,
                messages.c.patient_id == patient_id,
                messages.c.pathway == SERVICE_MESSAGES,
                messages.c.template.in_(_OF_REST),
            )
            .order_by(messages.c.planned_at.desc(), messages.c.id.desc())
        )
        return [(row.planned_at, row.template) for row in self._connection.execute(query)]

    def decided_by_staff(self, clinic_id: int, patient_id: UUID, pathway: str) -> list[tuple[datetime, bool]]:
        """When (UTC) staff took the patient off the pathway (True) or put them on it, the newest first."""
        is_off = or_(
            (audit.c.action == "pathway ended") & (audit.c.detail == pathway),
            (audit.c.action == "reminders changed") & _begins(f"taken off {pathway}"),
        )
        is_on = or_(
            (audit.c.action == "pathway begun") & (audit.c.detail == pathway),
            (audit.c.action == "reminders changed")
            & or_(_begins(f"put on {pathway}"), _begins(f"undone: taken off {pathway}")),
        )
        query = (
            select(audit.c.at, is_off.label("is_off"))
            .where(audit.c.clinic_id == clinic_id, audit.c.patient_id == patient_id, or_(is_off, is_on))
            .order_by(audit.c.at.desc(), audit.c.id.desc())
        )
        return [(row.at, bool(row.is_off)) for row in self._connection.execute(query)]

    def messages(self, clinic_id: int, patient_id: UUID, *, until: datetime, limit: int) -> list[PageMessage]:
        """The latest messages of pathways that went to the patient or are going, the newest first."""
        query = (
            select(
                messages.c.pathway,
                messages.c.step,
                messages.c.template,
                messages.c.activity_turn,
                messages.c["count"].label("times"),
                messages.c.kind,
                messages.c.channel,
                messages.c.planned_at,
                messages.c.sent_at,
            )
            .where(
                messages.c.clinic_id == clinic_id,
                messages.c.patient_id == patient_id,
                messages.c.pathway != SERVICE_MESSAGES,
                messages.c.kind != MessageKind.COPY.value,
                messages.c.status.not_in(_NEVER_WENT),
                messages.c.send_from <= until,
            )
            .order_by(messages.c.planned_at.desc(), messages.c.id.desc())
            .limit(limit)
        )
        return [
            PageMessage(
                pathway=row.pathway,
                step=row.step,
                template=row.template,
                turn=row.activity_turn,
                count=row.times,
                kind=MessageKind(row.kind),
                channel=Channel(row.channel),
                at=row.sent_at or row.planned_at,
            )
            for row in self._connection.execute(query)
        ]
