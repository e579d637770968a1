"""Words typed one letter off: which known word was meant. Pure.

A letter too many, too few, wrong, or two that changed places (optimal string alignment distance one), and letters
that a trembling finger held down: `stoooop`, `ddoonnee`. A word that is itself known, or an ordinary word of a
language, is never taken for another; nor is anything with a digit in it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby

_SHORTEST = 4  # of the known words that may be meant: among three letters every other word is one letter off
_SHORTEST_TYPED, _LONGEST_TYPED = 3, 24
_HELD_DOWN = re.compile(r"(.)\1\1")  # three of one letter in a row are no spelling
_REMEMBERED = 8192  # words whose readings are kept; more than patients commonly use


class Spelling:
    """Which of `words` a mistyped word may be. `ordinary` words are left alone."""

    def __init__(self, words: Iterable[str], *, ordinary: frozenset[str], exact: frozenset[str]) -> None:
        """`exact` words are known but never meant by another spelling: short ones, and those for digits."""
        known = frozenset(words)
        self._left_alone = known | ordinary | exact
        by_letters_left: dict[str, set[str]] = defaultdict(set)
        self._squeezed: dict[str, set[str]] = defaultdict(set)
        for word in known | exact:
            if word.isalpha():
                self._squeezed[_squeeze(word)].add(word)
        for word in known:
            if len(word) >= _SHORTEST and word.isalpha():
                for letters in (word, *_one_less(word)):
                    by_letters_left[letters].add(word)
        self._by_letters_left = {letters: tuple(sorted(found)) for letters, found in by_letters_left.items()}
        self._read: dict[str, tuple[str, ...]] = {}

    def readings(self, typed: str) -> tuple[str, ...]:
        """What `typed` may be read as: itself first, then the known words that it is one letter off from."""
        read = self._read.get(typed)
        if read is None:
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            read = self._read[typed] = self._worked_out(typed)
        return read

    def _worked_out(self, typed: str) -> tuple[str, ...]:
        if typed in self._left_alone or not _SHORTEST_TYPED <= len(typed) <= _LONGEST_TYPED or not typed.isalpha():
            return (typed,)
        meant = {
            word
            for letters in (typed, *_one_less(typed))
            for word in self._by_letters_left.get(letters, ())
            if is_one_off(typed, word)
        }
        return (typed, *sorted(meant or self._held_down(typed)))

    def _held_down(self, typed: str) -> Iterable[str]:
        every_letter_twice = len(typed) >= 2 * _SHORTEST and typed[::2] == typed[1::2]
        if every_letter_twice or _HELD_DOWN.search(typed):
            return self._squeezed.get(_squeeze(typed), ())
        return ()


def is_one_off(typed: str, word: str) -> bool:
    """Whether one letter added, left out, replaced, or changed with its neighbour makes `word` of `typed`."""
    shorter, longer = sorted((typed, word), key=len)
    if len(longer) - len(shorter) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    if len(shorter) < len(longer):
        return shorter[at:] == longer[at + 1 :]
    swapped = shorter[at + 1 : at + 2] + shorter[at : at + 1] + shorter[at + 2 :]
    return shorter[at + 1 :] == longer[at + 1 :] or swapped == longer[at:]


def _one_less(word: str) -> Iterator[str]:
    return (word[:at] + word[at + 1 :] for at in range(len(word)))


def _squeeze(word: str) -> str:
    return "".join(letter for letter, _ in groupby(word))
