"""Syllables, spoken words, sentences and the two reading formulas, against values counted by hand."""

from __future__ import annotations

import pytest

from scheduler.catalogue.readability import (
    Counts,
    count,
    fernandez_huerta_ease,
    flesch_kincaid_grade,
    longest_sentence,
    score,
)
from scheduler.catalogue.spoken import sentences, spoken_words, written_words
from scheduler.catalogue.syllables import english_syllables, spanish_syllables

ENGLISH = {
    1: "a be called chairs clothes done DONE each eyes fall heart I moved one scan stairs texts walked week's why",
    2: "able answer being booking clinic DEXA diet doctor every gently handled minute movement muscles"
    " needed people quiet reply safely science sometimes tables tired wanted wheelchair yearly",
    3: "activate anyone area calcium clinician's decided DXA everyone exercise family hospital ideas radio"
    " reminder supplement vegetable vitamin",
    4: "activity anybody dietitian operation",
    5: "anticipated university",
}
SPANISH = {
    1: "y ir muy rey bien sol",
    2: "agua cita ciudad día estoy guía hueso leer país queso siete",
    3: "ahora caminar clínica cuídese densidad examen hospital idea médico muévase oído pingüino respuesta",
    4: "aéreo continúe ejercicio suplemento todavía vitamina",
    5: "fisioterapia pregúntenoslo responderemos",
}


def rows(table: dict[int, str]) -> list[tuple[str, int]]:
    return [(word, syllables) for syllables, words in table.items() for word in words.split()]


@pytest.mark.parametrize(("word", "syllables"), rows(ENGLISH))
def test_english_syllables_are_those_one_hears(word: str, syllables: int) -> None:
    assert english_syllables(word) == syllables


@pytest.mark.parametrize(("word", "syllables"), rows(SPANISH))
def test_spanish_syllables_are_those_one_hears(word: str, syllables: int) -> None:
    assert spanish_syllables(word) == syllables


def test_letters_without_a_vowel_are_spelled_out() -> None:
    assert english_syllables("SMS") == 3
    assert english_syllables("pdf") == 3
    assert spanish_syllables("SMS") == 6


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("7", "seven"),
        ("10", "ten"),
        ("25", "twenty five"),
        ("100", "one hundred"),
        ("160", "one hundred sixty"),
        ("2026", "two thousand twenty six"),
        ("9:30", "nine thirty"),
        ("12345", "one two three four five"),
        ("555-0100", "five five five zero one zero zero"),
        ("(617) 555-0123", "six one seven five five five zero one two three"),
        ("bone-density", "bone density"),
        ("don’t", "don’t"),
        ("", ""),
    ],
)
def test_numbers_are_read_as_english_words(written: str, spoken: str) -> None:
    assert spoken_words(written, "en") == spoken.split()


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("5", "cinco"),
        ("21", "veintiuno"),
        ("31", "treinta y uno"),
        ("100", "cien"),
        ("160", "ciento sesenta"),
        ("500", "quinientos"),
        ("1000", "mil"),
        ("2026", "dos mil veintiséis"),
    ],
)
def test_numbers_are_read_as_spanish_words(written: str, spoken: str) -> None:
    assert spoken_words(written, "es") == spoken.split()


def test_a_phone_number_is_one_written_word() -> None:
    assert written_words("Call (617) 555-0123 now") == 3


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three?", ["One", "Two", "Three"]),
        ("It costs 2.5 now. Fine", ["It costs 2.5 now", "Fine"]),
        ("A line\ngoes on.\n\nNext", ["A line goes on", "Next"]),
        ("Reply:\n1: yes\n2: no\n- maybe", ["Reply:", "1: yes", "2: no", "- maybe"]),
        ("(Really?) He said “no.” Then", ["(Really", "He said “no", "Then"]),
        ("See https://a.example/b.c?d or me@a.example. Bye", ["See or", "Bye"]),
        ("...", []),
    ],
)
def test_sentences_end_at_marks_paragraphs_and_list_items(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


def test_the_english_grade_is_the_published_formula() -> None:
    # 12 words, 2 sentences, 15 syllables: 0.39 * 6 + 11.8 * 1.25 - 15.59 = 1.5
    assert flesch_kincaid_grade(Counts(sentences=2, words=12, syllables=15)) == pytest.approx(1.5)


def test_the_spanish_ease_is_the_published_formula() -> None:
    # 10 words, 1 sentence, 20 syllables: 206.84 - 60 * 2 - 1.02 * 10 = 76.64
    assert fernandez_huerta_ease(Counts(sentences=1, words=10, syllables=20)) == pytest.approx(76.64)


def test_texts_are_scored_together() -> None:
    assert count(["The cat sat.", "It saw 25 mice there."], "en") == Counts(sentences=2, words=9, syllables=10)
    result = score(["The cat sat.", "It saw 25 mice there."], "en-GB")
    assert result is not None
    assert (result.value, result.plain) == (-0.7, True)


def test_a_hard_text_is_not_plain() -> None:
    english = score(["Individualised anticipatory communication necessitates organisational commitment."], "en")
    spanish = score(["Responsabilidad interdisciplinaria internacionalmente institucionalizada."], "es")
    assert english is not None
    assert spanish is not None
    assert (english.plain, spanish.plain) == (False, False)
    assert (english.limit, spanish.limit) == ("6.0 or less", "60.0 or more")


def test_an_empty_text_and_an_unknown_language_have_no_score() -> None:
    assert score(["", "..."], "en") is None
    assert score(["Bonjour."], "fr") is None


def test_the_longest_sentence_is_found_and_counted() -> None:
    assert longest_sentence("Go. We walk to the door. Sit.") == (5, "We walk to the door")
    assert longest_sentence("") == (0, "")
