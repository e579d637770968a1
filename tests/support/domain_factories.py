"""Patients and enrolments for tests of the rules, and two ways to live through their days.

`Course` takes one enrolment through the step function alone; `Life` takes a patient through `plan` and `hear`.
Both count days from `DAY0`, the day of enrolment, a Monday.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from uuid import NAMESPACE_OID, uuid5
from zoneinfo import ZoneInfo

from scheduler.catalogue.pathway_files import load_pathways
from scheduler.catalogue.reply_words import load_reply_words
from scheduler.domain.calendar import EVERY_DAY, Weekday
from scheduler.domain.contact import Change, Contact, Enrolled, TaskChange
from scheduler.domain.conversation import Heard, hear, is_remembered
from scheduler.domain.enrolment import Effect, Enrolment, Event, Outcome, Send, TimerFired
from scheduler.domain.messages import MessageKind, SkipReason
from scheduler.domain.pathway import Pathway
from scheduler.domain.people import Channel, Reach
from scheduler.domain.planning import next_contact, plan
from scheduler.domain.reacting import Situation
from scheduler.domain.replies.words import ReplyWords
from scheduler.domain.stepping import begin, due_on, step
from scheduler.domain.when import instant, local_date
from tests.support.config_folder import SHIPPED

DAY0 = date(2026, 3, 2)
ONE_DAY = timedelta(days=1)
CHICAGO = ZoneInfo("America/Chicago")
HALF_PAST_NINE = time(9, 30)


@cache
def shipped() -> Mapping[str, Pathway]:
    """The four pathways as they are shipped."""
    loaded = load_pathways(SHIPPED)
    assert loaded.faults == []
    return loaded.pathways


@cache
def reply_words() -> Mapping[str, ReplyWords]:
    """The reply words as they are shipped."""
    return load_reply_words(SHIPPED, dict(shipped())).words


def day(number: int) -> date:
    """The date `number` days after enrolment."""
    return DAY0 + number * ONE_DAY


def at(number: int, wall: time = HALF_PAST_NINE, zone: ZoneInfo = CHICAGO) -> datetime:
    """The instant (UTC) of a local wall time on day `number`."""
    return instant(day(number), wall, zone)


def contact(**changes: Any) -> Contact:
    """A patient in Chicago who agreed to texts at 09:30, with `changes`."""
    usual = Contact(zone=CHICAGO, contact_time=HALF_PAST_NINE, reach=Reach(sms=True, email=False))
    return replace(usual, **changes)


def enrolled(
    pathway: Pathway | str,
    *,
    on: date = DAY0,
    contact_time: time | None = None,
    weekdays: AbstractSet[Weekday] = EVERY_DAY,
    **changes: Any,
) -> Enrolled:
    """An enrolment begun on `on`, its state with `changes`."""
    chosen = shipped()[pathway] if isinstance(pathway, str) else pathway
    state = replace(begin(chosen, on=on, weekdays=weekdays).enrolment, **changes)
    return Enrolled(id=uuid5(NAMESPACE_OID, chosen.name), state=state, contact_time=contact_time)


@dataclass(slots=True)
class Course:
    """One enrolment, day by day, by the step function alone. `effects` has the day each happened on."""

    pathway: Pathway
    enrolment: Enrolment
    weekdays: frozenset[Weekday] = EVERY_DAY
    today: int = 0
    effects: list[tuple[int, Effect]] = field(default_factory=list)

    def to_day(self, number: int) -> Course:
        """Let the timers fire up to and with day `number`."""
        for today in range(self.today, number + 1):
            self.today = today
            due = due_on(self.pathway, self.enrolment, weekdays=self.weekdays)
            if due is not None and due <= day(self.today):
                self._take(TimerFired(day(self.today)))
        return self

    def happens(self, event: Callable[[date], Event]) -> tuple[Effect, ...]:
        """Something happens today; what follows from it."""
        return self._take(event(day(self.today))).effects

    def sends(self) -> list[tuple[int, str]]:
        """The reminders so far: day and template."""
        return [(number, effect.template) for number, effect in self.effects if isinstance(effect, Send)]

    def others(self) -> list[tuple[int, Effect]]:
        """Everything so far that is no reminder."""
        return [(number, effect) for number, effect in self.effects if not isinstance(effect, Send)]

    def _take(self, event: Event) -> Outcome:
        outcome = step(self.pathway, self.enrolment, event, weekdays=self.weekdays)
        self.enrolment = outcome.enrolment
        self.effects += [(self.today, effect) for effect in outcome.effects]
        return outcome


def course(pathway: Pathway | str, *, weekdays: frozenset[Weekday] = EVERY_DAY) -> Course:
    """A course that begins on `DAY0`."""
    chosen = shipped()[pathway] if isinstance(pathway, str) else pathway
    return Course(chosen, begin(chosen, on=DAY0, weekdays=weekdays).enrolment, weekdays)


@dataclass(frozen=True, slots=True)
class Gone:
    """A message that went. `day` is the patient's local date, counted from `DAY0`."""

    day: int
    pathway: str
    template: str
    kind: MessageKind
    local: datetime  # in the zone that the patient was in
    turn: int
    count: int
    stop_line: bool
    channel: Channel


