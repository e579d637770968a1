"""What the first screen asks: each question whole, at every step of every pathway; nothing that is paused or over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import pytest

from scheduler.catalogue.message_uses import message_uses
from scheduler.catalogue.samples import TYPICAL
from scheduler.catalogue.templates import TemplateLibrary
from scheduler.domain.messages import MessageKind
from scheduler.domain.pathway import Step
from scheduler.domain.people import Channel
from scheduler.ports.patient_pages import PageMessage
from scheduler.services import care
from scheduler.services.care_plan import put_on, take_off
from scheduler.store.patient_pages import PatientPages
from tests.support.own_page import BORN, OwnPage, deciding, opened, speech_in
from tests.support.template_trees import CONFIG_DIR
from tests.support.web import words_of
from tests.support.worlds import MONDAY, World, days_later, new_york, world_at

ALL = "vitamin_d;dexa;supplement;exercise;falls;nutrition"
TODAY = {"en": "today", "es": "hoy"}
BUTTON = {"en": "press the button below", "es": "pulse el botón de abajo"}
HERE = {"en": "reply here with", "es": "responda aquí con"}
DONE_WORD = {"en": "DONE", "es": "HECHO"}
DONE = {"en": ("I have done it", "Yes, please"), "es": ("Ya lo hice", "Sí, por favor")}
WRITE = {"en": "Write an answer", "es": "Escribir una respuesta"}
START = {"en": "Start my activities again", "es": "Activar otra vez mis actividades"}
BY_CLINIC = {"en": "Your clinic has paused your activities", "es": "Su clínica ha puesto sus actividades en pausa"}
languages = pytest.mark.parametrize("language", ["en", "es"])


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


def moving(world: World, language: str, **cells: str) -> OwnPage:
    """A patient who has had a nudge today, at their page."""
    world.enrol_sms("P1", birth_date=BORN, pathways="exercise", language=language, **cells)
    world.run_until(new_york(3, 3, 12))
    return opened(world)


def writes(world: World, text: str) -> None:
    world.receive("P1", text)
    world.tick()


def main(page: OwnPage) -> str:
    """What stands in the middle of the first screen, without marks."""
    found = re.search(r"<main.*?</main>", page.text(), re.DOTALL)
    assert found
    return words_of(found[0])


# Every question


def asking(world: World) -> list[tuple[str, Step, str]]:
    """Every shipped step that takes an answer, with each message that may put its question."""
    uses, found = message_uses(world.rules.pathways), []
    for pathway in world.rules.pathways.values():
        for step in pathway.steps.values():
            if not (step.answers or step.free_text):
                continue
            digits = frozenset(answer.digit for answer in step.answers if answer.digit)
            own = {step.send, step.first, step.on_sunday, *(silence.send for silence in step.silence)}
            into = {
                answer.action.say
                for other in pathway.steps.values()
                for answer in other.answers
                if answer.action.target == step.name and step.send is None and not answer.action.task
            }
            same = {
                use.name
                for use in uses
                if use.pathway == pathway.name and any(digits and one.digits == digits for one in use.questions)
            }
            names = same if digits else (own | into) - {None}
            assert names, f"nothing asks {pathway.name}.{step.name}"
            found += [(pathway.name, step, name) for name in sorted(name for name in names if name)]
    return found


def asked_by(pathway: str, message: str, language: str) -> list[str]:
    """The sentences of a mail that ask something, without those that lead to the numbers."""
    library = TemplateLibrary(Path(CONFIG_DIR).parent / "templates")
    values = replace(TYPICAL, first_name="", activity="Walk. Rest.")
    paragraphs = library.email(pathway, message, (language,), values).text.strip().split("\n\n")[2:-2]
    sentences = [
        " ".join(one.split())
        for paragraph in paragraphs
        for one in re.split(r"(?<=[.?!:])\s+", re.sub(r"(?m)^\d:.*$", "", paragraph))
    ]
    mail = speech_in(language).mail
    return [one for one in sentences if "?" in one or (mail in one.lower() and not one.endswith(":"))]


@languages
def test_at_every_step_what_is_asked_stands_on_the_page_and_can_be_answered(
    world: World, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    world.enrol_sms("P1", birth_date=BORN, pathways=ALL, language=language)
    world.clock.at = new_york(3, 3, 12)
    page, patient, spoken = opened(world), world.patient(), speech_in(language)
    with world.store.reading() as unit:
        enrolments = unit.patients.enrolments([patient.id])[patient.id]
    seen = 0
    for pathway, step, name in asking(world):
        message = PageMessage(
            pathway=pathway,
            step=step.name,
            template=name,
            turn=0,
            count=2,
            kind=MessageKind.REMINDER if step.send or step.silence else MessageKind.REPLY,
            channel=Channel.SMS,
            at=world.clock.at,
        )
        monkeypatch.setattr(PatientPages, "messages", lambda *_, _one=message, **__: [_one])
        states = [
            (world.clinic.id, one.id, replace(one.state, step=step.name, fired=1, is_stopped=False))
            if one.state.pathway == pathway
            else (world.clinic.id, one.id, replace(one.state, is_stopped=True))
            for one in enrolments
        ]
        with world.store.writing() as unit:
            unit.patients.update_enrolments(states)
        shown, where = main(page), f"{pathway}.{step.name}: {name}: {language}"
        for sentence in asked_by(pathway, name, language):
            if spoken.mail not in sentence.lower():
                assert sentence in shown, (where, sentence)
            elif step.free_text:
                assert HERE[language] in shown.lower(), (where, sentence)
            elif DONE_WORD[language] in sentence:
                assert BUTTON[language] in shown.lower(), (where, sentence)
            else:
                assert spoken.elsewhere in shown, (where, sentence)
        if step.free_text:
            assert WRITE[language] in shown, where
        for answer in step.answers:
            if answer.digit:
                assert f"about={pathway}&amp;answer={answer.digit}" in page.get().text, where
            elif answer.name == "done" and name != "hello":
                assert any(label in shown for label in DONE[language]), where
        seen += 1
    assert seen >= 20


@languages
def test_the_name_of_a_supplement_is_asked_for(world: World, language: str) -> None:
    world.enrol_sms("P1", birth_date=BORN, pathways="supplement", language=language)
    world.run_until(new_york(3, 7, 12))
    writes(world, "1")
    page = opened(world)
    assert HERE[language] in main(page)
    assert HERE[language] in page.text("/answer?about=supplement")


@languages
def test_who_is_asked_once_a_week_reads_how_to_be_asked_each_day_again(world: World, language: str) -> None:
    world.enrol_sms("P1", birth_date=BORN, pathways="exercise", language=language)
    while world.enrolment("exercise").step != "weekly" or world.enrolment("exercise").fired == 0:
        world.run_until(days_later(world.clock.at, 1))
    page = opened(world)
    for day in range(3):  # also days after
        world.clock.at = days_later(world.clock.at, day)
        assert BUTTON[language] in main(page).lower()
        assert DONE[language][1] in main(page)
    page.said(page.post("/answer", {}, form="/answer?about=exercise&answer=DONE"))
    assert world.enrolment("exercise").step == "daily"


# What is over


@languages
def test_an_activity_of_another_day_is_not_offered_as_that_of_today(world: World, language: str) -> None:
    page = moving(world, language, exercise_days="tue")
    assert TODAY[language] in main(page).lower()
    world.run_until(new_york(3, 5, 12))
    shown = main(page)
    assert TODAY[language] not in shown.lower()
    assert {"en": "came on Tuesday, March 3", "es": "llegó el martes 3 de marzo"}[language] in shown
    assert DONE[language][0] in shown
    page.said(page.post("/answer", {}, form="/answer?about=exercise&answer=DONE"))
    assert world.enrolment("exercise").done_on == date(2026, 3, 5)
    assert TODAY[language] not in main(page).lower()


# What is paused


@languages
@pytest.mark.parametrize("days", [0, 5, 21])
def test_after_a_fall_no_activity_is_offered_and_starting_again_is_no_large_button(
    world: World, language: str, days: int
) -> None:
    page = moving(world, language)
    writes(world, {"en": "I fell", "es": "me caí"}[language])
    world.run_until(world.clock.at + timedelta(days=days, hours=1))
    shown = main(page)
    assert TODAY[language] not in shown.lower()
    assert DONE[language][0] not in shown
    assert {"en": "Your clinic has been told", "es": "Su clínica está avisada"}[language] in shown
    assert START[language] in shown
    assert "<button" not in page.text().partition("<main")[2].partition("</main>")[0]
    assert world.enrolment("exercise").is_paused
    assert {"en": "ask your clinic first", "es": "pregunte antes"}[language] in page.text("/go-on")
    page.said(page.post("/go-on", {}, form="/go-on"))
    assert not world.enrolment("exercise").is_paused


@languages
@pytest.mark.parametrize("words", ["pause", "pause 2 weeks"])
def test_ones_own_pause_is_lifted_with_a_button(world: World, language: str, words: str) -> None:
    page = moving(world, language)
    writes(world, {"en": words, "es": words.replace("pause", "pausa").replace("weeks", "semanas")}[language])
    shown = main(page)
    assert TODAY[language] not in shown.lower()
    assert START[language] in shown
    assert ("17" in shown) == (words != "pause")
    page.said(page.post("/go-on", {}, form=""))
    assert not world.enrolment("exercise").is_paused


@languages
@pytest.mark.parametrize("falls", [False, True])
def test_what_the_clinic_holds_is_the_clinics_to_free(world: World, language: str, falls: bool) -> None:
    page = moving(world, language)
    take_off(world.store, world.rules, deciding(world), "exercise")
    world.clock.at += timedelta(minutes=5)
    if falls:
        writes(world, {"en": "I fell", "es": "me caí"}[language])
    shown = main(page)
    assert BY_CLINIC[language] in shown
    assert TODAY[language] not in shown.lower()
    assert START[language] not in shown
    assert page.get("/go-on").status_code == 303
    assert BY_CLINIC[language] in page.said(page.post("/go-on", {}, form=""))
    assert world.enrolment("exercise").is_paused
    put_on(world.store, world.rules, deciding(world), "exercise")
    assert BY_CLINIC[language] not in main(page)


def test_after_the_clinic_frees_it_a_pause_is_the_patients_again(world: World) -> None:
    page = moving(world, "en")
    take_off(world.store, world.rules, deciding(world), "exercise")
    world.clock.at += timedelta(minutes=5)
    put_on(world.store, world.rules, deciding(world), "exercise")
    world.clock.at += timedelta(minutes=5)
    writes(world, "pause")
    assert START["en"] in main(page)


def test_a_pause_after_a_fall_stays_one_after_a_fall(world: World) -> None:
    page = moving(world, "en")
    writes(world, "I fell")
    world.clock.at += timedelta(minutes=5)
    writes(world, "pause 2 weeks")
    assert "Your clinic has been told" in main(page)
    world.run_until(new_york(3, 18, 12))
    assert TODAY["en"] in main(page)
    writes(world, "pause")
    assert "Your clinic has been told" not in main(page)
    assert "paused until you start them again" in main(page)


def test_who_was_taken_off_among_many_is_held_by_the_clinic(world: World) -> None:
    page = moving(world, "en")
    patient = world.patient()
    for what in ("taken off exercise", "taken off exercise, with 3 others"):
        with world.store.writing() as unit:
            (state,) = unit.patients.enrolments([patient.id])[patient.id]
            unit.patients.update_enrolments([(world.clinic.id, state.id, replace(state.state, is_paused=True))])
            entry = (world.clinic.id, "reminders changed", patient.id, what)
            unit.installation.audit([entry], actor="nora@harbor.example", now=world.clock.at)
        assert BY_CLINIC["en"] in main(page)
        world.clock.at += timedelta(minutes=5)
        writes(world, "pause")
        assert BY_CLINIC["en"] in main(page)


@languages
def test_while_everything_is_paused_no_activity_is_offered(world: World, language: str) -> None:
    page = moving(world, language)
    again = {"en": "Start reminders again", "es": "Activar los avisos otra vez"}[language]
    page.said(page.post("/pause", {"span": "week"}))
    assert TODAY[language] not in main(page).lower()
    assert main(page).count(again) == 2
    care.pause(world.store, world.rules, deciding(world), until=None)
    shown = main(page)
    assert {"en": "Call the clinic if they should go on", "es": "Llame a la clínica si quiere que sigan"}[
        language
    ] in shown
    assert TODAY[language] not in shown.lower()
    assert again not in shown
    assert again not in page.text("/pause")


# The number to call


@languages
@pytest.mark.parametrize(
    ("phone", "number"),
    [("617-555-0101", "+16175550101"), ("+34 912 34 56 78", "+34912345678"), ("617-555-0101 ext. 4", "")],
)
def test_the_clinics_number_is_a_link_wherever_it_stands(
    world: World, language: str, phone: str, number: str
) -> None:
    world.change_clinic(world.clinic, phone=phone)
    world.enrol_sms("P1", birth_date=BORN, pathways="supplement", language=language)
    world.run_until(new_york(3, 7, 12))
    page = opened(world)
    link = f'<a class="call" href="tel:{number}">{phone}</a>' if number else f'<span class="call">{phone}</span>'
    for part in ("", "/why", "/pause", "/time"):
        shown = page.text(part)
        assert link in shown
        assert shown.count(phone) == shown.count(link)
    writes(world, "1")
    answer = page.post("/answer", {"words": "I fell", "sure": "yes"}, form="/answer?about=supplement")
    assert unescape(answer.text).count(link) == 2
