"""Every question that is shipped can be read and answered on the patient's page, in every language."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from scheduler.bootstrap import App
from scheduler.catalogue.message_uses import message_uses
from scheduler.catalogue.samples import TYPICAL
from scheduler.catalogue.templates import TemplateLibrary
from scheduler.domain.patient_page import locked_for, year_of
from scheduler.services.patient_page.words import Takes, Words, read_mail
from scheduler.settings import load_settings
from tests.support.own_page import speech_in
from tests.support.template_trees import CONFIG_DIR

ROOT = Path(CONFIG_DIR).parent
MAIL = {"en": "e-mail", "es": "correo"}
SPEECH = {language: speech_in(language) for language in MAIL}


def uses() -> list[tuple[str, str, frozenset[str]]]:
    rules = App(load_settings({})).rules
    return [
        (use.pathway, use.name, frozenset[str]().union(*(one.digits for one in use.questions)))
        for use in message_uses(rules.pathways)
        if not use.is_service
    ]


def read(pathway: str, message: str, language: str, takes: Takes = Takes.NOTHING) -> Words:
    library = TemplateLibrary(ROOT / "templates")
    return read_mail(library.email(pathway, message, (language,), TYPICAL).text, SPEECH[language], takes=takes)


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_message_has_words_for_the_page_and_every_number_a_name(language: str) -> None:
    for pathway, message, digits in uses():
        words = read(pathway, message, language)
        assert words.paragraphs, f"{pathway}/{message}"
        assert set(words.choices) == digits, f"{pathway}/{message}"
        for paragraph in words.paragraphs:
            assert MAIL[language] not in paragraph.lower(), f"{pathway}/{message}: {paragraph}"
            assert TYPICAL.clinic != paragraph
            assert not paragraph.endswith(":"), f"{pathway}/{message}: {paragraph}"


def test_what_leads_to_the_numbers_goes_and_the_question_stays() -> None:
    words = read("vitamin_d", "ask", "en")
    assert words.choices == {"1": "it is done", "2": "it is booked", "3": "not yet"}
    assert "Have you had it done?" in words.paragraphs


def test_a_mail_of_another_shape_is_no_fault() -> None:
    for text in ("", "one line", "a\n\nb", "1: x", "\n\n\n\n"):
        assert read_mail(text, SPEECH["en"]).paragraphs == ()


@pytest.mark.parametrize(
    ("message", "language", "takes", "said"),
    [
        ("supplement/which", "en", Takes.TEXT, "Please reply here with its name."),
        ("supplement/which", "es", Takes.TEXT, "Por favor, responda aquí con el nombre."),
        ("exercise/activity", "en", Takes.DONE, "When it is done, press the button below."),
        ("exercise/activity", "es", Takes.DONE, "Al terminar, pulse el botón de abajo."),
        ("exercise/stepped_down", "en", Takes.DONE, "each day again? Press the button below on any day."),
        ("exercise/stepped_down", "es", Takes.DONE, "otra vez cada día? Pulse el botón de abajo cuando quiera."),
        ("exercise/week", "en", Takes.DONE, "a break? Reply to one of our messages with the word PAUSE."),
        ("exercise/week", "es", Takes.DONE, "una pausa? Responda a uno de nuestros mensajes con la palabra PAUSA."),
        ("nutrition/idea", "en", Takes.DONE, "To meet a dietitian, reply to one of our messages with the word DIET."),
    ],
)
def test_what_asks_for_a_word_says_how_the_page_takes_it(
    message: str, language: str, takes: Takes, said: str
) -> None:
    pathway, name = message.split("/")
    assert said in " ".join(read(pathway, name, language, takes).paragraphs)


def test_a_way_of_asking_that_is_unknown_is_kept_as_it_is() -> None:
    mail = "Clinic\n\nHello,\n\nAnswer this e-mail by its name.\n\nThank you.\n\nThe end."
    assert read_mail(mail, SPEECH["en"], takes=Takes.TEXT).paragraphs == ("Answer this e-mail by its name.",)


def test_a_lock_grows_from_an_hour_to_a_week() -> None:
    hours = [locked_for(failures).total_seconds() / 3600 for failures in (0, 4, 5, 6, 7, 20)]
    assert hours == [0, 0, 1, 2, 4, 168]


def test_only_a_year_in_which_somebody_alive_was_born_is_one() -> None:
    today = date(2026, 3, 2)
    assert [year_of(typed, today=today) for typed in ("1975", " 19 75 ", "1899", "2027", "٢٠٠٠", "75", "")] == [
        1975,
        1975,
        None,
        None,
        None,
        None,
        None,
    ]
