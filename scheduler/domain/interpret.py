"""What a patient's reply means: commands, answers to open questions, words that must reach a person. Pure.

The order in which meanings are tried, first match wins:

1. a tap on one of our messages (`Liked "..."`) means nothing, though it quotes words such as STOP;
2. STOP, in any language and on the slightest ground: a wish to be left alone may be put in any reasonable
   words (47 CFR 64.1200(a)(10)), and stopping by mistake is put right by START;
3. a wrong number;
4. words of danger;
5. the other commands;
6. an answer, by digit or by word, to the open question asked last among those that have it;
7. DONE when no open question has it: a day of exercise;
8. free text, for the question asked last that takes it;
9. `any`, for the question asked last that has it;
10. unclear.

So DONE counts the day of exercise unless a question asked after the last nudge has an answer `done` itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from enum import StrEnum

from scheduler.domain.calendar import Weekday
from scheduler.domain.pathway import Answer, Wait
from scheduler.domain.reply_arguments import read_span, read_time, read_weekdays
from scheduler.domain.reply_words import CARRIER_WORDS, CarrierMeaning, Command, Phrase, ReplyWords, normalise

DONE = "done"
ANY = "any"


class Meaning(StrEnum):
    """What a reply comes to."""

    ANSWER = "answer"  # to the question of `pathway`: `answer` names it, or is None for free text
    DONE = "done"  # a day of exercise; `pathway` is None when no question was open
    STOP = "stop"
    START = "start"
    HELP = "help"
    PAUSE = "pause"
    RESUME = "resume"
    LATER = "later"
    TIME = "time"  # wants another time of day
    DAYS = "days"  # wants other days of the week
    SUPPLEMENT = "supplement"  # names a supplement in `text`
    REFERRAL = "referral"  # `answer` is the kind of task: referral_pt or referral_diet
    WRONG_NUMBER = "wrong_number"
    SAFETY = "safety"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """A question the patient has been asked and may still answer."""

    pathway: str
    answers: tuple[Answer, ...] = ()
    takes_text: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpretation:
    """A reply's meaning, and what belongs to it."""

    meaning: Meaning
    pathway: str | None = None
    answer: str | None = None
    text: str = ""  # as the patient wrote it: free text, or what follows the command
    pause: Wait | None = None  # PAUSE 2 WEEKS; None lasts until RESUME
    at: time | None = None  # TIME 18:30, the patient's local time; None when no time could be read
    weekdays: frozenset[Weekday] = frozenset()  # DAYS MON WED; empty when no day could be read
    speaks_of_danger: bool = False  # also with STOP and a wrong number: a person must look at it


@dataclass(frozen=True, slots=True)
class _Heard:
    """One reply and the words to hear it with: `known` in the patient's languages, `all_words` in all."""

    original: str
    text: str  # normalised
    bare: str  # without polite words
    known: tuple[ReplyWords, ...]
    all_words: tuple[ReplyWords, ...]

    def is_any(self, words: frozenset[str]) -> bool:
        return self.text in words or self.bare in words

    def is_command(self, command: Command) -> bool:
        return any(self.is_any(words.commands.get(command, frozenset())) for words in self.known)

    def after_command(self, command: Command) -> str | None:
        """What the patient wrote after the command word; None when the reply does not begin with it."""
        first = self.text.partition(" ")[0]
        if not any(first in words.commands.get(command, frozenset()) for words in self.known):
            return None
        return re.sub(r"^\W*\w+\W*", "", self.original).strip()


def interpret(
    text: str,
    open_questions: Sequence[OpenQuestion],
    words: Mapping[str, ReplyWords],
    *,
    languages: Sequence[str] = ("en",),
) -> Interpretation:
    """What `text` means to the patient who wrote it.

    `open_questions` come the last asked first. `words` are the reply words by language; `languages` are the
    patient's, best first (none known: every language). STOP, a wrong number and words of danger are heard in
    every language. Total: any text has a meaning.
    """
    heard = _hear(text, words, languages)
    if _is_reaction(heard):
        return Interpretation(meaning=Meaning.UNCLEAR, text=text.strip())
    danger = _says(heard, Phrase.SAFETY)
    if any(hears_stop(heard.text, vocabulary) for vocabulary in heard.all_words) or _is_carrier_stop(heard):
        return Interpretation(meaning=Meaning.STOP, speaks_of_danger=danger, text=text.strip())
    if _says(heard, Phrase.WRONG_NUMBER):
        return Interpretation(meaning=Meaning.WRONG_NUMBER, speaks_of_danger=danger, text=text.strip())
    if danger:
        return Interpretation(meaning=Meaning.SAFETY, speaks_of_danger=True, text=text.strip())
    return _command(heard) or _answer(heard, open_questions)


def hears_stop(normalised: str, words: ReplyWords) -> bool:
    """Whether a normalised reply asks to be left alone, by the words of one language."""
    bare = _without_polite(normalised, words.polite)
    if {normalised, bare} & words.commands.get(Command.STOP, frozenset()):
        return True
    rest = f" {normalised} "
    for phrase in sorted(words.phrases.get(Phrase.NOT_STOP, ()), key=len, reverse=True):
        rest = rest.replace(f" {phrase} ", " , ")
    return any(f" {phrase} " in rest for phrase in words.phrases.get(Phrase.STOP, ()))


