"""A pathway that a patient wants no more of: nothing but they or staff bring it back."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.domain.contact import Contact
from scheduler.domain.enrolment import (
    Answered,
    CloseTask,
    Event,
    FactRecorded,
    GaveWay,
    MovedByStaff,
    NotSent,
    OpenTask,
    Paused,
    Resumed,
    Say,
    TextReceived,
    TimerFired,
    TopicStarted,
    TopicStopped,
)
from scheduler.domain.people import StopScope
from scheduler.domain.reacting import Situation
from scheduler.domain.replies.interpret import Meaning, interpret
from scheduler.domain.stepping import due_on, step
from scheduler.domain.topics import come_back, only_topic_ends, without_topic
from tests.support.domain_factories import at, contact, day, enrolled, reply_words, shipped

TOPICAL = contact(stop_scope=StopScope.TOPIC)


def situation(person: Contact, *pathways: str, **changes: Any) -> Situation:
    return Situation(person, tuple(enrolled(name, **changes) for name in pathways), shipped(), at(3))


def test_only_a_clinic_that_wants_it_lets_one_topic_end_alone() -> None:
    assert only_topic_ends(situation(TOPICAL, "exercise", "dexa"), "exercise")
    assert not only_topic_ends(situation(contact(), "exercise", "dexa"), "exercise")


@pytest.mark.parametrize("topic", [None, "falls", "nothing that there is"])
def test_a_stop_that_names_no_topic_of_theirs_is_about_everything(topic: str | None) -> None:
    assert not only_topic_ends(situation(TOPICAL, "exercise", "dexa"), topic)


def test_the_last_topic_that_is_left_is_everything() -> None:
    both = situation(TOPICAL, "exercise", "dexa")
    left = Situation(TOPICAL, without_topic(both, "dexa").enrolments, shipped(), at(3))
    assert not only_topic_ends(left, "exercise")
    assert only_topic_ends(left, "dexa")  # said twice, it is the same wish


EVENTS: tuple[Event, ...] = (
    TimerFired(day(9)),
    GaveWay(day(9)),
    NotSent(day(9), "ask", 1, 1),
    Answered(day(9), "done"),
    TextReceived(day(9)),
    FactRecorded(day(9), "vitamin_d_result", day(9)),
    Paused(day(9), None),
    Resumed(day(9)),
    MovedByStaff(day(9), "ask"),
    TopicStopped(day(9)),
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_no_other_event_brings_it_back_or_says_anything(event: Event) -> None:
    stopped = enrolled("vitamin_d", is_stopped=True, fired=1).state
    after = step(shipped()["vitamin_d"], stopped, event)
    assert after.enrolment.is_stopped
    assert due_on(shipped()["vitamin_d"], after.enrolment) is None
    assert all(isinstance(effect, OpenTask | CloseTask) for effect in after.effects)


def test_a_result_is_still_recorded_for_people() -> None:
    stopped = enrolled("vitamin_d", is_stopped=True).state
    after = step(shipped()["vitamin_d"], stopped, FactRecorded(day(9), "vitamin_d_result", day(9)))
    assert OpenTask("review_result") in after.effects
    assert after.enrolment.step == "settled"


def test_nothing_is_said_to_the_patient_about_a_decision() -> None:
    stopped = enrolled("supplement", is_stopped=True).state
    after = step(shipped()["supplement"], stopped, FactRecorded(day(9), "cleared", day(9)))
    assert not any(isinstance(effect, Say) for effect in after.effects)


def test_it_comes_back_from_the_next_day_on_and_a_pause_stays() -> None:
    stopped = enrolled("exercise", is_stopped=True, timer_on=day(1)).state
    back = step(shipped()["exercise"], stopped, TopicStarted(day(9))).enrolment
    assert (back.is_stopped, back.timer_on) == (False, day(10))
    paused = enrolled("exercise", is_stopped=True, is_paused=True).state
    assert step(shipped()["exercise"], paused, TopicStarted(day(9))).enrolment.is_paused


@pytest.mark.parametrize(("topic", "left"), [(None, set()), ("exercise", {"dexa"})])
def test_start_brings_back_what_it_names(topic: str | None, left: set[str]) -> None:
    both = situation(TOPICAL, "exercise", "dexa", is_stopped=True)
    after = come_back(both, topic)
    assert {one.state.pathway for one in after.enrolments if one.state.is_stopped} == left


def test_what_is_pending_for_it_is_void() -> None:
    both = situation(TOPICAL, "exercise", "dexa")
    change = without_topic(both, "exercise")
    assert change.superseded == {one.id for one in both.enrolments if one.state.pathway == "exercise"}
    assert change.next_contact_at == at(3)


@pytest.mark.parametrize(
    ("text", "topic"), [("START exercise", "exercise"), ("start the scan", "dexa"), ("START", None), ("yes", None)]
)
def test_start_may_name_a_topic(text: str, topic: str | None) -> None:
    found = interpret(text, (), reply_words())
    assert (found.meaning, found.topic) == (Meaning.START, topic)
