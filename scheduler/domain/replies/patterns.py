"""Phrases as the reply files write them, and finding them in a text. Pure.

A phrase is words, each of which may be

- `<name>`: any one of the words of the group `name`;
- `(word)` or `(<name>)`: may be there or not;
- `...`: up to four other words.

So `no more (of) <message>` is found in "no more texts", and `no more ... <message>` in "no more of your texts", when
the group `message` holds `texts`. A phrase is looked for where its first words stand, and never further than its own
words and gaps reach: the work grows with the text, and not faster.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Generic, TypeVar

from scheduler.domain.folding import normalise

GAP_WORDS = 4  # that `...` stands for, at most
_MOST_GAPS = 2
_MOST_OPTIONAL = 4
_GAP = "..."
_MARKS = frozenset("<>().")
_PART = re.compile(r"\.\.\.|\(<[a-z_]+>\)|<[a-z_]+>|\([^()<>]+\)|[^\s()<>]+|\S")
_PLACEHOLDER = re.compile(r"\(?<([a-z_]+)>\)?")

T = TypeVar("T")
Words = Sequence[tuple[str, ...]]  # a text: for each word, what it may be read as, as written first
Parts = tuple[frozenset[str] | None, ...]  # a phrase: for each place, the words that may stand there; None is a gap


class PhraseError(ValueError):
    """A phrase that cannot be read. The text says why, and what to write instead."""


def plain(phrase: str) -> str:
    """`phrase` with its words normalised and its marks kept, as it is stored and compared."""
    if _MARKS.isdisjoint(phrase):
        return normalise(phrase)
    return " ".join(filter(None, map(_plain_part, _PART.findall(phrase))))


def _plain_part(part: str) -> str:
    if part == _GAP or _PLACEHOLDER.fullmatch(part):
        return part
    if part[0] == "(" and part[-1] == ")":
        inner = normalise(part)
        return f"({inner})" if inner else ""
    return part if part in "()<>" else normalise(part)


def read_phrase(phrase: str, groups: Mapping[str, frozenset[str]]) -> list[Parts]:
    """The phrase with and without each optional word. `phrase` is plain. Raises `PhraseError`."""
    if phrase and _MARKS.isdisjoint(phrase):  # as most are
        return [tuple(frozenset((word,)) for word in phrase.split(" "))]
    parts = phrase.split(" ") if phrase else []
    places = [_place(part, groups) for part in parts]
    gaps, optional = parts.count(_GAP), sum(part.startswith("(") for part in parts)
    if gaps > _MOST_GAPS or optional > _MOST_OPTIONAL:
        raise PhraseError(f"has more than {_MOST_GAPS} gaps or {_MOST_OPTIONAL} words in brackets; write two phrases")
    readings = {
        tuple(place for chosen in choice for place in chosen)
        for choice in product(*([place, ()] if part.startswith("(") else [place] for part, place in places))
    }
    if any(not reading or reading[0] is None or reading[-1] is None for reading in readings):
        raise PhraseError("must begin and end with a word that is always there, not with a gap")
    return sorted(readings, key=len, reverse=True)


def _place(part: str, groups: Mapping[str, frozenset[str]]) -> tuple[str, Parts]:
    if part == _GAP:
        return part, (None,)
    placeholder = _PLACEHOLDER.fullmatch(part)
    if placeholder is not None:
        if placeholder[1] not in groups:
            raise PhraseError(f"names the group '{placeholder[1]}', which is not under groups; add it there")
        return part, (groups[placeholder[1]],)
    inner = part[1:-1] if part[0] == "(" and part[-1] == ")" and len(part) > len("()") else part
    if any(mark in inner for mark in "()<>"):
        raise PhraseError("has a bracket without its partner; write (word), <group> or (<group>)")
    return part, tuple(frozenset((word,)) for word in inner.split())


def examples(phrase: str, groups: Mapping[str, frozenset[str]], *, most: int = 200) -> Iterator[str]:
    """Texts that `phrase` stands for, at most `most`, gaps left empty. None when it cannot be read."""
    if phrase and _MARKS.isdisjoint(phrase):
        yield phrase
        return
    try:
        readings = read_phrase(phrase, groups)
    except PhraseError:
        return
    for reading in readings:
        choices = product(*(sorted(words) for words in reading if words is not None))
        yield from islice(map(" ".join, choices), most)


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A phrase that stands in a text, from word `start` up to, not including, word `end`."""

    means: T
    start: int
    end: int


