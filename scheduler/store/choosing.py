"""Which patients of a clinic are meant: by what they have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select

from scheduler.domain.people import PatientStatus
from scheduler.ports.browsing import PatientLine
from scheduler.ports.choosing import PatientFilter
from scheduler.store.browsing import Browsing
from scheduler.store.tables import enrolments, patients
from scheduler.store.vault import Vault

# As `Patient.contact` has it.
_HAS_WAY = or_(
    and_(patients.c.sms_consent, patients.c.phone.is_not(None), ~patients.c.phone_bad),
    and_(patients.c.email_consent, patients.c.email.is_not(None), ~patients.c.email_bad),
)


class Choosing:
    """Finding those who are meant, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._browsing = Browsing(connection, vault)

    def lines(self, clinic_id: int, which: PatientFilter, *, after: str = "", limit: int) -> list[PatientLine]:
        """They by MRN, those after the MRN `after`."""
        return self._browsing.patients_of(clinic_id, self.mrns(clinic_id, which, after=after, limit=limit))

    def mrns(self, clinic_id: int, which: PatientFilter, *, after: str = "", limit: int) -> list[str]:
        """Their MRNs, in order."""
        query = select(patients.c.mrn).where(*_conditions(clinic_id, which), patients.c.mrn > after)
        return list(self._connection.execute(query.order_by(patients.c.mrn).limit(limit)).scalars())

    def among(self, clinic_id: int, which: PatientFilter, mrns: Sequence[str]) -> set[str]:
        query = select(patients.c.mrn).where(*_conditions(clinic_id, which), patients.c.mrn.in_(mrns))
        return set(self._connection.execute(query).scalars())

    def count(self, clinic_id: int, which: PatientFilter, *, most: int) -> int:
        """How many there are; counting ends at `most`."""
        some = select(patients.c.id).where(*_conditions(clinic_id, which)).limit(most).subquery()
        return self._connection.execute(select(func.count()).select_from(some)).scalar_one()


def _conditions(clinic_id: int, which: PatientFilter) -> Iterator[ColumnElement[bool]]:
    yield patients.c.clinic_id == clinic_id
    if which.status is not None:
        yield patients.c.status == which.status.value
    if which.channel is not None:
        yield patients.c.channel == which.channel.value
    if which.language:
        yield or_(
            patients.c.language == which.language,
            patients.c.language.startswith(f"{which.language}-", autoescape=True),
        )
    if which.unreachable:
        yield or_(
            patients.c.status == PatientStatus.UNREACHABLE.value,
            and_(patients.c.status == PatientStatus.ACTIVE.value, not_(_HAS_WAY)),
        )
    if which.pathway:
        yield _is_on(clinic_id, which)


def _is_on(clinic_id: int, which: PatientFilter) -> ColumnElement[bool]:
    """Who was taken off a pathway has it held until further notice. Yet they stand at its step."""
    on = select(enrolments.c.id).where(
        enrolments.c.patient_id == patients.c.id,
        enrolments.c.clinic_id == clinic_id,
        enrolments.c.pathway == which.pathway,
    )
    if which.step:
        return on.where(enrolments.c.step == which.step).exists()
    is_held = and_(enrolments.c.is_paused, enrolments.c.paused_until.is_(None))
    return on.where(not_(is_held), not_(enrolments.c.is_stopped)).exists()
