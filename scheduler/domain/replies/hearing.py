"""A reply cut into sentences and parts of sentences, each word with what it may be read as. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from scheduler.domain.folding import normalise
from scheduler.domain.replies.indexes import Languages
from scheduler.domain.replies.patterns import Words
from scheduler.domain.replies.text import own_words
from scheduler.domain.replies.vocabulary import Vocabulary, vocabulary
from scheduler.domain.replies.words import ReplyWords

# P.T. and p. m. are one word each. Each alternative reads a fixed number of characters or one per letter and dot.
_INITIALS = re.compile(
    r"(?<!\w)(?:[^\W\d_]\.){2,}|(?<=\d)\s?[ap]\.\s?m\.?(?!\w)|(?<!\w)[ap]\.\sm\.?(?!\w)", re.IGNORECASE
)
# A point or comma between digits parts nothing (18.30), nor does a colon; a hyphen does only with spaces around it.
_BREAK = re.compile(r"([.,](?!\d)|(?<!\d)[.,]|:(?!\d)|[!?;…\n\r()\[\]&+，。！？；：¿¡]|\s[-–—]+\s|[-–—]{2,})")
_ENDS_SENTENCE = frozenset(".!?;…\n\r。！？；¿¡")
_ASKS = frozenset("?？")
_READ_CLOSELY = 1000  # characters, six times a text message: further down is prose for a person, though STOP counts
_SPELLED_OUT = 3  # this many single letters in a row are one word: s t o p


@dataclass(frozen=True, slots=True)
class Part:
    """Some words of a reply in a row: a sentence, or a part of one between commas and joining words."""

    words: Words
    raw: str  # as written
    start: int  # its first word's place in the reply
    asks: bool  # stands in a question

    @property
    def end(self) -> int:
        return self.start + len(self.words)


@dataclass(frozen=True, slots=True)
class Sentence:
    whole: Part
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """One reply, and the words to understand it with."""

    own: str  # as the patient wrote it, without quoted mail
    whole: Part
    sentences: tuple[Sentence, ...]
    rest: Part | None  # what is too far down to be an answer or a command; it may still be urgent
    vocabulary: Vocabulary

    @property
    def words(self) -> Words:
        return self.whole.words

    def without_polite(self, words: Words) -> Words:
        """`words` without those that change nothing; all of them when nothing else is there."""
        polite = self.vocabulary.polite
        return tuple(word for word in words if polite.isdisjoint(word)) or words


def is_one_of(word: tuple[str, ...], words: frozenset[str]) -> bool:
    """Whether `word`, or what it may be read as, is among `words`."""
    return not words.isdisjoint(word)


def languages_of(words: Mapping[str, ReplyWords], languages: Sequence[str]) -> tuple[Languages, Languages]:
    """The vocabularies the patient knows, best first (all when none is known), and all there are."""
    every = tuple(words[name] for name in sorted(words))
    known = tuple(words[name] for name in languages if name in words)
    return known or every, every


def hear(text: str, known: Languages, every: Languages) -> Heard:
    """`text` taken apart, to be understood with the words of `known`; what is urgent, with those of `every`."""
    words = vocabulary(known, every)
    own = own_words(text, every)
    head, tail = _cut(own)
    sentences = tuple(_sentences(head, words))
    everything = tuple(word for sentence in sentences for word in sentence.whole.words)
    spelled = None if tail else _spelled_out(everything, words)
    if spelled is not None:  # S.T.O.P, d o n e
        whole = Part(spelled, own, 0, asks=False)
        return Heard(own, whole, (Sentence(whole, (whole,)),), None, words)
    rest = None
    if tail:
        below = tuple(map(words.spelling.readings, normalise(tail).split()))
        rest = Part(below, tail, len(everything), asks=False)
        everything += below
    asks = any(sentence.whole.asks for sentence in sentences)
    return Heard(own, Part(everything, own, 0, asks), sentences, rest, words)


def _cut(own: str) -> tuple[str, str]:
    """The beginning of a long text, up to a space, and the rest."""
    if len(own) <= _READ_CLOSELY:
        return own, ""
    end = own.rfind(" ", 0, _READ_CLOSELY) + 1 or _READ_CLOSELY
    return own[:end], own[end:]


def _sentences(own: str, words: Vocabulary) -> Iterator[Sentence]:
    pieces = _BREAK.split(_INITIALS.sub(_without_dots, own)) if not own.isalnum() else [own]
    start = 0
    texts: list[str] = []
    raw = ""
    opened = False  # by an inverted question mark
    for index in range(0, len(pieces), 2):
        mark = pieces[index + 1].strip(" ") if index + 1 < len(pieces) else "."
        texts.append(pieces[index])
        raw += pieces[index]
        if mark[:1] not in _ENDS_SENTENCE:
            raw += pieces[index + 1] if index + 1 < len(pieces) else ""
            continue
        sentence = _sentence(texts, raw, start, asks=opened or mark in _ASKS, words=words)
        opened = mark == "¿"
        texts, raw = [], ""
        if sentence is not None:
            yield sentence
            start = sentence.whole.end


def _sentence(texts: list[str], raw: str, start: int, *, asks: bool, words: Vocabulary) -> Sentence | None:
    parts: list[Part] = []
    everything: list[tuple[str, ...]] = []
    joiners = words.joiners
    readings = words.spelling.readings
    for text in texts:
        read = tuple(map(readings, normalise(text).split()))
        if joiners.isdisjoint(word[0] for word in read):
            if read:
                parts.append(Part(read, text, start + len(everything), asks))
                everything.extend(read)
            continue
        for is_joiner, group in groupby(read, key=lambda word: word[0] in joiners):
            piece = tuple(group)
            if not is_joiner:
                parts.append(Part(piece, text, start + len(everything), asks))
            everything.extend(piece)
    if not everything:
        return None
    whole = Part(tuple(everything), raw, start, asks)
    return Sentence(whole, tuple(parts) or (whole,))


def _spelled_out(words: Words, known: Vocabulary) -> Words | None:
    """The words with letters that stand alone put together; None when there are none such."""
    letters = [len(word[0]) == 1 and word[0].isalpha() for word in words]
    if True not in letters or sum(letters) < 2 or not (all(letters) or sum(letters) >= _SPELLED_OUT):
        return None
    joined: list[tuple[str, ...]] = []
    for is_letter, group in groupby(zip(words, letters, strict=True), key=lambda pair: pair[1]):
        row = [word for word, _ in group]
        if is_letter and (len(row) >= _SPELLED_OUT or all(letters)):
            joined.append(known.spelling.readings("".join(word[0] for word in row)))
        else:
            joined.extend(row)
    return tuple(joined) if len(joined) < len(words) else None


def _without_dots(match: re.Match[str]) -> str:
    return re.sub(r"[.\s]", "", match[0]) + " "
