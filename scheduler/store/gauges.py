"""Figures about the whole installation, each by an index: cheap enough to ask for every few seconds."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.domain.tasks import TaskStatus
from scheduler.store.tables import clinics, messages, patients, tasks


class Gauges:
    """Counts over all clinics, inside one transaction. Nothing in them says who."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def due(self, now: datetime) -> tuple[int, datetime | None]:
        """How many patients are due at `now` and not planned for yet, and since when the first of them is."""
        query = select(func.count(), func.min(patients.c.next_contact_at)).where(patients.c.next_contact_at <= now)
        count, oldest = self._connection.execute(query).one()
        return count, oldest

    def ready(self, now: datetime) -> dict[Channel, int]:
        """How many planned messages could go at `now`, by channel."""
        query = (
            select(messages.c.channel, func.count())
            .where(messages.c.status == MessageStatus.PLANNED.value, messages.c.send_from <= now)
            .group_by(messages.c.channel)
        )
        return {Channel(channel): count for channel, count in self._connection.execute(query)}

    def abandoned(self, now: datetime) -> int:
        """How many messages are in `sending` although their worker's lease has run out."""
        query = (
            select(func.count())
            .select_from(messages)
            .where(messages.c.status == MessageStatus.SENDING.value, messages.c.lease_until <= now)
        )
        return self._connection.execute(query).scalar_one()

    def next_ready(self) -> datetime | None:
        """The earliest instant at which a planned message may go; it may have passed."""
        earliest: datetime | None = self._connection.scalar(
            select(func.min(messages.c.send_from)).where(messages.c.status == MessageStatus.PLANNED.value)
        )
        return earliest

    def messages(self, since: datetime) -> dict[tuple[Channel, MessageStatus], int]:
        """How many messages planned since `since` are now in which status, by channel."""
        query = (
            select(messages.c.channel, messages.c.status, func.count())
            .where(messages.c.clinic_id.in_(select(clinics.c.id)), messages.c.planned_at >= since)
            .group_by(messages.c.channel, messages.c.status)
        )
        return {
            (Channel(channel), MessageStatus(status)): count
            for channel, status, count in self._connection.execute(query)
        }

    def open_tasks(self, clinic_id: int | None = None) -> int:
        """How many tasks wait for a person, in one clinic or in all."""
        query = select(func.count()).select_from(tasks).where(tasks.c.status == TaskStatus.OPEN.value)
        if clinic_id is not None:
            query = query.where(tasks.c.clinic_id == clinic_id)
        return self._connection.execute(query).scalar_one()
