"""The step function: one event on one enrolment, and what follows. Pure and total.

Every (step, event) has a defined outcome; an event that means nothing where the patient stands changes nothing.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import date, timedelta

from scheduler.domain.calendar import EVERY_DAY, Weekday, on_or_after
from scheduler.domain.changing import replace
from scheduler.domain.enrolment import (
    Answered,
    Enrolment,
    Event,
    FactRecorded,
    GaveWay,
    MovedByStaff,
    NotSent,
    OpenTask,
    Outcome,
    Paused,
    Resumed,
    Say,
    Send,
    TextReceived,
    TimerFired,
    TopicStarted,
    TopicStopped,
)
from scheduler.domain.entering import effects_of, enter, follow, next_silence, roll_week
from scheduler.domain.pathway import Action, Every, Late, Pathway, Step
from scheduler.domain.tasks import ServiceTask

_ONE_DAY = timedelta(days=1)
_PATHWAY_CHANGED = OpenTask(ServiceTask.PATHWAY_CHANGED)


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
    return follow(pathway, blank, pathway.begin, on=on, weekdays=weekdays, soonest=on)


def due_on(pathway: Pathway, enrolment: Enrolment, *, weekdays: AbstractSet[Weekday] = EVERY_DAY) -> date | None:
    """The local date on which the enrolment's timer is due, a pause considered; None when nothing is coming."""
    timer = enrolment.timer_on
    if enrolment.is_stopped:
        return None
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
        moved = _rehome(pathway, enrolment, event.on, weekdays)
        after = step(pathway, moved.enrolment, event, weekdays=weekdays)
        return Outcome(after.enrolment, moved.effects + after.effects)
    if enrolment.is_stopped:
        return _step_while_stopped(pathway, enrolment, event, weekdays)
    match event:
        case TimerFired(on):
            return _fire(pathway, enrolment, on, weekdays)
        case GaveWay(on):
            return _give_way(pathway, enrolment, on, weekdays)
        case NotSent():
            return Outcome(_take_back(pathway, enrolment, event, weekdays))
        case Answered(on, name):
            return _answer(pathway, enrolment, on, name, weekdays)
        case TextReceived(on):
            action = pathway.steps[enrolment.step].free_text
            if action is None or enrolment.fired == 0:
                return Outcome(enrolment)
            return follow(pathway, enrolment, action, on=on, weekdays=weekdays)
        case FactRecorded():
            return _record(pathway, enrolment, event, weekdays)
        case Paused(_, until):
            return Outcome(replace(enrolment, is_paused=True, paused_until=until))
        case Resumed(on):
            return Outcome(_resume(pathway, enrolment, on, weekdays))
        case MovedByStaff(on, name):
            if name not in pathway.steps:
                return Outcome(enrolment)
            freed = replace(enrolment, rest_months=None)
            return enter(pathway, freed, name, on=on, start=on + _ONE_DAY, weekdays=weekdays)
        case TopicStopped():
            return Outcome(replace(enrolment, is_stopped=True))
        case TopicStarted():
            return Outcome(enrolment)


def _step_while_stopped(
    pathway: Pathway, enrolment: Enrolment, event: Event, weekdays: AbstractSet[Weekday]
) -> Outcome:
    """What is recorded or moved is noted, and people hear of it; the patient hears nothing, and answers nothing."""
    if isinstance(event, TimerFired | GaveWay | Answered | TextReceived):
        return Outcome(enrolment)
    freed = replace(enrolment, is_stopped=False)
    if isinstance(event, TopicStarted):
        # A pause is another matter, and stays.
        return Outcome(freed if freed.is_paused else _resume(pathway, freed, event.on, weekdays))
    outcome = step(pathway, freed, event, weekdays=weekdays)
    return Outcome(
        replace(outcome.enrolment, is_stopped=True),
        tuple(effect for effect in outcome.effects if not isinstance(effect, Say)),
    )


# Timers


