"""What must never be missed in a reply: STOP, a wrong number, words of danger. In every language. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from scheduler.domain.replies.arguments import read_limit
from scheduler.domain.replies.hearing import Heard, Part
from scheduler.domain.replies.meaning import Interpretation, Meaning
from scheduler.domain.replies.patterns import Words
from scheduler.domain.replies.words import Phrase, WordList


def read_urgent(heard: Heard) -> Interpretation | None:
    """STOP, a wrong number or danger, in this order, each noting danger beside it; None when nothing is urgent."""
    stretches = [(part.start, part.words) for part in _stretches(heard)]
    phrases = heard.vocabulary.alarms.phrases_in(heard.words, stretches)
    danger = Phrase.SAFETY in phrases
    if Phrase.STOP in phrases or is_stop_word(heard):
        return Interpretation(
            meaning=Meaning.STOP,
            speaks_of_danger=danger,
            topic=topic_of(heard),
            pause=read_limit(heard.words, heard.vocabulary),
            text=heard.own,
        )
    if Phrase.WRONG_NUMBER in phrases:
        return Interpretation(meaning=Meaning.WRONG_NUMBER, speaks_of_danger=danger, text=heard.own)
    if danger:
        return Interpretation(meaning=Meaning.SAFETY, speaks_of_danger=True, text=heard.own)
    return None


def _stretches(heard: Heard) -> Iterator[Part]:
    yield from (sentence.whole for sentence in heard.sentences)
    if heard.rest is not None:
        yield heard.rest


def is_stop_word(heard: Heard) -> bool:
    """Whether the reply, or one of its sentences, is nothing but a STOP word, polite words aside."""
    known = heard.vocabulary.alarms
    for part in (heard.whole, *(sentence.whole for sentence in heard.sentences)):
        if len(part.words) <= _LONGEST:
            bare = heard.without_polite(part.words)
            if known.stop_words.whole(part.words) or known.stop_words.whole(bare):
                return True
            if part is heard.whole and _is_stop_in_pieces(heard, bare):
                return True
    requests = (part for sentence in heard.sentences for part in sentence.parts if len(part.words) <= _LONGEST)
    return any(_is_polite_stop(heard, part) for part in requests)


def _is_stop_in_pieces(heard: Heard, words: Words) -> bool:
    """Whether the words are one STOP word with a space in it: `un subscribe`. A long one may be a letter off."""
    joined = "".join(word[0] for word in words)
    readings = heard.vocabulary.spelling.readings(joined) if len(joined) >= _LONG_WORD else (joined,)
    return not heard.vocabulary.alarms.stop_joined.isdisjoint(readings)


_LONG_WORD = 6


def _is_polite_stop(heard: Heard, part: Part) -> bool:
    """Whether a part of a sentence asks politely: `I am not interested, please remove`."""
    bare = heard.without_polite(part.words)
    return len(bare) < len(part.words) and bool(heard.vocabulary.alarms.stop_words.whole(bare))


_LONGEST = 12  # words, polite ones among them, that may be a STOP word and nothing else


def topic_of(heard: Heard) -> str | None:
    """The one pathway that a wish to stop or start names; None when it names none or several, or says "all"."""
    everything = heard.vocabulary.lists[WordList.EVERYTHING]
    if any(not everything.isdisjoint(word) for word in heard.words):
        return None
    named = {found.means for found in heard.vocabulary.topics.find(heard.words)}
    return named.pop() if len(named) == 1 else None