def _hear(text: str, words: Mapping[str, ReplyWords], languages: Sequence[str]) -> _Heard:
    normalised = normalise(text)
    tokens = normalised.split()
    if len(tokens) > 1 and all(len(token) == 1 and token.isalpha() for token in tokens):
        normalised = "".join(tokens)  # S.T.O.P
    every = tuple(words[name] for name in sorted(words))
    known = tuple(words[name] for name in languages if name in words)
    polite = frozenset[str]().union(*(vocabulary.polite for vocabulary in every))
    return _Heard(text, normalised, _without_polite(normalised, polite), known or every, every)


def _without_polite(text: str, polite: frozenset[str]) -> str:
    return " ".join(token for token in text.split() if token not in polite) or text


def _says(heard: _Heard, phrase: Phrase) -> bool:
    """Whether a phrase stands anywhere in the reply, in any language."""
    padded = f" {heard.text} "
    return any(f" {text} " in padded for words in heard.all_words for text in words.phrases.get(phrase, ()))


def _is_carrier_stop(heard: _Heard) -> bool:
    return CarrierMeaning.OPT_OUT in (CARRIER_WORDS.get(heard.text), CARRIER_WORDS.get(heard.bare))


def _is_reaction(heard: _Heard) -> bool:
    """A phone's own text for a tap on a message: a word such as Liked, then the message in quotes."""
    match = re.match(r"\s*([^\"“”«„]{1,40}?)\s*[\"“”«„].*[\"“”»]\s*$", heard.original, re.DOTALL)
    return match is not None and any(normalise(match[1]) in words.reactions for words in heard.all_words)


def _command(heard: _Heard) -> Interpretation | None:
    carrier = CARRIER_WORDS.get(heard.bare)
    if carrier is CarrierMeaning.OPT_IN or heard.is_command(Command.START):
        return Interpretation(meaning=Meaning.START, text=heard.original.strip())
    if carrier is CarrierMeaning.HELP or heard.is_command(Command.HELP):
        return Interpretation(meaning=Meaning.HELP)
    for command, meaning in ((Command.RESUME, Meaning.RESUME), (Command.LATER, Meaning.LATER)):
        if heard.is_command(command):
            return Interpretation(meaning=meaning)
    for command in (Command.REFERRAL_PT, Command.REFERRAL_DIET):
        if heard.is_command(command):
            return Interpretation(meaning=Meaning.REFERRAL, answer=command.value)
    return _command_with_more(heard)


def _command_with_more(heard: _Heard) -> Interpretation | None:
    """The commands that a span, a name, a time or days may follow."""
    if heard.is_command(Command.PAUSE) or heard.after_command(Command.PAUSE) is not None:
        span = read_span(heard.text, heard.known)
        return Interpretation(meaning=Meaning.PAUSE, pause=span, text=heard.original.strip())
    name = heard.after_command(Command.SUPPLEMENT)
    if name is not None:
        return Interpretation(meaning=Meaning.SUPPLEMENT, text=name)
    wish = heard.after_command(Command.TIME)
    at = read_time(wish or "")
    if wish is not None and (at is not None or not wish):
        return Interpretation(meaning=Meaning.TIME, at=at)
    wish = heard.after_command(Command.DAYS)
    days = read_weekdays(normalise(wish or ""), heard.known)
    if wish is not None and (days or not wish):
        return Interpretation(meaning=Meaning.DAYS, weekdays=days)
    return None


def _answer(heard: _Heard, open_questions: Sequence[OpenQuestion]) -> Interpretation:
    text = heard.original.strip()
    for question, answer in _matches(heard, open_questions):
        meaning = Meaning.DONE if answer.action.counts else Meaning.ANSWER
        return Interpretation(meaning=meaning, pathway=question.pathway, answer=answer.name, text=text)
    if any(heard.is_any(words.answers.get(DONE, frozenset())) for words in heard.known):
        return Interpretation(meaning=Meaning.DONE, answer=DONE, text=text)
    if heard.text:
        for question in open_questions:
            if question.takes_text:
                return Interpretation(meaning=Meaning.ANSWER, pathway=question.pathway, text=text)
        for question in open_questions:
            if any(answer.name == ANY for answer in question.answers):
                return Interpretation(meaning=Meaning.ANSWER, pathway=question.pathway, answer=ANY, text=text)
    return Interpretation(meaning=Meaning.UNCLEAR, text=text)


def _matches(heard: _Heard, open_questions: Sequence[OpenQuestion]) -> Iterator[tuple[OpenQuestion, Answer]]:
    """The answers that the reply's digit or word names, of the question asked last first."""
    digit, _, rest = heard.bare.partition(" ")
    for question in open_questions:
        for answer in question.answers:
            vocabulary = [words.answer_words(question.pathway, answer.name) for words in heard.known]
            by_digit = digit == answer.digit and (not rest or any(rest in words for words in vocabulary))
            if by_digit or any(heard.is_any(words) for words in vocabulary):
                yield question, answer
