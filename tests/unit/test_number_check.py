"""Asking whether a number may be texted: when, how often, and what counts as yes."""

from __future__ import annotations

from datetime import time

import pytest

from scheduler.domain.asking import ask_if_due, next_ask
from scheduler.domain.contact import PlannedMessage, TaskOpened
from scheduler.domain.messages import MessageKind, SkipReason
from scheduler.domain.number_check import UNASKED, NumberCheck, Ways
from scheduler.domain.people import Channel, Reach
from scheduler.domain.planning import plan
from scheduler.domain.replies.agreement import agrees
from scheduler.domain.second_try import second_try
from scheduler.domain.sending import Go, Pending, Skip, Wait, last_look
from tests.support.domain_factories import at, contact, day, enrolled, reply_words, shipped

NOBODY = Reach(sms=False, email=False)
ASKED = NumberCheck(1, day(1))
QUESTION = Pending(
    kind=MessageKind.NOTICE,
    channel=Channel.SMS,
    pathway="service",
    template="confirm_number",
    due_date=day(1),
    send_until=at(1, time(20)),
)


def ways(**changes: bool) -> Ways:
    usual = {"has_phone": True, "sms_consent": True, "is_confirmed": False, "confirms_numbers": True}
    return Ways(has_email=False, email_consent=False, check=UNASKED, **{**usual, **changes})


def test_an_unconfirmed_number_is_out_of_reach_and_to_be_asked_about() -> None:
    assert ways().reach() == (NOBODY, UNASKED)


@pytest.mark.parametrize(
    ("changes", "sms"),
    [
        ({"confirms_numbers": False}, True),
        ({"is_confirmed": True}, True),
        ({"sms_consent": False}, False),
        ({"has_phone": False}, False),
    ],
)
def test_nothing_is_asked_where_there_is_no_need_or_no_way(changes: dict[str, bool], sms: bool) -> None:
    assert ways(**changes).reach() == (Reach(sms=sms, email=False), None)


@pytest.mark.parametrize(
    ("check", "number", "wall", "due"),
    [
        (UNASKED, 0, time(8), at(0)),
        (UNASKED, 0, time(9, 30), at(0)),
        (UNASKED, 0, time(15), at(1)),
        (ASKED, 2, time(15), at(4)),
        (ASKED, 4, time(15), at(4)),  # due, and the day is not over
        (ASKED, 4, time(21), at(5)),
        (ASKED, 9, time(8), at(9)),
        (NumberCheck(2, day(4)), 5, time(8), at(8)),
    ],
)
def test_the_next_text_is_due_at_the_contact_time(check: NumberCheck, number: int, wall: time, due: object) -> None:
    assert next_ask(contact(reach=NOBODY, check=check), at(number, wall)) == due


def test_what_has_been_given_to_a_person_is_not_asked_again() -> None:
    given_up = contact(reach=NOBODY, check=NumberCheck(3, day(8)))
    assert next_ask(given_up, at(20)) is None
    assert ask_if_due(given_up, at(20)) == (given_up, None)


def test_two_texts_and_then_a_task() -> None:
    person, found = contact(reach=NOBODY, check=UNASKED), []
    for number in range(30):
        person, asked = ask_if_due(person, at(number))
        found.append((number, asked)) if asked is not None else None
    assert [(number, type(asked)) for number, asked in found] == [
        (0, PlannedMessage),
        (3, PlannedMessage),
        (7, TaskOpened),
    ]


@pytest.mark.parametrize("wall", [time(9), time(20), time(23)])
def test_nothing_is_asked_before_the_contact_time_or_after_the_window(wall: time) -> None:
    person = contact(reach=NOBODY, check=UNASKED)
    assert ask_if_due(person, at(0, wall)) == (person, None)


def test_reminders_wait_and_say_why() -> None:
    change = plan(contact(reach=NOBODY, check=UNASKED), [enrolled("vitamin_d")], shipped(), at(1))
    assert [message.template for message in change.messages] == ["confirm_number"]
    assert [one.reason for one in change.skipped] == [SkipReason.UNCONFIRMED]
    assert change.next_contact_at == at(4)


def test_the_question_goes_to_the_number_that_was_to_be_asked_about_alone() -> None:
    assert last_look(QUESTION, contact(reach=NOBODY, check=ASKED), at(1)) == Go()
    for other in (UNASKED, None, NumberCheck(3, day(8))):
        assert last_look(QUESTION, contact(reach=NOBODY, check=other), at(1)) == Skip(SkipReason.SUPERSEDED)


def test_the_question_never_goes_by_mail() -> None:
    mailed = contact(reach=Reach(sms=False, email=True), check=ASKED)
    assert last_look(QUESTION, mailed, at(1)) == Go()
    assert second_try(QUESTION, mailed, at(1)) is None


def test_the_question_waits_for_the_window() -> None:
    assert isinstance(last_look(QUESTION, contact(reach=NOBODY, check=ASKED), at(1, time(21))), Wait)


YES = (
    "1",
    "1.",
    "#1",
    "one",
    "OK",
    "ok!",
    "okay thanks",
    "sure",
    "yep",
    "yes 1",
    "sí",
    "Si",
    "claro",
    "vale gracias",
)
NOT_YET = (
    *("2", "11", "no", "1?", "not ok", "DONE", "1 and done", "thanks", "who is this", "maybe 1", "", "👍"),
    *("STOP", "ok stop", "WRONG", "1 wrong number", "I fell", 'Liked "reply 1"', "1 of my pills", "PAUSE"),
)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("text", YES)
def test_plain_words_agree_in_any_language(text: str, language: str) -> None:
    assert agrees(text, reply_words(), languages=(language, "en"))


@pytest.mark.parametrize("text", NOT_YET)
def test_nothing_else_agrees(text: str) -> None:
    assert not agrees(text, reply_words(), languages=("en",))
