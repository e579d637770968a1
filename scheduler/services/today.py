"""A clinic's day at a glance: what needs a person, what goes out, what went wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.ports import Store
from scheduler.ports.browsing import TaskLine, Trouble
from scheduler.ports.message_lists import DayCount
from scheduler.records import Clinic
from scheduler.services.message_lists import STATUSES, Which, bounds

MOST_TASKS = 12
MOST_TROUBLES = 8
_LOOKS_BACK = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the clinic's day: of each channel, how many went and how many are still to go."""

    hour: int
    went: Mapping[Channel, int]
    to_go: Mapping[Channel, int]


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
    hours: tuple[Hour, ...]  # in which something went or goes


def today(store: Store, clinic: Clinic, *, now: datetime) -> Today:
    """The clinic's day at `now` (UTC)."""
    zone = ZoneInfo(clinic.timezone)
    local = now.astimezone(zone)
    midnight, next_midnight = bounds(local.date(), zone)
    with store.reading() as unit:
        alike = unit.worklist.open_counts(clinic.id)
        tasks = unit.browsing.open_tasks(clinic.id, limit=MOST_TASKS)
        troubles = unit.browsing.troubles(clinic.id, since=now - _LOOKS_BACK, limit=MOST_TROUBLES)
        replies = unit.browsing.replies_since(clinic.id, midnight)
        planned = unit.message_lists.counts(clinic.id, since=midnight, until=next_midnight)
        due = unit.message_lists.due_counts(clinic.id, now=now, until=next_midnight)
    counts: Counter[MessageStatus | None] = Counter()
    for count in planned:
        counts[count.status] += count.number
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
        went=_of(counts, *STATUSES[Which.WENT]),
        going=_of(counts, *STATUSES[Which.GOING]),
        to_plan=sum(count.number for count in due),
        did_not_arrive=_of(counts, *STATUSES[Which.DID_NOT_ARRIVE]),
        unknown=_of(counts, *STATUSES[Which.UNKNOWN]),
        held_back=_of(counts, *STATUSES[Which.HELD_BACK]),
        replies=replies,
        troubles=tuple(troubles),
        hours=_hours((*planned, *due), local),
    )


def _of(counts: Mapping[MessageStatus | None, int], *statuses: MessageStatus) -> int:
    return sum(counts.get(status, 0) for status in statuses)


def _hours(counts: Iterable[DayCount], local: datetime) -> tuple[Hour, ...]:
    """The hours of the clinic's day. Who is late is due now."""
    went: dict[int, Counter[Channel]] = defaultdict(Counter)
    to_go: dict[int, Counter[Channel]] = defaultdict(Counter)
    for count in counts:
        at = count.at.astimezone(local.tzinfo)
        if count.status in STATUSES[Which.WENT]:
            went[at.hour if at.date() == local.date() else local.hour][count.channel] += count.number
        elif (count.status is None or count.status in STATUSES[Which.GOING]) and at.date() <= local.date():
            to_go[max(at, local).hour][count.channel] += count.number
    return tuple(Hour(hour, went.get(hour, {}), to_go.get(hour, {})) for hour in sorted({*went, *to_go}))
