"""Where an enrolment stands as if a fact had never been recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from scheduler.domain.calendar import EVERY_DAY
from scheduler.domain.enrolment import Enrolment, Event, FactRecorded, Paused, TimerFired, TopicStopped
from scheduler.domain.mistaken import Moved, SetBack, set_back
from scheduler.domain.pathway import Action, Late, Pathway, Silence, Step, Unit, Wait
from scheduler.domain.stepping import begin, step

DAY_0 = date(2026, 3, 2)
RESULT = "vitamin_d_result"
PATHWAY = Pathway(
    name="vitamin_d",
    title="Vitamin D check",
    priority=20,
    late=Late.SLIDE,
    begin=Action(go="ask", after=Wait(1)),
    steps={
        "ask": Step(name="ask", send="ask", silence=(Silence(after=Wait(7), action=Action(), send="again"),)),
        "settled": Step(name="settled", rest=Wait(12, Unit.MONTHS), then=Action(restart="ask")),
    },
    facts={RESULT: Action(go="settled")},
)


def day(number: int) -> date:
    return DAY_0 + timedelta(days=number)


def after(state: Enrolment, *events: Event) -> Enrolment:
    for event in events:
        state = step(PATHWAY, state, event).enrolment
    return state


def recorded(state: Enrolment, on: int, *, of: int | None = None, months: int | None = None) -> Moved:
    fact = FactRecorded(day(on), RESULT, day(on if of is None else of), months)
    return Moved(fact, state, after(state, fact))


def back(state: Enrolment, mistaken: Moved, *later: Moved, on: int) -> SetBack | None:
    return set_back(PATHWAY, state, mistaken, later, on=day(on), weekdays=EVERY_DAY)


@pytest.fixture
def asked() -> Enrolment:
    """Asked on day 1, and to be asked again on day 8."""
    return after(begin(PATHWAY, on=DAY_0).enrolment, TimerFired(day(1)))


def test_without_the_fact_the_enrolment_stands_where_it_stood(asked: Enrolment) -> None:
    mistaken = recorded(asked, 3)
    assert mistaken.after.step == "settled"
    assert back(mistaken.after, mistaken, on=4) == SetBack(asked, ())


def test_what_became_due_meanwhile_is_due_the_day_after(asked: Enrolment) -> None:
    mistaken = recorded(asked, 3)
    assert back(mistaken.after, mistaken, on=30) == SetBack(replace(asked, timer_on=day(31)), ())


def test_what_has_moved_on_since_stays_where_it_is(asked: Enrolment) -> None:
    mistaken = recorded(asked, 3)
    next_cycle = after(mistaken.after, TimerFired(day(400)))
    assert next_cycle.cycle == 2
    assert back(next_cycle, mistaken, on=400) is None


def test_a_pause_or_a_stop_that_came_since_stays(asked: Enrolment) -> None:
    mistaken = recorded(asked, 3)
    held = after(mistaken.after, Paused(day(4), None))
    found = back(held, mistaken, on=30)
    assert found == SetBack(replace(asked, is_paused=True), ())
    stopped = after(mistaken.after, TopicStopped(day(4)))
    found = back(stopped, mistaken, on=5)
    assert found == SetBack(replace(asked, is_stopped=True), ())


def test_a_later_result_settles_by_itself_what_the_mistaken_one_had_settled(asked: Enrolment) -> None:
    mistaken = recorded(asked, 3, months=3)
    later = recorded(mistaken.after, 10)
    found = back(later.after, mistaken, later, on=20)
    assert found is not None
    assert found.state.step == "settled"
    assert found.state == after(asked, later.fact)
    assert found.later == (Moved(later.fact, asked, found.state),)
    # And when that one turns out to be a mistake as well, the first one does not come back.
    again = back(found.state, found.later[0], on=20)
    assert again == SetBack(replace(asked, timer_on=day(21)), ())


def test_an_older_result_that_changed_nothing_counts_once_the_newer_one_is_void(asked: Enrolment) -> None:
    newer = recorded(asked, 10, of=9)
    older = recorded(newer.after, 12, of=2)
    assert older.after == older.before
    found = back(older.after, newer, older, on=20)
    assert found is not None
    assert (found.state.step, found.state.silence_from) == ("settled", day(2))


def test_the_latest_of_two_taken_back_leaves_what_the_first_made(asked: Enrolment) -> None:
    first = recorded(asked, 3)
    second = recorded(first.after, 10, months=6)
    assert back(second.after, second, on=11) == SetBack(first.after, ())


def test_two_results_with_an_answer_between_them_cannot_be_told_apart(asked: Enrolment) -> None:
    first = recorded(asked, 3)
    between = replace(first.after, unanswered=3)
    second = recorded(between, 10)
    assert back(second.after, first, second, on=11) is None
