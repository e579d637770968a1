"""The ledger of messages and the attempts at sending them.

Statuses only move forward: every UPDATE carries the statuses it may come from, taken from the domain's one table.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, Update, literal_column, select, update

from scheduler.domain.changing import built
from scheduler.domain.contact import Contact, PlannedMessage, SkippedReminder
from scheduler.domain.messages import MessageKind, MessageStatus, SkipReason, sources_of
from scheduler.domain.people import Addressee, Channel
from scheduler.ids import new_id, new_ids
from scheduler.records import Attempt, AttemptEnd, Clinic, LedgerEntry, LedgerMessage, ReadyMessage, Recipient
from scheduler.store import rows
from scheduler.store.attempted import ATTEMPTED, message_from
from scheduler.store.bulk import Values, by_key_alone, insert_rows, keyed, once_each, update_rows
from scheduler.store.tables import attempts, messages, patients
from scheduler.store.upsert import insert_into
from scheduler.store.vault import Vault, VaultFault

UNREADABLE_FOR = timedelta(hours=1)  # then a message that cannot be read is looked at again

_log = logging.getLogger(__name__)


def _move(target: MessageStatus) -> Update:
    """An UPDATE of one message to `target`, from the statuses that may lead there."""
    # As literals, because a list of parameters cannot be part of a statement that is executed for many rows.
    sources: list[ColumnElement[str]] = [literal_column(f"'{status.value}'") for status in sources_of(target)]
    return update(messages).where(by_key_alone(messages.c.status).in_(sources)).values(status=target.value)


_MOVES = {target: _move(target) for target in MessageStatus}
_END_ATTEMPT = update(attempts)
_PUT_OFF = update(messages)
# Literals: with parameters in their places a prepared statement could not use the indexes of just these messages.
_PLANNED = messages.c.status == literal_column(f"'{MessageStatus.PLANNED.value}'")
_SENDING = messages.c.status == literal_column(f"'{MessageStatus.SENDING.value}'")
_CLAIMED = (
    select(
        messages.c.id,
        messages.c.enrolment_id,
        patients.c.id,
        patients.c.name,
        patients.c.language,
        patients.c.phone,
        patients.c.email,
        patients.c.is_discreet,
        patients.c.page_key,
        *rows.CONTACT.columns,
        *rows.MESSAGE.columns,
    )
    .join(patients, patients.c.id == messages.c.patient_id)
    .with_for_update(skip_locked=True, of=messages)
)
_CONTACT_AT = 9
_MESSAGE_AT = _CONTACT_AT + len(rows.CONTACT.columns)
_Made = Callable[[PlannedMessage], Values]
_OF_PATHWAYS = (MessageKind.REMINDER.value, MessageKind.COPY.value)
_FIRST_TO_LAST = (MessageKind.REPLY, MessageKind.NOTICE, MessageKind.REMINDER, MessageKind.COPY)


class Ledger:
    """Messages and attempts, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    # Planning

    def plan(
        self,
        planned: Iterable[tuple[UUID, int, UUID | None, PlannedMessage]],
        *,
        now: datetime,
        versions: dict[str, str],
    ) -> None:
        """Add messages of (patient, clinic, enrolment). `versions` names each pathway's version."""

        def made(message: PlannedMessage) -> rows.Values:
            return planned_values(message) | {"pathway_version": versions.get(message.pathway, "")}

        values = once_each(made)
        each = list(planned)
        same = {"planned_at": now, "attempts": 0, "status": MessageStatus.PLANNED.value}
        self._add(
            (
                (patient_id, clinic_id, of, values(message))
                for patient_id, clinic_id, of, message in each
                if message.kind is not MessageKind.COPY
            ),
            same=same,
        )
        self._copy([one for one in each if one[3].kind is MessageKind.COPY], values, same=same)

    def skip(
        self,
        skipped: Iterable[tuple[UUID, int, UUID | None, Channel, SkippedReminder]],
        *,
        now: datetime,
        versions: dict[str, str],
    ) -> None:
        """Add reminders that were due and did not go, with their reasons, of (patient, clinic, enrolment)."""

        def made(reminder: SkippedReminder) -> rows.Values:
            return _skipped_values(reminder) | {"pathway_version": versions.get(reminder.pathway, "")}

        values = once_each(made)
        self._add(
            (
                (patient_id, clinic_id, of, {**values(reminder), "channel": channel.value})
                for patient_id, clinic_id, of, channel, reminder in skipped
            ),
            same=_SKIPPED | {"planned_at": now, "send_from": now, "send_until": now},
        )

    def _add(self, new: Iterable[tuple[UUID, int, UUID | None, Values]], *, same: Values) -> None:
        added = list(new)
        values = (
            {"id": own, "clinic_id": clinic_id, "patient_id": patient_id, "enrolment_id": enrolment_id, **same}
            for own, (patient_id, clinic_id, enrolment_id, same) in zip(new_ids(len(added)), added, strict=True)
        )
        insert_rows(self._connection, messages, values, same=same)

    def _copy(
        self, copies: Iterable[tuple[UUID, int, UUID | None, PlannedMessage]], made: _Made, *, same: Values
    ) -> None:
        """Add copies for carers. A reminder that is planned anew on its day has its copy already."""
        values = [
            {"id": new_id(), "clinic_id": clinic_id, "patient_id": patient_id, "enrolment_id": of}
            | {**made(message), **same}
            for patient_id, clinic_id, of, message in copies
        ]
        if values:
            self._connection.execute(insert_into(self._connection, messages).on_conflict_do_nothing(), values)

    def supersede(self, enrolment_ids: Sequence[UUID], *, clinic_id: int) -> None:
        """Void what is planned for these enrolments: an answer, a result or a changed plan made it pointless."""
        self._supersede(enrolment_ids, _OF_PATHWAYS, clinic_id)

    def supersede_news(self, enrolment_ids: Sequence[UUID], *, clinic_id: int) -> None:
        """Void the clinic's news that still waits for these enrolments: it would be read as about something else."""
        self._supersede(enrolment_ids, (MessageKind.NOTICE.value,), clinic_id)

    def _supersede(self, enrolment_ids: Sequence[UUID], kinds: Sequence[str], clinic_id: int) -> None:
        if enrolment_ids:
            self._connection.execute(
                update(messages)
                .where(
                    messages.c.enrolment_id.in_(enrolment_ids),
                    messages.c.clinic_id == clinic_id,
                    messages.c.kind.in_(kinds),
                    messages.c.status == MessageStatus.PLANNED.value,
                )
                .values(status=MessageStatus.SKIPPED.value, reason=SkipReason.SUPERSEDED.value)
            )

    # Delivery, across all clinics

    def claim_ready(
        self,
        channel: Channel,
        now: datetime,
        *,
        limit: int,
        clinics: Mapping[int, Clinic],
        only: Sequence[int] | None = None,
        but: Sequence[int] = (),
    ) -> list[ReadyMessage]:
        """Up to `limit` planned messages whose time has come, locked until the transaction ends.

        Answers to patients first, then the clinic's news, then reminders; each the earliest first.
        """
        where = [messages.c.channel == channel.value, messages.c.send_from <= now, _PLANNED]
        if only is not None:
            where.append(messages.c.clinic_id.in_(only))
        if but:
            where.append(messages.c.clinic_id.not_in(but))
        ready: list[ReadyMessage] = []
        for kind in _FIRST_TO_LAST:
            query = _CLAIMED.where(*where, messages.c.kind == kind.value).order_by(messages.c.send_from)
            ready += self._claimed(query.limit(limit - len(ready)), clinics, now)
            if len(ready) >= limit:
                break
        return ready

    def still_sending(self, message_ids: Sequence[UUID]) -> list[tuple[LedgerMessage, UUID]]:
        """Those of these messages of which nothing has been heard, each with its latest attempt."""
        query = ATTEMPTED.where(messages.c.id.in_(message_ids), _SENDING)
        return [(message_from(row), row.attempt_id) for row in self._connection.execute(query)]

    def _claimed(self, query: Select[Any], clinics: Mapping[int, Clinic], now: datetime) -> list[ReadyMessage]:
        """The messages of a query. One that cannot be read must not hold up the others: it is put off."""
        dialect = self._connection.dialect
        contact_of = rows.CONTACT.reader(dialect, lambda row: rows.contact_from(row, clinics[row.clinic_id]))
        same_in = rows.MESSAGE.reader(dialect, rows.message_values)
        found, unreadable = [], []
        for row in self._connection.execute(query).all():
            try:
                found.append(self._ready(row, same_in(row[_MESSAGE_AT:]), contact_of(row[_CONTACT_AT:_MESSAGE_AT])))
            except (VaultFault, ValueError, LookupError):
                _log.exception("message %s cannot be read; trying again in %s", row[0], UNREADABLE_FOR)
                unreadable.append(keyed(row[0], row[_CONTACT_AT], send_from=now + UNREADABLE_FOR))
        update_rows(self._connection, _PUT_OFF, unreadable)
        return found

    def _ready(self, row: Sequence[Any], same: tuple[Any, ...], contact: Contact) -> ReadyMessage:
        (
            message_id,
            enrolment_id,
            patient_id,
            name,
            language,
            phone,
            email,
            is_discreet,
            page_key,
            clinic_id,
        ) = row[: _CONTACT_AT + 1]
        message = built(LedgerMessage, (message_id, clinic_id, patient_id, enrolment_id, *same))
        place, address = ("patients.phone", phone) if message.channel is Channel.SMS else ("patients.email", email)
        recipient = Recipient(
            id=patient_id,
            clinic_id=clinic_id,
            name=self._vault.open("patients.name", name) or "",
            language=language,
            address=self._vault.open(place, address),
            contact=contact,
            is_discreet=is_discreet,
            page_key=page_key,
        )
        return ReadyMessage(message, recipient)

    def begin_attempts(self, begun: Sequence[Attempt], *, now: datetime) -> None:
        """Commit to trying: the messages become `sending`, and each attempt has its row before the call."""
        subjects = self._vault.seal_all("messages.subject", [attempt.subject for attempt in begun])
        bodies = self._vault.seal_all("messages.body", [attempt.body for attempt in begun])
        addresses = self._vault.seal_all("attempts.address", [attempt.address for attempt in begun])
        self._move(
            MessageStatus.SENDING,
            [
                keyed(
                    attempt.message_id,
                    attempt.clinic_id,
                    channel=attempt.channel.value,
                    recipient=attempt.to.value,
                    attempts=attempt.number,
                    subject=subject,
                    body=body,
                    language=attempt.language,
                    segments=attempt.segments,
                    template_version=attempt.template_version,
                )
                for attempt, subject, body in zip(begun, subjects, bodies, strict=True)
            ],
        )
        values = (
            {
                "id": attempt.id,
                "clinic_id": attempt.clinic_id,
                "message_id": attempt.message_id,
                "number": attempt.number,
                "channel": attempt.channel.value,
                "address": address,
            }
            for attempt, address in zip(begun, addresses, strict=True)
        )
        insert_rows(self._connection, attempts, values, same={"started_at": now})

    def end_attempts(self, ended: Sequence[AttemptEnd], *, now: datetime) -> None:
        """Record what attempts came to. A message that a receipt has meanwhile moved on is left where it is."""
        finished = (
            keyed(end.attempt_id, end.clinic_id, outcome=end.outcome, code=end.code, detail=end.detail)
            for end in ended
        )
        update_rows(self._connection, _END_ATTEMPT, finished, same={"finished_at": now})
        for target in {end.status for end in ended}:
            alike = [end for end in ended if end.status is target]
            self._move(target, map(_end_values, alike), same=_stamps(target, now))

    def move(self, target: MessageStatus, moved: Iterable[tuple[UUID, int, str | None]]) -> None:
        """Move (message, clinic) to `target`, with a reason."""
        self._move(target, [keyed(message_id, clinic_id, reason=reason) for message_id, clinic_id, reason in moved])

    def postpone(
        self,
        message_id: UUID,
        clinic_id: int,
        *,
        send_from: datetime,
        send_until: datetime,
        channel: Channel,
        stop_line: bool,
    ) -> None:
        """Give a planned message another window or channel."""
        self._connection.execute(
            update(messages)
            .where(
                messages.c.id == message_id,
                messages.c.clinic_id == clinic_id,
                messages.c.status == MessageStatus.PLANNED.value,
            )
            .values(send_from=send_from, send_until=send_until, channel=channel.value, stop_line=stop_line)
        )

    def _move(self, target: MessageStatus, values: Iterable[rows.Values], *, same: Values | None = None) -> None:
        update_rows(self._connection, _MOVES[target], values, same=same or {})

    # Reading

    def entries(self, clinic_id: int, *, mrn: str | None = None, limit: int | None = None) -> list[LedgerEntry]:
        """The clinic's outbound ledger, oldest first; with `limit`, the latest so many."""
        query = (
            select(messages, patients.c.mrn, patients.c.name.label("patient_name"))
            .join(patients, patients.c.id == messages.c.patient_id)
            .where(messages.c.clinic_id == clinic_id)
            .order_by(messages.c.planned_at.desc(), messages.c.id.desc())
        )
        if mrn is not None:
            query = query.where(messages.c.patient_id == rows.patient_id_of(clinic_id, mrn))
        if limit is not None:
            query = query.limit(limit)
        return [self._entry(row) for row in self._connection.execute(query)][::-1]

    def _entry(self, row: rows.AnyRow) -> LedgerEntry:
        return LedgerEntry(
            id=row.id,
            patient=row.mrn,
            patient_name=self._vault.open("patients.name", row.patient_name) or "",
            kind=row.kind,
            channel=Channel(row.channel),
            pathway=row.pathway,
            step=row.step,
            template=row.template,
            due_date=row.due_date,
            status=MessageStatus(row.status),
            reason=row.reason,
            attempts=row.attempts,
            provider_id=row.provider_id,
            planned_at=row.planned_at,
            sent_at=row.sent_at,
            body=self._vault.open("messages.body", row.body),
            segments=row.segments,
            to=Addressee(row.recipient),
            retry_of=row.retry_of,
        )


