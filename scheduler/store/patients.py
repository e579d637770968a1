"""Patients, their enrolments and consent. Every query names the clinic, save the planner's, which serves all."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, Update, func, or_, select, update

from scheduler.domain.contact import Contact, Enrolled
from scheduler.domain.enrolment import Enrolment
from scheduler.domain.people import CarerMode, Channel
from scheduler.records import Clinic, Consent, DuePatient, Patient
from scheduler.store import rows
from scheduler.store.among import among, of_mrns
from scheduler.store.bulk import Alike, insert_alike, insert_rows, keyed, once_each, update_rows
from scheduler.store.recurring import Recurring
from scheduler.store.tables import consents, enrolments, patients, replies
from scheduler.store.vault import Vault

_OF_PATIENT = Recurring([enrolments.c.patient_id])
_STATE = Recurring([enrolments.c.pathway, *(enrolments.c[name] for name in rows.STATE)])
_ENROLLED = select(*_OF_PATIENT.columns, enrolments.c.id, enrolments.c.contact_time, *_STATE.columns).order_by(
    enrolments.c.patient_id, enrolments.c.pathway
)
UNREADABLE_FOR = timedelta(hours=1)  # then a patient who cannot be read is looked at again

_log = logging.getLogger(__name__)
_UPDATE_PATIENT = update(patients)
_UPDATE_ENROLMENT = update(enrolments)


class Patients:
    """The patients of all clinics, inside one transaction.

    Whoever holds a patient holds them against everybody else who would change them; rows that only refer to a
    patient, such as a text that comes in, are still written meanwhile (PostgreSQL: FOR NO KEY UPDATE).
    """

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    # Finding

    def by_mrn(self, clinic_id: int, mrns: Sequence[str], *, lock: bool = False) -> dict[str, Patient]:
        """The clinic's patients among `mrns`, by MRN; with `lock`, held until the transaction ends.

        Locks are taken in the order of ids, as everybody does who waits for more than one patient.
        """
        wanted = set(mrns)
        query = select(patients).where(of_mrns(self._connection, clinic_id, wanted)).order_by(patients.c.id)
        found = self._read(query.with_for_update(key_share=True) if lock else query)
        return {patient.mrn: patient for patient in found if patient.mrn in wanted}

    def any_of(self, clinic_id: int, mrns: Sequence[str]) -> bool:
        """Whether the clinic has any of these patients on file."""
        query = select(patients.c.id).where(of_mrns(self._connection, clinic_id, mrns)).limit(1)
        return self._connection.execute(query).first() is not None

    def get(self, clinic_id: int, patient_id: UUID, *, lock: bool = False) -> Patient | None:
        """One patient; with `lock`, held until the transaction ends."""
        query = _of(clinic_id).where(patients.c.id == patient_id)
        return next(iter(self._read(query.with_for_update(key_share=True) if lock else query)), None)

    def of_clinic(self, clinic_id: int, *, mrn: str | None = None) -> list[Patient]:
        """All patients of the clinic, or the one with `mrn`, by MRN."""
        query = _of(clinic_id).order_by(patients.c.mrn)
        return self._read(query if mrn is None else query.where(patients.c.mrn == mrn))

    def by_address(self, channel: Channel, address: str, *, clinic_id: int | None = None) -> list[Patient]:
        """Patients with this number (E.164) or e-mail address, in one clinic or in all."""
        column, place = {
            Channel.SMS: (patients.c.phone_index, "patients.phone"),
            Channel.EMAIL: (patients.c.email_index, "patients.email"),
        }[channel]
        wanted = self._vault.indexes(place, address.lower())
        query = select(patients).where(column.in_(wanted)).order_by(patients.c.mrn)
        return self._read(query if clinic_id is None else query.where(patients.c.clinic_id == clinic_id))

    def count(self, clinic_id: int) -> int:
        query = select(func.count()).select_from(patients).where(patients.c.clinic_id == clinic_id)
        return self._connection.execute(query).scalar_one()

    def enrolments(self, patient_ids: Sequence[UUID]) -> dict[UUID, tuple[Enrolled, ...]]:
        """The enrolments of each patient, by the name of their pathway; a patient without any is absent."""
        found: dict[UUID, list[Enrolled]] = {}
        query = _ENROLLED.where(among(self._connection, enrolments.c.patient_id, patient_ids))
        dialect = self._connection.dialect
        patient_of = _OF_PATIENT.reader(dialect, lambda row: row.patient_id)
        state_from = _STATE.reader(dialect, rows.state_from)
        listed: Sequence[tuple[Any, ...]] = self._connection.execute(query).all()
        known: Any = None
        theirs: list[Enrolled] = []
        for row in listed:
            if row[0] != known:
                known = row[0]
                theirs = found[patient_of((known,))] = []
            theirs.append(Enrolled(id=row[1], state=state_from(row[3:]), contact_time=row[2]))
        return {patient_id: tuple(enrolled) for patient_id, enrolled in found.items()}

    def _read(self, query: Select[tuple[object, ...]]) -> list[Patient]:
        return [rows.patient_from(row, self._vault) for row in self._connection.execute(query)]

    # Planning, across all clinics

    def claim_due(self, now: datetime, *, limit: int, clinics: Mapping[int, Clinic]) -> list[DuePatient]:
        """Up to `limit` patients whose next contact is due at `now`, locked until the transaction ends.

        Others' workers skip them on PostgreSQL; on SQLite there is one writer anyway.
        """
        query = (
            select(patients.c.id, *rows.CONTACT.columns)
            .where(patients.c.next_contact_at <= now)
            .order_by(patients.c.next_contact_at)
            .limit(limit)
            .with_for_update(key_share=True, skip_locked=True)
        )
        contact_from = rows.CONTACT.reader(
            self._connection.dialect, lambda row: rows.contact_from(row, clinics[row.clinic_id])
        )
        due = []
        for row in self._connection.execute(query).all():
            try:
                due.append((row[0], row[1], contact_from(row[1:])))
            except (ValueError, LookupError):  # such as a zone that new zone data has no more
                _log.exception("patient %s cannot be read; trying again in %s", row[0], UNREADABLE_FOR)
                self.set_next_contact(row[1], row[0], now + UNREADABLE_FOR)
        enrolled = self.enrolments([patient_id for patient_id, _, _ in due]) if due else {}
        return [
            DuePatient(id=patient_id, clinic_id=clinic_id, contact=contact, enrolments=enrolled.get(patient_id, ()))
            for patient_id, clinic_id, contact in due
        ]

    def try_lock(self, patient_ids: Sequence[UUID]) -> set[UUID]:
        """Those of the patients whom no other transaction holds, held until this one ends."""
        query = (
            select(patients.c.id)
            .where(among(self._connection, patients.c.id, patient_ids))
            .with_for_update(key_share=True, skip_locked=True)
        )
        return set(self._connection.execute(query).scalars())

    def next_due(self) -> datetime | None:
        """The earliest instant at which any patient is due."""
        earliest: datetime | None = self._connection.scalar(select(func.min(patients.c.next_contact_at)))
        return earliest

    # Writing

    def insert(self, new: Sequence[Patient], *, now: datetime) -> None:
        stamps = {"created_at": now, "updated_at": now}
        insert_rows(
            self._connection, patients, (rows.patient_values(patient, self._vault) | stamps for patient in new)
        )

    def update(self, changed: Iterable[Patient], *, now: datetime) -> None:
        """Write the whole record of each patient."""
        written = list(changed)
        values = [rows.patient_values(patient, self._vault) | {"updated_at": now} for patient in written]
        self._update(_UPDATE_PATIENT, (keyed(row.pop("id"), row.pop("clinic_id"), **row) for row in values))
        self._keep_confirmed(written)

    def _keep_confirmed(self, written: Iterable[Patient]) -> None:
        """While there are several keys, a number that is written again has a new index; confirmed it still is."""
        for patient in written:
            newest, *older = self._vault.indexes("patients.phone", patient.phone) if patient.phone else (b"",)
            if older:
                same = patients.c.confirmed_index.in_(older)
                own = (patients.c.id == patient.id) & (patients.c.clinic_id == patient.clinic_id)
                self._connection.execute(_UPDATE_PATIENT.where(own, same).values(confirmed_index=newest))

    def set_contacts(self, changed: Iterable[tuple[UUID, int, Contact, datetime | None]]) -> None:
        """Write what a decision changed: (patient, clinic, contact, next contact)."""
        values = once_each(rows.contact_values)
        self._update(
            _UPDATE_PATIENT,
            (
                {"of_id": patient_id, "of_clinic": clinic_id, "next_contact_at": due, **values(contact)}
                for patient_id, clinic_id, contact, due in changed
            ),
        )

    def set_next_contact(self, clinic_id: int, patient_id: UUID, due: datetime | None) -> None:
        self._update(_UPDATE_PATIENT, [keyed(patient_id, clinic_id, next_contact_at=due)])

    def set_stop_line(self, clinic_id: int, patient_id: UUID, on: date | None) -> None:
        """The last local date whose text says how to stop, when that is not what was planned."""
        self._update(_UPDATE_PATIENT, [keyed(patient_id, clinic_id, stop_line_on=on)])

    def mark_bad(self, clinic_id: int, patient_id: UUID, channel: Channel) -> None:
        """The number or address will never work."""
        column = "phone_bad" if channel is Channel.SMS else "email_bad"
        self._update(_UPDATE_PATIENT, [keyed(patient_id, clinic_id, **{column: True})])

    def confirm_phones(self, of: Iterable[tuple[int, UUID]]) -> None:
        """The numbers that these (clinic, patient) have now are confirmed; another number of theirs is not."""
        for clinic_id, patient_id in of:
            own = (patients.c.id == patient_id) & (patients.c.clinic_id == clinic_id)
            self._connection.execute(_UPDATE_PATIENT.where(own).values(confirmed_index=patients.c.phone_index))

    def confirm_those_who_answered(self, clinic_id: int, meanings: Iterable[str]) -> int:
        """Confirm the numbers of the clinic's patients that have sent a reply with one of `meanings`.

        Returns how many were not confirmed before.
        """
        found = self._connection.execute(
            select(patients.c.id, patients.c.phone)
            .where(
                patients.c.clinic_id == clinic_id,
                patients.c.phone_index.is_not(None),
                or_(patients.c.confirmed_index.is_(None), patients.c.confirmed_index != patients.c.phone_index),
            )
            .order_by(patients.c.id)
            .with_for_update(key_share=True)
        ).all()
        wrote = select(replies.c.patient_id, replies.c.sender_index).where(
            replies.c.clinic_id == clinic_id,
            replies.c.channel == Channel.SMS.value,
            replies.c.meaning.in_(list(meanings)),
        )
        numbers: dict[UUID, set[bytes]] = defaultdict(set)
        for patient_id, index in self._connection.execute(wrote):
            numbers[patient_id].add(bytes(index))
        confirmed = [(clinic_id, row.id) for row in found if self._is_among(row.phone, numbers.get(row.id))]
        self.confirm_phones(confirmed)
        return len(confirmed)

    def _is_among(self, phone: bytes, indexes: AbstractSet[bytes] | None) -> bool:
        if not indexes:
            return False
        number = self._vault.open("patients.phone", phone) or ""
        return not indexes.isdisjoint(self._vault.indexes("replies.sender", number.lower()))

    def set_consent(self, clinic_id: int, patient_id: UUID, channel: Channel, *, granted: bool) -> None:
        """What the latest consent record says, kept with the patient for the planner."""
        column = "sms_consent" if channel is Channel.SMS else "email_consent"
        self._update(_UPDATE_PATIENT, [keyed(patient_id, clinic_id, **{column: granted})])

    def set_carer(self, clinic_id: int, patient_id: UUID, mode: CarerMode | None, channel: Channel | None) -> None:
        """How the patient's carer may be written to, kept with the patient for the planner; None: in no way.

        Whoever is written to from now on has not been told yet how to stop.
        """
        values = keyed(
            patient_id,
            clinic_id,
            carer_mode=mode.value if mode else None,
            carer_channel=channel.value if channel else None,
            stop_line_on=None,
        )
        self._update(_UPDATE_PATIENT, [values])

    def clear_consents(self, of: Iterable[tuple[int, UUID]]) -> None:
        """No consent to anything is kept with these (clinic, patient)."""
        values = [
            keyed(patient_id, clinic_id, sms_consent=False, email_consent=False) for clinic_id, patient_id in of
        ]
        self._update(_UPDATE_PATIENT, values)

    def insert_enrolments(self, new: Sequence[tuple[UUID, int, Enrolled, date]]) -> None:
        """Store enrolments of (patient, clinic), made on a local date. Most of a list's patients begin alike."""
        groups: dict[tuple[int, int, time | None, date], tuple[Alike, list[rows.Values]]] = {}
        for patient_id, clinic_id, enrolled, on in new:
            state = enrolled.state
            key = (clinic_id, id(state), enrolled.contact_time, on)  # hashing the whole state costs more than the row
            if key not in groups:
                groups[key] = _begun(clinic_id, state, enrolled.contact_time, on), []
            groups[key][1].append({"id": enrolled.id, "patient_id": patient_id})
        for begun, alike in groups.values():
            insert_alike(self._connection, begun, alike)

    def update_enrolments(self, changed: Iterable[tuple[int, UUID, Enrolment]]) -> None:
        """Write the state of (clinic, enrolment)."""
        values = once_each(rows.enrolment_values)
        self._update(
            _UPDATE_ENROLMENT,
            (
                {"of_id": enrolment_id, "of_clinic": clinic_id, **values(state)}
                for clinic_id, enrolment_id, state in changed
            ),
        )

    def _update(self, statement: Update, values: Iterable[rows.Values]) -> None:
        update_rows(self._connection, statement, values)

    # Consent

    def record_consents(self, records: Iterable[Consent], *, now: datetime) -> None:
        """Append to the consent record. The patient's own `sms_consent` and `email_consent` follow separately."""
        values = (
            {
                "clinic_id": record.clinic_id,
                "patient_id": record.patient_id,
                "channel": record.channel.value,
                "topic": record.topic,
                "granted": record.granted,
                "source": record.source.value,
                "given_on": record.given_on,
                "recorded_at": now,
                "recorded_by": record.recorded_by,
                "wording": record.wording,
            }
            for record in records
        )
        insert_rows(self._connection, consents, values)

    def latest_consents(
        self, clinic_id: int, patient_ids: Sequence[UUID]
    ) -> dict[tuple[UUID, Channel], tuple[bool, date]]:
        """The latest record per patient and channel: whether granted, and the date it was given.

        What is about one topic alone says nothing about the channel.
        """
        query = (
            select(consents.c.patient_id, consents.c.channel, consents.c.granted, consents.c.given_on)
            .where(consents.c.clinic_id == clinic_id, among(self._connection, consents.c.patient_id, patient_ids))
            .where(consents.c.topic.is_(None))
            .order_by(consents.c.recorded_at, consents.c.id)
        )
        return {
            (row.patient_id, Channel(row.channel)): (row.granted, row.given_on)
            for row in self._connection.execute(query)
        }

    def consent_history(self, clinic_id: int, patient_id: UUID) -> list[Consent]:
        """All that is on record about one patient's consent, oldest first."""
        query = (
            select(consents)
            .where(consents.c.clinic_id == clinic_id, consents.c.patient_id == patient_id)
            .order_by(consents.c.recorded_at, consents.c.id)
        )
        return [rows.consent_from(row) for row in self._connection.execute(query)]


@lru_cache(maxsize=256)
def _begun(clinic_id: int, state: Enrolment, contact_time: time | None, on: date) -> Alike:
    return Alike.of(enrolments, rows.new_enrolment_values(clinic_id, state, contact_time, on))


def _of(clinic_id: int) -> Select[tuple[object, ...]]:
    return select(patients).where(patients.c.clinic_id == clinic_id)
