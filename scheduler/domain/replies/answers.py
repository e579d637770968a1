"""Which open questions a part of a reply answers, and how. Pure.

`told` hears a part that is an answer and nothing else: a digit, or words of the reply file, with the words that
usually stand around them. `mentioned` hears an answer inside prose: at the start of a part when what follows is no
other use of the word (`2 the appointment is on Friday`, but not `2 of my pills`), or one of the language's
`sentences` wherever it stands; never in a question, after a negation or a doubt, nor beside a word that undoes it.
Words that name a pathway bind the answer to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from scheduler.domain.pathway import Answer
from scheduler.domain.replies.hearing import Heard, Part, is_one_of
from scheduler.domain.replies.meaning import ANY, OpenQuestion
from scheduler.domain.replies.naming import without_pointers
from scheduler.domain.replies.patterns import Found, Words
from scheduler.domain.replies.words import WordList

T = TypeVar("T")

_DOUBT_REACH = 3  # words before an answer in which a doubt or a negation counts


@dataclass(frozen=True, slots=True)
class Fit:
    """An answer that one open question has."""

    question: OpenQuestion
    answer: Answer


@dataclass(frozen=True, slots=True)
class Answers:
    """What the reply may answer: the open questions, the one asked last first."""

    heard: Heard
    questions: Sequence[OpenQuestion]

    def told(self, part: Part, *, about: frozenset[str] = frozenset()) -> list[Fit]:
        """The answers that `part` is, one for each question that it fits. None in a question.

        `about` are the pathways that the words before it named, as in `vitamin D: 1`.
        """
        if part.asks or not self.questions or not _holds_one_of(part.words, self.heard.vocabulary.answer_starts):
            return []
        said = without_pointers(self.heard, part)
        topics = self.heard.vocabulary.topics.find(said)
        asked = self._asked_about({found.means for found in topics} or about)
        for words in _unique(self._without_what_surrounds(said, topics)):
            fits = self._fits(asked, words)
            if fits:
                return fits
        return []

    def mentioned(self, whole: Part, prose: Sequence[Part]) -> list[Fit]:
        """The answers that the `prose` of a sentence mentions; of two to one question both, so that it shows."""
        if whole.asks or not self.questions or self._undoes(whole):
            return []
        asked = self._asked_about(self.topics_of(whole))
        names = set(self._in_prose(whole))
        fits = [fit for part in prose for fit in self._leading(asked, part)]
        answers = (Fit(question, answer) for question in asked for answer in question.answers)
        fits += [fit for fit in answers if _named(fit.question, fit.answer, names)]
        return list(_unique(fits))

    def is_undone(self, part: Part, sentence: Part) -> bool:
        """Whether the sentence takes back what `part` of it says in words: `booked, but they cancelled`.

        Not a digit, and not what denies by itself: `not yet, I cannot get through`.
        """
        negations = self.heard.vocabulary.lists[WordList.NEGATIONS]
        is_plain = any(self._digit(word) or is_one_of(word[:1], negations) for word in part.words)
        return not is_plain and self._undoes(sentence)

    def _undoes(self, sentence: Part) -> bool:
        undone = self.heard.vocabulary.lists[WordList.UNDONE]
        return any(is_one_of(word[:1], undone) for word in sentence.words)

    def topics_of(self, part: Part) -> frozenset[str]:
        """The pathways that `part` names."""
        return frozenset(found.means for found in self.heard.vocabulary.topics.find(part.words))

    def names_open_topic(self, part: Part) -> bool:
        """Whether `part` names the pathway of an open question: the vitamin D that was asked about."""
        return not self.topics_of(part).isdisjoint(question.pathway for question in self.questions)

    def _asked_about(self, named: AbstractSet[str]) -> list[OpenQuestion]:
        """The questions of the pathways that are named; all when none is named."""
        return [question for question in self.questions if not named or question.pathway in named]

    def _without_what_surrounds(self, words: Words, topics: Sequence[Found[str]]) -> Iterator[Words]:
        """The words as they are, then with less and less of what may stand around an answer."""
        known = self.heard.vocabulary
        yield words
        bare = tuple(word for word in words if not is_one_of(word, known.polite))
        yield bare
        covered = {at for topic in topics for at in range(topic.start, topic.end)}
        lead_in = known.lists[WordList.LEAD_IN]
        outside = tuple(
            word for at, word in enumerate(words) if at not in covered and not is_one_of(word, known.polite)
        )
        yield from (_trimmed_start(bare, lead_in), _trimmed(bare, lead_in), outside, _trimmed(outside, lead_in))
        yield tuple(word for word, _ in groupby(bare))  # 2 2

    def _fits(self, asked: Iterable[OpenQuestion], words: Words) -> list[Fit]:
        """The answers that are exactly these words: a digit, words, or a digit and then its words."""
        if not words:
            return []
        digit = self._digit(words[0])
        names = set(self.heard.vocabulary.answers.whole(words[1:] if digit else words))
        return [
            Fit(question, answer)
            for question in asked
            for answer in question.answers
            if (digit in (None, answer.digit))
            and ((digit is not None and len(words) == 1) or _named(question, answer, names))
        ]

    def _digit(self, word: tuple[str, ...]) -> str | None:
        written = word[0]
        return written if written.isdecimal() else self.heard.vocabulary.digits.get(written)

    def _leading(self, asked: Sequence[OpenQuestion], part: Part) -> Iterator[Fit]:
        """An answer at the start of a part that goes on in prose."""
        known = self.heard.vocabulary
        said = without_pointers(self.heard, part)
        words = tuple(word for word in said if not is_one_of(word, known.polite))
        words = words[len(words) - len(_trimmed_start(words, known.lists[WordList.LEAD_IN])) :]
        ends = {1: self._fits(asked, words[:1])} if words and self._digit(words[0]) else {}
        for found in known.answers.at_start(words):
            ends.setdefault(found.end, self._fits(asked, words[: found.end]))
        for end, fits in ends.items():
            if end < len(words) and is_one_of(words[end][:1], known.lists[WordList.OPENERS]):
                yield from fits

    def _in_prose(self, part: Part) -> Iterator[str]:
        """The names of the answers whose sentences stand in `part`, unless in doubt; the longer of two."""
        found = self.heard.vocabulary.sentences.find(part.words)
        doubts = self.heard.vocabulary.lists[WordList.DOUBTS] | self.heard.vocabulary.lists[WordList.NEGATIONS]
        for one in found:
            before = part.words[max(0, one.start - _DOUBT_REACH) : one.start]
            is_inside = any(_is_inside(one, other) for other in found)
            if not is_inside and not any(is_one_of(word[:1], doubts) for word in before):
                yield one.means


def _holds_one_of(words: Words, wanted: frozenset[str]) -> bool:
    return any(not wanted.isdisjoint(word) for word in words)


def _named(question: OpenQuestion, answer: Answer, names: set[str]) -> bool:
    return answer.name != ANY and bool(names & {answer.name, f"{question.pathway}.{answer.name}"})


def _is_inside(one: Found[str], other: Found[str]) -> bool:
    return other.start <= one.start and one.end <= other.end and other.end - other.start > one.end - one.start


def _trimmed(words: Words, around: frozenset[str]) -> Words:
    words = _trimmed_start(words, around)
    end = len(words)
    while end and is_one_of(words[end - 1][:1], around):
        end -= 1
    return words[:end]


def _trimmed_start(words: Words, around: frozenset[str]) -> Words:
    start = 0
    while start < len(words) and is_one_of(words[start][:1], around):
        start += 1
    return words[start:]


def _unique(items: Iterable[T]) -> Iterator[T]:
    seen: list[T] = []
    for item in items:
        if item not in seen:
            seen.append(item)
            yield item
