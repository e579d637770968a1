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
from scheduler.services.patient_page.words import Words, read_mail
from scheduler.settings import load_settings
from tests.support.template_trees import CONFIG_DIR

ROOT = Path(CONFIG_DIR).parent
MAIL = {"en": "e-mail", "es": "correo"}


def uses() -> list[tuple[str, str, frozenset[str]]]:
    rules = App(load_settings({})).rules
    return [
        (use.pathway, use.name, frozenset[str]().union(*(one.digits for one in use.questions)))
        for use in message_uses(rules.pathways)
        if not use.is_service
    ]


def read(pathway: str, message: str, language: str) -> Words:
    library = TemplateLibrary(ROOT / "templates")
    return read_mail(library.email(pathway, message, (language,), TYPICAL).text, mail=MAIL[language])


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
        assert read_mail(text, mail="e-mail").paragraphs == ()


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
