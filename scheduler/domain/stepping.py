"""The step function: one event on one enrolment, and what follows. Pure and total.

Every (step, event) has a defined outcome; an event that means nothing where the patient stands changes nothing.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date, timedelta

from scheduler.domain.calendar import EVERY_DAY, Weekday, add_months, monday_of, on_or_after
from scheduler.domain.enrolment import (
    Answered,
    CloseTask,
    Effect,
    Enrolment,
    EscalateTask,
    Event,
    FactRecorded,
    GaveWay,
    MovedByStaff,
    NotSent,
    OpenClearance,
    OpenTask,
    Outcome,
    Paused,
    Resumed,
    Say,
    Send,
    TextReceived,
    TimerFired,
)
from scheduler.domain.pathway import Action, Every, Late, Pathway, Step

PATHWAY_CHANGED = "pathway_changed"  # task kind: a patient stood on a step that no longer exists
SUPPLEMENT_CLEARANCE = "supplement_clearance"  # task kind that goes with a supplement case

_ONE_DAY = timedelta(days=1)


def begin(pathway: Pathway, *, on: date, weekdays: AbstractSet[Weekday] = EVERY_DAY) -> Outcome:
    """Enrol on a pathway: `on` is day 0, the patient's local date."""
    blank = Enrolment(
        pathway=pathway.name,
        step=pathway.first_step,
        cycle=1,
        entered_on=on,
        timer_on=None,
        silence_from=on,
    )
    return _follow(pathway, blank, pathway.begin, on=on, weekdays=weekdays, soonest=on)


def due_on(pathway: Pathway, enrolment: Enrolment, *, weekdays: AbstractSet[Weekday] = EVERY_DAY) -> date | None:
    """The local date on which the enrolment's timer is due, a pause considered; None when nothing is coming."""
    timer = enrolment.timer_on
    if timer is None or not enrolment.is_paused:
        return timer
    if enrolment.paused_until is None:
        return None
    held = max(timer, enrolment.paused_until)
    step = pathway.steps.get(enrolment.step)
    return on_or_after(held, weekdays) if step is not None and step.every else held


def step(
    pathway: Pathway, enrolment: Enrolment, event: Event, *, weekdays: AbstractSet[Weekday] = EVERY_DAY
) -> Outcome:
    """What `event` does to `enrolment`. `weekdays` are the days on which the patient wants routine messages."""
    if enrolment.step not in pathway.steps:
        return _rehome(pathway, enrolment, event.on, weekdays)
    match event:
        case TimerFired(on):
            return _fire(pathway, enrolment, on, weekdays)
        case GaveWay(on):
            return Outcome(_give_way(pathway, enrolment, on, weekdays))
        case NotSent():
            return Outcome(_take_back(pathway, enrolment, event, weekdays))
        case Answered(on, name):
            return _answer(pathway, enrolment, on, name, weekdays)
        case TextReceived(on):
            action = pathway.steps[enrolment.step].free_text
            if action is None or enrolment.fired == 0:
                return Outcome(enrolment)
            return _follow(pathway, enrolment, action, on=on, weekdays=weekdays)
        case FactRecorded():
            return _record(pathway, enrolment, event, weekdays)
        case Paused(_, until):
            return Outcome(replace(enrolment, is_paused=True, paused_until=until))
        case Resumed(on):
            return Outcome(_resume(pathway, enrolment, on, weekdays))
        case MovedByStaff(on, name):
            if name not in pathway.steps:
                return Outcome(enrolment)
            return _enter(pathway, enrolment, name, on=on, start=on + _ONE_DAY, weekdays=weekdays)


# Timers


def _fire(pathway: Pathway, enrolment: Enrolment, on: date, weekdays: AbstractSet[Weekday]) -> Outcome:
    due = due_on(pathway, enrolment, weekdays=weekdays)
    if due is None or on < due:
        return Outcome(enrolment)
    enrolment = replace(enrolment, is_paused=False, paused_until=None)
    current = pathway.steps[enrolment.step]
    if current.rest is not None:
        return _follow_timer(pathway, enrolment, current.then, on, weekdays)
    if current.every is not None:
        return _fire_routine(pathway, current, enrolment, on, weekdays)
    if enrolment.fired == 0 and current.send is not None:
        return Outcome(_sent(current, enrolment, on), (Send(current.send),))
    return _fire_silence(pathway, current, enrolment, on, weekdays)


