"""Words that point at what was asked about rather than answer: `the scan one`, `vitamin D, please`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from scheduler.domain.replies.hearing import Heard, Part, hear, is_one_of, languages_of
from scheduler.domain.replies.patterns import Words
from scheduler.domain.replies.text import is_reaction
from scheduler.domain.replies.urgent import read_urgent
from scheduler.domain.replies.words import ReplyWords, WordList


def topic_alone(text: str, words: Mapping[str, ReplyWords], *, languages: Sequence[str] = ("en",)) -> str | None:
    """The one pathway that `text` names, when it says nothing else; None in a question.

    `languages` are the patient's.
    """
    known, every = languages_of(words, languages)
    if is_reaction(text, every):
        return None
    heard = hear(text, known, every)
    topics = {found.means for found in heard.vocabulary.topics.find(heard.words)}
    if len(topics) != 1 or heard.whole.asks or heard.rest is not None or read_urgent(heard) is not None:
        return None
    return next(iter(topics)) if _says_no_more(heard) else None


def _says_no_more(heard: Heard) -> bool:
    known = heard.vocabulary
    words = without_pointers(heard, heard.whole)
    covered = {at for topic in known.topics.find(words) for at in range(topic.start, topic.end)}
    idle = known.polite | known.lists[WordList.LEAD_IN]
    return all(at in covered or is_one_of(word, idle) for at, word in enumerate(words))


def without_pointers(heard: Heard, part: Part) -> Words:
    """The words of `part` without those that only stand for what is named: the `one` of `the scan one` is no digit.

    A single such word counts right behind a topic (not in `scan: one`), several wherever they stand: `the one about
    the scan`.
    """
    words, known = part.words, heard.vocabulary
    found = known.pointers.find(words)
    if not found:
        return words
    breaks = {each.start - part.start for sentence in heard.sentences for each in sentence.parts}
    behind = {topic.end for topic in known.topics.find(words)} - breaks
    dropped = {
        at for one in found if one.end - one.start > 1 or one.start in behind for at in range(one.start, one.end)
    }
    return tuple(word for at, word in enumerate(words) if at not in dropped)
