"""A clinic's day as its reports count it: what the ledger, the replies, the tasks and the results say of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, or_, select

from scheduler.domain.messages import MessageKind, MessageStatus
from scheduler.domain.people import Channel
from scheduler.domain.replies.meaning import Meaning
from scheduler.domain.tasks import Resolution
from scheduler.ports.reports import Alike, Day, Told
from scheduler.store.tables import clearances, messages, replies, results, tasks

_ANSWERING = [each.value for each in (Meaning.ANSWER, Meaning.DONE, Meaning.SUPPLEMENT)]


class CountedDays:
    """Reading one day of one clinic, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def messages_of(self, clinic_id: int, day: Day) -> list[Alike]:
        """The messages planned that day, those alike together."""
        alike = (
            messages.c.kind,
            messages.c.pathway,
            messages.c.channel,
            messages.c.template,
            messages.c["count"],
            messages.c.status,
            messages.c.reason,
        )
        query = select(*alike, func.count()).where(*planned(clinic_id, day)).group_by(*alike)
        return [
            Alike(
                kind=MessageKind(kind),
                pathway=pathway,
                channel=Channel(channel),
                template=template,
                days_done=done,
                status=MessageStatus(status),
                reason=reason,
                count=count,
            )
            for kind, pathway, channel, template, done, status, reason, count in self._connection.execute(query)
        ]

    def answer_counts(self, clinic_id: int, day: Day) -> dict[str, int]:
        """How many of the day's replies answer, by pathway."""
        query = select(replies.c.pathway, func.count()).where(*_answering(clinic_id, day))
        return {row[0]: row[1] for row in self._connection.execute(query.group_by(replies.c.pathway))}

    def patients_who(self, clinic_id: int, day: Day, pathway: str, answers: Collection[str] | None) -> int:
        """How many patients gave one of these answers that day; None: any."""
        query = select(func.count(replies.c.patient_id.distinct())).where(
            *_answering(clinic_id, day), replies.c.pathway == pathway
        )
        if answers is not None:
            is_one = or_(replies.c.answer.in_(answers), replies.c.meaning == Meaning.DONE.value)
            query = query.where(is_one)
        return int(self._connection.execute(query).scalar_one())

    def answers(
        self, clinic_id: int, day: Day, pathways: Collection[str], *, patient_id: UUID | None = None
    ) -> list[Told]:
        """The day's answers about these pathways, of everybody or of one patient."""
        query = select(replies.c.patient_id, replies.c.pathway, replies.c.received_at, replies.c.answer).where(
            *_answering(clinic_id, day), replies.c.pathway.in_(pathways), _whose(replies.c.patient_id, patient_id)
        )
        return [
            Told(
                patient_id=row.patient_id, pathway=row.pathway, at=row.received_at, answer=row.answer, is_answer=True
            )
            for row in self._connection.execute(query.order_by(replies.c.received_at))
        ]

    def results(
        self, clinic_id: int, day: Day, pathways: Mapping[str, Collection[str]], *, patient_id: UUID | None = None
    ) -> list[Told]:
        """What results of the day are about, those that stand; `pathways` are those that hear of each kind."""
        query = select(results.c.patient_id, results.c.kind, results.c.recorded_at).where(
            results.c.clinic_id == clinic_id,
            results.c.recorded_at >= day.since,
            results.c.recorded_at < day.until,
            results.c.voided_at.is_(None),
            _whose(results.c.patient_id, patient_id),
        )
        return [
            Told(patient_id=row.patient_id, pathway=pathway, at=row.recorded_at, is_result=True)
            for row in self._connection.execute(query.order_by(results.c.recorded_at))
            for pathway in pathways.get(row.kind, ())
        ]

    def decisions(
        self, clinic_id: int, day: Day, pathways: Collection[str], *, patient_id: UUID | None = None
    ) -> list[Told]:
        """Supplement cases decided that day."""
        query = select(clearances.c.patient_id, clearances.c.decided_at).where(
            clearances.c.clinic_id == clinic_id,
            clearances.c.decided_at >= day.since,
            clearances.c.decided_at < day.until,
            _whose(clearances.c.patient_id, patient_id),
        )
        return [
            Told(patient_id=row.patient_id, pathway=pathway, at=row.decided_at)
            for row in self._connection.execute(query.order_by(clearances.c.decided_at))
            for pathway in pathways
        ]

    def tasks_opened(self, clinic_id: int, day: Day) -> dict[str, int]:
        """How many tasks of each kind were opened that day."""
        query = select(tasks.c.kind, func.count()).where(
            tasks.c.clinic_id == clinic_id, tasks.c.opened_at >= day.since, tasks.c.opened_at < day.until
        )
        return {row[0]: row[1] for row in self._connection.execute(query.group_by(tasks.c.kind))}

    def tasks_closed(self, clinic_id: int, day: Day) -> list[tuple[str, datetime, datetime, bool]]:
        """(kind, opened at, closed at, whether a person closed it)."""
        query = select(tasks.c.kind, tasks.c.opened_at, tasks.c.closed_at, tasks.c.resolution).where(
            tasks.c.clinic_id == clinic_id, tasks.c.closed_at >= day.since, tasks.c.closed_at < day.until
        )
        return [
            (row.kind, row.opened_at, row.closed_at, row.resolution != Resolution.SETTLED.value)
            for row in self._connection.execute(query)
        ]


def planned(clinic_id: int, day: Day) -> tuple[Any, ...]:
    return messages.c.clinic_id == clinic_id, messages.c.planned_at >= day.since, messages.c.planned_at < day.until


def _whose(column: ColumnElement[UUID], patient_id: UUID | None) -> ColumnElement[bool]:
    """Rows about one patient, or about any."""
    return column.is_not(None) if patient_id is None else column == patient_id


def _answering(clinic_id: int, day: Day) -> tuple[Any, ...]:
    return (
        replies.c.clinic_id == clinic_id,
        replies.c.received_at >= day.since,
        replies.c.received_at < day.until,
        replies.c.meaning.in_(_ANSWERING),
        replies.c.pathway.is_not(None),
    )
