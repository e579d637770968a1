"""Putting together what the parts of a reply say: "1, and DONE", "2, the appointment is on Friday". Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from scheduler.domain.replies.answers import Answers, Fit
from scheduler.domain.replies.commands import read_command, read_wish
from scheduler.domain.replies.hearing import Heard, Part, Sentence, is_one_of
from scheduler.domain.replies.meaning import DONE, Interpretation, Meaning
from scheduler.domain.replies.words import WordList


@dataclass(frozen=True, slots=True)
class Parts:
    """What a reply says, its first part with the others under `also`.

    `told` rests on a part that is an answer or a command; `mentioned` on prose. `contradict`: two answers to one
    question.
    """

    told: Interpretation | None = None
    mentioned: Interpretation | None = None
    contradict: bool = False
    names_topic_of_answer: bool = False  # prose that names the pathway it answers


@dataclass(frozen=True, slots=True)
class _Claim:
    """An answer that was told, with the questions that it fits; `start` is its place in the reply."""

    fits: tuple[Fit, ...]
    start: int


@dataclass(slots=True)
class _Said:
    """What is gathered, sentence by sentence."""

    asks: list[tuple[int, Interpretation]] = field(default_factory=list)  # commands and wishes, with their places
    claims: list[_Claim] = field(default_factory=list)
    mentions: list[_Claim] = field(default_factory=list)
    has_prose: bool = False

    def add(self, start: int, said: Interpretation | list[Fit]) -> None:
        if isinstance(said, Interpretation):
            self.asks.append((start, said))
        else:
            self.claims.append(_Claim(tuple(said), start))


class _ContradictionError(Exception):
    """Two different answers to one question."""


def read_parts(answers: Answers) -> Parts:
    """What the reply says, part by part."""
    said = _gather(answers)
    try:
        resolved = _resolve(answers, said)
    except _ContradictionError:
        return Parts(contradict=True)
    loose = _first_with_others(sorted(resolved.mentions, key=_place))
    if not resolved.told:
        return Parts(mentioned=loose, names_topic_of_answer=loose is not None and _names_topic(answers))
    if _is_free_text(answers, said, resolved.told):
        return Parts()
    return Parts(told=_first_with_others(sorted([*resolved.told, *resolved.mentions], key=_place)))


def _place(placed: tuple[int, Interpretation]) -> int:
    return placed[0]


# Gathering


def _gather(answers: Answers) -> _Said:
    said = _Said()
    whole = _tell(answers, answers.heard.whole) if answers.heard.rest is None else None
    if whole:
        said.add(0, whole)
        return said
    sentences = answers.heard.sentences
    said.has_prose = answers.heard.rest is not None or len(sentences) > _MOST_SENTENCES
    for sentence in sentences[:_MOST_SENTENCES]:
        told = _tell(answers, sentence.whole) if len(sentences) > 1 else None
        if told:
            said.add(sentence.whole.start, told)
        else:
            _gather_sentence(answers, sentence, said)
    return said


def _gather_sentence(answers: Answers, sentence: Sentence, said: _Said) -> None:
    """A sentence that is more than one thing. After words that are none of ours an answer may be part of a tale."""
    prose: list[Part] = []
    wishes: list[tuple[int, Interpretation]] = []
    told_something = False
    about: frozenset[str] = frozenset()
    for part in sentence.parts if sentence.parts != (sentence.whole,) else ():
        told = _tell(answers, part, about=about)
        about = answers.topics_of(part)
        if told and (_counts_in_prose(told) or not (prose or _is_undone(answers, told, part, sentence))):
            said.add(part.start, told)
            told_something = True
        elif (wish := read_wish(answers.heard, part)) is not None:
            wishes.append((part.start, wish))
        elif not _is_idle(answers.heard, part):
            prose.append(part)
    if not told_something:
        prose = [sentence.whole, *prose]
        wish = None if wishes else read_wish(answers.heard, sentence.whole)
        wishes += [(sentence.whole.start, wish)] if wish else []
    said.asks += wishes
    said.has_prose = said.has_prose or bool(prose)
    if prose and not any(wish.meaning is Meaning.SUPPLEMENT for _, wish in wishes):
        fits = answers.mentioned(sentence.whole, prose)
        said.mentions += [_Claim(tuple(fits), sentence.whole.start)] if fits else []


def _counts_in_prose(told: Interpretation | list[Fit]) -> bool:
    """Whether it is plain also after a story: a command that no story holds, or that the exercise was done."""
    if isinstance(told, Interpretation):
        return told.meaning in _COUNT_IN_PROSE
    return all(fit.answer.action.counts for fit in told)


def _is_undone(answers: Answers, told: Interpretation | list[Fit], part: Part, sentence: Sentence) -> bool:
    return not isinstance(told, Interpretation) and answers.is_undone(part, sentence.whole)


_COUNT_IN_PROSE = frozenset({Meaning.PAUSE, Meaning.TIME, Meaning.REFERRAL})


def _tell(answers: Answers, part: Part, *, about: frozenset[str] = frozenset()) -> Interpretation | list[Fit] | None:
    """What a part is, when it is one thing and nothing else."""
    heard = answers.heard
    if len(part.words) > _LONGEST:
        return None
    fits = answers.told(part, about=about)
    if fits:
        return fits
    command = read_command(heard, part)
    if command is not None and not _is_rather_a_topic(answers, part, command):
        return command
    if not part.asks and DONE in heard.vocabulary.answers.whole(heard.without_polite(part.words)):
        return Interpretation(meaning=Meaning.DONE, answer=DONE)
    return None


def _is_rather_a_topic(answers: Answers, part: Part, command: Interpretation) -> bool:
    """Whether a supplement's name is rather what was asked about: `vitamin D`, as part of a text or when it was."""
    if command.meaning is not Meaning.SUPPLEMENT or not answers.topics_of(part):
        return False
    return answers.names_open_topic(part) or part.words != answers.heard.words


