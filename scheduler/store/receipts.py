"""Receipts: what a provider reports about a message after it has answered."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select, update

from scheduler.domain.messages import MessageStatus, sources_of
from scheduler.store.tables import attempts, messages


class Receipts:
    """Moves messages on, inside one transaction. A receipt names its message by our attempt or the provider's id."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def record(
        self,
        target: MessageStatus,
        *,
        attempt_id: UUID | None,
        provider_id: str,
        code: str | None,
        now: datetime,
    ) -> bool | None:
        """Move the message to `target`, with the provider's error code as the reason.

        True when it moved, False when the receipt is late, repeated or about an attempt that another followed, None
        when no message is known by either id.
        """
        found = self._find(attempt_id, provider_id)
        if found is None:
            return None
        message_id, clinic_id = found
        statement = update(messages).where(
            messages.c.id == message_id,
            messages.c.clinic_id == clinic_id,
            messages.c.status.in_([status.value for status in sources_of(target)]),
        )
        if target is not MessageStatus.DELIVERED and attempt_id is not None:
            latest = select(func.max(attempts.c.number)).where(attempts.c.message_id == message_id)
            this = select(attempts.c.number).where(attempts.c.id == attempt_id)
            statement = statement.where(latest.scalar_subquery() == this.scalar_subquery())
        moved = self._connection.execute(
            statement.values(
                status=target.value,
                reason=code,
                provider_id=func.coalesce(messages.c.provider_id, provider_id),
                sent_at=func.coalesce(messages.c.sent_at, now),
                lease_until=None,
                worker=None,
            )
        )
        return moved.rowcount == 1

    def _find(self, attempt_id: UUID | None, provider_id: str) -> tuple[UUID, int] | None:
        """The (message, clinic), by the attempt where one is given: it is known before the provider's id is."""
        by_attempt = select(attempts.c.message_id, attempts.c.clinic_id).where(attempts.c.id == attempt_id)
        by_provider = select(messages.c.id, messages.c.clinic_id).where(messages.c.provider_id == provider_id)
        row = self._connection.execute(by_attempt).first() if attempt_id is not None else None
        if row is None:
            row = self._connection.execute(by_provider).first()
        return None if row is None else (row[0], row[1])