def _fire(pathway: Pathway, enrolment: Enrolment, on: date, weekdays: AbstractSet[Weekday]) -> Outcome:
    due = due_on(pathway, enrolment, weekdays=weekdays)
    if due is None or on < due:
        return Outcome(enrolment)
    enrolment = _freed(enrolment)
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
    # A changed file may have fewer entries than the patient has been through: the last one leads on, or the task.
    if not current.silence:
        return Outcome(replace(enrolment, timer_on=None), (OpenTask(current.task),) if current.task else ())
    silence = current.silence[min(max(enrolment.fired - 1, 0), len(current.silence) - 1)]
    if silence.send is not None:
        after = follow(pathway, enrolment, silence.action, on=on, weekdays=weekdays)
        return Outcome(_sent(current, after.enrolment, on), (Send(silence.send), *after.effects))
    if silence.action.target is None:
        fired = enrolment.fired + 1
        waiting = replace(enrolment, fired=fired, timer_on=next_silence(current, enrolment, on, fired=fired))
        return follow(pathway, waiting, silence.action, on=on, weekdays=weekdays)
    return _follow_timer(pathway, enrolment, silence.action, on, weekdays)


def _sent(current: Step, enrolment: Enrolment, on: date) -> Enrolment:
    fired = enrolment.fired + 1
    timer_on = next_silence(current, enrolment, on, fired=fired, since=on)
    return replace(enrolment, fired=fired, silence_from=on, timer_on=timer_on)


def _fire_routine(
    pathway: Pathway, current: Step, enrolment: Enrolment, on: date, weekdays: AbstractSet[Weekday]
) -> Outcome:
    for silence in current.silence:
        if silence.times is not None and enrolment.unanswered >= silence.times:
            return _follow_timer(pathway, enrolment, silence.action, on, weekdays)
    enrolment = roll_week(enrolment, on)
    gap = timedelta(days=7) if current.every is Every.WEEK else _ONE_DAY
    count, fired, timer_on = enrolment.done_count, enrolment.fired + 1, on_or_after(on + gap, weekdays)
    is_first = current.first is not None and enrolment.fired == 0
    special = current.first if is_first else current.on_sunday if on.weekday() == Weekday.SUN else None
    if special is not None:
        greeted = replace(enrolment, fired=fired, silence_from=on, timer_on=timer_on)
        return Outcome(greeted, (Send(special, count=count),))
    nudged = replace(
        enrolment,
        fired=fired,
        silence_from=on,
        timer_on=timer_on,
        sent_count=enrolment.sent_count + 1,
        unanswered=enrolment.unanswered + 1,
    )
    if current.send is None:
        return Outcome(nudged)
    return Outcome(nudged, (Send(current.send, turn=enrolment.sent_count, count=count),))


def _give_way(pathway: Pathway, enrolment: Enrolment, on: date, weekdays: AbstractSet[Weekday]) -> Outcome:
    due = due_on(pathway, enrolment, weekdays=weekdays)
    if due is None or due > on:
        return Outcome(enrolment)
    if pathway.steps[enrolment.step].every is not None:
        return Outcome(_moved_to(enrolment, on_or_after(on + _ONE_DAY, weekdays)))
    if pathway.late is Late.SLIDE:
        return Outcome(_moved_to(enrolment, on + _ONE_DAY))
    fired = _fire(pathway, enrolment, on, weekdays)
    return Outcome(fired.enrolment, tuple(effect for effect in fired.effects if not isinstance(effect, Send)))


def _freed(enrolment: Enrolment) -> Enrolment:
    if not enrolment.is_paused and enrolment.paused_until is None:
        return enrolment
    return replace(enrolment, is_paused=False, paused_until=None)


def _moved_to(enrolment: Enrolment, timer_on: date) -> Enrolment:
    return replace(enrolment, is_paused=False, paused_until=None, timer_on=timer_on)


