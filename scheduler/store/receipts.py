"""Receipts: what a provider reports about a message after it has answered, and the second tries that follow.

Locks are taken on the attempt first and then on its message, in the order in which answers are recorded.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, update

from scheduler.domain.messages import MessageStatus, SkipReason, sources_of
from scheduler.domain.second_try import SecondTry
from scheduler.ids import new_id
from scheduler.ports.settling import Attempted, Tracked
from scheduler.records import LedgerMessage
from scheduler.store import rows
from scheduler.store.attempted import ATTEMPTED, attempted_from
from scheduler.store.tables import attempts, messages
from scheduler.store.vault import Vault

# What a second try has of its own; the rest is the first one's.
_FRESH = {
    "provider_id",
    "sent_at",
    "subject",
    "body",
    "language",
    "segments",
    "template_version",
    "reason",
    "ask_at",
    "asks",
}


class Receipts:
    """Moves messages on, inside one transaction. A receipt names its message by our attempt or the provider's id."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def find(self, attempt_id: UUID | None, provider_id: str) -> Tracked | None:
        """The attempt that a report is about, locked. Ours comes first: it is known before the provider's id is."""
        attempt = self._lock_attempt(attempt_id) if attempt_id is not None else None
        if attempt is None:
            by_provider = self._attempt_of(provider_id)
            attempt = self._lock_attempt(by_provider) if by_provider is not None else None
        if attempt is None:
            return None
        message = self._connection.execute(
            select(messages.c.patient_id, messages.c.status, messages.c.provider_id, messages.c.attempts)
            .where(messages.c.id == attempt.message_id, messages.c.clinic_id == attempt.clinic_id)
            .with_for_update()
        ).one()
        is_latest = attempt.number == message.attempts
        known: str | None = attempt.provider_id
        if known is None and is_latest and message.provider_id is not None:
            known = self._own(message.provider_id, attempt.id, attempt.message_id)
        return Tracked(
            attempt_id=attempt.id,
            message_id=attempt.message_id,
            clinic_id=attempt.clinic_id,
            patient_id=message.patient_id,
            status=MessageStatus(message.status),
            is_latest=is_latest,
            provider_id=known,
        )

    def _lock_attempt(self, attempt_id: UUID) -> rows.AnyRow | None:
        query = select(
            attempts.c.id,
            attempts.c.message_id,
            attempts.c.clinic_id,
            attempts.c.number,
            attempts.c.provider_id,
        ).where(attempts.c.id == attempt_id)
        return self._connection.execute(query.with_for_update()).first()

    def _attempt_of(self, provider_id: str) -> UUID | None:
        by_attempt = select(attempts.c.id).where(attempts.c.provider_id == provider_id)
        by_message = (
            select(attempts.c.id)
            .join(messages, messages.c.id == attempts.c.message_id)
            .where(messages.c.provider_id == provider_id, attempts.c.number == messages.c.attempts)
        )
        found: UUID | None = self._connection.scalar(by_attempt) or self._connection.scalar(by_message)
        return found

    def _own(self, provider_id: str, attempt_id: UUID, message_id: UUID) -> str | None:
        """The message's id of the provider, unless it came from an earlier attempt."""
        earlier = select(attempts.c.id).where(
            attempts.c.message_id == message_id,
            attempts.c.id != attempt_id,
            attempts.c.provider_id == provider_id,
        )
        return None if self._connection.execute(earlier).first() else provider_id

    def belongs_elsewhere(self, provider_id: str, tracked: Tracked) -> bool:
        """Whether the provider's id is on record for another attempt."""
        by_attempt = select(attempts.c.id).where(
            attempts.c.provider_id == provider_id, attempts.c.id != tracked.attempt_id
        )
        by_message = select(messages.c.id).where(
            messages.c.provider_id == provider_id, messages.c.id != tracked.message_id
        )
        return any(self._connection.execute(query).first() for query in (by_attempt, by_message))

    def link(self, tracked: Tracked, provider_id: str) -> None:
        """Put the provider's id on record for an attempt that has none."""
        self._connection.execute(
            update(attempts)
            .where(
                attempts.c.id == tracked.attempt_id,
                attempts.c.clinic_id == tracked.clinic_id,
                attempts.c.provider_id.is_(None),
            )
            .values(provider_id=provider_id)
        )

    def move(
        self, tracked: Tracked, target: MessageStatus, *, provider_id: str, code: str | None, now: datetime
    ) -> bool:
        """Move the message to `target`, with the provider's error code as the reason."""
        moved = self._connection.execute(
            update(messages)
            .where(
                messages.c.id == tracked.message_id,
                messages.c.clinic_id == tracked.clinic_id,
                messages.c.status.in_([status.value for status in sources_of(target)]),
            )
            .values(
                status=target.value,
                reason=code,
                provider_id=func.coalesce(messages.c.provider_id, provider_id),
                sent_at=func.coalesce(messages.c.sent_at, now),
                ask_at=None,
            )
        )
        return moved.rowcount == 1

    def statuses(self, message_ids: Sequence[UUID]) -> dict[UUID, MessageStatus]:
        """Where messages stand now."""
        query = select(messages.c.id, messages.c.status).where(messages.c.id.in_(message_ids))
        return {row.id: MessageStatus(row.status) for row in self._connection.execute(query)}

    def attempted(self, tracked: Tracked) -> Attempted:
        """The message of a tracked attempt with its patient."""
        query = ATTEMPTED.where(messages.c.id == tracked.message_id, messages.c.clinic_id == tracked.clinic_id)
        return attempted_from(self._connection.execute(query).one(), self._vault)

    def codes_of(self, message_ids: Sequence[UUID]) -> list[tuple[UUID, str]]:
        """The codes with which earlier attempts at these messages were refused: (message, code), each once."""
        query = (
            select(attempts.c.message_id, attempts.c.code)
            .where(attempts.c.message_id.in_(message_ids), attempts.c.code.is_not(None))
            .distinct()
        )
        return [(row.message_id, row.code) for row in self._connection.execute(query)]

    def undelivered(self, message: LedgerMessage, *, code: str, since: datetime) -> int:
        """How many messages to the patient over this channel, planned since then, ended undelivered with `code`."""
        query = (
            select(func.count())
            .select_from(messages)
            .where(
                messages.c.patient_id == message.patient_id,
                messages.c.clinic_id == message.clinic_id,
                messages.c.planned_at >= since,
                messages.c.channel == message.channel.value,
                messages.c.status == MessageStatus.UNDELIVERED.value,
                messages.c.reason == code,
            )
        )
        return self._connection.execute(query).scalar_one()

    def refused_in_a_row(self, message: LedgerMessage, *, since: datetime) -> int:
        """How many messages to the same person over this channel, planned since then, failed and none went after."""
        to_them = (
            messages.c.patient_id == message.patient_id,
            messages.c.clinic_id == message.clinic_id,
            messages.c.channel == message.channel.value,
            messages.c.recipient == message.to.value,
            messages.c.planned_at >= since,
        )
        went = select(func.max(messages.c.planned_at)).where(*to_them, messages.c.sent_at.is_not(None))
        last = self._connection.execute(went).scalar_one()
        query = (
            select(func.count())
            .select_from(messages)
            .where(*to_them, messages.c.status == MessageStatus.FAILED.value)
        )
        if last is not None:
            query = query.where(messages.c.planned_at > last)
        return self._connection.execute(query).scalar_one()

    # Second tries

    def try_again(self, message: LedgerMessage, second: SecondTry, *, now: datetime) -> None:
        """Plan the second try at a message that did not arrive. The unique key lets it have one only."""
        own = {
            "id": new_id(),
            "channel": second.channel.value,
            "stop_line": second.stop_line,
            "planned_at": now,
            "send_from": second.send_from,
            "send_until": second.send_until,
            "status": MessageStatus.PLANNED.value,
            "attempts": 0,
            "retry_of": message.id,
        }
        kept = [column for column in messages.c if column.name not in own and column.name not in _FRESH]
        values = select(*kept).where(messages.c.id == message.id, messages.c.clinic_id == message.clinic_id)
        row = self._connection.execute(values).one()
        self._connection.execute(insert(messages).values(own | dict(row._mapping)))

    def drop_second_tries(self, tracked: Tracked) -> None:
        """What was planned in the message's place, and has not begun, does not go."""
        taken_over: UUID | None = tracked.message_id
        while taken_over is not None:
            self._connection.execute(
                update(messages)
                .where(
                    messages.c.retry_of == taken_over,
                    messages.c.clinic_id == tracked.clinic_id,
                    messages.c.status == MessageStatus.PLANNED.value,
                )
                .values(status=MessageStatus.SKIPPED.value, reason=SkipReason.SUPERSEDED.value)
            )
            taken_over = self._connection.scalar(select(messages.c.id).where(messages.c.retry_of == taken_over))
