"""Who has one number or address in common, carers among them. By blind indexes; names are opened for those alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, FromClause, and_, func, select

from scheduler.domain.people import CarerMode, Channel, PatientStatus
from scheduler.records import Housemate
from scheduler.store.among import among
from scheduler.store.rows import AnyRow
from scheduler.store.tables import carers, patients
from scheduler.store.vault import Vault

_ENDED = [status.value for status in (PatientStatus.DECEASED, PatientStatus.DISCHARGED)]
_others = patients.alias("others")
_PLACES = {Channel.SMS: "patients.phone", Channel.EMAIL: "patients.email"}
# Of the patient, of others and of carers. Looked up here: an alias makes its columns when it is first asked, and two
# threads that ask at once get two sets, of which only one belongs to it.
_INDEXES = {
    Channel.SMS: (patients.c.phone_index, _others.c.phone_index, carers.c.phone_index),
    Channel.EMAIL: (patients.c.email_index, _others.c.email_index, carers.c.email_index),
}


def _is_written_to(channel: Channel, table: FromClause = patients) -> ColumnElement[bool]:
    """Whether the service writes to somebody's own number or address about themselves."""
    consent, is_bad = (
        (table.c.sms_consent, table.c.phone_bad)
        if channel is Channel.SMS
        else (table.c.email_consent, table.c.email_bad)
    )
    has_other = func.coalesce(table.c.carer_mode, "") == CarerMode.INSTEAD.value
    return and_(consent, is_bad.is_(False), ~has_other, table.c.status.not_in(_ENDED))


class Sharing:
    """Numbers and addresses in common, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def shared_among(self, channel: Channel, patient_ids: Iterable[UUID]) -> set[UUID]:
        """Those of the patients whose own number or address also gets what is about another patient of the clinic."""
        wanted = list(patient_ids)
        if not wanted:
            return set()
        own, theirs, of_carers = _INDEXES[channel]
        is_wanted = among(self._connection, patients.c.id, wanted)
        with_patients = (
            select(patients.c.id)
            .join(_others, and_(theirs == own, _others.c.clinic_id == patients.c.clinic_id))
            .where(is_wanted, _others.c.id != patients.c.id, _is_written_to(channel, _others))
        )
        with_carers = (
            select(patients.c.id)
            .join(carers, and_(of_carers == own, carers.c.clinic_id == patients.c.clinic_id))
            .where(is_wanted, carers.c.patient_id != patients.c.id, _is_served(channel))
        )
        return set(self._connection.execute(with_patients.union(with_carers)).scalars())

    def people_at(self, clinic_id: int, channel: Channel, address: str) -> list[Housemate]:
        """The clinic's patients who have this number (E.164) or address, or whose carer has it.

        In the order in which they were enrolled, whether or not they may be written to.
        """
        name = "phone_index" if channel is Channel.SMS else "email_index"
        indexes = self._vault.indexes(_PLACES[channel], address.lower())
        columns = (patients.c.id, patients.c.name, patients.c.birth_date)
        own = select(*columns).where(
            patients.c[name].in_(indexes), patients.c.clinic_id == clinic_id, patients.c.status.not_in(_ENDED)
        )
        cared_for = (
            select(*columns)
            .join(carers, carers.c.patient_id == patients.c.id)
            .where(
                carers.c[name].in_(indexes),
                carers.c.clinic_id == clinic_id,
                carers.c.removed_at.is_(None),
                patients.c.status.not_in(_ENDED),
            )
        )
        rows = {row.id: row for query in (own, cared_for) for row in self._connection.execute(query)}
        return [self._housemate(rows[each]) for each in sorted(rows)]

    def _housemate(self, row: AnyRow) -> Housemate:
        birth_date = self._vault.open("patients.birth_date", row.birth_date)
        return Housemate(
            patient_id=row.id,
            name=self._vault.open("patients.name", row.name) or "",
            born=date.fromisoformat(birth_date).year if birth_date else None,
        )


def _is_served(channel: Channel) -> ColumnElement[bool]:
    return and_(
        carers.c.channel == channel.value,
        carers.c.removed_at.is_(None),
        carers.c.consent,
        carers.c.is_bad.is_(False),
    )
