"""Taking a patient out: every row that is about them goes, and their own is emptied.

The audit trail and the record of consent stay, for nothing in them says who it was (migration 0002); so do counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, delete, or_, select, update

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel, PatientStatus
from scheduler.records import Patient
from scheduler.store.tables import (
    attempts,
    bad_addresses,
    bulk_members,
    carers,
    clearances,
    enrolments,
    messages,
    patient_notes,
    patient_pages,
    patients,
    replies,
    results,
    simulated_inbox,
    task_events,
    tasks,
    written_messages,
)
from scheduler.store.vault import Vault

GONE = "(erased)"
_INBOX_BATCH = 1000  # rows opened at once

# What refers to others goes before them. Carers are emptied, for the record of their consent refers to them.
_ABOUT_PATIENT: tuple[Table, ...] = (
    written_messages,
    enrolments,
    results,
    clearances,
    patient_notes,
    patient_pages,
    bad_addresses,
    bulk_members,
)


class Erasing:
    """Erasing, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def is_on_its_way(self, patient: Patient) -> bool:
        """Whether a message to the patient is being handed over at this moment."""
        query = select(messages.c.id).where(_of(messages, patient), messages.c.status == MessageStatus.SENDING.value)
        return self._connection.execute(query.limit(1)).first() is not None

    def erase(self, patient: Patient, *, now: datetime) -> Mapping[str, int]:
        """Delete all that is on file about the patient, who is held; returns how many rows of which table."""
        gone: dict[str, int] = {}
        own_messages = select(messages.c.id).where(_of(messages, patient))
        own_tasks = select(tasks.c.id).where(_of(tasks, patient))
        clinic_id = patient.clinic_id
        self._delete(attempts, (attempts.c.clinic_id == clinic_id) & attempts.c.message_id.in_(own_messages), gone)
        self._delete(task_events, (task_events.c.clinic_id == clinic_id) & task_events.c.task_id.in_(own_tasks), gone)
        for table in _ABOUT_PATIENT:
            self._delete(table, _of(table, patient), gone)
        self._delete(messages, _of(messages, patient), gone)
        self._delete(tasks, _of(tasks, patient), gone)
        self._delete(replies, (replies.c.clinic_id == clinic_id) & self._theirs(patient), gone)
        self._forget_simulated(patient, gone)
        self._empty_carers(patient, now)
        self._empty(patient, now)
        return {table: count for table, count in gone.items() if count}

    def _delete(self, table: Table, which: ColumnElement[bool], gone: dict[str, int]) -> None:
        gone[table.name] = self._connection.execute(delete(table).where(which)).rowcount

    def _theirs(self, patient: Patient) -> ColumnElement[bool]:
        """What they sent, and what came from their number or address before anybody knew whose it was."""
        indexes = [
            index
            for address in (patient.phone, patient.email)
            if address is not None
            for index in self._vault.indexes("replies.sender", address.lower())
        ]
        nobodys = replies.c.patient_id.is_(None) & replies.c.sender_index.in_(indexes)
        return or_(replies.c.patient_id == patient.id, nobodys)

    def _forget_simulated(self, patient: Patient, gone: dict[str, int]) -> None:
        """Simulated phones have no index: their few rows are opened."""
        addresses = {
            (channel.value, address.lower())
            for channel in Channel
            if (address := patient.address(channel)) is not None
        }
        after, found = 0, list[int]()
        while addresses:
            query = (
                select(simulated_inbox.c.id, simulated_inbox.c.channel, simulated_inbox.c.address)
                .where(simulated_inbox.c.id > after)
                .order_by(simulated_inbox.c.id)
                .limit(_INBOX_BATCH)
            )
            rows = self._connection.execute(query).all()
            if not rows:
                break
            after = rows[-1].id
            opened = ((row, self._vault.open("simulated_inbox.address", row.address) or "") for row in rows)
            found += [row.id for row, address in opened if (row.channel, address.lower()) in addresses]
        for at in range(0, len(found), _INBOX_BATCH):
            self._delete(simulated_inbox, simulated_inbox.c.id.in_(found[at : at + _INBOX_BATCH]), gone)

    def _empty_carers(self, patient: Patient, now: datetime) -> None:
        nothing = dict.fromkeys(("phone", "phone_index", "email", "email_index"))
        sealed = self._vault.seal("carers.name", GONE)
        self._connection.execute(
            update(carers).where(_of(carers, patient)).values(**nothing, name=sealed, consent=False, removed_at=now)
        )

    def _empty(self, patient: Patient, now: datetime) -> None:
        """What is left of the record: an id, and how long it was there."""
        nothing = dict.fromkeys(
            (
                "birth_date",
                "phone",
                "phone_index",
                "email",
                "email_index",
                "contact_time",
                "paused_until",
                "carer_mode",
                "carer_channel",
                "next_contact_at",
                "contacted_on",
                "stop_line_on",
                "confirmed_index",
                "confirm_asked_on",
                "page_key",
                "source",
            )
        )
        self._connection.execute(
            update(patients)
            .where(patients.c.id == patient.id, patients.c.clinic_id == patient.clinic_id)
            .values(
                **nothing,
                mrn=f"erased-{patient.id.hex}",
                name=self._vault.seal("patients.name", GONE),
                status=PatientStatus.DISCHARGED.value,
                risk_factors="",
                sms_consent=False,
                email_consent=False,
                is_discreet=False,
                updated_at=now,
            )
        )


def _of(table: Table, patient: Patient) -> ColumnElement[bool]:
    return (table.c.clinic_id == patient.clinic_id) & (table.c.patient_id == patient.id)
