"""Numbers and addresses that nothing may go to any more, and what did not go for want of another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update

from scheduler.domain.messages import MessageKind, MessageStatus, SkipReason
from scheduler.domain.numbers import WhyBad
from scheduler.domain.people import Channel
from scheduler.records import LedgerMessage
from scheduler.store.among import among
from scheduler.store.attempted import message_from
from scheduler.store.tables import bad_addresses, messages, patients
from scheduler.store.vault import Vault

_PLACE = "bad_addresses.address"
_FOR_WANT_OF_ONE = [
    reason.value
    for reason in (SkipReason.NO_CHANNEL, SkipReason.NO_CONSENT, SkipReason.INACTIVE, SkipReason.WRONG_NUMBER)
]
_KINDS = [MessageKind.REMINDER.value, MessageKind.NOTICE.value]


class Numbers:
    """Bad numbers and addresses, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def mark_bad(
        self, clinic_id: int, patient_id: UUID, channel: Channel, address: str, *, why: WhyBad, now: datetime
    ) -> None:
        """Nothing goes to this number or address of the patient any more, also when it is imported again."""
        if (channel, address.lower()) not in self.bad_of(clinic_id, [patient_id]).get(patient_id, ()):
            self._connection.execute(
                insert(bad_addresses).values(
                    clinic_id=clinic_id,
                    patient_id=patient_id,
                    channel=channel.value,
                    address=self._vault.seal(_PLACE, address),
                    why=why.value,
                    marked_at=now,
                )
            )
        name, mark = _COLUMNS[channel]
        index = patients.c[f"{name}_index"]
        self._connection.execute(
            update(patients)
            .where(
                patients.c.id == patient_id,
                patients.c.clinic_id == clinic_id,
                index.in_(self._vault.indexes(f"patients.{name}", address.lower())),
            )
            .values({mark: True})
        )

    def bad_of(self, clinic_id: int, patient_ids: Sequence[UUID]) -> dict[UUID, set[tuple[Channel, str]]]:
        """The numbers and addresses, in lower case, that nothing goes to, of each patient who has some."""
        query = select(bad_addresses.c.patient_id, bad_addresses.c.channel, bad_addresses.c.address).where(
            bad_addresses.c.clinic_id == clinic_id, among(self._connection, bad_addresses.c.patient_id, patient_ids)
        )
        found: dict[UUID, set[tuple[Channel, str]]] = defaultdict(set)
        for row in self._connection.execute(query):
            found[row.patient_id].add((Channel(row.channel), (self._vault.open(_PLACE, row.address) or "").lower()))
        return dict(found)

    def is_right(self, clinic_id: int, patient_id: UUID, channel: Channel, address: str) -> None:
        """It may be used again. The patient's own mark is left to whoever writes their record."""
        query = select(bad_addresses.c.id, bad_addresses.c.address).where(
            bad_addresses.c.clinic_id == clinic_id,
            bad_addresses.c.patient_id == patient_id,
            bad_addresses.c.channel == channel.value,
        )
        ids = [
            row.id
            for row in self._connection.execute(query)
            if (self._vault.open(_PLACE, row.address) or "").lower() == address.lower()
        ]
        self._connection.execute(
            delete(bad_addresses).where(bad_addresses.c.clinic_id == clinic_id, bad_addresses.c.id.in_(ids))
        )

    def bad_among(self, patient_ids: Iterable[UUID], channel: Channel) -> set[UUID]:
        """Those of the patients, of whatever clinic, whose present number or address is marked."""
        _, mark = _COLUMNS[channel]
        query = select(patients.c.id).where(patients.c.id.in_(list(patient_ids)), patients.c[mark])
        return set(self._connection.execute(query).scalars())

    def missed(self, clinic_id: int, patient_id: UUID, *, on: date) -> list[LedgerMessage]:
        """What was to go to the patient on this local date and was skipped for want of a number, oldest first.

        What has a successor already is left out. A reminder that was never planned has no template.
        """
        taken_over = select(messages.c.retry_of).where(
            messages.c.clinic_id == clinic_id,
            messages.c.patient_id == patient_id,
            messages.c.retry_of.is_not(None),
        )
        query = (
            select(messages)
            .where(
                messages.c.clinic_id == clinic_id,
                messages.c.patient_id == patient_id,
                messages.c.due_date == on,
                messages.c.kind.in_(_KINDS),
                messages.c.status == MessageStatus.SKIPPED.value,
                messages.c.reason.in_(_FOR_WANT_OF_ONE),
                messages.c.id.not_in(taken_over),
            )
            .order_by(messages.c.planned_at, messages.c.id)
        )
        return [message_from(row) for row in self._connection.execute(query)]


_COLUMNS = {Channel.SMS: ("phone", "phone_bad"), Channel.EMAIL: ("email", "email_bad")}
