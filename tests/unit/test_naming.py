"""A topic alone, which says what an earlier answer is for, and the `one` that is no digit."""

from __future__ import annotations

import pytest

from scheduler.domain.replies.interpret import interpret
from scheduler.domain.replies.meaning import Interpretation, Meaning, OpenQuestion
from scheduler.domain.replies.naming import topic_alone
from tests.support.domain_factories import reply_words, shipped

ASKED = ("dexa", "vitamin_d")
QUESTIONS = [OpenQuestion(pathway=name, answers=shipped()[name].steps["ask"].answers) for name in ASKED]
MORE = ["vitamin d or scan", "the scan?", "not the scan", "scan 1", "1", "one", "stop scan", "the scan is booked", ""]
MORE += ["vitamin d: one", "scan, one", "Liked “scan”", "vitamina d uno", "¿huesos?", "no huesos", "the scan, I fell"]


def read(text: str, *languages: str) -> Interpretation:
    return interpret(text, QUESTIONS, reply_words(), languages=languages)


@pytest.mark.parametrize(
    ("language", "text", "topic"),
    [
        ("en", "vitamin d", "vitamin_d"),
        ("en", "Vit D, please", "vitamin_d"),
        ("en", "vitamin d one", "vitamin_d"),
        ("en", "the blood test one", "vitamin_d"),
        ("en", "scan", "dexa"),
        ("en", "the scan one sorry", "dexa"),
        ("en", "Sorry, it was for the scan", "dexa"),
        ("en", "the one about the scan", "dexa"),
        ("es", "vitamina D", "vitamin_d"),
        ("es", "el análisis de sangre, por favor", "vitamin_d"),
        ("es", "lo del análisis, perdón", "vitamin_d"),
        ("es", "huesos", "dexa"),
        ("es", "la de los huesos", "dexa"),
        ("es", "scan", "dexa"),
    ],
)
def test_a_topic_alone_is_named_with_what_people_say_around_it(language: str, text: str, topic: str) -> None:
    assert topic_alone(text, reply_words(), languages=(language, "en")) == topic


@pytest.mark.parametrize("text", MORE)
def test_what_says_more_or_asks_or_denies_is_no_topic_alone(text: str) -> None:
    assert topic_alone(text, reply_words(), languages=("en", "es")) is None


@pytest.mark.parametrize("text", ["the scan one", "vitamin d one", "vitamin d one please", "the one about the scan"])
def test_one_behind_a_topic_or_the_is_no_digit(text: str) -> None:
    assert (read(text, "en").meaning, read(text, "en").answer) == (Meaning.UNCLEAR, None)


@pytest.mark.parametrize(
    ("language", "text", "pathway", "answer"),
    [
        ("en", "vitamin d: one", "vitamin_d", "done"),
        ("en", "one for the scan", "dexa", "talked"),
        ("en", "option one", "dexa", "talked"),
        ("en", "the answer is one", "dexa", "talked"),
        ("en", "vitamin d two", "vitamin_d", "booked"),
        ("en", "the scan one is booked", "dexa", "booked"),
        ("es", "vitamina d uno", "vitamin_d", "done"),
        ("es", "una", "dexa", "talked"),
    ],
)
def test_one_is_a_digit_where_nothing_is_pointed_at(language: str, text: str, pathway: str, answer: str) -> None:
    meaning = read(text, language)
    assert (meaning.pathway, meaning.answer) == (pathway, answer)
