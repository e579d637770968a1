"""Doing what an action says, and entering the step that it leads to. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import date, timedelta

from scheduler.domain.calendar import Weekday, add_months, monday_of, on_or_after
from scheduler.domain.changing import replace
from scheduler.domain.enrolment import (
    CloseTask,
    Effect,
    Enrolment,
    EscalateTask,
    OpenClearance,
    OpenTask,
    Outcome,
    Say,
)
from scheduler.domain.pathway import Action, Pathway, Step

_ONE_DAY = timedelta(days=1)


def follow(
    pathway: Pathway,
    enrolment: Enrolment,
    action: Action,
    *,
    on: date,
    weekdays: AbstractSet[Weekday],
    soonest: date | None = None,
    anchor: date | None = None,
) -> Outcome:
    """Do what `action` says. A step it leads to begins no earlier than `soonest`, by default the next day.

    Only a timer may begin a step on the day itself: a person who has just answered is not asked again at once.
    """
    if action.counts:
        enrolment = _count(enrolment, on)
    effects = effects_of(action, enrolment)
    target = action.target
    if target is None or target not in pathway.steps:
        return Outcome(enrolment, effects)
    if action.restart is not None:
        enrolment = replace(enrolment, cycle=enrolment.cycle + 1, rest_months=None)
    start = max(action.after.after(on), soonest or on + _ONE_DAY)
    entered = enter(pathway, enrolment, target, on=on, start=start, weekdays=weekdays, anchor=anchor)
    effects += entered.effects
    return Outcome(entered.enrolment, effects)


def effects_of(action: Action, enrolment: Enrolment) -> tuple[Effect, ...]:
    """What `action` does beside leading on; `enrolment` already has its count."""
    effects: list[Effect] = [CloseTask(kind) for kind in action.close]
    if action.task is not None:
        effects.append(OpenTask(action.task))
    if action.escalate is not None:
        effects.append(EscalateTask(action.escalate))
    if action.opens_clearance:
        effects.append(OpenClearance())
    if action.say is not None:
        effects.append(Say(action.say, count=enrolment.done_count))
    return tuple(effects)


def enter(
    pathway: Pathway,
    enrolment: Enrolment,
    name: str,
    *,
    on: date,
    start: date,
    weekdays: AbstractSet[Weekday],
    anchor: date | None = None,
) -> Outcome:
    """Enter step `name`; what it does first is due on `start`.

    A rest counts from `anchor`, the date of the fact that leads to it, by default from `on`.
    """
    new = pathway.steps[name]
    entered = replace(enrolment, step=name, entered_on=on, silence_from=on, fired=0, unanswered=0, timer_on=start)
    effects = (OpenTask(new.task),) if new.task else ()
    if new.rest is not None:
        months = enrolment.rest_months
        since = anchor or on
        ends = new.rest.after(since) if months is None else add_months(since, months)
        # What the patient was asked last stays the question asked last; a fact is remembered by its own date.
        asked_on = anchor or enrolment.silence_from
        entered = replace(entered, fired=1, silence_from=asked_on, timer_on=max(ends, on + _ONE_DAY))
    elif new.every is not None:
        entered = replace(entered, timer_on=on_or_after(start, weekdays))
    elif new.send is None:
        entered = replace(entered, fired=1, timer_on=next_silence(new, entered, on, fired=1))
    return Outcome(entered, effects)


def roll_week(enrolment: Enrolment, on: date) -> Enrolment:
    """The enrolment with its count of days begun anew when `on` is in a later week."""
    monday = monday_of(on)
    if enrolment.week_of == monday:
        return enrolment
    return replace(enrolment, week_of=monday, done_count=0)


def _count(enrolment: Enrolment, on: date) -> Enrolment:
    if enrolment.done_on is not None and enrolment.done_on >= on:
        return enrolment
    rolled = roll_week(enrolment, on)
    return replace(rolled, done_on=on, done_count=rolled.done_count + 1)


def next_silence(
    current: Step, enrolment: Enrolment, on: date, *, fired: int | None = None, since: date | None = None
) -> date | None:
    """The date of the silence that comes next in step `current`, after `on`; None when there is none.

    `fired` and `since` are what the enrolment's `fired` and `silence_from` are about to become, if they change.
    """
    index = (enrolment.fired if fired is None else fired) - 1
    if index >= len(current.silence):
        return None
    return max(current.silence[index].after.after(since or enrolment.silence_from), on + _ONE_DAY)
