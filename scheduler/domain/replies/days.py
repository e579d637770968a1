"""Days of the week that a reply names: mon, wed; mon-fri; weekdays. Pure."""

from __future__ import annotations

import re

from scheduler.domain.calendar import Weekday
from scheduler.domain.folding import normalise
from scheduler.domain.replies.hearing import is_one_of
from scheduler.domain.replies.patterns import Words
from scheduler.domain.replies.places import meaning_at, past_date_word
from scheduler.domain.replies.vocabulary import Vocabulary
from scheduler.domain.replies.words import DateWord, WordList

_HYPHEN = re.compile(r"[-–—]")
_TO = "-"  # no normalised word is written so


def only_days(words: Words, raw: str, known: Vocabulary) -> frozenset[Weekday]:
    """The days that are named when nothing else is: `mon-fri`, `weekdays`; else none. `raw` is as written."""
    return _read_days(_around_hyphens(words, raw, known), known, and_nothing_else=True)


def read_days(words: Words, raw: str, known: Vocabulary) -> frozenset[Weekday]:
    """The days that are named among other words. `raw` as written."""
    return _read_days(_around_hyphens(words, raw, known), known, and_nothing_else=False)


def _read_days(words: Words, known: Vocabulary, *, and_nothing_else: bool) -> frozenset[Weekday]:
    days: set[Weekday] = set()
    last: Weekday | None = None  # with `to_next`: the first day of a range
    at, to_next = 0, False
    while at < len(words):
        day = meaning_at(words, at, known.weekdays)
        groups = known.day_groups.at_start(words[at:]) if day is None else []
        if day is not None:
            days |= _between(last, day) if to_next and last is not None else {day}
            last, to_next, at = day, False, at + 1
        elif groups:
            longest = max(groups, key=lambda group: group.end)
            days |= longest.means
            at += longest.end
        elif words[at][0] == _TO or past_date_word(words, at, DateWord.TO, known) is not None:
            to_next, at = last is not None, at + 1
        elif (after := _beside_days(words, at, known)) is not None or not and_nothing_else:
            to_next, at = False, after or at + 1
        else:
            return frozenset()
    return frozenset(days)


def _beside_days(words: Words, at: int, known: Vocabulary) -> int | None:
    """Past a word that says nothing against days alone: `only`, `on`, `please`, `and`."""
    if is_one_of(words[at], known.polite | known.joiners | known.lists[WordList.FILLERS]):
        return at + 1
    return past_date_word(words, at, DateWord.ONLY, known)


def _around_hyphens(words: Words, raw: str, known: Vocabulary) -> Words:
    """`words` with each hyphen between them as a word of its own, which normalising leaves out."""
    if _HYPHEN.search(raw) is None:
        return words
    marked: list[tuple[str, ...]] = []
    for piece in _HYPHEN.split(raw):
        marked += [(_TO,)] if marked else []
        marked += map(known.spelling.readings, normalise(piece).split())
    return tuple(marked)


def _between(first: Weekday, last: Weekday) -> set[Weekday]:
    return {Weekday((first + step) % 7) for step in range((last - first) % 7 + 1)}
