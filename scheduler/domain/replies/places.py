"""Looking at one place in the words of a reply: what stands there, and where the words go on after it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from scheduler.domain.replies.hearing import is_one_of
from scheduler.domain.replies.patterns import Words
from scheduler.domain.replies.vocabulary import Vocabulary
from scheduler.domain.replies.words import Clock, DateWord, WordList

_DIGITS_OR_LETTERS = re.compile(r"\d+|[^\W\d_]+")
_LONGEST_PHRASE = 6  # words of a phrase about days or the clock

T = TypeVar("T")


def apart(words: Words) -> Words:
    """`words` with digits and letters parted: `6pm` is `6 pm`."""
    if not any(char.isdigit() for word in words for char in word[0]):
        return words
    return tuple(part for word in words for part in _parted(word))


def _parted(word: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    if word[0].isalpha() or word[0].isdecimal():
        return (word,)
    return tuple((part,) for part in _DIGITS_OR_LETTERS.findall(word[0])) or (word,)


def meaning_at(words: Words, at: int, meanings: Mapping[str, T]) -> T | None:
    """What the word at `at` means; None when it is not among `meanings`, or there is none."""
    if not 0 <= at < len(words):
        return None
    return next((meanings[reading] for reading in words[at] if reading in meanings), None)


def number_at(words: Words, at: int) -> int | None:
    """The number of one or two digits at `at`."""
    digits = words[at][0] if at < len(words) else ""
    return int(digits) if digits.isdecimal() and len(digits) <= 2 else None


def past_fillers(words: Words, at: int, known: Vocabulary) -> int:
    """Past words such as `of` and `the`."""
    while at < len(words) and is_one_of(words[at], known.lists[WordList.FILLERS]):
        at += 1
    return at


def past_date_word(words: Words, at: int, kind: DateWord, known: Vocabulary) -> int | None:
    """Where the words go on after a word of `kind` that stands at `at`; None when none does."""
    found = known.dates.at_start(words[at : at + _LONGEST_PHRASE])
    ends = [one.end for one in found if one.means is kind]
    return at + max(ends) if ends else None


def past_clock_word(words: Words, at: int, kind: Clock, known: Vocabulary) -> int | None:
    """As `past_date_word`, for words of the clock."""
    found = known.clock.at_start(words[at : at + _LONGEST_PHRASE])
    ends = [one.end for one in found if one.means is kind]
    return at + max(ends) if ends else None
