"""What an event from outside comes to: an answer, a recorded fact, a pause, a changed plan.

The counterpart of `planning`: that one reacts to time, this one to people. Both return a `Change`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from scheduler.domain.calendar import on_or_after
from scheduler.domain.contact import Change, Contact, Enrolled, PlannedMessage, TaskChange
from scheduler.domain.effects import says, task_changes
from scheduler.domain.enrolment import Event, FactRecorded, NotSent, Resumed
from scheduler.domain.messages import MessageKind
from scheduler.domain.pathway import Every, Pathway
from scheduler.domain.planning import next_contact
from scheduler.domain.stepping import step
from scheduler.domain.when import local_date


@dataclass(frozen=True, slots=True)
class Situation:
    """One patient with their enrolments and the pathways, at an instant (UTC)."""

    contact: Contact
    enrolments: tuple[Enrolled, ...]
    pathways: Mapping[str, Pathway]
    now: datetime
    about: str | None = None  # the pathway whose question is answered, where that is known; None: any
    is_own_pause: bool = False  # a contact that is paused was paused by the patient, on their own page

    @property
    def today(self) -> date:
        """The patient's local date."""
        return local_date(self.now, self.contact.zone)

    def unchanged(self) -> Change:
        """A change that changes nothing but recomputes when to look at the patient next."""
        return self.react({}, kind=MessageKind.NOTICE)

    def react(self, events: Mapping[UUID, Event], *, kind: MessageKind) -> Change:
        """Apply one event to each named enrolment. What it says to the patient goes as `kind`."""
        enrolments: list[Enrolled] = []
        messages: list[PlannedMessage] = []
        tasks: list[TaskChange] = []
        moved: set[UUID] = set()
        for enrolled in self.enrolments:
            event, pathway = events.get(enrolled.id), self.pathways.get(enrolled.state.pathway)
            if event is None or pathway is None:
                enrolments.append(enrolled)
                continue
            outcome = step(pathway, enrolled.state, event, weekdays=self.contact.weekdays)
            after = replace(enrolled, state=outcome.enrolment)
            enrolments.append(after)
            messages += says(self.contact, after, outcome, kind=kind, now=self.now)
            tasks += task_changes(pathway.name, outcome.effects)
            if outcome.enrolment != enrolled.state and not isinstance(event, NotSent):
                moved.add(enrolled.id)
        return Change(
            contact=self.contact,
            enrolments=tuple(enrolments),
            next_contact_at=next_contact(self.contact, enrolments, self.pathways, self.now),
            messages=tuple(messages),
            tasks=tuple(tasks),
            superseded=frozenset(moved),
        )

    def each(self, make: Callable[[Enrolled], Event | None]) -> dict[UUID, Event]:
        """The event that `make` gives for each enrolment, where it gives one."""
        return {enrolled.id: event for enrolled in self.enrolments if (event := make(enrolled)) is not None}

    def listens(self, enrolled: Enrolled, fact: str) -> bool:
        """Whether the enrolment's pathway has something to do when `fact` is recorded."""
        pathway = self.pathways.get(enrolled.state.pathway)
        return pathway is not None and fact in pathway.facts


def record_fact(situation: Situation, *, kind: str, of: date, next_months: int | None = None) -> Change:
    """Staff, CSV or FHIR recorded something about the patient; every pathway that listens for it moves."""
    event = FactRecorded(situation.today, kind, of, next_months)
    return situation.react(
        situation.each(lambda enrolled: event if situation.listens(enrolled, kind) else None),
        kind=MessageKind.NOTICE,
    )


def reopen(situation: Situation) -> Change:
    """The patient can be contacted again (new consent or address): what waited is due from the next day on."""
    return situation.react(
        situation.each(lambda one: None if one.state.is_paused_on(situation.today) else Resumed(situation.today)),
        kind=MessageKind.NOTICE,
    )


def take_back(situation: Situation, not_sent: Iterable[tuple[UUID, NotSent]]) -> Change:
    """Planned reminders that never left: their enrolments act as if they had not been planned."""
    return situation.react(dict(not_sent), kind=MessageKind.NOTICE)


def ask_anew(situation: Situation) -> Situation:
    """The situation with open questions as if nobody had been asked yet: they went to somebody else.

    Each is asked from tomorrow on, from its first message. What an every-day pathway sent there is not held to be
    unanswered.
    """
    tomorrow = situation.today + timedelta(days=1)

    def unasked(enrolled: Enrolled) -> Enrolled:
        state, pathway = enrolled.state, situation.pathways.get(enrolled.state.pathway)
        current = pathway.steps.get(state.step) if pathway else None
        if current is None or current.send is None or state.fired == 0:
            return enrolled
        if current.every is not None:
            return replace(enrolled, state=replace(state, unanswered=0))
        return replace(enrolled, state=replace(state, fired=0, timer_on=tomorrow))

    return replace(situation, enrolments=tuple(unasked(enrolled) for enrolled in situation.enrolments))


def realign(situation: Situation) -> Situation:
    """The situation with routine messages on the patient's present days of the week, after those have changed.

    What was to go later goes on the first of the new days, tomorrow at the earliest.
    """
    weekdays = situation.contact.weekdays
    tomorrow = situation.today + timedelta(days=1)

    def moved(enrolled: Enrolled) -> Enrolled:
        pathway = situation.pathways.get(enrolled.state.pathway)
        current = pathway.steps.get(enrolled.state.step) if pathway else None
        timer = enrolled.state.timer_on
        if current is None or current.every is None or timer is None:
            return enrolled
        has_begun = current.every is Every.DAY and enrolled.state.fired > 0
        soonest = max(enrolled.state.silence_from + timedelta(days=1), min(timer, tomorrow)) if has_begun else timer
        return replace(enrolled, state=replace(enrolled.state, timer_on=on_or_after(soonest, weekdays)))

    return replace(situation, enrolments=tuple(moved(enrolled) for enrolled in situation.enrolments))