_MOST_SENTENCES = 40  # that are read for answers; what comes after them is a long story, for a person
_LONGEST = 24  # words that may be one thing and nothing else


def _is_idle(heard: Heard, part: Part) -> bool:
    idle = heard.vocabulary.polite | heard.vocabulary.joiners | heard.vocabulary.lists[WordList.LEAD_IN]
    return all(is_one_of(word, idle) for word in part.words)


# Putting together


@dataclass(frozen=True, slots=True)
class _Resolved:
    told: list[tuple[int, Interpretation]]
    mentions: list[tuple[int, Interpretation]]


def _resolve(answers: Answers, said: _Said) -> _Resolved:
    """Which question each answer is for. Raises `_ContradictionError`."""
    mentioned = [fit for claim in said.mentions for fit in claim.fits]
    _refuse_two_answers(mentioned)
    taken: dict[str, str] = {}
    read: list[tuple[int, Interpretation]] = []
    unsettled = 0
    for claim in sorted(said.claims, key=lambda claim: len(claim.fits)):
        _refuse_two_answers(claim.fits)
        fits = _left_open(_narrowed(claim.fits, mentioned), taken)
        if not fits:
            continue
        settled = _settled(answers, fits)
        unsettled += settled is None
        if unsettled > 1:
            raise _ContradictionError
        if settled is not None:
            taken[settled.question.pathway] = settled.answer.name
        read.append((claim.start, _interpretation(answers, fits, settled, has_more=said.has_prose)))
    loose = [] if unsettled else _mentions(answers, said.mentions, taken)
    return _Resolved([*read, *said.asks], loose)


def _mentions(
    answers: Answers, mentions: Iterable[_Claim], taken: dict[str, str]
) -> list[tuple[int, Interpretation]]:
    read: list[tuple[int, Interpretation]] = []
    for claim in mentions:
        agrees = any(taken.get(fit.question.pathway) == fit.answer.name for fit in claim.fits)
        fits = _left_open(claim.fits, taken)
        if agrees or not fits:
            continue
        settled = _settled(answers, fits)
        if settled is not None:
            taken[settled.question.pathway] = settled.answer.name
        read.append((claim.start, _interpretation(answers, fits, settled, has_more=True)))
    return read


def _refuse_two_answers(fits: Iterable[Fit]) -> None:
    named: dict[str, str] = {}
    for fit in fits:
        if named.setdefault(fit.question.pathway, fit.answer.name) != fit.answer.name:
            raise _ContradictionError


def _narrowed(fits: tuple[Fit, ...], mentioned: Sequence[Fit]) -> tuple[Fit, ...]:
    """Of the questions that an answer fits, those that the prose beside it is about: `1, I talked to my doctor`."""
    return tuple(fit for fit in fits if fit in mentioned) or fits


def _left_open(fits: tuple[Fit, ...], taken: dict[str, str]) -> tuple[Fit, ...]:
    """The fits whose question is still open; none when the same was said before. Raises `_ContradictionError`."""
    left = tuple(fit for fit in fits if fit.question.pathway not in taken)
    if not left and all(taken[fit.question.pathway] != fit.answer.name for fit in fits):
        raise _ContradictionError
    return left


def _settled(answers: Answers, fits: Sequence[Fit]) -> Fit | None:
    """The one that is meant, when that is plain."""
    if len(fits) == 1 or (fits[0].answer.action.counts and fits[0].question is answers.questions[0]):
        return fits[0]
    return None


def _interpretation(answers: Answers, fits: Sequence[Fit], settled: Fit | None, *, has_more: bool) -> Interpretation:
    fit = settled or fits[0]
    return Interpretation(
        meaning=Meaning.DONE if fit.answer.action.counts else Meaning.ANSWER,
        pathway=fit.question.pathway,
        answer=fit.answer.name,
        text=answers.heard.own,
        candidates=() if settled else tuple(dict.fromkeys(each.question.pathway for each in fits)),
        has_more=has_more,
    )


def _first_with_others(parts: Sequence[tuple[int, Interpretation]]) -> Interpretation | None:
    distinct = list(dict.fromkeys(part for _, part in parts))
    if len(distinct) < 2:
        return distinct[0] if distinct else None
    return replace(distinct[0], also=tuple(distinct[1:]))


def _names_topic(answers: Answers) -> bool:
    return bool(answers.heard.vocabulary.topics.find(answers.heard.words))


def _is_free_text(answers: Answers, said: _Said, told: Sequence[tuple[int, Interpretation]]) -> bool:
    """Whether what was told is rather a text that a question takes: a supplement's name; `fish oil, 2`."""
    if not any(question.takes_text for question in answers.questions):
        return False
    names_only = all(part.meaning is Meaning.SUPPLEMENT for _, part in told)
    return names_only or (answers.questions[0].takes_text and said.has_prose and not said.asks)
