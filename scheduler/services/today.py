"""A clinic's day at a glance: what needs a person, what goes out, what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scheduler.domain.messages import MessageStatus
from scheduler.domain.when import instant
from scheduler.ports import Store
from scheduler.records import Clinic, TaskLine, Trouble

MOST_TASKS = 12
MOST_TROUBLES = 8
_LOOKS_BACK = timedelta(days=2)

_WENT = (MessageStatus.SENT, MessageStatus.DELIVERED)
_GOING = (MessageStatus.PLANNED, MessageStatus.SENDING)
_DID_NOT_ARRIVE = (MessageStatus.FAILED, MessageStatus.UNDELIVERED, MessageStatus.EXPIRED, MessageStatus.NOT_SENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """A clinic at an instant. `now` is in its zone; counts of messages are those planned since its midnight."""

    now: datetime
    open_tasks: int
    urgent_tasks: int
    overdue_tasks: int
    by_kind: tuple[tuple[str, int], ...]  # open tasks, the commonest kind first
    tasks: tuple[TaskLine, ...]  # the most pressing
    went: int
    going: int  # planned, and waiting for their moment
    to_plan: int  # patients who are due today and not planned for yet
    did_not_arrive: int
    unknown: int
    held_back: int  # by a rule: no consent, pause, budget
    replies: int
    troubles: tuple[Trouble, ...]  # the newest


def today(store: Store, clinic: Clinic, *, now: datetime) -> Today:
    """The clinic's day at `now` (UTC)."""
    zone = ZoneInfo(clinic.timezone)
    local = now.astimezone(zone)
    midnight, next_midnight = _midnight(local.date(), zone), _midnight(local.date() + timedelta(days=1), zone)
    with store.reading() as unit:
        counts = unit.browsing.messages_by_status(clinic.id, since=midnight, until=next_midnight)
        alike = unit.worklist.open_counts(clinic.id)
        tasks = unit.browsing.open_tasks(clinic.id, limit=MOST_TASKS)
        troubles = unit.browsing.troubles(clinic.id, since=now - _LOOKS_BACK, limit=MOST_TROUBLES)
        to_plan = unit.browsing.due_until(clinic.id, next_midnight)
        replies = unit.browsing.replies_since(clinic.id, midnight)
    kinds: dict[str, int] = {}
    for each in alike:
        kinds[each.kind] = kinds.get(each.kind, 0) + each.count
    return Today(
        now=local,
        open_tasks=sum(each.count for each in alike),
        urgent_tasks=sum(each.count for each in alike if each.priority == "urgent"),
        overdue_tasks=sum(each.count for each in alike if each.due < local.date()),
        by_kind=tuple(sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0]))),
        tasks=tuple(tasks),
        went=_of(counts, *_WENT),
        going=_of(counts, *_GOING),
        to_plan=to_plan,
        did_not_arrive=_of(counts, *_DID_NOT_ARRIVE),
        unknown=_of(counts, MessageStatus.UNKNOWN),
        held_back=_of(counts, MessageStatus.SKIPPED),
        replies=replies,
        troubles=tuple(troubles),
    )


def _of(counts: Mapping[MessageStatus, int], *statuses: MessageStatus) -> int:
    return sum(counts.get(status, 0) for status in statuses)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return instant(day, time(), zone).astimezone(UTC)
