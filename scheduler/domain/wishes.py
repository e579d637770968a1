"""What patients wish for their reminders: another time of day, other days, rest from what repeats. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date, time

from scheduler.domain.calendar import Weekday
from scheduler.domain.contact import Change, Enrolled
from scheduler.domain.enrolment import Paused
from scheduler.domain.messages import MessageKind
from scheduler.domain.reacting import Situation, realign


def at_another_time(situation: Situation, at: time) -> Change | None:
    """From the next reminder on at `at`, the patient's local time; None when nobody may be contacted then."""
    if at not in situation.contact.window:
        return None
    return replace(situation, contact=replace(situation.contact, contact_time=at)).unchanged()


def on_other_days(situation: Situation, weekdays: AbstractSet[Weekday]) -> Change:
    """What repeats comes on these days of the week, from tomorrow on."""
    wished = replace(situation.contact, weekdays=frozenset(weekdays))
    return realign(replace(situation, contact=wished)).unchanged()


def without_what_repeats(situation: Situation, *, until: date | None) -> Change | None:
    """Nothing that repeats before `until` (None: before the patient asks for it); None where nothing repeats."""
    events = situation.each(lambda one: Paused(situation.today, until) if repeats(situation, one) else None)
    return situation.react(events, kind=MessageKind.REPLY) if events else None


def repeats(situation: Situation, enrolled: Enrolled) -> bool:
    """Whether the pathway sends something day by day or week by week, and the patient has not stopped it."""
    pathway = situation.pathways.get(enrolled.state.pathway)
    if pathway is None or enrolled.state.is_stopped:
        return False
    return any(step.every is not None for step in pathway.steps.values())
