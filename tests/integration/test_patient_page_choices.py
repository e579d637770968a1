"""What a patient does on their own page: answers, wishes, a pause, STOP. In English and in Spanish."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import pytest

from scheduler.domain.calendar import Weekday
from scheduler.domain.people import Channel, ConsentSource, PatientStatus, StopScope
from scheduler.services import care
from tests.support.own_page import BORN, OwnPage, deciding, opened
from tests.support.worlds import MONDAY, World, new_york, world_at

HOSTILE = (
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}{% raise %}",
    "'; DROP TABLE replies; --",
    "\u202etxet desrever",
    "👩🏽‍🦽" * 50,
)


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


def asked(world: World, **cells: str) -> OwnPage:
    """The open page of a patient who has been asked about vitamin D."""
    given = {"name": "Ruth Adler", "birth_date": BORN, "pathways": "vitamin_d;exercise", **cells}
    world.enrol_sms("P1", **given)
    world.run_until(new_york(3, 3, 12))
    return opened(world)


def answered(page: OwnPage, pathway: str, answer: str) -> str:
    """Press an answer, confirm it, and see the first screen."""
    look = f"/answer?about={pathway}&answer={answer}"
    return page.said(page.post("/answer", {}, form=look))


# Answers


@pytest.mark.parametrize(
    ("language", "thanks"), [("en", "Your clinic has your answer"), ("es", "tiene su respuesta")]
)
def test_an_answer_counts_as_one_that_came_by_text(world: World, language: str, thanks: str) -> None:
    page = asked(world, language=language)
    assert thanks in answered(page, "vitamin_d", "2")
    with world.store.reading() as unit:
        (reply,) = unit.inbox.replies(world.clinic.id, mrn="P1")
    assert (reply.sender, reply.body, reply.meaning, reply.answer) == ("page", "2", "answer", "booked")
    assert str(world.enrolment("vitamin_d").timer_on) == "2026-03-17"
    world.run_until(new_york(3, 3, 13))
    assert [row.template for row in world.ledger() if row.kind == "reply"] == ["thanks_booked"]


def test_the_page_asks_whether_an_answer_is_meant_before_it_counts(world: World) -> None:
    page = asked(world)
    shown = page.text("/answer?about=vitamin_d&answer=3")
    assert "Is this your answer?" in shown
    assert "Not yet" in shown
    with world.store.reading() as unit:
        assert unit.inbox.replies(world.clinic.id, mrn="P1") == []


def test_a_second_press_of_one_button_changes_nothing(world: World) -> None:
    page = asked(world)
    fields = page.hidden("/answer?about=vitamin_d&answer=2")
    first = page.client.post(f"{page.path}/answer", data=fields)
    second = page.client.post(f"{page.path}/answer", data=fields)
    assert (first.status_code, second.status_code) == (303, 303)
    with world.store.reading() as unit:
        assert len(unit.inbox.replies(world.clinic.id, mrn="P1")) == 1
    world.run_until(new_york(3, 3, 13))
    assert len([row for row in world.ledger() if row.kind == "reply"]) == 1
    assert world.tasks() == []


def test_an_answer_to_a_question_that_is_no_longer_open_is_not_taken(world: World) -> None:
    page = asked(world)
    fields = page.hidden("/answer?about=vitamin_d&answer=2")
    world.receive("P1", "1")
    answer = page.client.post(f"{page.path}/answer", data=fields)
    assert "answered already" in page.said(answer)
    assert world.enrolment("vitamin_d").step == "awaiting_result"


def test_of_two_open_questions_the_one_on_the_screen_is_answered(world: World) -> None:
    world.enrol_sms("P1", birth_date=BORN, pathways="vitamin_d;dexa")
    world.run_until(new_york(3, 6, 12))
    page = opened(world)
    answered(page, "vitamin_d", "2")
    assert str(world.enrolment("vitamin_d").timer_on) == "2026-03-20"
    assert world.enrolment("dexa").step == "ask"
    answered(page, "dexa", "4")
    assert world.enrolment("dexa").step == "declined"


def test_a_nudge_is_answered_with_one_button_and_asked_no_more_that_day(world: World) -> None:
    world.enrol_sms("P1", birth_date=BORN, pathways="exercise")
    world.run_until(new_york(3, 3, 12))
    page = opened(world)
    assert "I have done it" in page.text()
    answered(page, "exercise", "DONE")
    assert world.enrolment("exercise").done_on == date(2026, 3, 3)
    assert "I have done it" not in page.text()


def test_a_supplement_is_named_in_words_that_are_shown_once_more(world: World) -> None:
    world.enrol_sms("P1", birth_date=BORN, pathways="supplement")
    world.run_until(new_york(3, 7, 12))
    page = opened(world)
    answered(page, "supplement", "1")
    assert "Write an answer" in page.text()
    look = "/answer?about=supplement"
    shown = page.post("/answer", {"words": "magnesium"}, form=look)
    assert shown.status_code == 200
    assert "Is this your answer?" in shown.text
    with world.store.reading() as unit:
        assert unit.worklist.clearances(world.clinic.id) == []
    page.said(page.post("/answer", {"words": "magnesium", "sure": "yes"}, form=look))
    with world.store.reading() as unit:
        (case,) = unit.worklist.clearances(world.clinic.id)
    assert case.named == "magnesium"


@pytest.mark.parametrize("words", ["", "x" * 501])
def test_no_words_and_too_many_are_refused_beside_the_field(world: World, words: str) -> None:
    world.enrol_sms("P1", birth_date=BORN, pathways="supplement")
    world.run_until(new_york(3, 7, 12))
    page = opened(world)
    answered(page, "supplement", "1")
    answer = page.post("/answer", {"words": words, "sure": "yes"}, form="/answer?about=supplement")
    assert answer.status_code == 422
    assert 'id="fault"' in answer.text
    assert 'href="#words"' in answer.text


@pytest.mark.parametrize("words", HOSTILE, ids=["script", "template", "sql", "right to left", "emoji"])
def test_hostile_words_are_kept_as_typed_and_do_nothing(world: World, words: str) -> None:
    world.enrol_sms("P1", birth_date=BORN, pathways="supplement")
    world.run_until(new_york(3, 7, 12))
    page = opened(world)
    answered(page, "supplement", "1")
    words = words[:500]
    look = "/answer?about=supplement"
    shown = page.post("/answer", {"words": words}, form=look)
    assert "<script>alert" not in shown.text
    assert page.post("/answer", {"words": words, "sure": "yes"}, form=look).status_code == 303
    with world.store.reading() as unit:
        assert unit.inbox.replies(world.clinic.id, mrn="P1")[-1].body == words


@pytest.mark.parametrize("value", [*HOSTILE, "x" * 30_000], ids=["script", "template", "sql", "rtl", "emoji", "long"])
def test_hostile_values_in_every_field_change_nothing_and_are_no_fault(world: World, value: str) -> None:
    page = asked(world)
    before = world.patient()
    for part, field in (
        ("/time", "at"),
        ("/days", "day"),
        ("/language", "language"),
        ("/channel", "channel"),
        ("/wording", "wording"),
        ("/pause", "span"),
        ("/stop", "what"),
    ):
        answer = page.post(part, {field: value})
        assert answer.status_code == 422, part
        assert "<script>alert" not in answer.text
    for field in ("about", "step", "cycle", "answer"):
        assert page.post("/answer", {field: value}, form="/answer?about=vitamin_d&answer=1").status_code in (303, 422)
    assert page.client.get(f"{page.path}?done={value[:16]}").status_code == 200
    assert world.patient() == before


def test_more_than_a_form_can_hold_is_refused(world: World) -> None:
    page = asked(world)
    assert page.client.post(f"{page.path}/pause", data={"span": "x" * 1_000_000}).status_code == 413


def test_words_of_danger_show_what_to_do_and_reach_a_person(world: World) -> None:
    world.enrol_sms("P1", birth_date=BORN, pathways="supplement")
    world.run_until(new_york(3, 7, 12))
    page = opened(world)
    answered(page, "supplement", "1")
    look = "/answer?about=supplement"
    answer = page.post("/answer", {"words": "I fell and cannot get up", "sure": "yes"}, form=look)
    assert answer.status_code == 200
    assert "call your local emergency number now" in answer.text
    assert "safety" in world.open_tasks("P1")


# Wishes


@pytest.mark.parametrize(("language", "done"), [("en", "at the new time"), ("es", "a la nueva hora")])
def test_another_time(world: World, language: str, done: str) -> None:
    page = asked(world, language=language)
    assert done in page.said(page.post("/time", {"at": "16:30"}))
    assert world.patient().contact_time == time(16, 30)
    world.run_until(new_york(3, 4, 20))
    assert [row.sent_at for row in world.ledger()][-1] == new_york(3, 4, 16, 30)


@pytest.mark.parametrize("at", ["08:30", "20:00", "09:17", "noon", ""])
def test_a_time_at_which_the_clinic_does_not_write_is_refused(world: World, at: str) -> None:
    page = asked(world)
    answer = page.post("/time", {"at": at})
    assert answer.status_code == 422
    assert "one of the times in the list" in answer.text
    assert world.patient().contact_time is None


@pytest.mark.parametrize(("language", "done"), [("en", "on the new days"), ("es", "en los nuevos días")])
def test_other_days(world: World, language: str, done: str) -> None:
    page = asked(world, language=language)
    chosen = {**page.hidden("/days"), "day": ["mon", "thu"]}
    assert done in page.said(page.client.post(f"{page.path}/days", data=chosen))
    assert world.patient().exercise_days == {Weekday.MON, Weekday.THU}
    world.run_until(new_york(3, 10, 12))
    days = [row.due_date.weekday() for row in world.ledger() if row.pathway == "exercise" and row.sent_at]
    assert set(days) <= {0, 3}
    none = page.client.post(f"{page.path}/days", data={"form_token": chosen["form_token"]})
    assert (none.status_code, "at least one day" in none.text or "al menos un día" in none.text) == (422, True)


def test_another_language_is_that_of_the_messages_and_of_the_page(world: World) -> None:
    page = asked(world)
    assert "Sus mensajes vendrán en este idioma" in page.said(page.post("/language", {"language": "es"}))
    assert world.patient().language == "es"
    world.run_until(new_york(3, 4, 12))
    assert "Mande STOP" in (world.ledger()[-1].body or "") or "HECHO" in (world.ledger()[-1].body or "")
    assert page.post("/language", {"language": "fr"}).status_code == 422


def test_the_same_language_keeps_its_region(world: World) -> None:
    page = asked(world, language="es-MX")
    page.said(page.post("/language", {"language": "es"}))
    assert world.patient().language == "es-MX"


@pytest.mark.parametrize(
    ("language", "words"), [("en", "en: I agree to get e-mails"), ("es", "es: Acepto recibir correos")]
)
def test_another_way_needs_agreement_to_words_that_go_on_record(world: World, language: str, words: str) -> None:
    page = asked(world, email="ruth@patients.example", language=language)
    refused = page.post("/channel", {"channel": "email"})
    assert refused.status_code == 422
    assert world.patient().channel is Channel.SMS
    page.said(page.post("/channel", {"channel": "email", "agree_email": "yes"}))
    patient = world.patient()
    assert (patient.channel, patient.email_consent, patient.sms_consent) == (Channel.EMAIL, True, True)
    with world.store.reading() as unit:
        given = unit.patients.consent_history(world.clinic.id, patient.id)[-1]
    assert (given.channel, given.source, given.recorded_by) == (Channel.EMAIL, ConsentSource.PAGE, "patient")
    assert (given.wording or "").startswith(words)
    page.said(page.post("/channel", {"channel": "sms"}))
    assert world.patient().channel is Channel.SMS


def test_a_way_without_a_number_or_address_is_not_offered(world: World) -> None:
    page = asked(world)
    assert "By e-mail" not in page.text("/channel")
    assert page.post("/channel", {"channel": "email", "agree_email": "yes"}).status_code == 422


@pytest.mark.parametrize(
    ("span", "until"),
    [("week", "2026-03-10"), ("fortnight", "2026-03-17"), ("month", "2026-04-03"), ("open", "None")],
)
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_pause_holds_everything_until_it_ends_or_is_lifted(
    world: World, span: str, until: str, language: str
) -> None:
    page = asked(world, language=language)
    said = page.said(page.post("/pause", {"span": span}))
    assert "paused" in said or "en pausa" in said
    assert (world.patient().status, str(world.patient().paused_until)) == (PatientStatus.PAUSED, until)
    assert f"{page.path}/resume" in page.text("/pause")
    page.said(page.post("/resume", {}, form="/pause"))
    assert world.patient().status is PatientStatus.ACTIVE
    page.said(page.post("/resume", {}, form="/time"))


@pytest.mark.parametrize("words", ["RESUME", "seguir", "START"])
def test_a_pause_from_the_page_is_lifted_by_a_text_too(world: World, words: str) -> None:
    page = asked(world)
    page.post("/pause", {"span": "open"})
    world.receive("P1", words)
    world.run_until(new_york(3, 4, 12))
    assert (world.patient().status, world.open_tasks("P1")) == (PatientStatus.ACTIVE, set())
    sent = [row.template for row in world.ledger() if row.sent_at and row.sent_at >= new_york(3, 3, 12)]
    assert (sent[0], len(sent) > 1) == ("started", True)
    with world.store.reading() as unit:
        entries = unit.installation.audit_entries(world.clinic.id)
        assert unit.pages.gate(world.clinic.id, world.patient().id).paused_on is None
    assert ("patient", "pause lifted") in [(one[1], one[4]) for one in entries]


@pytest.mark.parametrize("words", ["RESUME", "seguir", "START"])
def test_a_pause_of_the_clinic_is_not_lifted_by_a_text_and_nobody_says_so(world: World, words: str) -> None:
    page = asked(world)
    page.post("/pause", {"span": "open"})
    care.pause(world.store, world.rules, deciding(world), until=None)
    world.receive("P1", words)
    world.run_until(new_york(3, 9, 12))
    assert world.patient().status is PatientStatus.PAUSED
    sent = [row.template for row in world.ledger() if row.sent_at and row.sent_at >= new_york(3, 3, 12)]
    assert sent == ["referral"]
    assert [task.note for task in world.tasks("P1") if task.status == "open"] == [words]


def test_a_pause_of_the_clinic_is_not_the_patients_to_lift(world: World) -> None:
    page = asked(world)
    page.post("/pause", {"span": "open"})
    care.pause(world.store, world.rules, deciding(world), until=None)
    assert "Your clinic has paused your reminders" in page.text("/pause")
    assert page.post("/resume", {}, form="/time").status_code == 422
    assert page.post("/pause", {"span": "week"}, form="/time").status_code == 422
    assert world.patient().status is PatientStatus.PAUSED
    care.resume(world.store, world.rules, deciding(world))
    care.pause(world.store, world.rules, deciding(world), until=None)
    assert page.post("/resume", {}, form="/time").status_code == 422


def test_what_a_pause_by_text_holds_goes_on_from_the_page(world: World) -> None:
    page = asked(world)
    world.receive("P1", "PAUSE")
    assert "paused until you start them again" in page.text()
    page.said(page.post("/go-on", {}, form=""))
    assert not world.enrolment("exercise").is_paused
    assert "paused until you start them again" not in page.text()


@pytest.mark.parametrize(("language", "done"), [("en", "only that there is one"), ("es", "solo que hay uno")])
def test_discreet_wording_is_chosen_and_taken_back(world: World, language: str, done: str) -> None:
    page = asked(world, language=language)
    assert done in page.said(page.post("/wording", {"wording": "discreet"}))
    assert world.patient().is_discreet
    page.said(page.post("/wording", {"wording": "in_full"}))
    assert not world.patient().is_discreet


# Stopping


@pytest.mark.parametrize(
    ("language", "ended"), [("en", "Your messages have ended"), ("es", "Sus mensajes han terminado")]
)
def test_stopping_is_a_stop_with_its_one_confirmation(world: World, language: str, ended: str) -> None:
    page = asked(world, language=language)
    before = len(world.ledger())
    assert ended in page.said(page.post("/stop", {}))
    patient = world.patient()
    assert (patient.status, patient.sms_consent) == (PatientStatus.STOPPED, False)
    world.run_until(new_york(3, 20, 12))
    assert [row.template for row in world.ledger()[before:] if row.sent_at] == ["stopped"]
    with world.store.reading() as unit:
        last = unit.patients.consent_history(world.clinic.id, patient.id)[-1]
    assert (last.granted, last.source) == (False, ConsentSource.PAGE)
    assert page.client.post(f"{page.path}/stop", data={}).status_code in (303, 403)


def test_stopping_on_the_page_stops_nobody_else_who_has_the_number(world: World) -> None:
    world.enrol_sms("P2", phone="+16175550199", birth_date="1950-01-01")
    world.enrol_sms("P1", phone="+16175550199", birth_date=BORN)
    page = opened(world)
    page.post("/stop", {})
    assert world.patient("P1").status is PatientStatus.STOPPED
    assert world.patient("P2").status is PatientStatus.ACTIVE


def test_where_the_clinic_lets_one_topic_end_alone_the_page_offers_it(world: World) -> None:
    page = asked(world)
    assert "What should stop?" not in page.text("/stop")
    world.change_clinic(world.clinic, stop_scope=StopScope.TOPIC.value)
    shown = page.text("/stop")
    assert "Only: Daily movement" in shown
    assert "no more messages about this" in page.said(page.post("/stop", {"what": "exercise"}))
    assert world.enrolment("exercise").is_stopped
    assert not world.enrolment("vitamin_d").is_stopped
    assert world.patient().status is PatientStatus.ACTIVE


def test_every_choice_is_on_record_as_the_patients(world: World) -> None:
    page = asked(world)
    page.post("/time", {"at": "16:30"})
    page.post("/wording", {"wording": "discreet"})
    page.post("/pause", {"span": "week"})
    page.post("/resume", {}, form="/pause")
    with world.store.reading() as unit:
        entries = unit.installation.audit_entries(world.clinic.id)
    said = [(one[2], one[4]) for one in entries if one[1] == "patient"]
    assert ("page opened", "") in said
    assert ("reminders changed", "contact time 16:30") in said
    assert ("wording changed", "discreet") in said
    assert ("reminders changed", "pause lifted") in said


def test_a_patient_whose_number_is_wrong_sees_that_nothing_can_come(world: World) -> None:
    page = asked(world)
    world.store_patient(replace(world.patient(), phone_bad=True))
    assert "cannot write to you now" in page.text()
    assert "no number or address for you that works" in page.text("/channel")