def _fire_silence(
    pathway: Pathway, current: Step, enrolment: Enrolment, on: date, weekdays: AbstractSet[Weekday]
) -> Outcome:
    index = enrolment.fired - 1
    if not 0 <= index < len(current.silence):
        return Outcome(replace(enrolment, timer_on=None))
    silence = current.silence[index]
    if silence.send is not None:
        after = _follow(pathway, enrolment, silence.action, on=on, weekdays=weekdays)
        return Outcome(_sent(current, after.enrolment, on), (Send(silence.send), *after.effects))
    if silence.action.target is None:
        waiting = replace(enrolment, fired=enrolment.fired + 1)
        waiting = replace(waiting, timer_on=_next_silence(current, waiting, on))
        return _follow(pathway, waiting, silence.action, on=on, weekdays=weekdays)
    return _follow_timer(pathway, enrolment, silence.action, on, weekdays)


def _sent(current: Step, enrolment: Enrolment, on: date) -> Enrolment:
    asked = replace(enrolment, fired=enrolment.fired + 1, silence_from=on)
    return replace(asked, timer_on=_next_silence(current, asked, on))


def _next_silence(current: Step, enrolment: Enrolment, on: date) -> date | None:
    index = enrolment.fired - 1
    if index >= len(current.silence):
        return None
    return max(current.silence[index].after.after(enrolment.silence_from), on + _ONE_DAY)


def _fire_routine(
    pathway: Pathway, current: Step, enrolment: Enrolment, on: date, weekdays: AbstractSet[Weekday]
) -> Outcome:
    for silence in current.silence:
        if silence.times is not None and enrolment.unanswered >= silence.times:
            return _follow_timer(pathway, enrolment, silence.action, on, weekdays)
    enrolment = _roll_week(enrolment, on)
    gap = timedelta(days=7) if current.every is Every.WEEK else _ONE_DAY
    fired = replace(enrolment, fired=enrolment.fired + 1, silence_from=on, timer_on=on_or_after(on + gap, weekdays))
    count = enrolment.done_count
    if current.first is not None and enrolment.fired == 0:
        return Outcome(fired, (Send(current.first, count=count),))
    if current.on_sunday is not None and on.weekday() == Weekday.SUN:
        return Outcome(fired, (Send(current.on_sunday, count=count),))
    nudged = replace(fired, sent_count=enrolment.sent_count + 1, unanswered=enrolment.unanswered + 1)
    if current.send is None:
        return Outcome(nudged)
    return Outcome(nudged, (Send(current.send, turn=enrolment.sent_count, count=count),))


def _give_way(pathway: Pathway, enrolment: Enrolment, on: date, weekdays: AbstractSet[Weekday]) -> Enrolment:
    due = due_on(pathway, enrolment, weekdays=weekdays)
    if due is None or due > on:
        return enrolment
    freed = replace(enrolment, is_paused=False, paused_until=None)
    if pathway.steps[enrolment.step].every is not None:
        return replace(freed, timer_on=on_or_after(on + _ONE_DAY, weekdays))
    if pathway.late is Late.SLIDE:
        return replace(freed, timer_on=on + _ONE_DAY)
    return _fire(pathway, enrolment, on, weekdays).enrolment


def _take_back(pathway: Pathway, enrolment: Enrolment, event: NotSent, weekdays: AbstractSet[Weekday]) -> Enrolment:
    planned_here = (event.step, event.cycle, event.fired) == (
        enrolment.step,
        enrolment.cycle,
        enrolment.fired,
    )
    if not planned_here or enrolment.fired == 0:
        return enrolment
    tomorrow = event.on + _ONE_DAY
    current = pathway.steps[enrolment.step]
    if current.every is not None:
        uncounted = replace(enrolment, unanswered=max(0, enrolment.unanswered - 1))
        if pathway.late is Late.SKIP and not (current.first and enrolment.fired == 1):
            return uncounted
        return replace(uncounted, fired=enrolment.fired - 1, timer_on=on_or_after(tomorrow, weekdays))
    if pathway.late is Late.SKIP:
        return enrolment
    return replace(enrolment, fired=enrolment.fired - 1, timer_on=tomorrow)


# Answers, facts and people


def _answer(pathway: Pathway, enrolment: Enrolment, on: date, name: str, weekdays: AbstractSet[Weekday]) -> Outcome:
    if not enrolment.is_open_question(pathway):
        return Outcome(enrolment)
    answer = pathway.steps[enrolment.step].answer(name)
    if answer is None:
        return Outcome(enrolment)
    heard = replace(enrolment, unanswered=0)
    return _follow(pathway, heard, answer.action, on=on, weekdays=weekdays)


