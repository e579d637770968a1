"""Messages of which nobody can say whether they went: when their provider is asked, and what is on record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, literal_column, select, update

from scheduler.domain.messages import MessageStatus, sources_of
from scheduler.ports.settling import Attempted
from scheduler.store.attempted import ATTEMPTED, attempted_from
from scheduler.store.bulk import by_key_alone, keyed, update_rows
from scheduler.store.tables import attempts, messages, tasks
from scheduler.store.vault import Vault

# A literal: with a parameter in its place a prepared statement could not use the index of unknown messages.
_STATUS: ColumnElement[str] = literal_column(f"'{MessageStatus.UNKNOWN.value}'")
UNKNOWN = messages.c.status == _STATUS
_ASK_NEXT = update(messages).where(by_key_alone(messages.c.status) == _STATUS)
_ASK = _ASK_NEXT.where(messages.c.ask_at.is_(None), messages.c.asks.is_(None))


class Questions:
    """What to ask providers, of all clinics, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def ask(self, new: Iterable[tuple[UUID, int]], *, at: datetime) -> None:
        """Ask about (message, clinic) at `at`, if they are unknown and nobody asks yet."""
        update_rows(self._connection, _ASK, [keyed(message, clinic, ask_at=at) for message, clinic in new])

    def is_due(self, now: datetime) -> bool:
        """Whether there is something to ask at `now`."""
        query = select(messages.c.id).where(UNKNOWN, messages.c.ask_at <= now).limit(1)
        return self._connection.execute(query).first() is not None

    def next_ask(self) -> datetime | None:
        """The earliest instant at which there is something to ask; it may have passed."""
        earliest: datetime | None = self._connection.scalar(select(func.min(messages.c.ask_at)).where(UNKNOWN))
        return earliest

    def claim(self, now: datetime, *, limit: int, lease_until: datetime) -> list[Attempted]:
        """Up to `limit` messages to ask about, the longest waiting first; others leave them until `lease_until`."""
        query = (
            ATTEMPTED.where(UNKNOWN, messages.c.ask_at <= now)
            .order_by(messages.c.ask_at)
            .limit(limit)
            .with_for_update(skip_locked=True, of=messages)
        )
        claimed = [attempted_from(row, self._vault) for row in self._connection.execute(query)]
        leased = [keyed(one.message.id, one.clinic_id, ask_at=lease_until) for one in claimed]
        update_rows(self._connection, _ASK_NEXT, leased)
        return claimed

    def again(self, one: Attempted, *, at: datetime | None, asked: bool) -> None:
        """Ask about it next at `at`, or never again with None. `asked`: this turn counts."""
        values = keyed(one.message.id, one.clinic_id, ask_at=at, asks=one.asks + asked)
        update_rows(self._connection, _ASK_NEXT, [values])

    def taken(self, provider_ids: Sequence[str], *, attempt_id: UUID) -> set[str]:
        """Those of the provider's ids that are on record for other attempts."""
        message_id = select(attempts.c.message_id).where(attempts.c.id == attempt_id).scalar_subquery()
        by_attempt = select(attempts.c.provider_id).where(
            attempts.c.provider_id.in_(provider_ids), attempts.c.id != attempt_id
        )
        by_message = select(messages.c.provider_id).where(
            messages.c.provider_id.in_(provider_ids), messages.c.id != message_id
        )
        return {found for query in (by_attempt, by_message) for found in self._connection.scalars(query)}

    def not_sent(self, one: Attempted, *, reason: str) -> bool:
        """It has been proven never to have left; False when it is no longer unknown."""
        moved = self._connection.execute(
            update(messages)
            .where(
                messages.c.id == one.message.id,
                messages.c.clinic_id == one.clinic_id,
                messages.c.status.in_([status.value for status in sources_of(MessageStatus.NOT_SENT)]),
            )
            .values(status=MessageStatus.NOT_SENT.value, reason=reason, ask_at=None)
        )
        return moved.rowcount == 1

    def had_task(self, one: Attempted, cause: str) -> bool:
        """Whether a task of this cause has been opened before, whatever became of it."""
        query = select(tasks.c.id).where(
            tasks.c.clinic_id == one.clinic_id,
            tasks.c.patient_id == one.message.patient_id,
            tasks.c.cause == cause,
        )
        return self._connection.execute(query).first() is not None
