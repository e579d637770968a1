"""What of a text the patient typed, and what a mail program or a phone added."""

from __future__ import annotations

import pytest

from scheduler.domain.replies.text import LONGEST, is_reaction, own_words
from tests.support.reply_tables import WORDS

EVERY = tuple(WORDS.values())


@pytest.mark.parametrize(
    "below",
    [
        "On Mon, Jun 1, 2026 at 9:30 AM Clinic <c@example.org> wrote:\n> STOP",
        "On Mon, Jun 1, 2026 at 9:30 AM\nClinic <c@example.org>\nwrote:\nSTOP",
        "El lun, 1 jun 2026 a las 9:30, Clínica escribió:\n\nSTOP",
        "-- \nJane Roe\nSTOP the war",
        "--\nJane Roe, STOP",
        "-----Original Message-----\nSTOP",
        "________________________________\nSTOP",
        "From: Clinic\nSent: Monday\nSTOP",
        "*De:* Clínica\n*Enviado:* lunes\nSTOP",
        "Sent from my iPhone\nSTOP",
        "Enviado desde mi Samsung STOP",
        "Get Outlook for Android<https://example.org/STOP>",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_quoted_mail_and_signatures_are_cut_off(below: str, end: str) -> None:
    assert own_words(f"2, thanks\n\n{below}".replace("\n", end), EVERY) == "2, thanks"


def test_own_words_between_and_below_quoted_lines_are_kept() -> None:
    text = "On Monday the clinic wrote:\n> Did you book?\n\nbooked\n> Thank you\nfor Friday"
    assert own_words(text, EVERY) == "booked\nfor Friday"


@pytest.mark.parametrize(
    "text",
    [
        "on Friday I wrote: stop texting me",
        "On my way\nwill book it",
        "to: the clinic\nplease call me",
        "2 - booked",
        "first line\nsecond line",
        "--> done",
    ],
)
def test_what_only_looks_like_a_quotation_is_kept(text: str) -> None:
    assert own_words(text, EVERY) == text


def test_a_very_long_text_is_looked_at_up_to_a_limit() -> None:
    assert len(own_words("x" * (LONGEST + 5), EVERY)) == LONGEST


@pytest.mark.parametrize(
    "text",
    [
        "Liked “Reply STOP to stop”",
        'Loved "Reply DONE"',
        "Laughed at “x”",
        "Reacted 😂 to “x”",
        "👍 to “ x ”",
        "Removed a heart from “x”",
        "Le gustó “x”",
        "Reaccionó con 👍 a «x»",
        "Liked “two\nlines”",
        "Liked an image",
    ],
)
def test_a_tap_on_a_message_is_known(text: str) -> None:
    assert is_reaction(text, EVERY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '"',
        'Liked "',
        "Liked it",
        'I said "stop"',
        'Stop "x"',
        "liked " + "x" * 80 + '"',
        '"' * 200,
        "Liked “x” stop",
    ],
)
def test_words_of_the_patient_are_no_tap(text: str) -> None:
    assert not is_reaction(text, EVERY)
