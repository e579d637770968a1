"""What a patient gets on a day, and when to look again: budget, late rules, pauses, consent, zones."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from scheduler.domain.calendar import Weekday
from scheduler.domain.contact import Contact, TaskEscalated, TaskOpened
from scheduler.domain.enrolment import NotSent, Paused
from scheduler.domain.facts import FactKind
from scheduler.domain.messages import MessageKind, SkipReason
from scheduler.domain.pathway import Action, Late, Pathway, Silence, Step, Wait
from scheduler.domain.people import Channel, PatientStatus, Reach
from scheduler.domain.planning import MISSED_DAYS_RECORDED, next_contact, plan
from scheduler.domain.reacting import Situation, realign, record_fact, reopen, take_back
from scheduler.domain.when import ContactWindow
from tests.support.domain_factories import Life, at, contact, day, enrolled, life, shipped

NOON, EVENING, NIGHT = time(12), time(19, 59), time(20)
NOBODY = Reach(sms=False, email=False)
QUESTIONS = ("supplement", "vitamin_d", "dexa")


def due(*names: str, on: int) -> Life:
    """A patient for whom each of the named pathways has its question due on day `on`."""
    return life(*(enrolled(name, timer_on=day(on)) for name in names))


def skips(life: Life, pathway: str) -> list[tuple[int, SkipReason]]:
    return [(number, reason) for number, name, reason in life.skipped if name == pathway]


# The day's budget


def test_a_reminder_goes_at_the_contact_time_of_its_day() -> None:
    patient = life("vitamin_d")
    assert patient.due == at(1)
    patient.to_day(1)
    (gone,) = patient.gone
    assert (gone.day, gone.template, gone.kind) == (1, "ask", MessageKind.REMINDER)
    assert gone.local.time() == time(9, 30)


def test_exercise_gives_way_for_the_day_and_the_ledger_says_why() -> None:
    patient = life("exercise", "vitamin_d").to_day(2)
    assert patient.sent() == [(1, "vitamin_d", "ask"), (2, "exercise", "activity")]
    assert patient.skipped == [(1, "exercise", SkipReason.BUDGET)]


def test_three_questions_due_on_one_day_go_on_three_days_by_priority() -> None:
    patient = due("dexa", "supplement", "vitamin_d", on=5).to_day(8)
    assert patient.sent() == [(5, "supplement", "ask"), (6, "vitamin_d", "ask"), (7, "dexa", "ask")]
    assert patient.skipped == [
        (5, "vitamin_d", SkipReason.BUDGET),
        (5, "dexa", SkipReason.BUDGET),
        (6, "dexa", SkipReason.BUDGET),
    ]


def test_all_four_pathways_share_a_silent_patient_s_first_month_one_a_day() -> None:
    patient = life("exercise", "dexa", "vitamin_d", "supplement").to_day(30)
    questions = [(number, name) for number, name, _ in patient.sent() if name != "exercise"]
    assert questions == [
        (1, "vitamin_d"),
        (3, "dexa"),
        (5, "supplement"),
        (8, "vitamin_d"),
        (13, "dexa"),
        (29, "vitamin_d"),
    ]
    days = [number for number, _, _ in patient.sent()]
    assert days == sorted(set(days))
    assert [number for number, _, _ in patient.skipped if number < 18] == [1, 3, 5, 8, 13]


def test_a_budget_of_two_lets_two_go() -> None:
    patient = due(*QUESTIONS, on=5).changes(daily_budget=2).to_day(6)
    assert patient.sent() == [(5, "supplement", "ask"), (5, "vitamin_d", "ask"), (6, "dexa", "ask")]


def test_what_is_due_later_today_keeps_the_day_from_what_comes_first_but_matters_less() -> None:
    vitamin_d = enrolled("vitamin_d", contact_time=time(18))
    patient = life("exercise", vitamin_d).to_day(1)
    assert patient.sent() == [(1, "vitamin_d", "ask")]
    assert patient.gone[0].local.time() == time(18)
    assert skips(patient, "exercise") == [(1, SkipReason.BUDGET)]


def test_an_enrolment_s_own_time_of_day_holds_for_it_alone() -> None:
    patient = life(enrolled("exercise", contact_time=time(17, 15)), "vitamin_d").to_day(2)
    assert [(one.pathway, one.local.time()) for one in patient.gone] == [
        ("vitamin_d", time(9, 30)),
        ("exercise", time(17, 15)),
    ]


def test_answers_do_not_count_against_the_budget() -> None:
    patient = life("vitamin_d").to_day(1)
    patient.says("1")
    assert [one.kind for one in patient.gone] == [MessageKind.REMINDER, MessageKind.REPLY]
    assert patient.contact.contacts_that_day == 1


def test_two_reminders_of_one_day_are_counted() -> None:
    patient = due("vitamin_d", "dexa", on=5).changes(daily_budget=2).to_day(5)
    assert (patient.contact.contacted_on, patient.contact.contacts_that_day) == (day(5), 2)


@pytest.mark.parametrize(
    ("contacted_on", "that_day", "left"), [(None, 0, 2), (0, 2, 2), (1, 1, 1), (1, 2, 0), (1, 3, 0), (2, 1, 0)]
)
def test_a_day_has_what_its_reminders_have_left_of_the_budget_and_an_earlier_date_has_none(
    contacted_on: int | None, that_day: int, left: int
) -> None:
    last = None if contacted_on is None else day(contacted_on)
    patient = contact(daily_budget=2, contacted_on=last, contacts_that_day=that_day)
    assert patient.budget_left(day(1)) == left


# Late


@pytest.mark.parametrize("wall", [time(9, 31), NOON, EVENING])
def test_later_on_the_same_day_and_inside_the_window_it_still_goes(wall: time) -> None:
    for name in ("exercise", "vitamin_d"):
        patient = life(name).outage(to=at(1, wall)).to_day(1)
        assert [(one.day, one.local.time()) for one in patient.gone] == [(1, wall)]
        assert patient.skipped == []


def test_after_the_window_a_question_goes_the_next_day_at_the_usual_time() -> None:
    patient = life("vitamin_d").outage(to=at(1, NIGHT)).to_day(2)
    assert [(one.day, one.local.time()) for one in patient.gone] == [(2, time(9, 30))]
    assert patient.skipped == [(1, "vitamin_d", SkipReason.TOO_LATE)]


def test_after_the_window_exercise_is_dropped_for_the_day() -> None:
    patient = life("exercise").outage(to=at(1, NIGHT)).to_day(2)
    assert patient.sent() == [(2, "exercise", "activity")]
    assert patient.skipped == [(1, "exercise", SkipReason.TOO_LATE)]


def test_after_days_of_outage_there_is_no_burst() -> None:
    patient = due(*QUESTIONS, on=5)
    patient.outage(to=at(9, NOON)).to_day(12)
    assert patient.sent() == [(9, "supplement", "ask"), (10, "vitamin_d", "ask"), (11, "dexa", "ask")]
    assert [skip for skip in patient.skipped if skip[2] is SkipReason.TOO_LATE] == [
        (5, name, SkipReason.TOO_LATE) for name in QUESTIONS
    ]


def test_after_days_of_outage_each_missed_day_of_exercise_is_named_and_none_is_made_up_for() -> None:
    patient = life("exercise").outage(to=at(6, NOON)).to_day(8)
    assert patient.sent() == [(6, "exercise", "week"), (7, "exercise", "activity"), (8, "exercise", "activity")]
    assert patient.skipped == [(number, "exercise", SkipReason.TOO_LATE) for number in range(1, 6)]
    assert patient.state("exercise").unanswered == 2


def test_after_a_long_outage_the_ledger_names_the_first_month_only() -> None:
    patient = life("exercise").outage(to=at(200)).to_day(200)
    assert len(patient.skipped) == MISSED_DAYS_RECORDED
    assert [number for number, _, _ in patient.sent()] == [200]


def test_back_before_the_contact_time_what_was_missed_waits_for_it() -> None:
    patient = life("vitamin_d").outage(to=at(3, time(6))).to_day(3)
    assert [(one.day, one.local.time()) for one in patient.gone] == [(3, time(9, 30))]


def test_the_silence_after_a_late_question_counts_from_the_day_it_went() -> None:
    patient = life("vitamin_d").outage(to=at(4)).to_day(11)
    assert [number for number, _, _ in patient.sent()] == [4, 11]


@pytest.mark.parametrize("wall", [time(6), NOON, time(22)])
def test_a_task_that_an_outage_held_up_is_opened_once_it_is_over(wall: time) -> None:
    patient = life("vitamin_d").to_day(1)
    patient.says("1")
    patient.outage(to=at(25, wall)).to_day(26)
    opened = [task for _, task in patient.tasks if isinstance(task, TaskOpened)]
    assert opened == [TaskOpened("result_not_in", "vitamin_d")]
    assert patient.skipped == []


def test_a_task_due_today_is_opened_although_the_window_is_over() -> None:
    patient = life("vitamin_d").to_day(1)
    patient.says("1")
    patient.outage(to=at(22, time(22))).to_day(22)
    assert [number for number, task in patient.tasks if isinstance(task, TaskOpened)] == [22]


def test_a_reminder_that_was_late_is_recorded_under_the_step_that_sends_it() -> None:
    patient = life("vitamin_d").to_day(37)
    change = plan(patient.contact, patient.enrolments, patient.pathways, at(130))
    assert [(skip.step, skip.cycle, skip.due_date) for skip in change.skipped] == [("ask", 2, day(126))]
    assert [(sent.step, sent.cycle, sent.due_date) for sent in change.messages] == [("ask", 2, day(130))]


def test_the_task_that_goes_with_a_skipped_reminder_is_opened_all_the_same() -> None:
    silence = (
        Silence(Wait(7), send="again", action=Action(task="no_answer")),
        Silence(Wait(9), action=Action(go="over")),
    )
    falls = Pathway(
        name="falls",
        title="Falls",
        priority=50,
        late=Late.SKIP,
        begin=Action(go="ask", after=Wait(1)),
        steps={
            "ask": Step("ask", send="ask", silence=silence),
            "over": Step("over", rest=Wait(30), then=Action(restart="ask")),
        },
    )
    patient = life(falls).to_day(1).outage(to=at(10)).to_day(10)
    assert patient.sent() == [(1, "falls", "ask")]
    assert patient.skipped == [(8, "falls", SkipReason.TOO_LATE)]
    assert [task for _, task in patient.tasks] == [TaskOpened("no_answer", "falls")]


# Pauses


def test_while_staff_have_paused_a_patient_nothing_goes_and_afterwards_nothing_was_late() -> None:
    patient = life(*QUESTIONS, "exercise")
    patient.changes(status=PatientStatus.PAUSED, paused_until=day(15)).to_day(17)
    assert patient.sent() == [(15, "supplement", "ask"), (16, "vitamin_d", "ask"), (17, "dexa", "ask")]
    assert {reason for _, _, reason in patient.skipped} == {SkipReason.BUDGET}
    assert patient.contact.status is PatientStatus.ACTIVE
    assert patient.contact.paused_until is None


def test_a_pause_of_staff_without_an_end_waits_for_them() -> None:
    patient = life("vitamin_d").changes(status=PatientStatus.PAUSED)
    assert patient.due is None
    change = plan(patient.contact, patient.enrolments, patient.pathways, at(5))
    assert (change.messages, change.next_contact_at) == ((), None)


def test_a_pause_that_ended_during_an_outage_ends_when_it_is_over() -> None:
    patient = life("exercise").changes(status=PatientStatus.PAUSED, paused_until=day(3))
    patient.outage(to=at(5, NOON)).to_day(6)
    assert patient.sent() == [(5, "exercise", "activity"), (6, "exercise", "week")]
    assert patient.skipped == []


def test_exercise_that_the_patient_paused_resumes_by_itself_on_the_right_day() -> None:
    patient = life("exercise").to_day(3)
    patient.says("PAUSE 2 WEEKS")
    patient.to_day(19)
    reminders = [number for number, _, template in patient.sent("exercise") if template == "activity"]
    assert reminders == [1, 2, 3, 17, 18, 19]


def test_a_patient_s_pause_outlasts_a_shorter_one_of_staff() -> None:
    patient = life("exercise").to_day(1)
    patient.says("PAUSE 2 WEEKS")
    patient.changes(status=PatientStatus.PAUSED, paused_until=day(5)).to_day(15)
    assert [number for number, _, _ in patient.sent("exercise")] == [1, 15]


@pytest.mark.parametrize(
    "status",
    [PatientStatus.STOPPED, PatientStatus.UNREACHABLE, PatientStatus.DECEASED, PatientStatus.DISCHARGED],
)
def test_nothing_is_planned_for_somebody_the_service_does_not_serve(status: PatientStatus) -> None:
    patient = life("vitamin_d", "exercise").changes(status=status)
    assert patient.due is None
    change = plan(patient.contact, patient.enrolments, patient.pathways, at(3))
    assert (change.messages, change.skipped, change.next_contact_at) == ((), (), None)
    assert change.enrolments == patient.enrolments


# Consent and channels


@pytest.mark.parametrize(("has_address", "reason"), [(True, SkipReason.NO_CONSENT), (False, SkipReason.NO_CHANNEL)])
def test_without_a_way_to_reach_them_it_is_said_once_and_nothing_is_planned(
    has_address: bool, reason: SkipReason
) -> None:
    patient = life("vitamin_d", "exercise", patient=contact(reach=NOBODY, has_address=has_address)).to_day(30)
    assert patient.gone == []
    assert patient.skipped == [(1, "vitamin_d", reason), (1, "exercise", reason)]
    assert patient.due is None


@pytest.mark.parametrize("wall", [NOON, time(22)])
def test_want_of_consent_is_the_reason_also_when_it_is_late(wall: time) -> None:
    patient = life("vitamin_d", "exercise", patient=contact(reach=NOBODY)).outage(to=at(4, wall)).to_day(9)
    assert {reason for _, _, reason in patient.skipped} == {SkipReason.NO_CONSENT}
    assert len(patient.skipped) == 2


def test_whatever_else_happens_to_them_it_is_not_said_again() -> None:
    patient = life("vitamin_d", "exercise", patient=contact(reach=NOBODY)).to_day(2)
    for number in range(3, 9):
        patient.take(patient.situation().unchanged())
        patient.to_day(number)
    assert len(patient.skipped) == 2


def test_what_needs_no_message_has_its_day_without_consent_too() -> None:
    patient = life("supplement", "exercise").to_day(5)
    patient.says("SUPP MAGNESIUM")
    patient.changes(reach=NOBODY).to_day(40)
    assert (10, TaskEscalated("supplement_clearance", "supplement")) in patient.tasks
    assert [number for number, _, _ in patient.sent("exercise")] == [1, 2, 3, 4]


def test_once_they_can_be_reached_what_waited_goes_from_the_next_day_on() -> None:
    patient = life(*QUESTIONS, "exercise", patient=contact(reach=NOBODY)).to_day(20)
    patient.contact = contact()
    patient.take(reopen(patient.situation()))
    patient.to_day(23)
    assert patient.sent() == [(21, "supplement", "ask"), (22, "vitamin_d", "ask"), (23, "dexa", "ask")]
    assert SkipReason.TOO_LATE not in {reason for _, _, reason in patient.skipped}


def test_a_pause_of_the_patient_that_ran_out_while_they_could_not_be_reached_is_over() -> None:
    patient = life("exercise").to_day(1)
    patient.says("PAUSE 1 WEEK")
    patient.says("STOP")
    patient.to_day(8, wall=NOON).says("START")
    assert patient.due == at(9)
    paused = life("exercise").to_day(1)
    paused.says("PAUSE 1 WEEK")
    paused.changes(status=PatientStatus.PAUSED, paused_until=day(20)).to_day(20)
    assert [number for number, _, _ in paused.sent("exercise")] == [1, 20]
    assert paused.skipped == []


def test_reopening_leaves_what_the_patient_paused_alone() -> None:
    patient = life("exercise").to_day(1)
    patient.says("PAUSE")
    patient.take(reopen(patient.situation()))
    assert patient.state("exercise").is_paused


@pytest.mark.parametrize(
    ("preferred", "reach", "used"),
    [
        (Channel.SMS, Reach(sms=True, email=True), Channel.SMS),
        (Channel.EMAIL, Reach(sms=True, email=True), Channel.EMAIL),
        (Channel.EMAIL, Reach(sms=True, email=False), Channel.SMS),
        (Channel.SMS, Reach(sms=False, email=True), Channel.EMAIL),
    ],
)
def test_a_reminder_goes_by_the_preferred_channel_else_by_the_one_that_is_open(
    preferred: Channel, reach: Reach, used: Channel
) -> None:
    patient = life("vitamin_d", patient=contact(channel=preferred, reach=reach)).to_day(1)
    assert [one.channel for one in patient.gone] == [used]


def test_the_first_text_and_then_one_a_month_says_how_to_stop() -> None:
    patient = life("exercise").to_day(16)
    assert [one.day for one in patient.gone if one.stop_line] == [1]
    patient.says("DONE")
    patient.to_day(70)
    assert [day(one.day) for one in patient.gone if one.stop_line] == [
        date(2026, 3, 3),
        date(2026, 4, 3),
        date(2026, 5, 9),  # by then it goes weekly
    ]


def test_an_e_mail_needs_no_line_about_stop() -> None:
    patient = life("exercise", patient=contact(channel=Channel.EMAIL, reach=Reach(sms=False, email=True))).to_day(3)
    assert [one.stop_line for one in patient.gone] == [False, False, False]


# Zones


def test_after_moving_west_the_date_that_comes_again_has_no_second_reminder() -> None:
    patient = life("exercise", "vitamin_d", patient=contact(zone=ZoneInfo("Pacific/Kiritimati")))
    patient.to_day(4, wall=NOON)
    patient.changes(zone=ZoneInfo("Pacific/Honolulu"))
    patient.to_day(7)
    days = [number for number, _, _ in patient.sent()]
    assert days == [1, 2, 3, 4, 5, 6, 7]


def test_a_question_that_slides_into_a_date_that_comes_again_waits_for_a_new_one() -> None:
    patient = due("vitamin_d", "dexa", on=4)
    patient.changes(zone=ZoneInfo("Pacific/Kiritimati")).to_day(4, wall=NOON)
    patient.changes(zone=ZoneInfo("Pacific/Honolulu"))
    patient.to_day(6)
    assert patient.sent() == [(4, "vitamin_d", "ask"), (5, "dexa", "ask")]


def test_after_moving_east_the_days_go_on_one_reminder_each() -> None:
    patient = life("exercise", patient=contact(zone=ZoneInfo("Pacific/Honolulu"))).to_day(3, wall=NOON)
    patient.changes(zone=ZoneInfo("Pacific/Kiritimati"))
    patient.to_day(6)
    days = [number for number, _, _ in patient.sent()]
    assert days == sorted(set(days))
    assert days[-2:] == [5, 6]
    assert all(time(9) <= one.local.time() < time(20) for one in patient.gone)


def test_a_changed_contact_time_and_window_hold_at_once() -> None:
    patient = life("exercise").to_day(1)
    patient.changes(contact_time=time(8, 15), window=ContactWindow(time(10), time(12))).to_day(2)
    patient.changes(contact_time=time(11, 45)).to_day(3)
    assert [one.local.time() for one in patient.gone] == [time(9, 30), time(10), time(11, 45)]


def test_new_days_of_the_week_hold_from_tomorrow_on() -> None:
    patient = life("exercise", patient=contact(weekdays=frozenset({Weekday.MON}))).to_day(8)
    patient.contact = contact()
    patient.enrolments = realign(patient.situation()).enrolments
    patient.changes().to_day(10)
    assert [number for number, _, _ in patient.sent()] == [7, 9, 10]


def test_a_day_no_longer_chosen_is_left_out_at_once() -> None:
    patient = life("exercise").to_day(1)
    patient.contact = contact(weekdays=frozenset({Weekday.FRI}))
    patient.enrolments = realign(patient.situation()).enrolments
    patient.changes().to_day(11)
    assert [number for number, _, _ in patient.sent()] == [1, 4, 11]


def test_realigning_to_the_same_days_changes_nothing() -> None:
    chosen = frozenset({Weekday.MON, Weekday.THU})
    patient = life("exercise", "vitamin_d", patient=contact(weekdays=chosen))
    for number in range(20):
        patient.to_day(number)
        assert realign(patient.situation()).enrolments == patient.enrolments


def test_realigning_does_not_bring_the_first_message_forward() -> None:
    patient = life(enrolled("exercise", timer_on=day(10)))
    assert realign(patient.situation()).enrolments == patient.enrolments


# What is recorded, and what did not go


def test_a_result_voids_what_is_pending_and_opens_its_review() -> None:
    patient = life("vitamin_d", "dexa").to_day(1)
    change = record_fact(patient.situation(), kind=FactKind.VITAMIN_D_RESULT, of=day(0), next_months=3)
    vitamin_d = next(one for one in patient.enrolments if one.state.pathway == "vitamin_d")
    assert change.superseded == {vitamin_d.id}
    assert TaskOpened("review_result", "vitamin_d") in change.tasks
    assert change.next_contact_at == at(3)


def test_the_clinic_s_news_goes_when_the_window_opens() -> None:
    patient = life("supplement").to_day(5)
    change = record_fact(patient.situation(), kind=FactKind.CLEARED, of=day(5))
    (news,) = change.messages
    assert (news.kind, news.template) == (MessageKind.NOTICE, "cleared")
    assert news.send_from == at(6, time(9))


def test_a_reminder_that_did_not_go_is_planned_for_the_next_day_and_its_day_stays_used() -> None:
    patient = due("vitamin_d", "dexa", on=5).to_day(5, wall=NOON)
    state = patient.state("vitamin_d")
    vitamin_d = next(one for one in patient.enrolments if one.state == state)
    failed = NotSent(day(5), state.step, state.cycle, state.fired)
    change = take_back(patient.situation(), [(vitamin_d.id, failed)])
    assert change.superseded == frozenset()
    patient.take(change)
    patient.to_day(7)
    assert patient.sent() == [(5, "vitamin_d", "ask"), (6, "vitamin_d", "ask"), (7, "dexa", "ask")]


# When to look again


def test_a_patient_on_no_pathway_is_not_looked_at() -> None:
    assert life().due is None


def test_an_enrolment_whose_pathway_is_not_there_is_kept_and_left_alone() -> None:
    stranger = replace(enrolled("dexa"), id=UUID(int=1), state=replace(enrolled("dexa").state, pathway="gone"))
    patient = life(stranger, "vitamin_d").to_day(5)
    assert patient.sent() == [(1, "vitamin_d", "ask")]
    assert stranger in patient.enrolments


def test_looking_before_anything_is_due_changes_nothing() -> None:
    patient = life("vitamin_d", "exercise")
    change = plan(patient.contact, patient.enrolments, patient.pathways, at(0, NOON))
    assert (change.messages, change.skipped, change.tasks) == ((), (), ())
    assert change.enrolments == patient.enrolments
    assert change.next_contact_at == at(1)


def test_looking_twice_sends_once() -> None:
    patient = life("vitamin_d", "exercise").to_day(1, wall=NOON)
    again = plan(patient.contact, patient.enrolments, patient.pathways, at(1, NOON))
    assert again.messages == ()


def test_what_is_overdue_is_due_at_today_s_contact_time() -> None:
    patient = life("vitamin_d")
    situation = Situation(patient.contact, patient.enrolments, shipped(), at(5, time(6)))
    assert next_contact(situation.contact, situation.enrolments, shipped(), situation.now) == at(5)
    assert situation.unchanged().next_contact_at == at(5)


def test_a_paused_patient_is_looked_at_when_the_pause_ends() -> None:
    paused: Contact = contact(status=PatientStatus.PAUSED, paused_until=day(9))
    assert next_contact(paused, [enrolled("vitamin_d")], shipped(), at(2)) == at(9)


def test_an_enrolment_paused_without_an_end_asks_for_no_look() -> None:
    patient = life("exercise").to_day(1)
    exercise = patient.enrolments[0]
    patient.take(patient.situation().react({exercise.id: Paused(day(1), None)}, kind=MessageKind.REPLY))
    assert patient.due is None


def test_a_plan_made_at_noon_of_a_day_without_anything_due_looks_at_the_next_contact_time() -> None:
    patient = life("exercise").to_day(3, wall=NOON)
    assert patient.due == at(4)
    assert patient.due - at(3) == timedelta(days=1)