_SKIPPED = {
    "kind": MessageKind.REMINDER.value,
    "recipient": Addressee.PATIENT.value,
    "fired": 0,
    "template": "",
    "activity_turn": 0,
    "count": 0,
    "stop_line": False,
    "attempts": 0,
    "status": MessageStatus.SKIPPED.value,
}


def _skipped_values(reminder: SkippedReminder) -> rows.Values:
    return {
        "pathway": reminder.pathway,
        "step": reminder.step,
        "cycle": reminder.cycle,
        "due_date": reminder.due_date,
        "reason": reminder.reason.value,
    }


def planned_values(message: PlannedMessage) -> rows.Values:
    return {
        "kind": message.kind.value,
        "recipient": message.to.value,
        "channel": message.channel.value,
        "pathway": message.pathway,
        "step": message.step,
        "cycle": message.cycle,
        "fired": message.fired,
        "template": message.template,
        "activity_turn": message.turn,
        "count": message.count,
        "stop_line": message.stop_line,
        "due_date": message.due_date,
        "send_from": message.send_from,
        "send_until": message.send_until,
    }


def _stamps(target: MessageStatus, now: datetime) -> rows.Values:
    return {"sent_at": now} if target is MessageStatus.SENT else {}


def _end_values(end: AttemptEnd) -> rows.Values:
    values = keyed(end.message_id, end.clinic_id, reason=end.code)
    match end.status:
        case MessageStatus.SENT:
            return values | {"provider_id": end.provider_id}
        case MessageStatus.PLANNED:
            return values | {"send_from": end.retry_at}
        case _:
            return values
