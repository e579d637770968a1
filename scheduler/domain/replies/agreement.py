"""Whether a reply says, and says no more than, that we may text the number it comes from. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from scheduler.domain.pathway import Action, Answer
from scheduler.domain.replies.answers import Answers
from scheduler.domain.replies.hearing import Heard, hear, languages_of
from scheduler.domain.replies.meaning import OpenQuestion
from scheduler.domain.replies.text import is_reaction
from scheduler.domain.replies.urgent import read_urgent
from scheduler.domain.replies.words import ReplyWords, WordList

MAY_TEXT = "may_text"  # the answer, under `answers` of the reply words as `service.may_text`
DIGIT = "1"
PLACE = "service"  # where the reply words would name a pathway

_QUESTION = OpenQuestion(pathway=PLACE, answers=(Answer(MAY_TEXT, DIGIT, Action()),))


def agrees(text: str, words: Mapping[str, ReplyWords], *, languages: Sequence[str] = ("en",)) -> bool:
    """Whether `text` answers our question with the digit or with plain words for it, in any language.

    `languages` are the patient's. A text that has more to say, or is urgent, does not agree. YES and START are
    commands that carriers know, and are heard as such.
    """
    known, every = languages_of(words, languages)
    if is_reaction(text, every):
        return False
    for spoken in (known, every):
        heard = hear(text, spoken, every)
        if heard.words and read_urgent(heard) is None and _is_plain(heard):
            return True
    return False


def _is_plain(heard: Heard) -> bool:
    """Whether the whole text is the answer, but for thanks at its end."""
    answers = Answers(heard, (_QUESTION,))
    thanks = {word for phrase in heard.vocabulary.lists[WordList.THANKS] for word in phrase.split()}
    end = len(heard.words)
    while end > 0:
        if answers.told(replace(heard.whole, words=heard.words[:end])):
            return True
        end -= 1
        if thanks.isdisjoint(heard.words[end]):
            return False
    return False