def _record(pathway: Pathway, enrolment: Enrolment, event: FactRecorded, weekdays: AbstractSet[Weekday]) -> Outcome:
    action = pathway.facts.get(event.kind)
    if action is None:
        return Outcome(enrolment)
    noted = replace(enrolment, rest_months=event.next_months)
    return _follow(pathway, noted, action, on=event.on, weekdays=weekdays, anchor=event.of)


def _resume(pathway: Pathway, enrolment: Enrolment, on: date, weekdays: AbstractSet[Weekday]) -> Enrolment:
    freed = replace(enrolment, is_paused=False, paused_until=None)
    if freed.timer_on is None or freed.timer_on > on:
        return freed
    if pathway.steps[enrolment.step].every is not None:
        return replace(freed, timer_on=on_or_after(on + _ONE_DAY, weekdays))
    return replace(freed, timer_on=on + _ONE_DAY)


def _rehome(pathway: Pathway, enrolment: Enrolment, on: date, weekdays: AbstractSet[Weekday]) -> Outcome:
    """The file changed under the patient: its `moved` names the new step; without one, begin again and tell staff."""
    new_step = pathway.moved.get(enrolment.step)
    start = on + _ONE_DAY
    if new_step in pathway.steps and new_step is not None:
        return _enter(pathway, enrolment, new_step, on=on, start=start, weekdays=weekdays)
    entered = _enter(pathway, enrolment, pathway.first_step, on=on, start=start, weekdays=weekdays)
    return Outcome(entered.enrolment, (OpenTask(PATHWAY_CHANGED), *entered.effects))


# Actions and entering steps


def _follow(
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
    effects = _effects(action, enrolment)
    target = action.target
    if target is None or target not in pathway.steps:
        return Outcome(enrolment, effects)
    if action.restart is not None:
        enrolment = replace(enrolment, cycle=enrolment.cycle + 1, rest_months=None)
    start = max(action.after.after(on), soonest or on + _ONE_DAY)
    entered = _enter(pathway, enrolment, target, on=on, start=start, weekdays=weekdays, anchor=anchor)
    effects += entered.effects
    return Outcome(entered.enrolment, effects)


def _follow_timer(
    pathway: Pathway, enrolment: Enrolment, action: Action, on: date, weekdays: AbstractSet[Weekday]
) -> Outcome:
    """As `_follow`, for a timer: a step it leads to without a wait does its first thing on the same day."""
    entered = _follow(pathway, enrolment, action, on=on, weekdays=weekdays, soonest=on)
    if entered.enrolment.timer_on != on:
        return entered
    fired = _fire(pathway, entered.enrolment, on, weekdays)
    return Outcome(fired.enrolment, entered.effects + fired.effects)


def _effects(action: Action, enrolment: Enrolment) -> tuple[Effect, ...]:
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


def _enter(
    pathway: Pathway,
    enrolment: Enrolment,
    name: str,
    *,
    on: date,
    start: date,
    weekdays: AbstractSet[Weekday],
    anchor: date | None = None,
) -> Outcome:
    """Enter step `name`; what it does first is due on `start`. A rest counts from `anchor`, by default from `on`."""
    new = pathway.steps[name]
    entered = replace(enrolment, step=name, entered_on=on, silence_from=on, fired=0, unanswered=0, timer_on=start)
    effects = (OpenTask(new.task),) if new.task else ()
    if new.rest is not None:
        months = enrolment.rest_months
        since = anchor or on
        ends = new.rest.after(since) if months is None else add_months(since, months)
        entered = replace(entered, fired=1, timer_on=max(ends, on + _ONE_DAY))
    elif new.every is not None:
        entered = replace(entered, timer_on=on_or_after(start, weekdays))
    elif new.send is None:
        waiting = replace(entered, fired=1)
        entered = replace(waiting, timer_on=_next_silence(new, waiting, on))
    return Outcome(entered, effects)


def _roll_week(enrolment: Enrolment, on: date) -> Enrolment:
    monday = monday_of(on)
    if enrolment.week_of == monday:
        return enrolment
    return replace(enrolment, week_of=monday, done_count=0)


def _count(enrolment: Enrolment, on: date) -> Enrolment:
    if enrolment.done_on == on:
        return enrolment
    rolled = _roll_week(enrolment, on)
    return replace(rolled, done_on=on, done_count=rolled.done_count + 1)
