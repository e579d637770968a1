"""Who may not be written to any more, asked about messages that are on their way already."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, or_, select, update

from scheduler.domain.messages import MessageKind, MessageStatus, SkipReason
from scheduler.domain.people import Channel, PatientStatus
from scheduler.store.among import among
from scheduler.store.tables import messages, patients

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
        reason: SkipReason = SkipReason.STOPPED,
    ) -> None:
        """What has been planned for these (clinic, patient) since then and has not gone will not go.

        With `channel`, only answers to the patients' own messages on it: other messages may go another way.
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
