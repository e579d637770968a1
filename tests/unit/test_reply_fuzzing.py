"""Whatever patients type: nothing raises, no STOP of the tables is missed, no clinical answer is taken for STOP."""

from __future__ import annotations

import importlib
import re
import string
import sys
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from scheduler.domain.folding import normalise
from scheduler.domain.replies import interpret as understanding
from scheduler.domain.replies.interpret import Meaning, interpret
from scheduler.domain.replies.words import WordList
from tests.support.reply_tables import WORDS, Row, question, rows

ROWS = [row for language in ("en", "es") for row in rows(language)]
TABLES = {
    "stops": [row for row in ROWS if row.means == "stop" and row.group != "mail and taps"],
    "answers": [row for row in ROWS if row.means in ("answer", "done") and row.group != "mail and taps"],
}
QUESTIONS = [question(name) for name in ("exercise.daily", "vitamin_d.ask", "dexa.ask", "supplement.naming")]

# Words that mean something as they are, so that a mistyped word that became one is no typing error any more.
KNOWN = frozenset(
    word
    for words in WORDS.values()
    for section in (words.commands, words.phrases, words.answers, words.sentences, words.groups, words.topics)
    for phrases in section.values()
    for phrase in phrases
    for word in re.findall(r"\w+", phrase)
).union(*(words.of(kind) for words in WORDS.values() for kind in WordList))

POLITE = {
    "en": ["please", "Thanks!", "hello,", "sorry", "PLS"],
    "es": ["por favor", "gracias", "hola", "porfa", "Perdón,"],
}
AROUND = [" ", "  ", "\n", "! ", "... ", " 🙏 ", " \u200b"]


# Ways of typing


def random_case(draw: st.DrawFn, text: str) -> str:
    upper = draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    return "".join(char.upper() if up else char.lower() for char, up in zip(text, upper, strict=True))


def accents(draw: st.DrawFn, text: str) -> str:
    """An accent on a vowel, or all accents left out."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    vowels = [at for at, char in enumerate(plain) if char.lower() in "aeiou"]
    if not vowels or draw(st.booleans()):
        return plain
    at = draw(st.sampled_from(vowels))
    return f"{plain[: at + 1]}\u0301{plain[at + 1 :]}"


def one_letter_off(draw: st.DrawFn, text: str) -> str:
    """One word of five or more letters with a letter added, left out, replaced, doubled, or swapped with the next.

    A word that is mistyped already stays as it is: two typing errors in one word are more than is promised.
    """
    words = [
        match for match in re.finditer(r"[^\W\d_]+", text) if len(match[0]) >= 5 and normalise(match[0]) in KNOWN
    ]
    if not words:
        return text
    match = draw(st.sampled_from(words))
    word, at = match[0], draw(st.integers(0, len(match[0]) - 1))
    letter = draw(st.sampled_from(string.ascii_lowercase))
    typed = draw(
        st.sampled_from(
            [
                word[:at] + letter + word[at:],
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at + 1 :],
                word[: at + 1] + word[at:],
                word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :],
            ]
        )
    )
    assume(normalise(typed) not in KNOWN)
    return text[: match.start()] + typed + text[match.end() :]


def with_politeness(draw: st.DrawFn, text: str, language: str) -> str:
    before = draw(st.sampled_from(["", *POLITE[language]]))
    after = draw(st.sampled_from(["", *POLITE[language]]))
    space = draw(st.sampled_from(AROUND))
    return f"{before} {text}{space}{after}"


@st.composite
def typed(draw: st.DrawFn, table: str) -> tuple[Row, str]:
    rows_of_table = TABLES[table]
    row = rows_of_table[draw(st.integers(0, len(rows_of_table) - 1))]
    text = one_letter_off(draw, row.say) if draw(st.booleans()) else row.say
    text = accents(draw, text) if draw(st.booleans()) else text
    text = with_politeness(draw, text, row.language) if draw(st.booleans()) else text
    return row, random_case(draw, text) if draw(st.booleans()) else text


# Properties


@settings(max_examples=600, deadline=None)
@given(typed("stops"))
def test_no_stop_of_the_tables_is_missed_however_it_is_typed(typed_row: tuple[Row, str]) -> None:
    row, text = typed_row
    assert row.hear(text).meaning is Meaning.STOP


@settings(max_examples=600, deadline=None)
@given(typed("answers"))
def test_no_answer_of_the_tables_is_taken_for_stop_however_it_is_typed(typed_row: tuple[Row, str]) -> None:
    row, text = typed_row
    assert row.hear(text).meaning is not Meaning.STOP


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_ordinary_word_is_taken_for_a_command_or_an_answer(language: str) -> None:
    asked = QUESTIONS[:3]
    taken = {
        word: heard.meaning
        for word in WORDS[language].of(WordList.ORDINARY)
        if (heard := interpret(word, asked, WORDS, languages=(language, "en"))).meaning is not Meaning.UNCLEAR
    }
    assert taken == {}


MIXED = st.lists(
    st.one_of(
        st.sampled_from(sorted(KNOWN)),
        st.sampled_from(
            ["1", "2.", "18:30", "6pm", ">", '"', "“", "\n", "¿", "?", "👍", "until", "hasta", "15/6", "-- "]
        ),
        st.text(max_size=8),
    ),
    max_size=30,
).map(" ".join)


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=300), MIXED), st.sampled_from([("en",), ("es", "en"), ("fr",), ()]))
@example("", ("en",))
@example("\ud800 stop", ("en",))
@example('"', ("en",))
@example("On x wrote:", ("en",))
@example("pause until 99/99", ("en",))
@example("days -", ("en",))
@example("time 0 0 pm", ("en",))
def test_no_text_raises_and_the_parts_fit_together(text: str, languages: tuple[str, ...]) -> None:
    heard = interpret(text, QUESTIONS, WORDS, languages=languages)
    assert all(not part.also for part in heard.also)
    assert not heard.candidates or (len(heard.candidates) > 1 and heard.candidates[0] == heard.pathway)
    assert heard.topic is None or heard.meaning is Meaning.STOP
    assert heard.pathway in {None, *(asked.pathway for asked in QUESTIONS)}


@given(st.text())
def test_normalising_again_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


# No text can make the patterns run away


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every compiled pattern of the modules that understanding is made of."""
    for name, module in sorted(sys.modules.items()):
        if re.fullmatch(r"scheduler\.domain\.(replies\.\w+|folding)", name):
            found = {key: value for key, value in vars(module).items() if isinstance(value, re.Pattern)}
            yield from ((f"{name}.{key}", value) for key, value in found.items())


