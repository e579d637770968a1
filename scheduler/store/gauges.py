"""Figures about the whole installation, each by an index: cheap enough to ask for every few seconds."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    ScalarSelect,
    bindparam,
    case,
    cast,
    exists,
    extract,
    func,
    literal_column,
    or_,
    select,
)

from scheduler.domain.messages import MessageKind, MessageStatus
from scheduler.domain.people import Channel
from scheduler.domain.reporting import REFRESHED
from scheduler.domain.tasks import TaskStatus
from scheduler.ports.gauges import SPAN_BOUNDS, AttemptSpan, Look, WaitingMessages
from scheduler.store.batches import parted
from scheduler.store.tables import (
    attempts,
    batches,
    clinics,
    heartbeats,
    messages,
    patients,
    replies,
    staff_mail,
    tasks,
)
from scheduler.store.types import Instant

_SECONDS_A_DAY = 86_400
_UNIX_MS_SHIFT = 80  # of an id: the bits below its milliseconds (RFC 9562, 5.7)


def _is(column: ColumnElement[str], value: str) -> ColumnElement[bool]:
    """A literal: with a parameter in its place a prepared statement could not use the partial indexes."""
    return column == literal_column(f"'{value}'")


def _how_many(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).where(*conditions).scalar_subquery()


_PLANNED = _is(messages.c.status, MessageStatus.PLANNED)
_SENDING = _is(messages.c.status, MessageStatus.SENDING)
_UNKNOWN = _is(messages.c.status, MessageStatus.UNKNOWN)
_OPEN = _is(tasks.c.status, TaskStatus.OPEN)


# One statement, made once: it is asked at every tick, and nearly always there is nothing.
_NOW = bindparam("now", type_=Instant)
_AN_HOUR_AGO = bindparam("an_hour_ago", type_=Instant)
_OFFICE = or_(
    exists().where(staff_mail.c.status == literal_column("'planned'"), staff_mail.c.send_from <= _NOW),
    exists().where(staff_mail.c.status == literal_column("'sending'"), staff_mail.c.lease_until <= _NOW),
    exists().where(_OPEN, tasks.c.overdue_at <= _NOW),
    exists().where(clinics.c.digest_due_at <= _NOW),
    exists().where(clinics.c.reported_at <= _AN_HOUR_AGO),
)
_LOOK = select(
    _how_many(patients.c.next_contact_at <= _NOW),
    exists().where(batches.c.lease_until <= _NOW),
    exists().where(_UNKNOWN, messages.c.ask_at <= _NOW),
    exists().where(replies.c.look_at.is_not(None), replies.c.look_at <= _NOW),
    _OFFICE,
    exists().where(clinics.c.replan_after.is_not(None)),
    *(_how_many(_PLANNED, _is(messages.c.channel, channel), messages.c.send_from <= _NOW) for channel in Channel),
)


class Gauges:
    """Counts over all clinics, inside one transaction. Nothing in them says who."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # Patients and messages that wait

    def look(self, now: datetime) -> Look:
        """All that could be waiting at `now`, in one question."""
        due, is_abandoned, *others = self._connection.execute(_LOOK, _moment(now)).one()
        is_asking, is_spoken_to, is_office_waiting, is_replanning, *ready = others
        return Look(
            patients_due=due,
            is_abandoned=bool(is_abandoned),
            ready={channel: count for channel, count in zip(Channel, ready, strict=True) if count},
            is_asking=bool(is_asking),
            is_spoken_to=bool(is_spoken_to),
            is_office_waiting=bool(is_office_waiting),
            is_replanning=bool(is_replanning),
        )

    def due(self, now: datetime) -> tuple[int, datetime | None]:
        """How many patients are due at `now` and not planned for yet, and since when the first of them is."""
        query = select(func.count(), func.min(patients.c.next_contact_at)).where(patients.c.next_contact_at <= now)
        count, oldest = self._connection.execute(query).one()
        return count, oldest

    def ready(self, now: datetime) -> dict[Channel, int]:
        """How many planned messages could go at `now`, by channel."""
        return {channel: waiting.count for channel, waiting in self.waiting(now).items()}

    def is_ready(self, channel: Channel, now: datetime) -> bool:
        """Whether any planned message of `channel` could go at `now`."""
        query = select(messages.c.id).where(
            _PLANNED,
            messages.c.channel == channel.value,
            messages.c.kind.in_([kind.value for kind in MessageKind]),
            messages.c.send_from <= now,
        )
        return self._connection.execute(query.limit(1)).first() is not None

    def waiting(self, now: datetime) -> dict[Channel, WaitingMessages]:
        """The planned messages that could go at `now`, by channel; none for a channel without any."""
        query = (
            select(messages.c.channel, func.count(), func.min(messages.c.send_from))
            .where(_PLANNED, messages.c.send_from <= now)
            .group_by(messages.c.channel)
        )
        found = self._connection.execute(query)
        return {Channel(channel): WaitingMessages(count, oldest) for channel, count, oldest in found}

    def next_ready(self) -> datetime | None:
        """The earliest instant at which a planned message may go; it may have passed."""
        earliest: datetime | None = self._connection.scalar(select(func.min(messages.c.send_from)).where(_PLANNED))
        return earliest

    # Messages on their way

    def sending(self) -> dict[Channel, int]:
        """How many messages are being handed over, by channel."""
        return self._sending()

    def abandoned(self, now: datetime) -> int:
        """How many messages are in `sending` although their worker's lease has run out."""
        return sum(self._sending(batches.c.lease_until <= now).values())

    def _sending(self, *of_batches: ColumnElement[bool]) -> dict[Channel, int]:
        """What is in `sending`, by channel. Such a message is in a worker's hand, and found by its batch."""
        in_hand = [
            each
            for ids in self._connection.scalars(select(batches.c.message_ids).where(*of_batches))
            for each in parted(ids)
        ]
        query = (
            select(messages.c.channel, func.count())
            .where(_SENDING, messages.c.id.in_(in_hand))
            .group_by(messages.c.channel)
        )
        return {Channel(channel): count for channel, count in self._connection.execute(query)}

    def unknown(self) -> int:
        """Of how many messages nobody knows whether they went."""
        return self._connection.execute(select(func.count()).select_from(messages).where(_UNKNOWN)).scalar_one()

    def asked(self) -> int:
        """About how many of these the provider is being asked."""
        query = select(func.count()).select_from(messages).where(_UNKNOWN, messages.c.ask_at.is_not(None))
        return self._connection.execute(query).scalar_one()

    def messages(self, since: datetime) -> dict[tuple[Channel, MessageStatus], int]:
        """How many messages planned since `since` are now in which status, by channel.

        As much work as there are such messages.
        """
        query = (
            select(messages.c.channel, messages.c.status, func.count())
            .where(messages.c.clinic_id.in_(select(clinics.c.id)), messages.c.planned_at >= since)
            .group_by(messages.c.channel, messages.c.status)
        )
        return {
            (Channel(channel), MessageStatus(status)): count
            for channel, status, count in self._connection.execute(query)
        }

    def attempts(self, since: datetime, *, settled_before: datetime) -> list[AttemptSpan]:
        """The attempts begun at `since` or later that have ended, counted; apart those begun before `settled_before`.

        When an attempt began is read from its id, so that only the latest of them are looked at. As much work as
        there are attempts since then.
        """
        seconds = self._seconds()
        bucket = case(*((seconds <= bound, place) for place, bound in enumerate(SPAN_BOUNDS)), else_=len(SPAN_BOUNDS))
        is_settled = attempts.c.id < _first_id(settled_before)
        query = (
            select(attempts.c.channel, attempts.c.outcome, bucket, is_settled, func.count(), func.sum(seconds))
            .where(attempts.c.id >= _first_id(since), attempts.c.outcome.is_not(None))
            .group_by(literal_column("1"), literal_column("2"), literal_column("3"), literal_column("4"))
        )
        return [
            AttemptSpan(
                channel=Channel(channel),
                outcome=outcome,
                bucket=place,
                is_settled=bool(settled),
                count=count,
                seconds=float(total or 0),
            )
            for channel, outcome, place, settled, count, total in self._connection.execute(query)
        ]

    def _seconds(self) -> ColumnElement[float]:
        """How long an attempt took, in seconds."""
        if self._connection.dialect.name == "sqlite":
            days = func.julianday(attempts.c.finished_at) - func.julianday(attempts.c.started_at)
            return cast(days * _SECONDS_A_DAY, Float)
        return cast(extract("epoch", attempts.c.finished_at - attempts.c.started_at), Float)

    # Work for people

    def is_office_waiting(self, now: datetime) -> bool:
        """Whether a task is overdue and not urgent for it, a digest or counting is due, or mail to staff could go.

        Also when such mail is held by a worker that died.
        """
        return bool(self._connection.execute(select(_OFFICE), _moment(now)).scalar_one())

    def open_tasks(self, clinic_id: int | None = None) -> int:
        """How many tasks wait for a person, in one clinic or in all."""
        query = select(func.count()).select_from(tasks).where(_OPEN)
        if clinic_id is not None:
            query = query.where(tasks.c.clinic_id == clinic_id)
        return self._connection.execute(query).scalar_one()

    def tasks(self) -> dict[tuple[int, str, date], int]:
        """How many tasks wait for a person, by clinic, kind and the date they are due."""
        query = (
            select(tasks.c.clinic_id, tasks.c.kind, tasks.c.due, func.count())
            .where(_OPEN)
            .group_by(tasks.c.clinic_id, tasks.c.kind, tasks.c.due)
        )
        found = self._connection.execute(query)
        return {(clinic_id, kind, due): count for clinic_id, kind, due, count in found}

    # Machines

    def beats(self, since: datetime) -> dict[str, datetime]:
        """When each worker last gave a sign of life, of those that did so since then."""
        query = select(heartbeats.c.worker, heartbeats.c.beat_at).where(heartbeats.c.beat_at >= since)
        return {row.worker: row.beat_at for row in self._connection.execute(query)}

    def database_time(self) -> datetime | None:
        """What the clock of the database's machine shows; None where that is this machine."""
        if self._connection.dialect.name == "sqlite":
            return None
        shown: datetime = self._connection.execute(select(func.clock_timestamp())).scalar_one()
        return shown.astimezone(UTC)


def _moment(now: datetime) -> dict[str, datetime]:
    return {"now": now, "an_hour_ago": now - REFRESHED}


def _first_id(at: datetime) -> UUID:
    """The lowest id that could have been made at `at`: ids begin with their milliseconds."""
    return UUID(int=max(0, int(at.timestamp() * 1000)) << _UNIX_MS_SHIFT)
