"""The messages and answers of a clinic's day, list by list, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from scheduler.domain.messages import MessageStatus
from scheduler.domain.when import instant
from scheduler.ports import Unit
from scheduler.ports.message_lists import AnswerLine, DueLine, Key, MessageLine
from scheduler.records import Clinic

PAGE = 50  # lines


class Which(StrEnum):
    """What a list is of."""

    WENT = "went"
    GOING = "going"  # planned, and waiting for their moment
    DUE = "due"  # patients who are due and not planned for yet
    DID_NOT_ARRIVE = "did_not_arrive"
    UNKNOWN = "unknown"
    HELD_BACK = "held_back"  # by a rule
    ANSWERS = "answers"


STATUSES: Mapping[Which, tuple[MessageStatus, ...]] = {
    Which.WENT: (MessageStatus.SENT, MessageStatus.DELIVERED),
    Which.GOING: (MessageStatus.PLANNED, MessageStatus.SENDING),
    Which.DID_NOT_ARRIVE: (
        MessageStatus.FAILED,
        MessageStatus.UNDELIVERED,
        MessageStatus.EXPIRED,
        MessageStatus.NOT_SENT,
    ),
    Which.UNKNOWN: (MessageStatus.UNKNOWN,),
    Which.HELD_BACK: (MessageStatus.SKIPPED,),
}

Line = MessageLine | DueLine | AnswerLine


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; `after` leads to the next, None: there is none."""

    lines: tuple[Line, ...]
    after: str | None


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """A day's first instant, and that of the day after (UTC)."""
    first, second = (instant(each, time(), zone).astimezone(UTC) for each in (day, day + timedelta(days=1)))
    return first, second


def page_of(unit: Unit, clinic: Clinic, which: Which, day: date, *, after: str = "") -> Page:
    """A page of the list of that day of the clinic. An `after` that nobody was given counts as none."""
    since, until = bounds(day, ZoneInfo(clinic.timezone))
    key = _read(after)
    lists, more = unit.message_lists, PAGE + 1
    found: list[Line] = []
    if which is Which.DUE:
        found += lists.due(clinic.id, until=until, after=key, limit=more)
    elif which is Which.ANSWERS:
        found += lists.answers(clinic.id, since=since, until=until, after=key, limit=more)
    else:
        found += lists.messages(clinic.id, since=since, until=until, statuses=STATUSES[which], after=key, limit=more)
    shown = tuple(found[:PAGE])
    return Page(shown, _written(shown[-1]) if len(found) > PAGE else None)


def _written(line: Line) -> str:
    at = line.planned_at if isinstance(line, MessageLine) else line.at
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat()}~{line.id.hex}"


def _read(after: str) -> Key | None:
    at, _, own = after.partition("~")
    try:
        return datetime.fromisoformat(at).replace(tzinfo=UTC), UUID(own)
    except ValueError:
        return None
