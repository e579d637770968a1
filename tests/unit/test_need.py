"""What a reply says to `Need help now?`: yes, no, a no with more to say, or nothing about it."""

from __future__ import annotations

import pytest

from scheduler.domain.pathway import Action, Answer
from scheduler.domain.replies.meaning import ANY, OpenQuestion
from scheduler.domain.replies.need import Need, read_need
from tests.support.domain_factories import reply_words

SCAN = OpenQuestion(pathway="dexa", answers=(Answer("booked", "2", Action()), Answer("no", "4", Action())))
ANYTHING = OpenQuestion(pathway="exercise", answers=(Answer(ANY, None, Action()),), takes_text=True)


def need(text: str, *questions: OpenQuestion) -> Need | None:
    return read_need(text, questions, reply_words(), languages=("en",))


@pytest.mark.parametrize(
    "text",
    [
        "Yes",
        "YES!!",
        "yes??",
        "yes please",
        "Yes I need help",
        "yes my leg hurts",
        "yeah",
        "Help",
        "help me",
        "I need help",
        "no, help me",
        "Sí",
        "si necesito ayuda",
        "sí, por favor",
        "ayuda",
        "necesito ayuda",
        "no, ayuda",
    ],
)
def test_a_yes_and_a_cry_for_help_want_help(text: str) -> None:
    assert need(text) is Need.HELP
    assert need(text, SCAN, ANYTHING) is Need.HELP
    assert read_need(text, (SCAN,), reply_words(), languages=("es",)) is Need.HELP


@pytest.mark.parametrize(
    "text",
    [
        "No",
        "no I'm ok",
        "No, I'm fine now",
        "nope all good thanks",
        "No thanks",
        "I don't need help",
        "I’m fine",
        "no, ya estoy bien",
        "no gracias",
        "No necesito ayuda",
        "ya estoy bien",
    ],
)
def test_a_plain_no_wants_none(text: str) -> None:
    assert need(text, SCAN, ANYTHING) is Need.NONE


@pytest.mark.parametrize("text", ["no, I'm not ok", "No, the scan is booked", "no 4", "no me siento bien"])
def test_a_no_with_more_to_say_is_in_doubt(text: str) -> None:
    assert need(text, SCAN) is Need.DOUBT


@pytest.mark.parametrize(
    "text",
    [
        "yes, booked",
        "yes 2",
        "2",
        "thanks",
        "ok",
        "who is this?",
        "not yet",
        "yes stop",
        "no more texts",
        "I fell",
        "",
        "Liked “Need help now?”",
        "wrong number",
        "yes start sending the reminders again",
        "sí, hecho",
    ],
)
def test_what_is_about_something_else_or_urgent_by_itself_is_left_alone(text: str) -> None:
    assert need(text, SCAN) is None
