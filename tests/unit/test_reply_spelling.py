"""Words typed one letter off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.replies.spelling import Spelling, is_one_off

SPELLING = Spelling(
    {"stop", "done", "booked", "no", "pause"}, ordinary=frozenset({"step", "shop"}), exact=frozenset({"one", "gone"})
)


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("bookedd", "booked"),  # doubled
        ("boked", "booked"),  # left out
        ("bokoed", "booked"),  # changed places
        ("biiked", None),  # two wrong
        ("bopked", "booked"),  # replaced
        ("xbooked", "booked"),
        ("bookedx", "booked"),
        ("stpo", "stop"),
        ("stp", "stop"),
        ("stoooop", "stop"),
        ("ssttoopp", "stop"),
        ("nooooo", "no"),
        ("ne", None),  # two letters are too few to guess
        ("don", "done"),
        ("step", None),  # ordinary
        ("shop", None),
        ("gone", None),  # known, though for itself only
        ("onee", None),  # words for digits are never guessed
        ("st0p", None),
        ("b" * 30, None),
    ],
)
def test_a_mistyped_word_may_be_read_as_the_known_one(typed: str, word: str | None) -> None:
    assert SPELLING.readings(typed) == ((typed,) if word is None else (typed, word))


def test_a_known_word_is_read_as_itself() -> None:
    assert SPELLING.readings("pause") == ("pause",)


def distance(one: str, other: str) -> int:
    """Optimal string alignment distance, by the book."""
    rows = [[max(i, j) if 0 in (i, j) else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            changed = one[i - 1] != other[j - 1]
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + changed)
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@given(st.text("ab", max_size=6), st.text("ab", max_size=6))
def test_one_letter_off_is_an_alignment_distance_of_at_most_one(one: str, other: str) -> None:
    assert is_one_off(one, other) == (distance(one, other) <= 1)


@given(st.text("abst", min_size=3, max_size=7), st.sets(st.text("abst", min_size=4, max_size=6), max_size=8))
def test_every_known_word_one_letter_off_is_found(typed: str, words: set[str]) -> None:
    found = set(Spelling(words, ordinary=frozenset(), exact=frozenset()).readings(typed)[1:])
    near = {word for word in words if distance(typed, word) <= 1}
    assert found >= near if typed not in words else not found
