"""The ledger of messages and the attempts at sending them.

Statuses only move forward: every UPDATE carries the statuses it may come from, taken from the domain's one table.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Update, literal_column, select, update

from scheduler.domain.contact import PlannedMessage, SkippedReminder
from scheduler.domain.messages import MessageKind, MessageStatus, SkipReason, sources_of
from scheduler.domain.people import Channel
from scheduler.ids import new_id
from scheduler.records import Attempt, AttemptEnd, LedgerEntry, ReadyMessage
from scheduler.store import rows
from scheduler.store.bulk import insert_rows, keyed, update_rows
from scheduler.store.tables import attempts, messages, patients
from scheduler.store.vault import Vault


def _move(target: MessageStatus) -> Update:
    """An UPDATE of one message to `target`, from the statuses that may lead there."""
    # As literals, because a list of parameters cannot be part of a statement that is executed for many rows.
    sources: list[ColumnElement[str]] = [literal_column(f"'{status.value}'") for status in sources_of(target)]
    return update(messages).where(messages.c.status.in_(sources)).values(status=target.value)


_MOVES = {target: _move(target) for target in MessageStatus}
_END_ATTEMPT = update(attempts)
_PatientRow = namedtuple("_PatientRow", patients.c.keys())  # type: ignore[misc]  # the columns are known to nobody else
_CLAIMED = select(messages, *(column.label(f"p_{column.name}") for column in patients.c)).join(
    patients, patients.c.id == messages.c.patient_id
)
_PATIENT_AT = len(messages.c)  # where the patient's columns begin in a claimed row
_COUNT_AT = list(messages.c).index(messages.c.count)  # a row, being a tuple, has a method of that name


class Ledger:
    """Messages and attempts, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    # Planning

    def plan(
        self, planned: Iterable[tuple[UUID, int, PlannedMessage]], *, now: datetime, versions: dict[str, str]
    ) -> None:
        """Add messages of (patient, clinic). `versions` names each pathway's version."""
        values = (
            _planned_values(patient_id, clinic_id, message, now)
            | {"pathway_version": versions.get(message.pathway, "")}
            for patient_id, clinic_id, message in planned
        )
        insert_rows(self._connection, messages, values)

    def skip(
        self,
        skipped: Iterable[tuple[UUID, int, Channel, SkippedReminder]],
        *,
        now: datetime,
        versions: dict[str, str],
    ) -> None:
        """Add reminders that were due and did not go, with their reasons."""
        values = (
            {
                **_blank_values(patient_id, clinic_id, channel, now),
                "enrolment_id": reminder.enrolment_id,
                "kind": MessageKind.REMINDER.value,
                "pathway": reminder.pathway,
                "step": reminder.step,
                "cycle": reminder.cycle,
                "due_date": reminder.due_date,
                "status": MessageStatus.SKIPPED.value,
                "reason": reminder.reason.value,
                "pathway_version": versions.get(reminder.pathway, ""),
            }
            for patient_id, clinic_id, channel, reminder in skipped
        )
        insert_rows(self._connection, messages, values)

    def supersede(self, enrolment_ids: Sequence[UUID], *, clinic_id: int) -> None:
        """Void what is planned for these enrolments: an answer, a result or a changed plan made it pointless."""
        if enrolment_ids:
            self._connection.execute(
                update(messages)
                .where(
                    messages.c.enrolment_id.in_(enrolment_ids),
                    messages.c.clinic_id == clinic_id,
                    messages.c.kind == MessageKind.REMINDER.value,
                    messages.c.status == MessageStatus.PLANNED.value,
                )
                .values(status=MessageStatus.SKIPPED.value, reason=SkipReason.SUPERSEDED.value)
            )

    # Delivery, across all clinics

    def claim_ready(self, channel: Channel, now: datetime, *, limit: int) -> list[ReadyMessage]:
        """Up to `limit` planned messages whose time has come, locked until the transaction ends, earliest first."""
        return self._claim(
            messages.c.status == MessageStatus.PLANNED.value,
            messages.c.channel == channel.value,
            messages.c.send_from <= now,
            order=messages.c.send_from,
            limit=limit,
        )

    def claim_abandoned(self, now: datetime, *, limit: int) -> list[ReadyMessage]:
        """Up to `limit` messages in `sending` whose worker's lease has run out, locked, the longest left first."""
        return self._claim(
            messages.c.status == MessageStatus.SENDING.value,
            messages.c.lease_until <= now,
            order=messages.c.lease_until,
            limit=limit,
        )

    def _claim(self, *where: ColumnElement[bool], order: ColumnElement[Any], limit: int) -> list[ReadyMessage]:
        query = _CLAIMED.where(*where).order_by(order).limit(limit).with_for_update(skip_locked=True, of=messages)
        return [self._ready(row) for row in self._connection.execute(query)]

    def _ready(self, row: rows.AnyRow) -> ReadyMessage:
        return ReadyMessage(
            id=row.id,
            kind=MessageKind(row.kind),
            channel=Channel(row.channel),
            enrolment_id=row.enrolment_id,
            pathway=row.pathway,
            step=row.step,
            cycle=row.cycle,
            fired=row.fired,
            template=row.template,
            turn=row.activity_turn,
            count=row[_COUNT_AT],
            stop_line=row.stop_line,
            due_date=row.due_date,
            send_from=row.send_from,
            send_until=row.send_until,
            attempts=row.attempts,
            patient=rows.patient_from(_PatientRow._make(row[_PATIENT_AT:]), self._vault),
        )

    def begin_attempts(self, begun: Sequence[Attempt], *, now: datetime, lease_until: datetime, worker: str) -> None:
        """Commit to trying: the messages become `sending`, and each attempt has its row before the call."""
        self._move(
            MessageStatus.SENDING,
            [
                keyed(
                    attempt.message_id,
                    attempt.clinic_id,
                    channel=attempt.channel.value,
                    attempts=attempt.number,
                    subject=self._vault.seal("messages.subject", attempt.subject),
                    body=self._vault.seal("messages.body", attempt.body),
                    language=attempt.language,
                    segments=attempt.segments,
                    template_version=attempt.template_version,
                    lease_until=lease_until,
                    worker=worker,
                )
                for attempt in begun
            ],
        )
        values = (
            {
                "id": attempt.id,
                "clinic_id": attempt.clinic_id,
                "message_id": attempt.message_id,
                "number": attempt.number,
                "channel": attempt.channel.value,
                "address": self._vault.seal("attempts.address", attempt.address),
                "started_at": now,
            }
            for attempt in begun
        )
        insert_rows(self._connection, attempts, values)

    def end_attempts(self, ended: Sequence[AttemptEnd], *, now: datetime) -> None:
        """Record what attempts came to. A message that a receipt has meanwhile moved on is left where it is."""
        finished = (
            keyed(
                end.attempt_id,
                end.clinic_id,
                finished_at=now,
                outcome=end.outcome,
                code=end.code,
                detail=end.detail,
            )
            for end in ended
        )
        update_rows(self._connection, _END_ATTEMPT, finished)
        for target in {end.status for end in ended}:
            same = [end for end in ended if end.status is target]
            self._move(target, [_end_values(end, now) for end in same])

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

    def _move(self, target: MessageStatus, values: Iterable[rows.Values]) -> None:
        update_rows(self._connection, _MOVES[target], values)

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
            query = query.where(patients.c.mrn == mrn)
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
        )


def _blank_values(patient_id: UUID, clinic_id: int, channel: Channel, now: datetime) -> rows.Values:
    return {
        "id": new_id(),
        "clinic_id": clinic_id,
        "patient_id": patient_id,
        "channel": channel.value,
        "fired": 0,
        "template": "",
        "activity_turn": 0,
        "count": 0,
        "stop_line": False,
        "planned_at": now,
        "send_from": now,
        "send_until": now,
        "attempts": 0,
    }


def _planned_values(patient_id: UUID, clinic_id: int, message: PlannedMessage, now: datetime) -> rows.Values:
    return {
        **_blank_values(patient_id, clinic_id, message.channel, now),
        "enrolment_id": message.enrolment_id,
        "kind": message.kind.value,
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
        "status": MessageStatus.PLANNED.value,
    }


def _end_values(end: AttemptEnd, now: datetime) -> rows.Values:
    values = keyed(end.message_id, end.clinic_id, reason=end.code, lease_until=None, worker=None)
    match end.status:
        case MessageStatus.SENT:
            return values | {"provider_id": end.provider_id, "sent_at": now}
        case MessageStatus.PLANNED:
            return values | {"send_from": end.retry_at}
        case _:
            return values
