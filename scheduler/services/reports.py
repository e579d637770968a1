"""A clinic's reports: what was sent, what arrived, what was answered and done, and what needed people.

Every figure has its table, and says of how many it speaks. docs/reports.md defines each number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.domain.reporting import Measure, Period, Spread, is_routine, spread
from scheduler.ports import Store
from scheduler.ports.reports import Count
from scheduler.records import Clinic
from scheduler.services.rules import Rules

Meaning = Callable[[Channel, str], str | None]

_WEEKLY = (Measure.SENT, Measure.DELIVERED, Measure.ANSWERS)
_DAYS = 7
_TO_RESULT = ((0, 7), (8, 14), (15, 28), (29, 56), (57, None))  # days


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """How far a pathway came. Of a routine one each message is counted, of one that asks each round of questions."""

    pathway: str
    title: str
    is_routine: bool
    asked: int
    arrived: int
    answered: int
    settled: int

    @property
    def stages(self) -> tuple[tuple[str, int], ...]:
        """The name and count of each stage."""
        done = "done" if self.is_routine else "done or settled"
        return ("sent", self.asked), ("delivered", self.arrived), ("answered", self.answered), (done, self.settled)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToResult:
    """How long a pathway took to a result. `bins` are spans of days, the last without an end."""

    title: str
    asked: int
    took: Spread | None
    bins: tuple[tuple[int, int | None, int], ...]

    @property
    def open(self) -> int:
        """How many have no result yet."""
        return self.asked - (self.took.count if self.took else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """Seven days, or fewer at the beginning of a period."""

    first: date
    last: date
    sent: int
    delivered: int
    answers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """How many days of a week patients moved, as the weekly counts said. `weeks` are patients' weeks by days."""

    title: str
    weeks: tuple[int, ...]  # of 0 days, of 1 ...
    half: Spread | None

    @property
    def count(self) -> int:
        return sum(self.weeks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why messages did not arrive. `code` is the provider's, where it gave one."""

    channel: Channel
    status: MessageStatus
    code: str
    meaning: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksOfKind:
    """What became of tasks of one kind. `took` is days from opening to closing, of those that people closed."""

    title: str
    opened: int
    closed: int
    lapsed: int
    took: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All figures of a period. `counted_at` is in the clinic's zone."""

    period: Period
    counted_at: datetime
    funnels: tuple[Funnel, ...]
    weeks: tuple[Week, ...]
    exercise: tuple[Exercise, ...]
    to_results: tuple[ToResult, ...]
    problems: tuple[Problem, ...]
    tasks: tuple[TasksOfKind, ...]

    @property
    def sent(self) -> int:
        return sum(each.sent for each in self.weeks)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was counted."""
        return not (self.sent or self.funnels or self.problems or self.tasks)


def report(store: Store, rules: Rules, clinic: Clinic, period: Period, *, meaning: Meaning) -> Report:
    """The clinic's figures of a period, from what has been counted; `meaning` puts providers' codes into words."""
    with store.reading() as unit:
        counts = unit.reports.total(clinic.id, period)
        days = unit.reports.by_day(clinic.id, period, _WEEKLY)
        counted_at = unit.reports.counted_at(clinic.id)
    found = _Counts(counts)
    return Report(
        period=period,
        counted_at=counted_at.astimezone(ZoneInfo(clinic.timezone)),
        funnels=tuple(_funnels(found, rules)),
        weeks=tuple(_week(first, last, days) for first, last in period.weeks()),
        exercise=tuple(_exercise(found, rules)),
        to_results=tuple(_to_results(found, rules)),
        problems=tuple(_problems(counts, meaning)),
        tasks=tuple(_tasks(found, rules)),
    )


class _Counts:
    """Counts by what they are of."""

    def __init__(self, counts: Iterable[Count]) -> None:
        self._by: dict[tuple[Measure, str], Counter[str]] = {}
        for one in counts:
            self._by.setdefault((one.measure, one.about), Counter())[one.key] += one.count

    def of(self, measure: Measure, about: str) -> int:
        return sum(self._by.get((measure, about), Counter()).values())

    def by_key(self, measure: Measure, about: str) -> dict[int, int]:
        """Where the key is a number of days."""
        return {int(key): count for key, count in self._by.get((measure, about), Counter()).items()}

    def about(self, *measures: Measure) -> list[str]:
        return sorted({about for measure, about in self._by if measure in measures})


def _funnels(counts: _Counts, rules: Rules) -> Iterator[Funnel]:
    known = sorted(rules.pathways.values(), key=lambda one: one.priority)
    for pathway in known:
        routine = is_routine(pathway)
        measures = (
            (Measure.SENT, Measure.DELIVERED, Measure.REACTED, Measure.DID)
            if routine
            else (Measure.ASKED, Measure.ARRIVED, Measure.ANSWERED, Measure.SETTLED)
        )
        asked, arrived, answered, settled = (counts.of(each, pathway.name) for each in measures)
        if asked:
            yield Funnel(
                pathway=pathway.name,
                title=pathway.title,
                is_routine=routine,
                asked=asked,
                arrived=arrived,
                answered=answered,
                settled=settled,
            )


def _week(first: date, last: date, days: dict[date, dict[Measure, int]]) -> Week:
    within = [counts for day, counts in days.items() if first <= day <= last]
    sent, delivered, answers = (sum(each.get(measure, 0) for each in within) for measure in _WEEKLY)
    return Week(first=first, last=last, sent=sent, delivered=delivered, answers=answers)


def _exercise(counts: _Counts, rules: Rules) -> Iterator[Exercise]:
    for name in counts.about(Measure.WEEK):
        by_days = counts.by_key(Measure.WEEK, name)
        yield Exercise(
            title=rules.pathways[name].title if name in rules.pathways else name,
            weeks=tuple(by_days.get(days, 0) for days in range(_DAYS + 1)),
            half=spread(by_days),
        )


def _to_results(counts: _Counts, rules: Rules) -> Iterator[ToResult]:
    for pathway in sorted(rules.pathways.values(), key=lambda one: one.priority):
        asked = counts.of(Measure.ASKED, pathway.name)
        if not asked or not any(fact.endswith("_result") for fact in pathway.facts):
            continue
        took = counts.by_key(Measure.RESULT, pathway.name)
        yield ToResult(
            title=pathway.title,
            asked=asked,
            took=spread(took),
            bins=tuple(
                (first, last, sum(n for days, n in took.items() if first <= days and (last is None or days <= last)))
                for first, last in _TO_RESULT
            ),
        )


def _problems(counts: Iterable[Count], meaning: Meaning) -> Iterator[Problem]:
    of = [one for one in counts if one.measure is Measure.PROBLEM]
    for one in sorted(of, key=lambda each: (-each.count, each.about, each.key)):
        status, _, code = one.key.partition(" ")
        channel = Channel(one.about)
        yield Problem(
            channel=channel,
            status=MessageStatus(status),
            code=code,
            meaning=(meaning(channel, code) or "") if code else "",
            count=one.count,
        )


def _tasks(counts: _Counts, rules: Rules) -> Iterator[TasksOfKind]:
    for kind in counts.about(Measure.OPENED, Measure.CLOSED, Measure.LAPSED):
        took = counts.by_key(Measure.CLOSED, kind)
        yield TasksOfKind(
            title=rules.task_kinds[kind].title if kind in rules.task_kinds else kind,
            opened=counts.of(Measure.OPENED, kind),
            closed=sum(took.values()),
            lapsed=counts.of(Measure.LAPSED, kind),
            took=spread(took),
        )
