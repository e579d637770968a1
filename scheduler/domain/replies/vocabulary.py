"""The reply words of several languages, made ready for understanding: built once for a set of languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from scheduler.domain.calendar import Weekday
from scheduler.domain.pathway import Wait
from scheduler.domain.replies.alarms import EXEMPT, URGENT, Alarms, alarms
from scheduler.domain.replies.indexes import Languages, index_of, list_index, of_each, of_kinds, readings_of
from scheduler.domain.replies.patterns import PhraseIndex
from scheduler.domain.replies.spelling import Spelling
from scheduler.domain.replies.words import (
    CARRIER_WORDS,
    Clock,
    Command,
    DateOrder,
    DateWord,
    Phrase,
    ReplyWords,
    WordList,
)

T = TypeVar("T")

_WISHES = frozenset(Phrase) - URGENT - EXEMPT
_SHORT = 4
# Lists that hold nothing a patient may have meant.
_PLAIN_LISTS = frozenset({WordList.ORDINARY, WordList.GESTURES})
_ABOUT_LINES = frozenset({WordList.ATTRIBUTIONS, WordList.SIGNATURES, WordList.QUOTED_HEADERS})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vocabulary:
    """Every word list, indexed. What may be urgent is heard in all languages, the rest in the patient's."""

    spelling: Spelling
    alarms: Alarms  # in all languages
    commands: PhraseIndex[Command]
    wishes: PhraseIndex[Phrase]
    answers: PhraseIndex[str]
    sentences: PhraseIndex[str]
    topics: PhraseIndex[str]  # in all languages
    thanks: PhraseIndex[bool]
    pointers: PhraseIndex[bool]
    supplements: PhraseIndex[bool]
    clock: PhraseIndex[Clock]
    dates: PhraseIndex[DateWord]
    day_groups: PhraseIndex[frozenset[Weekday]]
    polite: frozenset[str]  # in all languages, thanks among them
    joiners: frozenset[str]  # in all languages
    own_words: frozenset[str]  # of the languages known
    answer_starts: frozenset[str]  # what an answer may begin with: digits, and the first words of all answers
    lists: Mapping[WordList, frozenset[str]]
    digits: Mapping[str, str]
    numbers: Mapping[str, int]
    amounts: Mapping[str, int]
    units: Mapping[str, Wait]
    weekdays: Mapping[str, Weekday]
    months: Mapping[str, int]
    date_order: DateOrder


@lru_cache(maxsize=64)
def vocabulary(known: Languages, every: Languages) -> Vocabulary:
    """The vocabulary of a patient who knows `known`, best first, of the languages that there are."""
    polite = _union(every, WordList.POLITE) | {word for word in _union(every, WordList.THANKS) if " " not in word}
    answers = index_of(known, lambda words: of_each(words.answers))
    digits = _merged([words.digits for words in known])
    return Vocabulary(
        spelling=_spelling(every),
        alarms=alarms(every),
        commands=index_of(known, lambda words: of_each(words.commands)),
        wishes=index_of(known, lambda words: of_kinds(words, _WISHES)),
        answers=answers,
        sentences=index_of(known, lambda words: of_each(words.sentences)),
        topics=index_of(every, lambda words: of_each(words.topics)),
        thanks=list_index(every, WordList.THANKS),
        pointers=list_index(known, WordList.POINTERS),
        supplements=list_index(every, WordList.SUPPLEMENTS),
        clock=index_of(known, lambda words: of_each(words.clock)),
        dates=index_of(known, lambda words: of_each(words.dates)),
        day_groups=index_of(known, lambda words: words.day_groups.items()),
        polite=polite,
        joiners=_union(every, WordList.JOINERS),
        own_words=frozenset(word for words in known for word, _ in _words(words)),
        answer_starts=answers.first_words | {*digits, *digits.values()},
        lists={kind: _union(known, kind) for kind in WordList},
        digits=digits,
        numbers=_merged([words.numbers for words in known]),
        amounts=_merged([words.amounts for words in known]),
        units=_merged([words.units for words in known]),
        weekdays=_merged([words.weekdays for words in known]),
        months=_merged([words.months for words in known]),
        date_order=known[0].date_order if known else DateOrder.MONTH_FIRST,
    )


def _union(languages: Languages, kind: WordList) -> frozenset[str]:
    return frozenset[str]().union(*(words.of(kind) for words in languages))


def _merged(mappings: list[Mapping[str, T]]) -> dict[str, T]:
    """The mappings as one; where they differ, the patient's best language says."""
    return {word: meant for mapping in reversed(mappings) for word, meant in mapping.items()}


@lru_cache(maxsize=8)
def _spelling(every: Languages) -> Spelling:
    """Words of four letters are meant by another spelling only when they are a whole entry, such as STOP or DONE."""
    counting = frozenset().union(*(each for words in every for each in (words.numbers, words.digits, words.amounts)))
    meant = {word for phrase in CARRIER_WORDS for word in phrase.split()}
    exact: set[str] = set(counting)
    for words in every:
        for word, alone in _words(words):
            (meant if len(word) > _SHORT or (len(word) == _SHORT and alone) else exact).add(word)
    ordinary = _union(every, WordList.ORDINARY)
    return Spelling(meant - counting, ordinary=ordinary, exact=frozenset(exact))


def _words(words: ReplyWords) -> Iterator[tuple[str, bool]]:
    """The words of a language's phrases, each with whether it is a whole phrase."""
    for phrase in _all_phrases(words):
        for parts in readings_of(phrase, words):
            for word in (word for part in parts for word in part or ()):
                yield word, len(parts) == 1


def _all_phrases(words: ReplyWords) -> Iterator[str]:
    sections = (words.commands, words.phrases, words.answers, words.sentences, words.topics, words.clock, words.dates)
    for section in sections:
        for phrases in section.values():
            yield from phrases
    for plain in (words.units, words.weekdays, words.day_groups, words.months):
        yield from plain
    for kind in WordList:
        if kind not in _PLAIN_LISTS | _ABOUT_LINES:
            yield from words.of(kind)
