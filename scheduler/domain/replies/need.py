"""Whether a reply answers what our text about danger asks: is help needed now? Pure.

When in doubt it is: a text that begins with a yes, or asks for help, is a yes, unless all that follows is an answer
or a wish of its own (`yes, booked`). A text that begins with a no is never an answer to anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from scheduler.domain.folding import normalise
from scheduler.domain.replies.agreement import PLACE
from scheduler.domain.replies.hearing import Heard, hear, languages_of
from scheduler.domain.replies.interpret import interpret
from scheduler.domain.replies.meaning import ANY, Meaning, OpenQuestion
from scheduler.domain.replies.text import is_reaction
from scheduler.domain.replies.urgent import read_urgent
from scheduler.domain.replies.words import ReplyWords

WANTED = "help_wanted"  # what a yes begins with, under `answers` of the reply words as `service.help_wanted`
NOT_WANTED = "help_not_wanted"  # what a no begins with, likewise
HELP = "help"  # the words for help, under `groups`

_YES = "yes"  # carriers keep this word for START, so no reply file may list it
_AFTER_A_BREAK = ",.;!:-–—\n"
_INSIDE_WORDS = "'’"
_OF_THEIR_OWN = frozenset(
    {
        Meaning.ANSWER,
        Meaning.DONE,
        Meaning.START,
        Meaning.PAUSE,
        Meaning.RESUME,
        Meaning.TIME,
        Meaning.DAYS,
        Meaning.SUPPLEMENT,
        Meaning.REFERRAL,
    }
)


class Need(StrEnum):
    """What the reply comes to."""

    HELP = "help"
    NONE = "none"  # and says no more than that
    DOUBT = "doubt"  # a no, with more to say


def read_need(
    text: str,
    questions: Sequence[OpenQuestion],
    words: Mapping[str, ReplyWords],
    *,
    languages: Sequence[str] = ("en",),
) -> Need | None:
    """What `text` says to `Need help now?`; None when it is about something else, or is urgent by itself.

    `questions` are the open ones, `languages` the patient's. A yes, a no and a cry for help count in every language.
    """
    _, every = languages_of(words, languages)
    if is_reaction(text, every):
        return None
    heard = hear(text, every, every)
    if not heard.words or read_urgent(heard) is not None:
        return None
    start = _past_polite(heard, 0)
    end = _after(heard, start, {_YES} | _listed(WANTED, words))
    if end > start:
        return None if _is_of_its_own(_from_word(heard.own, end), questions, words, languages) else Need.HELP
    end = _after(heard, start, _listed(NOT_WANTED, words))
    if end > start:
        return _no_or_more(heard, end, words, languages)
    return Need.HELP if _asks_for_help(heard.own, words, languages) else None


def _no_or_more(heard: Heard, end: int, words: Mapping[str, ReplyWords], languages: Sequence[str]) -> Need:
    """What a text that begins with a no comes to: `no, help me` is a cry for help, `no necesito ayuda` is none."""
    beyond = _from_word(heard.own, end)
    if beyond.lstrip(" ").startswith(tuple(_AFTER_A_BREAK)) and _asks_for_help(beyond, words, languages):
        return Need.HELP
    at, no = end, _listed(NOT_WANTED, words)
    while at < len(heard.words):
        further = max(_past_polite(heard, at), _after(heard, at, no))
        if further == at:
            return Need.DOUBT
        at = further
    return Need.NONE


def _asks_for_help(text: str, words: Mapping[str, ReplyWords], languages: Sequence[str]) -> bool:
    """Whether a text asks for help in so many words. Who asks what this is about wants to know just that."""
    calls = {word for one in words.values() for word in one.groups.get(HELP, ())}
    if calls.isdisjoint(normalise(text).split()):
        return False
    return interpret(text, (), words, languages=languages).meaning is Meaning.HELP


def _is_of_its_own(
    rest: str, questions: Sequence[OpenQuestion], words: Mapping[str, ReplyWords], languages: Sequence[str]
) -> bool:
    """Whether what follows a yes is an answer or a wish, and nothing more."""
    read = interpret(rest.lstrip(_AFTER_A_BREAK + " "), questions, words, languages=languages)
    if read.meaning is Meaning.ANSWER and read.answer in (None, ANY):
        return False
    return read.meaning in _OF_THEIR_OWN and not read.has_more


def _listed(name: str, words: Mapping[str, ReplyWords]) -> frozenset[str]:
    return frozenset(phrase for one in words.values() for phrase in one.answers.get(f"{PLACE}.{name}", ()))


def _after(heard: Heard, start: int, phrases: frozenset[str] | set[str]) -> int:
    """The place after the longest of `phrases` that stands at `start`; `start` when none does."""
    ends = (start + len(phrase.split()) for phrase in phrases if _stands_at(heard, start, phrase.split()))
    return max(ends, default=start)


def _stands_at(heard: Heard, start: int, phrase: Sequence[str]) -> bool:
    said = heard.words[start : start + len(phrase)]
    return len(said) == len(phrase) and all(word in readings for word, readings in zip(phrase, said, strict=True))


def _past_polite(heard: Heard, start: int) -> int:
    """The place of the first word from `start` on that is not merely polite."""
    polite = heard.vocabulary.polite
    return next((at for at in range(start, len(heard.words)) if polite.isdisjoint(heard.words[at])), len(heard.words))


def _from_word(own: str, count: int) -> str:
    """`own` from right after its first `count` words, with the marks that follow them."""
    at = 0
    for _ in range(count):
        while at < len(own) and not own[at].isalnum():
            at += 1
        while at < len(own) and (own[at].isalnum() or own[at] in _INSIDE_WORDS):
            at += 1
    return own[at:]