class PhraseIndex(Generic[T]):
    """Phrases by their first two words, each with what it means."""

    def __init__(self, phrases: Iterable[tuple[Parts, T]]) -> None:
        by_first: dict[str, _Branch[T]] = defaultdict(_Branch)
        for parts, means in dict.fromkeys(phrases):
            for word in parts[0] or ():
                by_first[word].add(parts[1:], means)
        self._by_first = dict(by_first)

    @property
    def first_words(self) -> frozenset[str]:
        """The words that a phrase begins with."""
        return frozenset(self._by_first)

    def find(self, words: Words) -> list[Found[T]]:
        """All phrases in `words`, wherever they stand, in the order of their first words."""
        by_first = self._by_first
        found: list[Found[T]] = []
        for start, readings in enumerate(words):
            for word in readings:
                if word in by_first:
                    found += self._from(words, start, by_first[word])
        return found

    def at_start(self, words: Words) -> list[Found[T]]:
        """The phrases that `words` begin with."""
        found: list[Found[T]] = []
        for word in words[0] if words else ():
            if word in self._by_first:
                found += self._from(words, 0, self._by_first[word])
        return found

    def whole(self, words: Words) -> list[T]:
        """What `words` mean as a whole: each phrase that they are, from the first word to the last."""
        meant: list[T] = []
        for word in words[0] if words else ():
            branch = self._by_first.get(word)
            if branch is not None:
                meant += branch.ends if len(words) == 1 else ()
                rests = branch.rests(words, 1)
                meant += [means for rest, means in rests if _end(rest, words, 1, all_of_it=True) is not None]
        return meant

    def _from(self, words: Words, start: int, branch: _Branch[T]) -> Iterator[Found[T]]:
        for means in branch.ends:
            yield Found(means, start, start + 1)
        for rest, means in branch.rests(words, start + 1):
            end = _end(rest, words, start + 1)
            if end is not None:
                yield Found(means, start, end)


class _Branch(Generic[T]):
    """What may follow one first word: nothing, a second word, or a gap."""

    __slots__ = ("_by_second", "_gapped", "ends")

    def __init__(self) -> None:
        self.ends: list[T] = []
        self._by_second: dict[str, list[tuple[Parts, T]]] = defaultdict(list)
        self._gapped: list[tuple[Parts, T]] = []

    def add(self, rest: Parts, means: T) -> None:
        if not rest:
            self.ends.append(means)
        elif rest[0] is None:
            self._gapped.append((rest, means))
        else:
            for word in rest[0]:
                self._by_second[word].append((rest, means))

    def rests(self, words: Words, at: int) -> Iterator[tuple[Parts, T]]:
        """What may stand at word `at` and after it."""
        yield from self._gapped
        for word in words[at] if at < len(words) else ():
            if word in self._by_second:
                yield from self._by_second[word]


def _end(parts: Parts, words: Words, at: int, *, all_of_it: bool = False) -> int | None:
    """Where `parts` end when they stand at word `at`; None when they do not."""
    for index, part in enumerate(parts):
        if part is None:
            rest = parts[index + 1 :]
            for skip in range(GAP_WORDS + 1):
                end = _end(rest, words, at + skip, all_of_it=all_of_it)
                if end is not None:
                    return end
            return None
        if at >= len(words) or part.isdisjoint(words[at]):
            return None
        at += 1
    return at if not all_of_it or at == len(words) else None
