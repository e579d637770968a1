"""Phrases with groups, optional words and gaps, and where they stand in a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.replies.patterns import GAP_WORDS, Found, PhraseError, PhraseIndex, examples, plain, read_phrase

GROUPS = {"message": frozenset({"text", "texts"}), "me": frozenset({"me", "us"})}


def index(*phrases: str) -> PhraseIndex[str]:
    return PhraseIndex((parts, phrase) for phrase in phrases for parts in read_phrase(phrase, GROUPS))


def words(text: str) -> list[tuple[str, ...]]:
    return [(word,) for word in text.split()]


def places(phrase: str, text: str) -> list[tuple[int, int]]:
    return [(found.start, found.end) for found in index(phrase).find(words(text))]


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("stop", "please stop now", [(1, 2)]),
        ("stop", "stop and stop", [(0, 1), (2, 3)]),
        ("no more <message>", "no more texts", [(0, 3)]),
        ("no more <message>", "no more pills", []),
        ("no (more) <message>", "no texts no more text", [(0, 2), (2, 5)]),
        ("no more ... <message>", "no more of these silly texts", [(0, 6)]),
        ("no more ... <message>", "no more texts", [(0, 3)]),
        ("no more ... <message>", "no more a b c d texts", [(0, 7)]),
        ("no more ... <message>", "no more a b c d e texts", []),
        ("dont ... <message> ... <me>", "dont send texts to us", [(0, 5)]),
        ("opt <me> out", "opt us out", [(0, 3)]),
        ("opt <me> out", "opt out", []),
        ("a b c", "a b", []),
    ],
)
def test_a_phrase_is_found_where_it_stands(phrase: str, text: str, found: list[tuple[int, int]]) -> None:
    assert places(phrase, text) == found


def test_a_word_counts_for_each_of_its_readings() -> None:
    assert index("no texts").find([("no",), ("textss", "texts")]) == [Found("no texts", 0, 2)]


def test_the_whole_of_a_text_is_the_phrase_and_nothing_else() -> None:
    known = index("not yet", "not", "no ... texts")
    assert known.whole(words("not yet")) == ["not yet"]
    assert known.whole(words("not")) == ["not"]
    assert known.whole(words("no a b texts")) == ["no ... texts"]
    assert known.whole(words("not yet maybe")) == []
    assert known.whole([]) == []


def test_what_a_text_begins_with() -> None:
    known = index("not yet", "not", "yet")
    assert {found.means for found in known.at_start(words("not yet maybe"))} == {"not", "not yet"}
    assert known.at_start([]) == []


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("No MÁS <message>", "no mas <message>"),
        ("don't (ever) ... us", "dont (ever) ... us"),
        ("(!)", ""),
        ("a-b", "a b"),
    ],
)
def test_the_words_of_a_phrase_are_normalised_and_its_marks_kept(written: str, kept: str) -> None:
    assert plain(written) == kept
    assert plain(kept) == kept


@pytest.mark.parametrize(
    "phrase",
    ["...", "... stop", "stop ...", "(stop)", "(a) (b)", "", "a ... b ... c ... d", "<nobody>", "<me", "me>", "(a"],
)
def test_a_phrase_that_cannot_be_read_is_refused(phrase: str) -> None:
    with pytest.raises(PhraseError):
        read_phrase(phrase, GROUPS)


def test_the_texts_that_a_phrase_stands_for() -> None:
    assert set(examples("(no) <me> ... x", GROUPS)) == {"no me x", "no us x", "me x", "us x"}
    assert list(examples("<nobody>", GROUPS)) == []
    assert len(list(examples("<message> <me>", GROUPS, most=3))) == 3


@given(st.lists(st.sampled_from(["no", "more", "texts", "x"]), max_size=12))
def test_a_gap_is_found_as_a_plain_search_finds_it(text: list[str]) -> None:
    expected = any(text[at] == "no" and "texts" in text[at + 1 : at + GAP_WORDS + 2] for at in range(len(text)))
    assert bool(places("no ... texts", " ".join(text))) == expected