def repeats(parsed: Any, inside: int = 0) -> Iterator[int]:
    """How deep each unbounded repeat of a parsed pattern stands inside others; 0 is not inside any."""
    parser: Any = importlib.import_module("re._parser")
    constants: Any = importlib.import_module("re._constants")
    for operation, argument in parsed:
        if operation in (constants.MAX_REPEAT, constants.MIN_REPEAT) and argument[1] == constants.MAXREPEAT:
            yield inside
            yield from repeats(argument[2], inside + 1)
        elif isinstance(argument, tuple | list):
            for part in argument:
                parts = part if isinstance(part, list) else [part]
                yield from (
                    deep for each in parts if isinstance(each, parser.SubPattern) for deep in repeats(each, inside)
                )


def alternatives_with_two_repeats(pattern: re.Pattern[str]) -> list[str]:
    """Parts of the pattern, between |, that hold more than one unbounded repeat."""
    parse: Callable[[str], Any] = importlib.import_module("re._parser").parse
    return [
        part for part in pattern.pattern.split("|") if _can_stand_alone(part) and len(list(repeats(parse(part)))) > 1
    ]


def _can_stand_alone(part: str) -> bool:
    return part.count("(") == part.count(")") and part.count("[") == part.count("]")


def test_no_pattern_repeats_inside_a_repeat_or_after_one() -> None:
    """With one unbounded repeat in each alternative a match takes time in proportion to the text."""
    assert understanding
    parse: Callable[[str], Any] = importlib.import_module("re._parser").parse
    found = dict(patterns())
    assert len(found) >= 5
    for name, pattern in found.items():
        assert set(repeats(parse(pattern.pattern))) <= {0}, name
        assert alternatives_with_two_repeats(pattern) == [], name


def test_the_check_sees_a_repeat_inside_a_repeat_and_one_after_another() -> None:
    parse: Callable[[str], Any] = importlib.import_module("re._parser").parse
    assert 1 in set(repeats(parse("(a+)+")))
    assert 1 in set(repeats(parse("(?:x|a*b)*")))
    assert alternatives_with_two_repeats(re.compile(r"a|\s*\w+")) == [r"\s*\w+"]


def test_a_phrase_looks_at_no_more_words_than_its_own_and_its_gaps() -> None:
    from scheduler.domain.replies.patterns import _MOST_GAPS, GAP_WORDS

    assert (GAP_WORDS + 1) ** _MOST_GAPS <= 25
    for words in WORDS.values():
        for phrases in (*words.phrases.values(), *words.sentences.values(), *words.answers.values()):
            assert all(phrase.count("...") <= _MOST_GAPS for phrase in phrases)
