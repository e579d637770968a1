"""What a reply comes to: each meaning, who hears of it, and what the patient gets back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.domain.contact import ClearanceOpened, TaskClosed, TaskOpened
from scheduler.domain.conversation import Heard, is_in_doubt, open_questions
from scheduler.domain.messages import MessageKind
from scheduler.domain.number_check import NumberCheck
from scheduler.domain.people import Channel, PatientStatus, Reach
from scheduler.domain.replies.interpret import Meaning
from scheduler.domain.sending import SERVICE_MESSAGES
from scheduler.domain.tasks import ServiceTask
from tests.support.domain_factories import Life, at, contact, day, enrolled, life

NOBODY = Reach(sms=False, email=False)
BOTH = Reach(sms=True, email=True)
NAMED = TaskClosed("supplement_unnamed", "supplement")  # nobody need ask for the name any more
ENDED = [PatientStatus.DECEASED, PatientStatus.DISCHARGED]


def asked(*pathways: str, **patient: object) -> Life:
    """A patient who has been asked the first question of each pathway."""
    due = [enrolled(name, timer_on=day(index)) for index, name in enumerate(pathways, start=1)]
    return life(*due, patient=contact(**patient)).to_day(len(pathways))


def said(heard: Heard) -> list[tuple[str, str]]:
    """What the patient gets back: pathway and template."""
    return [(message.pathway, message.template) for message in heard.change.messages]


def opened(heard: Heard) -> list[tuple[str, str]]:
    """The tasks that a reply opens, each with its note."""
    return [(task.kind, task.note) for task in heard.change.tasks if isinstance(task, TaskOpened)]


def for_a_person(words: str, kind: str = ServiceTask.UNCLEAR_REPLY) -> list[tuple[str, str]]:
    return [(kind, words)]


# Answers


@pytest.mark.parametrize("text", ["2", " 2. ", "booked", "Booked!", "2 booked"])
def test_an_answer_moves_its_pathway_and_is_acknowledged(text: str) -> None:
    patient = asked("vitamin_d")
    heard = patient.says(text)
    assert (heard.meaning.meaning, heard.meaning.pathway, heard.meaning.answer) == (
        Meaning.ANSWER,
        "vitamin_d",
        "booked",
    )
    assert said(heard) == [("vitamin_d", "thanks_booked")]
    assert patient.due == at(15)


def test_an_answer_voids_the_reminder_of_its_pathway_that_is_still_pending() -> None:
    patient = asked("vitamin_d", "dexa")
    heard = patient.says("4")
    assert heard.change.superseded == {patient.enrolments[1].id}


@pytest.mark.parametrize(("first", "last"), [("vitamin_d", "dexa"), ("dexa", "vitamin_d")])
def test_an_answer_that_fits_two_questions_is_asked_about_once_and_then_goes_to_the_last(
    first: str, last: str
) -> None:
    patient = asked(first, last)
    assert [question.pathway for question in open_questions(patient.situation())] == [last, first]
    before = patient.enrolments
    heard = patient.says("2")
    assert (heard.meaning.meaning, said(heard), opened(heard)) == (
        Meaning.UNCLEAR,
        [(SERVICE_MESSAGES, "which_one")],
        [],
    )
    assert patient.enrolments == before
    patient.outage(to=patient.now + timedelta(minutes=5))
    assert patient.says("2").meaning.pathway == last


def test_the_same_answer_twice_in_a_row_is_asked_about_once_and_answers_nothing() -> None:
    patient = asked("vitamin_d", "dexa")
    assert said(patient.says("2")) == [(SERVICE_MESSAGES, "which_one")]
    assert (said(patient.says("2")), patient.says("2").meaning.meaning) == ([], Meaning.UNCLEAR)


@pytest.mark.parametrize("days", [6, 8, 10, 30])
@pytest.mark.parametrize("text", ["1", "booked"])
def test_it_is_asked_about_however_long_ago_the_other_question_was_asked(days: int, text: str) -> None:
    vitamin_d = enrolled("vitamin_d", fired=1, silence_from=day(0), timer_on=day(60))
    patient = life(vitamin_d, enrolled("dexa", timer_on=day(days))).to_day(days)
    before = patient.enrolments
    assert said(patient.says(text)) == [(SERVICE_MESSAGES, "which_one")]
    assert patient.enrolments == before


@pytest.mark.parametrize("text", ["TIME 10:30, and 1", "1, and TIME 10:30"])
def test_an_answer_in_doubt_beside_a_command_is_asked_about_and_the_command_counts(text: str) -> None:
    patient = asked("exercise", "vitamin_d", "dexa")
    heard = patient.says(text)
    assert sorted(said(heard)) == [(SERVICE_MESSAGES, "time_set"), (SERVICE_MESSAGES, "which_one")]
    assert (patient.contact.contact_time, patient.state("dexa").step) == (time(10, 30), "ask")
    assert is_in_doubt(heard.meaning)


def test_words_that_name_the_pathway_settle_which_is_meant() -> None:
    patient = asked("dexa", "vitamin_d")
    patient.says("2")
    heard = patient.says("the scan is booked")
    assert (heard.meaning.pathway, heard.meaning.answer) == ("dexa", "booked")


def test_two_parts_of_a_text_both_count() -> None:
    patient = asked("exercise", "dexa")
    heard = patient.says("2, and DONE")
    assert said(heard) == [("dexa", "thanks_booked"), ("exercise", "well_done")]
    assert patient.state("dexa").step == "booked"


def test_what_comes_with_an_answer_is_for_a_person_to_read() -> None:
    words = "2, it is on Friday with Dr Lee at the big hospital"
    heard = asked("dexa").says(words)
    assert (heard.meaning.pathway, heard.meaning.answer) == ("dexa", "booked")
    assert opened(heard) == [(ServiceTask.MORE_TO_READ, words)]


@pytest.mark.parametrize("text", ["thanks!", "Thank you so much", "Liked “Reply DONE”"])
def test_thanks_and_taps_change_nothing_and_ask_for_nobody(text: str) -> None:
    patient = asked("vitamin_d")
    before = patient.enrolments
    heard = patient.says(text)
    assert (said(heard), opened(heard), patient.enrolments) == ([], [], before)


def test_an_answer_that_only_the_earlier_question_has_goes_to_it() -> None:
    assert asked("dexa", "vitamin_d").says("4").meaning.pathway == "dexa"
    assert asked("dexa", "supplement").says("talked").meaning.pathway == "dexa"


def test_a_question_that_nobody_answered_is_still_asked_before_one_that_came_after_it() -> None:
    patient = life("vitamin_d", enrolled("dexa", timer_on=day(34))).to_day(36)
    assert patient.state("vitamin_d").step == "unanswered"
    assert [question.pathway for question in open_questions(patient.situation())] == ["dexa", "vitamin_d"]
    assert said(patient.says("1")) == [(SERVICE_MESSAGES, "which_one")]


def test_an_answer_in_the_night_is_acknowledged_at_once() -> None:
    patient = asked("vitamin_d").to_day(2, wall=time(3))
    (message,) = patient.says("1").change.messages
    assert (message.kind, message.send_from) == (MessageKind.REPLY, at(2, time(3)))


@pytest.mark.parametrize("channel", Channel)
def test_the_acknowledgement_goes_back_the_way_the_answer_came(channel: Channel) -> None:
    patient = asked("vitamin_d", reach=BOTH)
    heard = patient.says("1", channel=channel)
    assert [message.channel for message in heard.change.messages] == [channel]


def test_an_answer_by_a_channel_without_consent_is_read_by_a_person() -> None:
    patient = asked("vitamin_d")
    before = patient.enrolments
    heard = patient.says("1", channel=Channel.EMAIL)
    assert (opened(heard), said(heard)) == (for_a_person("1"), [])
    assert patient.enrolments == before


# Supplements


def test_a_supplement_named_when_asked_opens_a_case_in_the_patient_s_words() -> None:
    patient = asked("supplement")
    assert said(patient.says("1")) == [("supplement", "which")]
    heard = patient.says("Magnesium glycinate, 200 mg!")
    assert heard.change.tasks == (NAMED, ClearanceOpened("supplement", named="Magnesium glycinate, 200 mg!"))
    assert said(heard) == [("supplement", "clinic_asked")]
    assert patient.state("supplement").step == "waiting"


def test_a_supplement_may_be_named_at_any_time() -> None:
    heard = life("supplement").says("Supp St. John's wort")
    assert heard.meaning.meaning is Meaning.SUPPLEMENT
    assert heard.change.tasks == (NAMED, ClearanceOpened("supplement", named="St. John's wort"))


@pytest.mark.parametrize(("pathway", "text"), [("supplement", "SUPP"), ("dexa", "SUPP magnesium")])
def test_a_supplement_without_a_name_or_a_pathway_is_handed_to_a_person(pathway: str, text: str) -> None:
    heard = life(pathway).says(text)
    assert opened(heard) == for_a_person(text)
    assert said(heard) == [(SERVICE_MESSAGES, "unclear")]


def test_a_pathway_that_is_no_longer_there_does_not_stand_in_the_way() -> None:
    gone = replace(enrolled("dexa"), id=UUID(int=1), state=replace(enrolled("dexa").state, pathway="gone"))
    for text in ("SUPP magnesium", "DONE", "PAUSE", "1", "STOP", "START"):
        assert life(gone, "supplement", "exercise").to_day(6).says(text).meaning


# Exercise


def test_done_counts_the_day() -> None:
    patient = asked("exercise")
    heard = patient.says("Done, thanks!")
    assert heard.meaning.meaning is Meaning.DONE
    assert [(message.template, message.count) for message in heard.change.messages] == [("well_done", 1)]


def test_done_before_the_first_nudge_counts_too() -> None:
    patient = life("exercise")
    assert said(patient.says("done")) == [("exercise", "well_done")]
    assert patient.state("exercise").done_count == 1


def test_done_answers_the_question_that_was_asked_after_the_last_nudge() -> None:
    patient = asked("exercise", "vitamin_d")
    assert said(patient.says("done")) == [(SERVICE_MESSAGES, "which_one")]  # the nudge of the day before has it too
    patient.outage(to=patient.now + timedelta(minutes=5))
    heard = patient.says("done")
    assert (heard.meaning.meaning, heard.meaning.pathway) == (Meaning.ANSWER, "vitamin_d")


def test_done_where_nothing_can_be_done_is_handed_to_a_person() -> None:
    heard = asked("supplement").says("done")
    assert opened(heard) == for_a_person("done")


def test_anything_at_all_steps_up_exercise_that_had_stepped_down() -> None:
    patient = life("exercise").to_day(25)
    heard = patient.says("I will try again")
    assert said(heard) == [("exercise", "stepped_up")]
    assert patient.due == at(26)


# Pause and resume


def test_pause_holds_exercise_and_nothing_else_until_resume() -> None:
    patient = life("exercise", "vitamin_d").to_day(2)
    assert said(patient.says("PAUSE")) == [(SERVICE_MESSAGES, "paused")]
    patient.to_day(20)
    assert [number for number, _, _ in patient.sent("exercise")] == [2]
    assert [number for number, _, _ in patient.sent("vitamin_d")] == [1, 8]
    assert said(patient.says("RESUME")) == [(SERVICE_MESSAGES, "resumed")]
    patient.to_day(21)
    assert patient.sent("exercise")[-1][0] == 21


def test_resume_does_not_bring_back_what_the_clinic_has_put_on_hold() -> None:
    patient = life("exercise", enrolled("vitamin_d", is_paused=True)).to_day(2)
    patient.says("PAUSE")
    patient.says("RESUME")
    assert not patient.state("exercise").is_paused
    assert patient.state("vitamin_d").is_paused


def test_pause_for_a_time_ends_by_itself() -> None:
    patient = life("exercise").to_day(2)
    heard = patient.says("pause 10 days please")
    assert heard.change.next_contact_at == at(12)


def test_pause_without_anything_to_pause_is_handed_to_a_person() -> None:
    heard = asked("vitamin_d").says("PAUSE 2 WEEKS")
    assert opened(heard) == for_a_person("PAUSE 2 WEEKS")
    assert said(heard) == [(SERVICE_MESSAGES, "unclear")]


# Stop and start


@pytest.mark.parametrize("text", ["STOP", "stop.", "Unsubscribe", "please stop texting me", "STOP NOW"])
def test_stop_ends_everything_on_every_channel_with_one_confirmation(text: str) -> None:
    patient = asked("vitamin_d", "dexa", "exercise", reach=BOTH)
    heard = patient.says(text)
    assert (heard.meaning.meaning, heard.consent) == (Meaning.STOP, False)
    assert said(heard) == [(SERVICE_MESSAGES, "stopped")]
    assert (patient.contact.status, patient.contact.reach) == (PatientStatus.STOPPED, NOBODY)
    assert heard.change.superseded == {one.id for one in patient.enrolments}
    assert patient.due is None
    assert said(patient.says("STOP")) == []


def test_stop_ends_a_pause_of_staff_too() -> None:
    patient = life("vitamin_d").changes(status=PatientStatus.PAUSED, paused_until=day(9))
    patient.says("STOP")
    assert (patient.contact.status, patient.contact.paused_until) == (PatientStatus.STOPPED, None)


@pytest.mark.parametrize("status", ENDED)
def test_stop_from_a_number_of_somebody_no_longer_served_does_not_let_start_bring_them_back(
    status: PatientStatus,
) -> None:
    patient = asked("vitamin_d").changes(status=status)
    assert patient.says("STOP").consent is False
    assert patient.contact.status is status
    heard = patient.says("START")
    assert (heard.consent, patient.contact.status) == (None, status)
    assert opened(heard) == for_a_person("START")


@pytest.mark.parametrize("text", ["START", "yes", "Unstop"])
def test_start_after_stop_opens_the_channel_it_came_by(text: str) -> None:
    patient = asked("vitamin_d", reach=BOTH)
    patient.says("STOP")
    patient.to_day(30)
    heard = patient.says(text)
    assert (heard.meaning.meaning, heard.consent) == (Meaning.START, True)
    assert said(heard) == [(SERVICE_MESSAGES, "started")]
    assert (patient.contact.status, patient.contact.reach) == (PatientStatus.ACTIVE, Reach(sms=True, email=False))
    assert patient.due == at(31)


def test_after_stop_and_start_there_is_no_burst() -> None:
    patient = asked("vitamin_d", "dexa", "exercise")
    patient.says("STOP")
    patient.to_day(30)
    patient.says("START")
    patient.to_day(34)
    reminders = [one.day for one in patient.gone if one.kind is MessageKind.REMINDER and one.day > 3]
    assert reminders == sorted(set(reminders))
    assert reminders[0] == 31


def test_start_from_an_imported_patient_without_consent_gives_it() -> None:
    patient = life("vitamin_d", patient=contact(reach=NOBODY)).to_day(3)
    heard = patient.says("START")
    assert heard.consent is True
    assert patient.due == at(4)


@pytest.mark.parametrize("text", ["YES", "yes please"])
def test_yes_from_somebody_with_an_open_question_is_read_by_a_person_and_not_taken_for_consent(text: str) -> None:
    patient = asked("supplement")
    before = patient.enrolments
    heard = patient.says(text)
    assert (heard.meaning.meaning, heard.consent) == (Meaning.START, None)
    assert opened(heard) == for_a_person(text)
    assert said(heard) == [(SERVICE_MESSAGES, "unclear")]
    assert patient.enrolments == before


def test_start_from_somebody_who_was_asked_nothing_is_confirmed() -> None:
    heard = life("vitamin_d").says("START")
    assert said(heard) == [(SERVICE_MESSAGES, "started")]
    assert opened(heard) == []


def test_start_by_a_channel_without_consent_gives_it_although_a_question_is_open() -> None:
    patient = asked("supplement")
    heard = patient.says("START", channel=Channel.EMAIL)
    assert heard.consent is True
    assert patient.contact.reach == BOTH


@pytest.mark.parametrize("text", ["START", "RESUME", "SEGUIR"])
def test_a_pause_of_staff_is_not_the_patients_to_end_and_a_person_hears_of_it(text: str) -> None:
    patient = asked("vitamin_d", "exercise").changes(status=PatientStatus.PAUSED, paused_until=day(9))
    heard = patient.says(text)
    assert (patient.contact.status, patient.contact.paused_until) == (PatientStatus.PAUSED, day(9))
    assert said(heard) == [(SERVICE_MESSAGES, "referral")]
    assert opened(heard) == for_a_person(text)


@pytest.mark.parametrize("text", ["START", "RESUME", "SEGUIR"])
@pytest.mark.parametrize("until", [None, day(40)])
def test_a_pause_of_the_patients_own_ends_when_they_say_so(text: str, until: date | None) -> None:
    patient = asked("vitamin_d").changes(status=PatientStatus.PAUSED, paused_until=until)
    patient.is_own_pause = True
    patient.to_day(30)
    heard = patient.says(text)
    assert (patient.contact.status, patient.contact.paused_until) == (PatientStatus.ACTIVE, None)
    assert (said(heard), opened(heard)) == ([(SERVICE_MESSAGES, "started")], [])
    assert patient.due == at(31)


@pytest.mark.parametrize("text", ["START", "start", "Unstop"])
def test_start_from_somebody_with_an_open_question_is_confirmed_and_changes_nothing(text: str) -> None:
    patient = asked("supplement")
    before, due = patient.enrolments, patient.due
    heard = patient.says(text)
    assert (said(heard), opened(heard)) == ([(SERVICE_MESSAGES, "started")], [])
    assert (patient.enrolments, patient.due) == (before, due)


def test_yes_from_somebody_who_was_asked_nothing_is_read_by_a_person() -> None:
    heard = life("vitamin_d").says("Yes")
    assert (said(heard), heard.consent) == ([(SERVICE_MESSAGES, "unclear")], None)
    assert opened(heard) == for_a_person("Yes")


# After stop


@pytest.mark.parametrize("text", ["1", "hello", "RESUME", "DONE", "PAUSE", "SUPP zinc", "later"])
@pytest.mark.parametrize("status", [PatientStatus.STOPPED, PatientStatus.UNREACHABLE, *ENDED])
def test_who_is_not_served_is_read_by_a_person_and_gets_nothing_back(text: str, status: PatientStatus) -> None:
    patient = asked("vitamin_d", "exercise").changes(status=status, reach=NOBODY)
    before = patient.enrolments
    heard = patient.says(text)
    assert opened(heard) == for_a_person(text)
    assert said(heard) == []
    assert patient.enrolments == before


@pytest.mark.parametrize("status", PatientStatus)
def test_help_is_always_answered(status: PatientStatus) -> None:
    patient = asked("vitamin_d").changes(status=status, reach=NOBODY)
    heard = patient.says("HELP")
    assert said(heard) == [(SERVICE_MESSAGES, "help")]
    assert heard.change.messages[0].kind is MessageKind.REPLY


def test_somebody_without_consent_gets_no_acknowledgement() -> None:
    assert said(life("vitamin_d", patient=contact(reach=NOBODY)).says("hello there")) == []


# For a person


@pytest.mark.parametrize("text", ["what?", "7", "🙂", "TIME", "DAYS", ""])
def test_what_is_not_understood_or_not_ours_to_settle_is_a_task_with_the_words(text: str) -> None:
    patient = asked("vitamin_d")
    before = patient.enrolments
    heard = patient.says(text)
    assert opened(heard) == for_a_person(text)
    assert said(heard) == [(SERVICE_MESSAGES, "unclear")]
    assert patient.enrolments == before


@pytest.mark.parametrize(
    ("text", "kind"), [("physio", ServiceTask.REFERRAL_PT), ("dietitian", ServiceTask.REFERRAL_DIET)]
)
def test_a_wish_to_be_referred_is_a_task_of_its_own(text: str, kind: ServiceTask) -> None:
    heard = asked("vitamin_d").says(text)
    assert opened(heard) == for_a_person(text, kind)
    assert said(heard) == [(SERVICE_MESSAGES, "referral")]


def test_words_of_danger_are_urgent_and_answered_with_where_to_call() -> None:
    heard = asked("vitamin_d").says("I fell down, 1")
    assert heard.meaning.meaning is Meaning.SAFETY
    assert opened(heard) == for_a_person("I fell down, 1", ServiceTask.SAFETY)
    assert said(heard) == [(SERVICE_MESSAGES, "safety")]


def test_words_of_danger_are_answered_by_night_and_hold_exercise_until_resume() -> None:
    patient = life("exercise").to_day(3, wall=time(2))
    (message,) = patient.says("chest pain").change.messages
    assert (message.template, message.send_from) == ("safety", at(3, time(2)))
    assert patient.state("exercise").is_paused
    patient.to_day(20)
    assert not [one for one in patient.gone if one.pathway == "exercise" and one.day > 3]
    patient.says("RESUME")
    assert not patient.state("exercise").is_paused


def test_words_of_danger_from_somebody_who_has_stopped_are_answered_too() -> None:
    patient = asked("vitamin_d").changes(status=PatientStatus.STOPPED, reach=NOBODY)
    heard = patient.says("I fell and can't get up")
    assert said(heard) == [(SERVICE_MESSAGES, "safety")]
    assert opened(heard) == for_a_person("I fell and can't get up", ServiceTask.SAFETY)


YES = ["yes", "YES I need help", "help", "si", "Sí, necesito ayuda", "ayuda"]


@pytest.mark.parametrize("text", YES)
@pytest.mark.parametrize("pathway", ["vitamin_d", "dexa", "supplement", "exercise"])
def test_a_yes_after_the_safety_text_is_urgent_again_and_answers_nothing_else(text: str, pathway: str) -> None:
    patient = asked(pathway).to_day(2, wall=time(2))
    patient.says("I fell")
    before = patient.enrolments
    patient.outage(to=patient.now + timedelta(minutes=3))
    heard = patient.says(text)
    (message,) = heard.change.messages
    assert (message.template, message.send_from) == ("safety", patient.now)
    assert (heard.meaning.meaning, heard.meaning.speaks_of_danger) == (Meaning.SAFETY, True)
    assert (heard.consent, opened(heard)) == (None, for_a_person(text, ServiceTask.SAFETY))
    assert [one.state.step for one in patient.enrolments] == [one.state.step for one in before]


@pytest.mark.parametrize("text", YES)
def test_a_yes_after_the_safety_text_is_no_consent_from_somebody_who_has_stopped(text: str) -> None:
    patient = asked("vitamin_d")
    patient.says("STOP")
    patient.says("I fell and can't get up")
    patient.outage(to=patient.now + timedelta(hours=23))
    heard = patient.says(text)
    assert (said(heard), heard.consent) == ([(SERVICE_MESSAGES, "safety")], None)
    assert patient.contact.status is PatientStatus.STOPPED
    patient.outage(to=patient.now + timedelta(hours=24))
    assert patient.says("YES").consent is True


def test_a_yes_in_one_breath_with_words_of_danger_is_not_answered_twice() -> None:
    patient = asked("vitamin_d")
    patient.says("I fell")
    patient.outage(to=patient.now + timedelta(seconds=4))
    heard = patient.says("help me")
    assert (said(heard), opened(heard)) == ([], for_a_person("help me", ServiceTask.SAFETY))


def test_a_yes_to_the_safety_text_is_no_answer_about_a_number() -> None:
    check = NumberCheck(asks=1, asked_on=day(0))
    patient = life("vitamin_d", patient=contact(reach=NOBODY, check=check))
    patient.says("I fell")
    patient.outage(to=patient.now + timedelta(minutes=3))
    heard = patient.says("sí")
    assert (heard.consent, heard.meaning.meaning) == (None, Meaning.SAFETY)


@pytest.mark.parametrize("text", ["no", "No I'm ok", "no I'm fine", "no, ya estoy bien", "no gracias"])
def test_a_no_after_the_safety_text_declines_nothing_and_calls_nobody_again(text: str) -> None:
    patient = asked("dexa")
    patient.says("I fell")
    patient.outage(to=patient.now + timedelta(minutes=3))
    heard = patient.says(text)
    assert (said(heard), heard.meaning.speaks_of_danger) == ([], False)
    (task,) = heard.change.tasks
    assert task == TaskOpened(ServiceTask.MORE_TO_READ, SERVICE_MESSAGES, text, rather=ServiceTask.SAFETY)
    assert patient.state("dexa").step == "ask"


def test_a_no_with_more_to_say_is_on_the_urgent_task() -> None:
    patient = asked("dexa")
    patient.says("I fell")
    patient.outage(to=patient.now + timedelta(minutes=3))
    heard = patient.says("no I am not so well")
    assert opened(heard) == for_a_person("no I am not so well", ServiceTask.SAFETY)
    assert said(heard) == [(SERVICE_MESSAGES, "unclear")]


@pytest.mark.parametrize(("text", "answer"), [("4", "no"), ("yes, booked", "booked"), ("booked", "booked")])
def test_a_plain_answer_stays_one_after_the_safety_text(text: str, answer: str) -> None:
    patient = asked("dexa")
    patient.says("I fell")
    patient.outage(to=patient.now + timedelta(minutes=3))
    assert patient.says(text).meaning.answer == answer


def test_a_day_after_the_safety_text_a_no_is_an_answer_again() -> None:
    patient = asked("dexa")
    patient.says("I fell")
    patient.outage(to=patient.now + timedelta(days=1))
    assert patient.says("no").meaning.pathway == "dexa"


# Wishes


def test_another_time_of_day_counts_from_the_next_reminder_on() -> None:
    patient = life("exercise").to_day(2)
    assert said(patient.says("TIME 18:30")) == [(SERVICE_MESSAGES, "time_set")]
    assert patient.contact.contact_time == time(18, 30)
    patient.to_day(4, wall=time(23))
    later = [one.local.time() for one in patient.gone if one.kind is MessageKind.REMINDER and one.day > 2]
    assert later == [time(18, 30)] * 2


def test_a_time_at_which_nobody_may_be_contacted_changes_nothing_and_is_said() -> None:
    patient = life("exercise").to_day(2)
    assert said(patient.says("TIME 23:00")) == [(SERVICE_MESSAGES, "time_closed")]
    assert patient.contact.contact_time == contact().contact_time


def test_other_days_are_for_what_repeats() -> None:
    patient = life("exercise").to_day(2)
    assert said(patient.says("DAYS MON WED")) == [(SERVICE_MESSAGES, "days_set")]
    patient.to_day(16)
    days = {one.local.weekday() for one in patient.gone if one.kind is MessageKind.REMINDER and one.day > 2}
    assert days == {0, 2}


def test_other_days_where_nothing_repeats_are_for_a_person() -> None:
    assert opened(asked("vitamin_d").says("DAYS MON WED")) == for_a_person("DAYS MON WED")


def test_words_of_danger_in_a_stop_reach_a_person_too() -> None:
    patient = asked("vitamin_d")
    heard = patient.says("STOP, I fell down")
    assert opened(heard) == for_a_person("STOP, I fell down", ServiceTask.SAFETY)
    assert said(heard) == [(SERVICE_MESSAGES, "stopped")]
    assert patient.contact.status is PatientStatus.STOPPED


def test_a_wrong_number_gets_nothing_more_and_staff_ask_for_another() -> None:
    patient = asked("vitamin_d", reach=BOTH)
    heard = patient.says("Wrong number")
    assert (heard.wrong_number, said(heard)) == (True, [])
    assert opened(heard) == for_a_person("Wrong number", ServiceTask.WRONG_NUMBER)
    assert patient.contact.reach == Reach(sms=False, email=True)
    assert opened(patient.says("later")) == for_a_person("later")


def test_what_went_to_a_wrong_number_was_never_asked() -> None:
    patient = asked("vitamin_d", "dexa", reach=BOTH).to_day(9)
    assert patient.state("vitamin_d").fired == 2
    patient.says("Wrong number")
    assert open_questions(patient.situation()) == []
    gone = len(patient.gone)
    patient.to_day(11)
    assert [(one.pathway, one.template) for one in patient.gone[gone:]] == [("vitamin_d", "ask"), ("dexa", "ask")]


def test_what_went_another_way_than_the_wrong_one_was_asked() -> None:
    patient = asked("vitamin_d", reach=BOTH, channel=Channel.EMAIL)
    patient.says("Wrong number")
    assert [question.pathway for question in open_questions(patient.situation())] == ["vitamin_d"]


def test_who_has_nothing_to_resume_is_not_told_that_it_comes_back() -> None:
    heard = asked("vitamin_d").says("RESUME")
    assert said(heard) == [(SERVICE_MESSAGES, "unclear")]
    assert opened(heard) == for_a_person("RESUME")


def test_the_patient_who_has_no_time_now_is_told_that_we_ask_again() -> None:
    patient = asked("vitamin_d")
    before = patient.enrolments
    assert said(patient.says("later")) == [(SERVICE_MESSAGES, "later")]
    assert patient.enrolments == before


# Total

texts = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["1", "2", "3", "4", "DONE", "STOP", "START", "YES", "PAUSE 2 WEEKS", "RESUME", "HELP", "LATER"]),
    st.sampled_from(["SUPP zinc", "zinc", "wrong number", "I fell", "TIME 25:00", "Liked “Reply DONE”", "no"]),
)


@settings(max_examples=80)
@given(replies=st.lists(st.tuples(st.integers(0, 20), texts, st.sampled_from(Channel)), max_size=12))
def test_any_words_at_any_time_have_an_outcome(replies: list[tuple[int, str, Channel]]) -> None:
    patient = life("vitamin_d", "dexa", "exercise", "supplement", patient=contact(reach=BOTH))
    today = 0
    for days, text, channel in replies:
        today += days
        patient.to_day(today)
        heard = patient.says(text, channel=channel)
        answers = [message for message in heard.change.messages if message.kind is MessageKind.REPLY]
        assert len(answers) <= 1 + len(heard.meaning.also)
        # Of somebody who cannot be reached it is said once more, on the day on which that has come out.
        assert patient.due is None or patient.due > patient.now or patient.contact.reach == NOBODY
        said_nothing = heard.meaning.is_reaction or heard.meaning.is_courtesy
        is_asked = heard.meaning.candidates  # which one is meant, on the same day
        is_heard = answers or heard.change.tasks or heard.meaning.meaning is Meaning.STOP or is_asked or said_nothing
        assert is_heard, "nobody wrote for nothing"
    reminders = [one.local.date() for one in patient.gone if one.kind is MessageKind.REMINDER]
    assert len(set(reminders)) == len(reminders)


# What confirmations say


@pytest.mark.parametrize(
    ("text", "template", "when"),
    [
        ("TIME 7", "time_set", "19:00"),
        ("TIME 10:30", "time_set", "10:30"),
        ("PAUSE 2 WEEKS", "paused", day(15).isoformat()),
        ("pause 400 days", "paused", day(367).isoformat()),
        ("PAUSE", "paused", "paused"),
        ("pause until after christmas", "paused", "paused"),
        ("DAYS fri mon wed", "days_set", "mon wed fri"),
        ("DAYS sun", "days_set", "sun"),
    ],
)
def test_a_confirmation_carries_the_time_or_the_days_that_were_understood(
    text: str, template: str, when: str
) -> None:
    patient = asked("exercise").to_day(2, wall=time(8))
    (message,) = patient.says(text).change.messages
    assert (message.template, message.step) == (template, when)
