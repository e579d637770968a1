"""Messages and answers of a day, by the page and by the hour, inside one transaction.

Pages go on by key: the last line's instant and id. By number they would count through all that came before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Connection, and_, case, func, literal, or_, select
from sqlalchemy.sql.elements import ColumnElement

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.ports.message_lists import AnswerLine, DayCount, DueLine, Key, MessageLine
from scheduler.store.tables import messages, patients, replies
from scheduler.store.types import Instant
from scheduler.store.vault import Vault

_NAME = "patients.name"


class MessageLists:
    """Reading for pages, always of one clinic."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def messages(
        self,
        clinic_id: int,
        *,
        since: datetime,
        until: datetime,
        statuses: Sequence[MessageStatus],
        after: Key | None,
        limit: int,
    ) -> list[MessageLine]:
        """Messages planned within that time that stand so, the newest first."""
        query = (
            select(
                messages.c.id,
                messages.c.planned_at,
                messages.c.send_from,
                messages.c.sent_at,
                messages.c.channel,
                messages.c.pathway,
                messages.c.status,
                messages.c.reason,
                patients.c.mrn,
                patients.c.name,
            )
            .join(patients, patients.c.id == messages.c.patient_id)
            .where(
                messages.c.clinic_id == clinic_id,
                messages.c.planned_at >= since,
                messages.c.planned_at < until,
                messages.c.status.in_([status.value for status in statuses]),
                *_earlier(messages.c.planned_at, messages.c.id, after),
            )
            .order_by(messages.c.planned_at.desc(), messages.c.id.desc())
            .limit(limit)
        )
        return [
            MessageLine(
                id=row.id,
                planned_at=row.planned_at,
                at=row.sent_at or row.send_from,
                mrn=row.mrn,
                name=self._vault.open(_NAME, row.name) or "",
                channel=Channel(row.channel),
                pathway=row.pathway,
                status=MessageStatus(row.status),
                reason=row.reason,
            )
            for row in self._connection.execute(query)
        ]

    def due(self, clinic_id: int, *, until: datetime, after: Key | None, limit: int) -> list[DueLine]:
        """Patients whose next contact is before `until`, the earliest first."""
        at = patients.c.next_contact_at
        query = select(patients.c.id, at, patients.c.mrn, patients.c.name, patients.c.channel).where(
            patients.c.clinic_id == clinic_id, at < until
        )
        if after is not None:
            query = query.where(or_(at > after[0], and_(at == after[0], patients.c.id > after[1])))
        return [
            DueLine(
                id=row.id,
                at=row.next_contact_at,
                mrn=row.mrn,
                name=self._vault.open(_NAME, row.name) or "",
                channel=Channel(row.channel),
            )
            for row in self._connection.execute(query.order_by(at, patients.c.id).limit(limit))
        ]

    def answers(
        self, clinic_id: int, *, since: datetime, until: datetime, after: Key | None, limit: int
    ) -> list[AnswerLine]:
        """What came from patients within that time, the newest first."""
        query = (
            select(
                replies.c.id,
                replies.c.received_at,
                replies.c.channel,
                replies.c.body,
                replies.c.meaning,
                replies.c.answer,
                replies.c.candidates,
                patients.c.mrn,
                patients.c.name,
            )
            .outerjoin(patients, patients.c.id == replies.c.patient_id)
            .where(
                replies.c.clinic_id == clinic_id,
                replies.c.received_at >= since,
                replies.c.received_at < until,
                *_earlier(replies.c.received_at, replies.c.id, after),
            )
            .order_by(replies.c.received_at.desc(), replies.c.id.desc())
            .limit(limit)
        )
        return [
            AnswerLine(
                id=row.id,
                at=row.received_at,
                mrn=None if row.candidates else row.mrn,
                name=None if row.candidates else self._vault.open(_NAME, row.name),
                channel=Channel(row.channel),
                text=self._vault.open("replies.body", row.body) or "",
                meaning=row.answer or row.meaning,
            )
            for row in self._connection.execute(query)
        ]

    def counts(self, clinic_id: int, *, since: datetime, until: datetime) -> list[DayCount]:
        """How many messages planned within that time go or went when."""
        columns = (messages.c.channel, messages.c.send_from, messages.c.status)
        query = (
            select(*columns, func.count().label("number"))
            .where(
                messages.c.clinic_id == clinic_id,
                messages.c.planned_at >= since,
                messages.c.planned_at < until,
            )
            .group_by(*columns)
        )
        return [
            DayCount(Channel(row.channel), row.send_from, MessageStatus(row.status), row.number)
            for row in self._connection.execute(query)
        ]

    def due_counts(self, clinic_id: int, *, now: datetime, until: datetime) -> list[DayCount]:
        """How many patients have their next contact when, before `until`; who is late at `now` is due then."""
        due = patients.c.next_contact_at
        at = case((due < now, literal(now, Instant)), else_=due).label("at")
        query = (
            select(patients.c.channel, at, func.count().label("number"))
            .where(patients.c.clinic_id == clinic_id, due < until)
            .group_by(patients.c.channel, at)
        )
        return [DayCount(Channel(row.channel), row.at, None, row.number) for row in self._connection.execute(query)]


def _earlier(at: Column[datetime], own: Column[object], after: Key | None) -> list[ColumnElement[bool]]:
    """What comes after the key in a list with the newest first."""
    return [] if after is None else [or_(at < after[0], and_(at == after[0], own < after[1]))]
