"""What the reports count, over which days, and what is worked out of counts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from scheduler.domain.pathway import Action, Pathway

WEEK = timedelta(days=7)
LONGEST = timedelta(days=731)
COUNTED_AGAIN = timedelta(days=3)  # receipts come late: so long after a day it is counted once more
ROUNDS_LIVE = timedelta(days=200)  # so long after its first day a round may still be answered or settled
REFRESHED = timedelta(hours=1)


class Measure(StrEnum):
    """What a count is of. `about` and `key` of the count say more."""

    SENT = "sent"  # reminders handed over; about: pathway
    DELIVERED = "delivered"  # of those, the ones that arrived; about: pathway
    ANSWERS = "answers"  # replies that answer; about: pathway
    REACTED = "reacted"  # patients who answered a routine pathway that day; about: pathway
    DID = "did"  # of those, the ones who did it; about: pathway
    WEEK = "week"  # weekly counts sent; about: pathway, key: days done
    ASKED = "asked"  # rounds by their first day; about: pathway
    ARRIVED = "arrived"  # of those, the ones of which a message arrived
    ANSWERED = "answered"
    SETTLED = "settled"
    RESULT = "result"  # of those, the ones with a result; key: days it took
    PROBLEM = "problem"  # messages that did not arrive; about: channel, key: status and code
    OPENED = "opened"  # tasks; about: kind
    CLOSED = "closed"  # tasks closed by people; about: kind, key: days open
    LAPSED = "lapsed"  # tasks that settled by themselves; about: kind


OF_ROUNDS = (Measure.ASKED, Measure.ARRIVED, Measure.ANSWERED, Measure.SETTLED, Measure.RESULT)
"""Counted by the day on which a round began, and so anew for as long as rounds live."""


class PeriodError(ValueError):
    """These days make no period. The text says why and what to write."""


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days of a clinic, both ends included. Raises `PeriodError`."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise PeriodError("The first day is after the last. Put the earlier day first.")
        if self.last - self.first >= LONGEST:
            raise PeriodError("A report covers two years at most. Choose days that are closer together.")

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def weeks(self) -> Iterator[tuple[date, date]]:
        """Spans of seven days, counted back from the last one, the earliest first; that one may be shorter."""
        starts = [self.last - WEEK + timedelta(days=1)]
        while starts[-1] > self.first:
            starts.append(starts[-1] - WEEK)
        for start in reversed(starts):
            yield max(start, self.first), start + WEEK - timedelta(days=1)


def ending(last: date, *, days: int) -> Period:
    """The `days` days that end with `last`."""
    return Period(last - timedelta(days=days - 1), last)


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, in whole days: `half` means that half of them took at most so long."""

    count: int
    quarter: int
    half: int
    three_quarters: int


def spread(of: Mapping[int, int]) -> Spread | None:
    """The quartiles of values with how often each occurs, by nearest rank: each is a value that occurs.

    None where there is nothing.
    """
    count = sum(of.values())
    if count == 0:
        return None
    return Spread(count, *(_rank(of, -(-count * part // 4)) for part in (1, 2, 3)))


def _rank(of: Mapping[int, int], rank: int) -> int:
    seen = 0
    for value in sorted(of):
        seen += of[value]
        if seen >= rank:
            return value
    raise ValueError(f"there are fewer than {rank} values")


def is_routine(pathway: Pathway) -> bool:
    """Whether it repeats day by day or week by week, rather than asking until something is settled."""
    step = pathway.steps.get(pathway.first_step)
    return step is not None and step.every is not None


def weekly_templates(pathway: Pathway) -> frozenset[str]:
    """The messages that say how many days of the week were done."""
    return frozenset(step.on_sunday for step in pathway.steps.values() if step.on_sunday)


def counting_answers(pathway: Pathway) -> frozenset[str]:
    """The answers that count a day as done."""
    return frozenset(one.name for step in pathway.steps.values() for one in step.answers if one.action.counts)


def settling_answers(pathway: Pathway) -> frozenset[str]:
    """The answers after which nothing is left to do: done, or one that lets the pathway rest and asks nobody.

    An answer that settles in one step and not in another, such as a plain no, is not among them.
    """
    by_name: dict[str, list[bool]] = {}
    for step in pathway.steps.values():
        for one in step.answers:
            by_name.setdefault(one.name, []).append(one.name == "done" or _ends_well(pathway, one.action))
    return frozenset(name for name, settles in by_name.items() if all(settles))


def _ends_well(pathway: Pathway, action: Action) -> bool:
    step = pathway.steps.get(action.go or "")
    return step is not None and step.rest is not None and step.task is None and action.task is None
