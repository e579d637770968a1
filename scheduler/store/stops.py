"""Who may not be written to any more, asked about messages that are on their way already."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, or_, select, update

from scheduler.domain.messages import MessageKind, MessageStatus, SkipReason
from scheduler.domain.people import Channel, PatientStatus
from scheduler.store.among import among
from scheduler.store.tables import clinics, messages, patients
from scheduler.store.tables import enrolments as enrolled

_GONE = [status.value for status in (PatientStatus.STOPPED, PatientStatus.DECEASED, PatientStatus.DISCHARGED)]
_CONSENT = {Channel.SMS: patients.c.sms_consent, Channel.EMAIL: patients.c.email_consent}
_IS_BAD = {Channel.SMS: patients.c.phone_bad, Channel.EMAIL: patients.c.email_bad}


class Stops:
    """Stops, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def void(
        self,
        of: Iterable[tuple[int, UUID]],
        *,
        since: datetime,
        channel: Channel | None = None,
        enrolments: Iterable[UUID] | None = None,
        reason: SkipReason = SkipReason.STOPPED,
    ) -> None:
        """What has been planned for these (clinic, patient) since then and has not gone will not go.

        With `channel`, only answers to the patients' own messages on it: other messages may go another way. With
        `enrolments`, only what belongs to them.
        """
        patients_of = list(of)
        statement = update(messages).where(
            messages.c.patient_id.in_([patient_id for _, patient_id in patients_of]),
            messages.c.clinic_id.in_({clinic_id for clinic_id, _ in patients_of}),
            messages.c.planned_at >= since,
            messages.c.status == MessageStatus.PLANNED.value,
        )
        if channel is not None:
            statement = statement.where(
                messages.c.kind == MessageKind.REPLY.value, messages.c.channel == channel.value
            )
        if enrolments is not None:
            statement = statement.where(messages.c.enrolment_id.in_(list(enrolments)))
        self._connection.execute(statement.values(status=MessageStatus.SKIPPED.value, reason=reason.value))

    def stopped_among(self, patient_ids: Iterable[UUID], channel: Channel) -> set[UUID]:
        """Those of the patients who may not be written to on `channel`: they stopped or left, or it is
        somebody else's number.

        Asked of the patients' own rows: what is committed is seen at once, whatever the machines' clocks show.
        """
        query = select(patients.c.id).where(
            among(self._connection, patients.c.id, patient_ids),
            or_(patients.c.status.in_(_GONE), _CONSENT[channel].is_(False), _IS_BAD[channel]),
        )
        return set(self._connection.execute(query).scalars())

    def unconfirmed_among(self, patient_ids: Iterable[UUID]) -> set[UUID]:
        """Those of the patients whose number must be confirmed before anything clinical is texted to it."""
        query = (
            select(patients.c.id)
            .join(clinics, clinics.c.id == patients.c.clinic_id)
            .where(
                among(self._connection, patients.c.id, patient_ids),
                clinics.c.confirm_numbers,
                or_(
                    patients.c.phone_index.is_(None),
                    patients.c.confirmed_index.is_(None),
                    patients.c.confirmed_index != patients.c.phone_index,
                ),
            )
        )
        return set(self._connection.execute(query).scalars())

    def stopped_topics_among(self, enrolment_ids: Iterable[UUID]) -> set[UUID]:
        """Those of the enrolments that their patients want no more of."""
        query = select(enrolled.c.id).where(
            among(self._connection, enrolled.c.id, enrolment_ids), enrolled.c.is_stopped
        )
        return set(self._connection.execute(query).scalars())
