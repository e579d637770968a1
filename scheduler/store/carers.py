"""Carers: a patient's contact person, with a record of consent of their own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Select, insert, select, update

from scheduler.domain.people import CarerMode, Channel, ConsentSource, PatientStatus
from scheduler.records import Carer, CarerConsent
from scheduler.store import rows
from scheduler.store.among import among
from scheduler.store.tables import carer_consents, carers, patients
from scheduler.store.vault import Vault

_GONE = [status.value for status in (PatientStatus.STOPPED, PatientStatus.DECEASED, PatientStatus.DISCHARGED)]
_PRESENT = carers.c.removed_at.is_(None)


class Carers:
    """The carers of patients, inside one transaction. A patient has one at a time; those before stay on record."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    # Finding

    def of(self, patients_of: Iterable[tuple[int, UUID]]) -> dict[UUID, Carer]:
        """The carer of each (clinic, patient), by patient; one without is absent."""
        wanted = set(patients_of)
        if not wanted:
            return {}
        query = select(carers).where(
            among(self._connection, carers.c.patient_id, {patient_id for _, patient_id in wanted}),
            carers.c.clinic_id.in_({clinic_id for clinic_id, _ in wanted}),
            _PRESENT,
        )
        return {one.patient_id: one for one in self._read(query)}

    def get(self, clinic_id: int, carer_id: UUID) -> Carer | None:
        """A carer who is present."""
        query = select(carers).where(carers.c.clinic_id == clinic_id, carers.c.id == carer_id, _PRESENT)
        return next(iter(self._read(query)), None)

    def at(self, clinic_id: int, channel: Channel, address: str) -> list[Carer]:
        """The clinic's carers with this number (E.164) or address, by the patients' order of enrolment."""
        column, place = {
            Channel.SMS: (carers.c.phone_index, "patients.phone"),
            Channel.EMAIL: (carers.c.email_index, "patients.email"),
        }[channel]
        indexes = self._vault.indexes(place, address.lower())
        query = select(carers).where(column.in_(indexes), carers.c.clinic_id == clinic_id, _PRESENT)
        return self._read(query.order_by(carers.c.patient_id))

    def stopped_among(self, patient_ids: Iterable[UUID], channel: Channel) -> set[UUID]:
        """Those of the patients whose carer may not be written to on `channel`: they stopped, or the patient did."""
        wanted = set(patient_ids)
        query = (
            select(patients.c.id)
            .join(carers, carers.c.patient_id == patients.c.id)
            .where(
                among(self._connection, patients.c.id, wanted), _PRESENT, carers.c.consent, carers.c.is_bad.is_(False)
            )
            .where(carers.c.channel == channel.value, patients.c.status.not_in(_GONE))
        )
        return wanted - set(self._connection.execute(query).scalars())

    def _read(self, query: Select[tuple[object, ...]]) -> list[Carer]:
        return [self._carer(row) for row in self._connection.execute(query)]

    def _carer(self, row: rows.AnyRow) -> Carer:
        channel = Channel(row.channel)
        place, sealed = ("carers.phone", row.phone) if channel is Channel.SMS else ("carers.email", row.email)
        return Carer(
            id=row.id,
            clinic_id=row.clinic_id,
            patient_id=row.patient_id,
            name=self._vault.open("carers.name", row.name) or "",
            channel=channel,
            address=self._vault.open(place, sealed) or "",
            language=row.language,
            mode=CarerMode(row.mode),
            consent=row.consent,
            is_bad=row.is_bad,
        )

    # Writing

    def add(self, carer: Carer, *, now: datetime) -> None:
        """Store a carer of a patient who has none."""
        values = {"id": carer.id, "clinic_id": carer.clinic_id, "patient_id": carer.patient_id, "created_at": now}
        self._connection.execute(insert(carers).values(values | self._values(carer)))

    def update(self, carer: Carer) -> None:
        """Write the record of a carer who is stored."""
        self._connection.execute(
            update(carers)
            .where(carers.c.id == carer.id, carers.c.clinic_id == carer.clinic_id)
            .values(self._values(carer))
        )

    def remove(self, carer: Carer, *, now: datetime) -> None:
        """The patient has no carer any more. What stays proves who agreed to what."""
        self._connection.execute(
            update(carers)
            .where(carers.c.id == carer.id, carers.c.clinic_id == carer.clinic_id, _PRESENT)
            .values(removed_at=now)
        )

    def _values(self, carer: Carer) -> rows.Values:
        phone = carer.address if carer.channel is Channel.SMS else None
        email = carer.address if carer.channel is Channel.EMAIL else None
        return {
            "name": self._vault.seal("carers.name", carer.name),
            "channel": carer.channel.value,
            "phone": self._vault.seal("carers.phone", phone),
            "phone_index": self._vault.index("patients.phone", phone) if phone else None,
            "email": self._vault.seal("carers.email", email),
            "email_index": self._vault.index("patients.email", email.lower()) if email else None,
            "language": carer.language,
            "mode": carer.mode.value,
            "consent": carer.consent,
            "is_bad": carer.is_bad,
        }

    # Consent

    def record_consent(self, record: CarerConsent) -> None:
        """Append to the record."""
        self._connection.execute(
            insert(carer_consents).values(
                clinic_id=record.clinic_id,
                carer_id=record.carer_id,
                channel=record.channel.value,
                granted=record.granted,
                source=record.source.value,
                given_on=record.given_on,
                recorded_at=record.recorded_at,
                recorded_by=record.recorded_by,
            )
        )

    def consents(self, clinic_id: int, carer_id: UUID) -> list[CarerConsent]:
        """The record of one carer, oldest first."""
        query = (
            select(carer_consents)
            .where(carer_consents.c.clinic_id == clinic_id, carer_consents.c.carer_id == carer_id)
            .order_by(carer_consents.c.id)
        )
        return [
            CarerConsent(
                carer_id=row.carer_id,
                clinic_id=row.clinic_id,
                channel=Channel(row.channel),
                granted=row.granted,
                source=ConsentSource(row.source),
                given_on=row.given_on,
                recorded_by=row.recorded_by,
                recorded_at=row.recorded_at,
            )
            for row in self._connection.execute(query)
        ]
