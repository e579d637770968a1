"""Patients, their enrolments and consent. Every query names the clinic, save the planner's, which serves all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, Select, Update, func, select, update

from scheduler.domain.contact import Contact, Enrolled
from scheduler.domain.people import Channel
from scheduler.records import Clinic, Consent, DuePatient, Patient
from scheduler.store import rows
from scheduler.store.bulk import insert_rows, keyed, update_rows
from scheduler.store.tables import consents, enrolments, patients
from scheduler.store.vault import Vault

_PLANNED_COLUMNS = (
    patients.c.id,
    patients.c.clinic_id,
    patients.c.phone_index,
    patients.c.phone_bad,
    patients.c.sms_consent,
    patients.c.email_index,
    patients.c.email_bad,
    patients.c.email_consent,
    patients.c.timezone,
    patients.c.contact_time,
    patients.c.exercise_days,
    patients.c.channel,
    patients.c.mobility,
    patients.c.status,
    patients.c.paused_until,
    patients.c.contacted_on,
    patients.c.contacts_that_day,
    patients.c.stop_line_on,
)
_UPDATE_PATIENT = update(patients)
_UPDATE_ENROLMENT = update(enrolments)


class Patients:
    """The patients of all clinics, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    # Finding

    def by_mrn(self, clinic_id: int, mrns: Sequence[str], *, lock: bool = False) -> dict[str, Patient]:
        """The clinic's patients among `mrns`, by MRN; with `lock`, held until the transaction ends.

        Locks are taken in the order of ids, as everybody does who waits for more than one patient.
        """
        query = _of(clinic_id).where(patients.c.mrn.in_(mrns)).order_by(patients.c.id)
        return {patient.mrn: patient for patient in self._read(query.with_for_update() if lock else query)}

    def get(self, clinic_id: int, patient_id: UUID, *, lock: bool = False) -> Patient | None:
        """One patient; with `lock`, held until the transaction ends."""
        query = _of(clinic_id).where(patients.c.id == patient_id)
        return next(iter(self._read(query.with_for_update() if lock else query)), None)

    def of_clinic(self, clinic_id: int, *, mrn: str | None = None) -> list[Patient]:
        """All patients of the clinic, or the one with `mrn`, by MRN."""
        query = _of(clinic_id).order_by(patients.c.mrn)
        return self._read(query if mrn is None else query.where(patients.c.mrn == mrn))

    def hold_clinic(self, clinic_id: int) -> list[Patient]:
        """All patients of the clinic, held until the transaction ends."""
        return self._read(_of(clinic_id).order_by(patients.c.id).with_for_update())

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
        """The enrolments of each patient; a patient without any is absent."""
        found: dict[UUID, list[Enrolled]] = defaultdict(list)
        query = select(enrolments).where(enrolments.c.patient_id.in_(patient_ids))
        for row in self._connection.execute(query):
            found[row.patient_id].append(rows.enrolled_from(row))
        return {patient_id: tuple(enrolled) for patient_id, enrolled in found.items()}

    def _read(self, query: Select[tuple[object, ...]]) -> list[Patient]:
        return [rows.patient_from(row, self._vault) for row in self._connection.execute(query)]

    # Planning, across all clinics

    def claim_due(self, now: datetime, *, limit: int, clinics: Mapping[int, Clinic]) -> list[DuePatient]:
        """Up to `limit` patients whose next contact is due at `now`, locked until the transaction ends.

        Others' workers skip them on PostgreSQL; on SQLite there is one writer anyway.
        """
        query = (
            select(*_PLANNED_COLUMNS)
            .where(patients.c.next_contact_at <= now)
            .order_by(patients.c.next_contact_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        due = self._connection.execute(query).all()
        enrolled = self.enrolments([row.id for row in due]) if due else {}
        return [
            DuePatient(
                id=row.id,
                clinic_id=row.clinic_id,
                contact=rows.contact_from(row, clinics[row.clinic_id]),
                enrolments=enrolled.get(row.id, ()),
            )
            for row in due
        ]

    def try_lock(self, patient_ids: Sequence[UUID]) -> set[UUID]:
        """Those of the patients whom no other transaction holds, held until this one ends."""
        query = select(patients.c.id).where(patients.c.id.in_(patient_ids)).with_for_update(skip_locked=True)
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
        values = [rows.patient_values(patient, self._vault) | {"updated_at": now} for patient in changed]
        self._update(_UPDATE_PATIENT, (keyed(row.pop("id"), row.pop("clinic_id"), **row) for row in values))

    def set_contacts(self, changed: Iterable[tuple[UUID, int, Contact, datetime | None]]) -> None:
        """Write what a decision changed: (patient, clinic, contact, next contact)."""
        self._update(
            _UPDATE_PATIENT,
            (
                keyed(patient_id, clinic_id, next_contact_at=due, **rows.contact_values(contact))
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

    def set_consent(self, clinic_id: int, patient_id: UUID, channel: Channel, *, granted: bool) -> None:
        """What the latest consent record says, kept with the patient for the planner."""
        column = "sms_consent" if channel is Channel.SMS else "email_consent"
        self._update(_UPDATE_PATIENT, [keyed(patient_id, clinic_id, **{column: granted})])

    def insert_enrolments(self, new: Iterable[tuple[UUID, int, Enrolled, date]]) -> None:
        """Store enrolments of (patient, clinic), made on a local date."""
        insert_rows(self._connection, enrolments, rows.new_enrolments(new))

    def update_enrolments(self, changed: Iterable[tuple[int, Enrolled]]) -> None:
        """Write the state of (clinic, enrolment)."""
        self._update(
            _UPDATE_ENROLMENT,
            (keyed(one.id, clinic_id, **rows.enrolment_values(one.state)) for clinic_id, one in changed),
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
        """The latest record per patient and channel: whether granted, and the date it was given."""
        query = (
            select(consents.c.patient_id, consents.c.channel, consents.c.granted, consents.c.given_on)
            .where(consents.c.clinic_id == clinic_id, consents.c.patient_id.in_(patient_ids))
            .order_by(consents.c.recorded_at, consents.c.id)
        )
        return {
            (row.patient_id, Channel(row.channel)): (row.granted, row.given_on)
            for row in self._connection.execute(query)
        }


def _of(clinic_id: int) -> Select[tuple[object, ...]]:
    return select(patients).where(patients.c.clinic_id == clinic_id)
