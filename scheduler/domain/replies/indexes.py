"""Making indexes of the phrases of several languages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from scheduler.domain.replies.patterns import Parts, PhraseError, PhraseIndex, read_phrase
from scheduler.domain.replies.words import Phrase, ReplyWords, WordList

Languages = tuple[ReplyWords, ...]
T = TypeVar("T")
K = TypeVar("K")


def index_of(languages: Languages, phrases_of: Callable[[ReplyWords], Iterable[tuple[str, T]]]) -> PhraseIndex[T]:
    """The index of what `phrases_of` gives for each language: phrases, each with what it means."""
    return PhraseIndex(
        (parts, means)
        for words in languages
        for phrase, means in phrases_of(words)
        for parts in readings_of(phrase, words)
    )


def list_index(languages: Languages, kind: WordList) -> PhraseIndex[bool]:
    """The index of one list of phrases."""
    return index_of(languages, lambda words: ((phrase, True) for phrase in words.of(kind)))


def of_each(named: Mapping[K, frozenset[str]]) -> Iterator[tuple[str, K]]:
    """The phrases of a section, each with the name that it stands under."""
    return ((phrase, name) for name, phrases in named.items() for phrase in sorted(phrases))


def of_kinds(words: ReplyWords, kinds: frozenset[Phrase]) -> Iterator[tuple[str, Phrase]]:
    """The phrases of some kinds."""
    return ((phrase, kind) for kind in sorted(kinds) for phrase in words.phrases.get(kind, ()))


def readings_of(phrase: str, words: ReplyWords) -> list[Parts]:
    """`phrase` as it is looked for; none when it cannot be read, which `bonewise check` tells."""
    try:
        return read_phrase(phrase, words.groups)
    except PhraseError:
        return []