def _take_back(pathway: Pathway, enrolment: Enrolment, event: NotSent, weekdays: AbstractSet[Weekday]) -> Enrolment:
    planned_here = (event.step, event.cycle, event.fired) == (
        enrolment.step,
        enrolment.cycle,
        enrolment.fired,
    )
    if not planned_here or enrolment.fired == 0:
        return enrolment
    # Never the date it was planned for again, which a zone change may have brought back.
    tomorrow = max(event.on, enrolment.silence_from) + _ONE_DAY
    current = pathway.steps[enrolment.step]
    if current.every is not None:
        was_first = current.first is not None and enrolment.fired == 1
        was_week = current.on_sunday is not None and enrolment.silence_from.weekday() == Weekday.SUN
        if not (was_first or was_week):
            enrolment = replace(enrolment, unanswered=max(0, enrolment.unanswered - 1))
        if pathway.late is Late.SKIP and not was_first:
            return enrolment
        return replace(enrolment, fired=enrolment.fired - 1, timer_on=on_or_after(tomorrow, weekdays))
    if pathway.late is Late.SKIP:
        return enrolment
    return replace(enrolment, fired=enrolment.fired - 1, timer_on=tomorrow)


def _follow_timer(
    pathway: Pathway, enrolment: Enrolment, action: Action, on: date, weekdays: AbstractSet[Weekday]
) -> Outcome:
    """As `follow`, for a timer: a step it leads to without a wait does its first thing on the same day."""
    entered = follow(pathway, enrolment, action, on=on, weekdays=weekdays, soonest=on)
    if entered.enrolment.timer_on != on:
        return entered
    fired = _fire(pathway, entered.enrolment, on, weekdays)
    return Outcome(fired.enrolment, entered.effects + fired.effects)


# Answers, facts and people


def _answer(pathway: Pathway, enrolment: Enrolment, on: date, name: str, weekdays: AbstractSet[Weekday]) -> Outcome:
    answer = pathway.steps[enrolment.step].answer(name)
    if answer is None:
        return Outcome(enrolment)
    # A day that was done counts, whether or not the day's message has gone yet.
    if not (enrolment.is_open_question(pathway) or answer.action.counts):
        return Outcome(enrolment)
    heard = replace(enrolment, unanswered=0)
    return follow(pathway, heard, answer.action, on=on, weekdays=weekdays)


def _record(pathway: Pathway, enrolment: Enrolment, event: FactRecorded, weekdays: AbstractSet[Weekday]) -> Outcome:
    action = pathway.facts.get(event.kind)
    if action is None:
        return Outcome(enrolment)
    if action.target is None or _is_old_news(pathway, enrolment, action, event):
        return Outcome(enrolment, effects_of(action, enrolment))
    noted = replace(enrolment, rest_months=event.next_months)
    return follow(pathway, noted, action, on=event.on, weekdays=weekdays, anchor=event.of)


def _is_old_news(pathway: Pathway, enrolment: Enrolment, action: Action, event: FactRecorded) -> bool:
    """Whether the enrolment already rests because of something as recent, so that this must not change how long."""
    if action.go != enrolment.step or pathway.steps[enrolment.step].rest is None:
        return False
    is_older = event.of < enrolment.silence_from
    return is_older or (event.of == enrolment.silence_from and event.next_months is None)


def _resume(pathway: Pathway, enrolment: Enrolment, on: date, weekdays: AbstractSet[Weekday]) -> Enrolment:
    if enrolment.timer_on is None or enrolment.timer_on > on:
        return _freed(enrolment)
    if pathway.steps[enrolment.step].every is not None:
        return _moved_to(enrolment, on_or_after(on + _ONE_DAY, weekdays))
    return _moved_to(enrolment, on + _ONE_DAY)


def _rehome(pathway: Pathway, enrolment: Enrolment, on: date, weekdays: AbstractSet[Weekday]) -> Outcome:
    """The file changed under the patient: its `moved` names the new step; without one, begin again and tell staff."""
    new_step = pathway.moved.get(enrolment.step)
    is_named = new_step is not None and new_step in pathway.steps
    name = new_step if is_named and new_step is not None else pathway.first_step
    start = max(enrolment.timer_on or on, on + _ONE_DAY)
    entered = enter(pathway, enrolment, name, on=on, start=start, weekdays=weekdays)
    if pathway.steps[name].rest is not None:  # who was resting keeps the date that was set
        entered = replace(entered, enrolment=replace(entered.enrolment, timer_on=start))
    return entered if is_named else replace(entered, effects=(_PATHWAY_CHANGED, *entered.effects))
