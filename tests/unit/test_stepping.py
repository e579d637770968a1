"""The step function: each shipped pathway's story, told by its reminders and what else happens, day by day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest

from scheduler.domain.calendar import Weekday
from scheduler.domain.enrolment import (
    Answered,
    CloseTask,
    EscalateTask,
    Event,
    FactRecorded,
    GaveWay,
    MovedByStaff,
    NotSent,
    OpenClearance,
    OpenTask,
    Paused,
    Resumed,
    Say,
    Send,
    TextReceived,
    TimerFired,
)
from scheduler.domain.facts import FactKind
from scheduler.domain.pathway import Action, Late, Pathway, Silence, Step, Wait
from scheduler.domain.stepping import begin, due_on, step
from scheduler.domain.tasks import ServiceTask
from tests.support.domain_factories import DAY0, Course, course, day, shipped

# What follows when a patient names a supplement; the task that asked for the name, if any, has its answer.
NAMED = {OpenClearance(), Say("clinic_asked"), CloseTask("supplement_unnamed")}


def answers(course: Course, name: str) -> list[Say]:
    """What the patient hears on answering `name` today."""
    effects = course.happens(lambda today: Answered(today, name))
    return [effect for effect in effects if isinstance(effect, Say)]


def recorded(
    kind: FactKind, *, of: int | date | None = None, next_months: int | None = None
) -> Callable[[date], Event]:
    """Something is recorded today, about today unless `of` names another day."""

    def event(today: date) -> Event:
        about = today if of is None else day(of) if isinstance(of, int) else of
        return FactRecorded(today, kind, about, next_months)

    return event


def timer(course: Course) -> int | None:
    """The day on which something happens next."""
    due = due_on(course.pathway, course.enrolment, weekdays=course.weekdays)
    return None if due is None else (due - DAY0).days


# Vitamin D


def test_vitamin_d_asks_a_silent_patient_on_days_1_8_and_29_then_tells_the_clinic_and_rests_90_days() -> None:
    silent = course("vitamin_d").to_day(130)
    assert silent.sends() == [(1, "ask"), (8, "again"), (29, "again"), (126, "ask")]
    assert silent.others() == [(36, OpenTask("no_answer"))]
    assert silent.enrolment.cycle == 2


def test_vitamin_d_done_waits_21_days_for_the_result_and_then_says_that_it_is_not_in() -> None:
    patient = course("vitamin_d").to_day(1)
    assert answers(patient, "done") == [Say("thanks_done")]
    patient.to_day(40)
    assert patient.sends() == [(1, "ask")]
    assert patient.others() == [
        (1, CloseTask("no_answer")),
        (1, Say("thanks_done")),
        (22, OpenTask("result_not_in")),
    ]


@pytest.mark.parametrize(("answer", "heard"), [("booked", "thanks_booked"), ("not_yet", "thanks_later")])
def test_vitamin_d_asks_again_14_days_after_booked_or_not_yet(answer: str, heard: str) -> None:
    patient = course("vitamin_d").to_day(10)
    assert answers(patient, answer) == [Say(heard)]
    assert patient.to_day(31).sends() == [(1, "ask"), (8, "again"), (24, "ask"), (31, "again")]
    assert patient.enrolment.cycle == 1


def test_an_answer_while_resting_unanswered_still_counts() -> None:
    patient = course("vitamin_d").to_day(40)
    assert answers(patient, "booked") == [Say("thanks_booked")]
    assert patient.to_day(54).sends()[-1] == (54, "ask")


def test_a_question_that_has_not_been_asked_cannot_be_answered() -> None:
    patient = course("vitamin_d")
    before = patient.enrolment
    assert answers(patient, "booked") == []
    assert patient.enrolment == before


def test_an_answer_the_question_does_not_have_changes_nothing() -> None:
    patient = course("vitamin_d").to_day(1)
    before = patient.enrolment
    assert answers(patient, "talked") == []
    assert patient.enrolment == before


def test_a_vitamin_d_result_ends_the_cycle_and_the_next_begins_12_months_after_the_test() -> None:
    patient = course("vitamin_d").to_day(10)
    effects = patient.happens(recorded(FactKind.VITAMIN_D_RESULT, of=3))
    assert set(effects) == {CloseTask("no_answer"), CloseTask("result_not_in"), OpenTask("review_result")}
    assert patient.to_day(368).sends() == [(1, "ask"), (8, "again"), (368, "ask")]
    assert day(368) == date(2027, 3, 5)
    assert patient.enrolment.cycle == 2


def test_the_clinician_s_months_replace_the_rest_once() -> None:
    patient = course("vitamin_d").to_day(1)
    patient.happens(recorded(FactKind.VITAMIN_D_RESULT, of=DAY0, next_months=3))
    assert due_on(patient.pathway, patient.enrolment) == date(2026, 6, 2)
    patient.to_day(92)
    assert patient.sends()[-1] == (92, "ask")
    patient.happens(recorded(FactKind.VITAMIN_D_RESULT))
    assert due_on(patient.pathway, patient.enrolment) == date(2027, 6, 2)


def test_the_clinician_s_months_do_not_outlast_the_cycle_they_were_set_in() -> None:
    patient = course("vitamin_d").to_day(1)
    patient.happens(recorded(FactKind.VITAMIN_D_RESULT, of=DAY0, next_months=3))
    patient.to_day(92 + 35)
    assert patient.enrolment.step == "unanswered"
    assert timer(patient) == 92 + 35 + 90


@pytest.mark.parametrize(
    ("of", "months", "ends"),
    [
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2028, 2, 29), None, date(2029, 2, 28)),
        (date(2027, 11, 30), 3, date(2028, 2, 29)),
    ],
)
def test_months_that_end_in_a_shorter_month_end_on_its_last_day(of: date, months: int | None, ends: date) -> None:
    pathway = shipped()["vitamin_d"]
    waiting = begin(pathway, on=DAY0).enrolment
    settled = step(pathway, waiting, FactRecorded(of, FactKind.VITAMIN_D_RESULT, of, months)).enrolment
    assert due_on(pathway, settled) == ends


def test_a_result_older_than_the_rest_asks_again_the_next_day() -> None:
    patient = course("vitamin_d").to_day(1)
    patient.happens(recorded(FactKind.VITAMIN_D_RESULT, of=date(2024, 1, 10)))
    assert patient.to_day(3).sends() == [(1, "ask"), (2, "ask")]


def test_an_older_result_that_comes_in_later_does_not_shorten_the_rest() -> None:
    patient = course("dexa").to_day(3)
    patient.happens(recorded(FactKind.DEXA_RESULT, of=2))
    settled = patient.enrolment
    effects = patient.happens(recorded(FactKind.DEXA_RESULT, of=date(2019, 5, 1)))
    assert OpenTask("review_result") in effects
    assert patient.enrolment == settled


def test_a_scan_recorded_after_its_report_keeps_the_months_the_clinician_set() -> None:
    patient = course("dexa").to_day(3)
    patient.happens(recorded(FactKind.DEXA_RESULT, of=2, next_months=6))
    settled = patient.enrolment
    patient.happens(recorded(FactKind.DEXA_DONE, of=2))
    assert patient.enrolment == settled


def test_months_set_afterwards_for_the_same_result_hold() -> None:
    patient = course("dexa").to_day(3)
    patient.happens(recorded(FactKind.DEXA_RESULT, of=2))
    patient.happens(recorded(FactKind.DEXA_RESULT, of=2, next_months=6))
    assert due_on(patient.pathway, patient.enrolment) == date(2026, 9, 4)


def test_a_newer_result_begins_the_rest_anew() -> None:
    patient = course("dexa").to_day(3)
    patient.happens(recorded(FactKind.DEXA_RESULT, of=2, next_months=6))
    patient.to_day(30).happens(recorded(FactKind.DEXA_RESULT, of=30))
    assert due_on(patient.pathway, patient.enrolment) == date(2028, 4, 1)


def test_a_fact_that_the_pathway_does_not_listen_for_changes_nothing() -> None:
    patient = course("vitamin_d").to_day(1)
    before = patient.enrolment
    assert patient.happens(recorded(FactKind.STEROID_COURSE, next_months=1)) == ()
    assert patient.enrolment == before


# DEXA


def test_dexa_asks_a_silent_patient_on_days_3_and_13_then_has_them_called_and_rests_90_days() -> None:
    silent = course("dexa").to_day(130)
    assert silent.sends() == [(3, "ask"), (13, "again"), (127, "ask")]
    assert silent.others() == [(37, OpenTask("call_patient"))]


def test_dexa_follows_the_talk_and_the_booking_to_the_scan_and_its_result() -> None:
    patient = course("dexa").to_day(3)
    assert answers(patient, "talked") == [Say("thanks_talked")]
    patient.to_day(33)
    assert answers(patient, "booked") == [Say("thanks_booked")]
    patient.to_day(63)
    assert answers(patient, "done") == [Say("thanks_done")]
    patient.to_day(93)
    assert patient.sends() == [(3, "ask"), (33, "was_it_booked"), (63, "was_it_done")]
    assert patient.others()[-1] == (93, OpenTask("result_not_in"))
    patient.happens(recorded(FactKind.DEXA_RESULT))
    assert due_on(patient.pathway, patient.enrolment) == date(2028, 6, 3)


def test_a_scan_not_done_yet_is_asked_for_again_after_30_days() -> None:
    patient = course("dexa").to_day(3)
    answers(patient, "booked")
    patient.to_day(33)
    answers(patient, "not_yet")
    assert patient.to_day(63).sends() == [(3, "ask"), (33, "was_it_done"), (63, "was_it_done")]


@pytest.mark.parametrize(("answer", "template"), [("talked", "was_it_booked"), ("booked", "was_it_done")])
def test_dexa_repeats_a_later_question_once_and_then_has_the_patient_called(answer: str, template: str) -> None:
    patient = course("dexa").to_day(3)
    answers(patient, answer)
    assert patient.to_day(70).sends() == [(3, "ask"), (33, template), (43, template)]
    assert patient.others()[-1] == (67, OpenTask("call_patient"))


def test_dexa_not_yet_asks_again_after_14_days() -> None:
    patient = course("dexa").to_day(3)
    assert answers(patient, "not_yet") == [Say("thanks_later")]
    assert patient.to_day(17).sends() == [(3, "ask"), (17, "ask")]


def test_dexa_no_is_respected_for_12_months_and_a_clinician_hears_of_it() -> None:
    patient = course("dexa").to_day(3)
    assert set(patient.happens(lambda today: Answered(today, "no"))) == {
        Say("respected"),
        CloseTask("call_patient"),
        OpenTask("scan_declined"),
    }
    assert patient.to_day(368).sends() == [(3, "ask"), (368, "ask")]
    assert patient.enrolment.cycle == 2


@pytest.mark.parametrize("since", [1, 3, 20, 50])
def test_a_steroid_course_begins_a_new_dexa_cycle_the_next_day_from_wherever_the_patient_is(since: int) -> None:
    patient = course("dexa").to_day(since)
    patient.happens(recorded(FactKind.STEROID_COURSE))
    assert patient.to_day(since + 1).sends()[-1] == (since + 1, "ask")
    assert patient.enrolment.cycle == 2


def test_a_steroid_course_ends_a_rest_and_the_months_set_for_it() -> None:
    patient = course("dexa").to_day(3)
    patient.happens(recorded(FactKind.DEXA_RESULT, next_months=6))
    patient.to_day(10).happens(recorded(FactKind.STEROID_COURSE))
    assert patient.to_day(11).sends()[-1] == (11, "ask")
    patient.to_day(45)
    assert timer(patient) == 135, "90 days after nobody answered, and not 6 months"


# Supplement


def test_supplement_asks_on_day_5_and_then_every_90_days() -> None:
    assert course("supplement").to_day(190).sends() == [(5, "ask"), (95, "ask"), (185, "ask")]
    patient = course("supplement").to_day(7)
    assert answers(patient, "none") == [Say("noted")]
    assert patient.to_day(100).sends() == [(5, "ask"), (97, "ask")]


def test_a_named_supplement_becomes_a_case_that_escalates_on_day_5_and_is_told_to_wait_on_day_7() -> None:
    patient = course("supplement").to_day(5)
    assert answers(patient, "taking") == [Say("which")]
    patient.to_day(6)
    assert set(patient.happens(TextReceived)) == NAMED
    patient.to_day(20)
    assert patient.sends() == [(5, "ask"), (13, "still_waiting")]
    assert patient.others()[-1] == (11, EscalateTask("supplement_clearance"))


@pytest.mark.parametrize("decision", [FactKind.CLEARED, FactKind.NOT_CLEARED, FactKind.COME_IN])
def test_a_decision_is_told_closes_the_case_and_rests_90_days(decision: FactKind) -> None:
    patient = course("supplement").to_day(5)
    patient.happens(recorded(FactKind.SUPPLEMENT_NAMED))
    patient.to_day(8)
    assert set(patient.happens(recorded(decision))) == {CloseTask("supplement_clearance"), Say(decision)}
    assert patient.to_day(98).sends() == [(5, "ask"), (98, "ask")]


def test_a_second_decision_on_the_same_day_is_told_too() -> None:
    patient = course("supplement").to_day(5)
    patient.happens(recorded(FactKind.CLEARED))
    assert Say("not_cleared") in patient.happens(recorded(FactKind.NOT_CLEARED))
    assert timer(patient) == 95


@pytest.mark.parametrize("since", [0, 5, 50])
def test_a_supplement_may_be_named_at_any_time(since: int) -> None:
    patient = course("supplement").to_day(since)
    assert set(patient.happens(recorded(FactKind.SUPPLEMENT_NAMED))) == NAMED


def test_a_supplement_that_is_not_named_within_7_days_is_a_task() -> None:
    patient = course("supplement").to_day(5)
    answers(patient, "taking")
    assert patient.to_day(30).others()[-1] == (12, OpenTask("supplement_unnamed"))
    assert timer(patient) == 102


def test_text_where_no_text_is_asked_for_changes_nothing() -> None:
    patient = course("supplement").to_day(5)
    before = patient.enrolment
    assert patient.happens(TextReceived) == ()
    assert patient.enrolment == before


# Exercise

SUNDAYS = [6, 13, 20, 27]


def test_exercise_sends_an_activity_every_day_and_the_week_s_count_on_sunday() -> None:
    patient = course("exercise").to_day(13)
    expected = [(number, "week" if number in SUNDAYS else "activity") for number in range(1, 14)]
    assert patient.sends() == expected


def test_exercise_never_sends_the_same_turn_two_days_running() -> None:
    patient = course("exercise").to_day(60)
    turns = [
        effect.turn for _, effect in patient.effects if isinstance(effect, Send) and effect.template == "activity"
    ]
    assert all(later == earlier + 1 for earlier, later in pairwise(turns))


def test_exercise_keeps_to_the_chosen_days() -> None:
    chosen = frozenset({Weekday.MON, Weekday.WED, Weekday.FRI})
    patient = course("exercise", weekdays=chosen).to_day(14)
    assert [number for number, _ in patient.sends()] == [2, 4, 7, 9, 11, 14]


def test_exercise_steps_down_after_14_unanswered_says_so_once_and_goes_on_weekly() -> None:
    patient = course("exercise").to_day(45)
    first_fortnight = [template for number, template in patient.sends() if number < 17]
    assert first_fortnight.count("activity") == 14
    assert [pair for pair in patient.sends() if pair[0] >= 17] == [
        (17, "stepped_down"),
        (24, "activity"),
        (31, "activity"),
        (38, "activity"),
        (45, "activity"),
    ]


def test_one_answer_begins_the_count_of_unanswered_anew() -> None:
    patient = course("exercise").to_day(16)
    answers(patient, "done")
    downs = [number for number, template in patient.to_day(50).sends() if template == "stepped_down"]
    assert downs == [33]


@pytest.mark.parametrize(("reply", "counted"), [("done", 1), ("not_yet", 0)])
def test_any_answer_to_the_weekly_activity_steps_up_to_daily_the_next_day(reply: str, counted: int) -> None:
    patient = course("exercise").to_day(25)
    assert answers(patient, reply) == [Say("stepped_up", count=counted)]
    assert [number for number, _ in patient.to_day(29).sends()][-4:] == [26, 27, 28, 29]


def test_done_counts_a_day_once_and_begins_anew_on_monday() -> None:
    patient = course("exercise").to_day(1)
    assert answers(patient, "done") == [Say("well_done", count=1)]
    assert answers(patient, "done") == [Say("well_done", count=1)]
    patient.to_day(4)
    assert answers(patient, "done") == [Say("well_done", count=2)]
    patient.to_day(6)
    assert patient.effects[-1] == (6, Send("week", count=2))
    assert answers(patient, "done") == [Say("well_done", count=3)]
    patient.to_day(7)
    assert answers(patient, "done") == [Say("well_done", count=1)]


def test_a_day_done_before_its_message_counts() -> None:
    assert answers(course("exercise"), "done") == [Say("well_done", count=1)]


def test_a_date_that_a_zone_change_brings_back_is_not_counted_again() -> None:
    patient = course("exercise").to_day(7)
    answers(patient, "done")
    patient.today = 6
    assert answers(patient, "done") == [Say("well_done", count=1)]


def test_sunday_s_count_does_not_make_the_patient_unanswering() -> None:
    patient = course("exercise").to_day(5)
    assert patient.enrolment.unanswered == 5
    assert patient.to_day(6).enrolment.unanswered == 5


# Pauses


def test_a_pause_holds_every_message_and_ends_by_itself_on_its_day() -> None:
    patient = course("exercise").to_day(3)
    patient.happens(lambda today: Paused(today, day(17)))
    assert [number for number, _ in patient.to_day(18).sends()] == [1, 2, 3, 17, 18]
    assert not patient.enrolment.is_paused


def test_a_pause_without_an_end_lasts_until_resumed() -> None:
    patient = course("exercise").to_day(3)
    patient.happens(lambda today: Paused(today, None))
    assert timer(patient.to_day(200)) is None
    patient.happens(Resumed)
    assert [number for number, _ in patient.to_day(202).sends()] == [1, 2, 3, 201, 202]


def test_a_pause_can_be_shortened_and_prolonged() -> None:
    patient = course("exercise").to_day(3)
    patient.happens(lambda today: Paused(today, day(17)))
    patient.happens(lambda today: Paused(today, day(5)))
    assert timer(patient) == 5
    patient.happens(lambda today: Paused(today, day(30)))
    assert timer(patient) == 30


def test_a_pause_that_ends_on_a_day_not_chosen_waits_for_the_next_chosen_one() -> None:
    patient = course("exercise", weekdays=frozenset({Weekday.MON})).to_day(7)
    patient.happens(lambda today: Paused(today, day(16)))
    assert timer(patient) == 21


def test_a_date_that_lies_after_the_pause_stays_as_it_was() -> None:
    patient = course("dexa").to_day(3)
    patient.happens(lambda today: Paused(today, day(10)))
    assert timer(patient) == 13


def test_a_resume_before_the_due_date_keeps_it_and_after_it_goes_the_next_day() -> None:
    early = course("dexa").to_day(3)
    early.happens(lambda today: Paused(today, None))
    early.to_day(10).happens(Resumed)
    assert timer(early) == 13
    late = course("dexa").to_day(3)
    late.happens(lambda today: Paused(today, None))
    late.to_day(20).happens(Resumed)
    assert timer(late) == 21


# Giving way


def test_a_question_that_gives_way_goes_the_next_day_and_its_silence_counts_from_then() -> None:
    patient = course("vitamin_d")
    patient.today = 1
    assert patient.happens(GaveWay) == ()
    assert patient.to_day(9).sends() == [(2, "ask"), (9, "again")]


def test_a_daily_message_that_gives_way_is_gone_and_leaves_no_unanswered() -> None:
    patient = course("exercise").to_day(1)
    patient.today = 2
    patient.happens(GaveWay)
    assert patient.to_day(3).sends() == [(1, "activity"), (3, "activity")]
    assert patient.enrolment.unanswered == 2


def test_giving_way_before_anything_is_due_changes_nothing() -> None:
    patient = course("vitamin_d")
    before = patient.enrolment
    assert patient.happens(GaveWay) == ()
    assert patient.enrolment == before


def skipping(*silence: Silence) -> Pathway:
    """A pathway that asks once and drops what missed its window."""
    steps = {
        "ask": Step("ask", send="ask", silence=silence),
        "over": Step("over", rest=Wait(30), then=Action(restart="ask")),
    }
    return Pathway(
        name="falls",
        title="Falls",
        priority=50,
        late=Late.SKIP,
        begin=Action(go="ask", after=Wait(1)),
        steps=steps,
    )


def test_a_question_dropped_on_a_skipping_pathway_still_opens_the_task_that_goes_with_it() -> None:
    silence = (
        Silence(Wait(7), send="again", action=Action(task="no_answer")),
        Silence(Wait(9), action=Action(go="over")),
    )
    patient = course(skipping(*silence)).to_day(1)
    patient.today = 8
    assert patient.happens(GaveWay) == (OpenTask("no_answer"),)
    assert timer(patient) == 17


# A reminder that did not go


def not_sent(course: Course) -> NotSent:
    state = course.enrolment
    return NotSent(day(course.today), state.step, state.cycle, state.fired)


def test_a_question_that_did_not_go_is_asked_the_next_day() -> None:
    patient = course("vitamin_d").to_day(8)
    failed = not_sent(patient)
    patient.happens(lambda _: failed)
    assert patient.to_day(30).sends() == [(1, "ask"), (8, "again"), (9, "again"), (30, "again")]


def test_a_question_that_was_never_asked_cannot_be_answered() -> None:
    patient = course("vitamin_d").to_day(1)
    failed = not_sent(patient)
    patient.happens(lambda _: failed)
    assert answers(patient, "booked") == []


def test_a_question_that_did_not_go_after_the_end_of_a_rest_is_asked_the_next_day_in_the_same_cycle() -> None:
    patient = course("vitamin_d").to_day(126)
    failed = not_sent(patient)
    patient.happens(lambda _: failed)
    assert patient.to_day(127).sends()[-2:] == [(126, "ask"), (127, "ask")]
    assert patient.enrolment.cycle == 2


def test_a_daily_message_that_did_not_go_is_not_made_up_for_and_not_held_against_the_patient() -> None:
    patient = course("exercise").to_day(3)
    failed = not_sent(patient)
    patient.happens(lambda _: failed)
    assert patient.enrolment.unanswered == 2
    assert patient.to_day(4).sends() == [(number, "activity") for number in (1, 2, 3, 4)]


def test_a_sunday_count_that_did_not_go_leaves_the_unanswered_as_they_were() -> None:
    patient = course("exercise").to_day(6)
    failed = not_sent(patient)
    patient.happens(lambda _: failed)
    assert patient.enrolment.unanswered == 5


def test_the_news_of_stepping_down_goes_the_next_day_when_it_did_not_go() -> None:
    patient = course("exercise").to_day(17)
    failed = not_sent(patient)
    patient.happens(lambda _: failed)
    assert patient.to_day(25).sends()[-3:] == [(17, "stepped_down"), (18, "stepped_down"), (25, "activity")]


@pytest.mark.parametrize(
    "change",
    [
        lambda failed: replace(failed, step="unanswered"),
        lambda failed: replace(failed, cycle=failed.cycle + 1),
        lambda failed: replace(failed, fired=failed.fired - 1),
    ],
    ids=["step", "cycle", "fired"],
)
def test_a_reminder_that_the_pathway_has_left_behind_is_not_taken_back(
    change: Callable[[NotSent], NotSent],
) -> None:
    patient = course("vitamin_d").to_day(8)
    before = patient.enrolment
    failed = change(not_sent(patient))
    patient.happens(lambda _: failed)
    assert patient.enrolment == before


def test_a_reminder_taken_back_is_never_planned_for_the_same_date_again() -> None:
    patient = course("vitamin_d").to_day(8)
    failed = replace(not_sent(patient), on=day(7))  # the patient moved west since
    patient.happens(lambda _: failed)
    assert timer(patient) == 9


# Staff, and changed files


def test_staff_may_move_a_patient_to_any_step_which_begins_the_next_day() -> None:
    patient = course("dexa").to_day(5)
    patient.happens(lambda today: MovedByStaff(today, "booked"))
    assert patient.to_day(6).sends()[-1] == (6, "was_it_done")


def test_staff_cannot_move_a_patient_to_a_step_that_is_not_there() -> None:
    patient = course("dexa").to_day(5)
    before = patient.enrolment
    assert patient.happens(lambda today: MovedByStaff(today, "nowhere")) == ()
    assert patient.enrolment == before


def test_staff_moving_a_patient_to_a_rest_ends_the_months_set_for_another() -> None:
    patient = course("dexa").to_day(5)
    patient.happens(recorded(FactKind.DEXA_RESULT, next_months=3))
    patient.happens(lambda today: MovedByStaff(today, "declined"))
    assert due_on(patient.pathway, patient.enrolment) == date(2027, 3, 7)


def renamed(pathway: Pathway, old: str, new: str, *, moved: dict[str, str]) -> Pathway:
    steps = {new if name == old else name: one for name, one in pathway.steps.items()}
    steps[new] = replace(steps[new], name=new)
    begin = replace(pathway.begin, go=new) if pathway.begin.go == old else pathway.begin
    return replace(pathway, steps=steps, moved=moved, begin=begin)


def test_a_patient_on_a_removed_step_goes_where_the_file_says_and_keeps_the_date() -> None:
    resting = course("vitamin_d").to_day(1)
    resting.happens(recorded(FactKind.VITAMIN_D_RESULT))
    due = timer(resting)
    resting.pathway = renamed(resting.pathway, "settled", "result_in", moved={"settled": "result_in"})
    assert resting.to_day(5).happens(lambda today: Paused(today, None)) == ()
    assert (resting.enrolment.step, resting.enrolment.is_paused) == ("result_in", True)
    resting.happens(Resumed)
    assert timer(resting) == due


def test_a_patient_on_a_step_removed_without_a_word_begins_again_and_staff_are_told() -> None:
    patient = course("vitamin_d").to_day(1)
    patient.pathway = renamed(patient.pathway, "ask", "question", moved={})
    patient.to_day(8)
    assert patient.others() == [(8, OpenTask(ServiceTask.PATHWAY_CHANGED))]
    assert patient.to_day(9).sends() == [(1, "ask"), (9, "ask")]


def test_a_fact_recorded_for_a_patient_on_a_removed_step_is_not_lost() -> None:
    patient = course("vitamin_d").to_day(1)
    patient.pathway = renamed(patient.pathway, "ask", "question", moved={"ask": "question"})
    assert OpenTask("review_result") in patient.happens(recorded(FactKind.VITAMIN_D_RESULT))
    assert patient.enrolment.step == "settled"


def test_a_patient_who_has_been_through_more_than_a_shortened_silence_still_gets_to_its_end() -> None:
    patient = course("vitamin_d").to_day(29)
    ask = patient.pathway.steps["ask"]
    shorter = replace(ask, silence=(ask.silence[0], ask.silence[-1]))
    patient.pathway = replace(patient.pathway, steps={**patient.pathway.steps, "ask": shorter})
    patient.to_day(36)
    assert patient.others() == [(36, OpenTask("no_answer"))]
    assert timer(patient) == 126


# Beginning, and timers that are not due


def test_enrolment_begins_the_first_cycle_and_sends_nothing_yet() -> None:
    for pathway in shipped().values():
        begun = begin(pathway, on=DAY0)
        assert begun.effects == ()
        assert (begun.enrolment.cycle, begun.enrolment.step) == (1, pathway.first_step)
        assert begun.enrolment.timer_on == pathway.begin.after.after(DAY0)


@pytest.mark.parametrize("name", ["vitamin_d", "dexa", "exercise", "supplement"])
def test_a_timer_that_is_not_due_changes_nothing(name: str) -> None:
    pathway = shipped()[name]
    begun = begin(pathway, on=DAY0).enrolment
    outcome = step(pathway, begun, TimerFired(DAY0))
    assert (outcome.enrolment, outcome.effects) == (begun, ())


def test_after_a_step_to_a_rest_the_question_asked_last_keeps_its_date() -> None:
    patient = course("vitamin_d").to_day(40)
    assert patient.enrolment.step == "unanswered"
    assert patient.enrolment.silence_from == day(29)


def test_a_late_answer_closes_the_task_that_the_silence_had_opened() -> None:
    silent = course("vitamin_d").to_day(40)
    assert silent.others() == [(36, OpenTask("no_answer"))]
    assert CloseTask("no_answer") in silent.happens(lambda today: Answered(today, "booked"))
    unreached = course("dexa").to_day(40)
    assert CloseTask("call_patient") in unreached.happens(lambda today: Answered(today, "talked"))