@dataclass(slots=True)
class Life:
    """One patient from `now` on, with the planner looking whenever it said it would, as the live service does."""

    contact: Contact
    enrolments: tuple[Enrolled, ...]
    pathways: Mapping[str, Pathway]
    now: datetime
    due: datetime | None = None
    gone: list[Gone] = field(default_factory=list)
    skipped: list[tuple[int, str, SkipReason]] = field(default_factory=list)
    tasks: list[tuple[int, TaskChange]] = field(default_factory=list)
    told: dict[str, datetime] = field(default_factory=dict)
    is_own_pause: bool = False  # as paused on the patient's own page

    def until(self, end: datetime) -> Life:
        """Look at every instant before `end` (UTC) that the planner asks for."""
        while self.due is not None and self.due < end:
            self.now = max(self.now, self.due)
            self.take(plan(self.contact, self.enrolments, self.pathways, self.now))
            assert self.due is None or self.due > self.now, "the planner asks to be called again at once"
        self.now = max(self.now, end)
        return self

    def to_day(self, number: int, wall: time = time(23, 59)) -> Life:
        """Live on to a local wall time of day `number`."""
        return self.until(instant(day(number), wall, self.contact.zone))

    def outage(self, *, to: datetime) -> Life:
        """Nothing runs until `to`."""
        self.now = max(self.now, to)
        return self

    def says(self, text: str, *, channel: Channel = Channel.SMS) -> Heard:
        """The patient writes `text` now."""
        heard = hear(self.situation(), text, channel=channel, words=reply_words(), languages=("en",), told=self.told)
        self.take(heard.change)
        self.told |= {message.template: self.now for message in heard.change.messages if is_remembered(message)}
        return heard

    def situation(self) -> Situation:
        return Situation(self.contact, self.enrolments, self.pathways, self.now, is_own_pause=self.is_own_pause)

    def changes(self, **changes: Any) -> Life:
        """The patient's record changes now."""
        self.contact = replace(self.contact, **changes)
        self.due = next_contact(self.contact, self.enrolments, self.pathways, self.now)
        return self

    def take(self, change: Change) -> None:
        """Accept a decision, and believe that its messages went."""
        self.contact, self.enrolments, self.due = change.contact, change.enrolments, change.next_contact_at
        for message in change.messages:
            local = max(self.now, message.send_from).astimezone(self.contact.zone)
            self.gone.append(
                Gone(
                    day=(local.date() - DAY0).days,
                    pathway=message.pathway,
                    template=message.template,
                    kind=message.kind,
                    local=local,
                    turn=message.turn,
                    count=message.count,
                    stop_line=message.stop_line,
                    channel=message.channel,
                )
            )
        for skip in change.skipped:
            self.skipped.append(((skip.due_date - DAY0).days, skip.pathway, skip.reason))
        today = (local_date(self.now, self.contact.zone) - DAY0).days
        self.tasks += [(today, task) for task in change.tasks]

    def sent(self, pathway: str | None = None) -> list[tuple[int, str, str]]:
        """What has gone: day, pathway, template."""
        return [(one.day, one.pathway, one.template) for one in self.gone if pathway in (None, one.pathway)]

    def state(self, pathway: str) -> Enrolment:
        """Where the patient stands on `pathway`."""
        return next(one.state for one in self.enrolments if one.state.pathway == pathway)


def life(
    *pathways: Enrolled | Pathway | str,
    start: datetime | None = None,
    patient: Contact | None = None,
    known: Iterable[Pathway] = (),
) -> Life:
    """A patient's life from 08:00 on `DAY0`, or `start` (UTC). `known` are pathways beside those shipped."""
    patient = patient or contact()
    enrolments = tuple(
        one if isinstance(one, Enrolled) else enrolled(one, weekdays=patient.weekdays) for one in pathways
    )
    added = [*known, *(one for one in pathways if isinstance(one, Pathway))]
    by_name = dict(shipped()) | {one.name: one for one in added}
    return Life(patient, enrolments, by_name, start or instant(DAY0, time(8), patient.zone)).changes()
