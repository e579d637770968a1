"""People who share a number: marks that tell them apart, letters that name them, and whose an answer can be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scheduler.catalogue.samples import SAMPLE_CLINIC
from scheduler.catalogue.template_tree import Piece
from scheduler.catalogue.templates import TemplateLibrary
from scheduler.domain.replies.interpret import Meaning, interpret
from scheduler.domain.sharing import Named, first_names, letters, listed, marks, read_choice
from tests.support.domain_factories import reply_words
from tests.support.message_texts import MESSAGES, TEMPLATES, every_rendering, render, values


def people(*names: str) -> list[Named]:
    return [Named(name=name) for name in names]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Ana Moss", "Rob Moss"], ["A.M.", "R.M."]),
        (["Ana María López"], ["A.L."]),
        (["Jean-Luc Petit", "Zoë"], ["J.P.", "Z."]),
        (["Ana Moss", "Abel Moss", "Rob Moss"], ["An.M.", "Ab.M.", "R.M."]),
        ([" ", "¡Ana!"], ["?", "?"]),
    ],
)
def test_initials_tell_people_apart(names: list[str], expected: list[str]) -> None:
    found = marks(people(*names))
    assert found == expected or (expected == ["?", "?"] and found == ["? (1)", "? (2)"])


def test_father_and_son_of_one_name_are_told_apart_by_the_year_of_birth() -> None:
    two = [Named(name="John Smith", born=1950), Named(name="John Smith", born=1980)]
    assert marks(two) == ["J.S. 1950", "J.S. 1980"]
    assert marks([Named(name="John Smith"), Named(name="John Smith")]) == ["J.S. (1)", "J.S. (2)"]


def test_first_names_serve_only_where_they_tell_apart_and_are_short() -> None:
    assert first_names(people("Ana Moss", "ANA Lind", "Rob Moss", "Maximiliana-Josefa Moss")) == ["", "", "Rob", ""]


def test_a_letter_is_the_initial_where_that_is_free_and_means_nothing_else() -> None:
    words = reply_words()
    found = letters(people("Ana Moss", "Rob Moss", "Rita Moss", "Lea Moss"), words)
    assert found[3] == "L"
    assert len(set(found)) == 4
    assert not {"A", "R"} & set(found)  # A is a word; R would be either of two
    for letter in found:
        assert interpret(letter, (), words, languages=()).meaning is Meaning.UNCLEAR
    assert len(letters(people(*[f"N{n} X" for n in range(30)]), words)) < 30


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("F", (0, "")),
        ("  f. ", (0, "")),
        ("R!", (1, "")),
        ("Rob", (1, "")),
        ("f 1", (0, "1")),
        ("F: PAUSE 2 weeks", (0, "PAUSE 2 weeks")),
        ("done, Rob", (1, "done,")),
        ("A.M. 2", (0, "2")),
        ("F R", None),
        ("2", None),
        ("", None),
        ("for", None),
    ],
)
def test_a_text_names_somebody_by_letter_mark_or_name(text: str, expected: tuple[int, str] | None) -> None:
    assert read_choice(text, [("F", "A.M.", "Ana"), ("R", "R.M.", "Rob")]) == expected


def test_the_question_lists_letters_and_whom_they_stand_for() -> None:
    assert listed([("F", "A.M."), ("R", "R.M.")]) == "F = A.M., R = R.M."


@pytest.mark.parametrize("message", MESSAGES)
def test_an_english_text_to_a_shared_number_is_one_segment(message: str) -> None:
    """With the tightest mark, `(AM)`, the longest name of a clinic, and the stop line where it is a reminder."""
    is_reminder = message.rpartition("/")[2] in {"ask", "again", "was_it_done", "was_it_booked", "activity", "week"}
    ending = f" {render('service/stop_line', 'en', Piece.SMS, values())}" if is_reminder else ""
    names_nobody = message in {"service/help", "service/safety", "service/unclear", "service/stopped", "service/who"}
    mark = "" if names_nobody else " (AM)"
    for text in every_rendering(message, "en", Piece.SMS):
        assert len(text) + len(ending) + len(mark) <= 160, text


def test_the_question_who_wrote_fits_two_people_and_opens_with_the_clinic() -> None:
    library = TemplateLibrary(TEMPLATES)
    filled = values(clinic=SAMPLE_CLINIC)
    for language in ("en", "es"):
        text = library.sms(
            "service", "who", (language,), replace(filled, choices="F = A.M., R = R.M."), stop_line=False
        )
        assert text.segments == 1
        assert text.body.startswith(f"{SAMPLE_CLINIC}: ")
        opening = library.sms("service", "for_whom", (language,), replace(filled, for_whom="A.M."), stop_line=False)
        assert opening.body.startswith(SAMPLE_CLINIC)
        assert opening.body.endswith("A.M.")
