"""What must never be missed in a reply: STOP, a wrong number, words of danger. In every language. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from scheduler.domain.reply_arguments import read_limit
from scheduler.domain.reply_hearing import Heard, Part, hear
from scheduler.domain.reply_meaning import Interpretation, Meaning
from scheduler.domain.reply_patterns import Found, Words
from scheduler.domain.reply_words import Phrase, ReplyWords, WordList

_EXEMPTS = {Phrase.NOT_STOP: Phrase.STOP, Phrase.NOT_SAFETY: Phrase.SAFETY}


def read_urgent(heard: Heard) -> Interpretation | None:
    """STOP, a wrong number or danger, in this order, each noting danger beside it; None when nothing is urgent."""
    phrases = urgent_phrases(heard)
    danger = Phrase.SAFETY in phrases
    if Phrase.STOP in phrases or is_stop_word(heard):
        return Interpretation(
            meaning=Meaning.STOP,
            speaks_of_danger=danger,
            topic=_topic(heard),
            pause=read_limit(heard.words, heard.vocabulary),
            text=heard.own,
        )
    if Phrase.WRONG_NUMBER in phrases:
        return Interpretation(meaning=Meaning.WRONG_NUMBER, speaks_of_danger=danger, text=heard.own)
    if danger:
        return Interpretation(meaning=Meaning.SAFETY, speaks_of_danger=True, text=heard.own)
    return None


def hears_stop(text: str, languages: Sequence[ReplyWords]) -> bool:
    """Whether `text` asks to be left alone, by the words of `languages`."""
    heard = hear(text, tuple(languages), tuple(languages))
    return Phrase.STOP in urgent_phrases(heard) or is_stop_word(heard)


def hears_danger(text: str, languages: Sequence[ReplyWords]) -> bool:
    """Whether `text` holds words of danger in one of `languages`."""
    return Phrase.SAFETY in urgent_phrases(hear(text, tuple(languages), tuple(languages)))


def urgent_phrases(heard: Heard) -> set[Phrase]:
    """The urgent kinds of phrase that stand in the reply and are not part of a longer phrase that is none.

    A phrase may run over the end of a sentence; what exempts it may not: "Don't! Stop!" is STOP.
    """
    urgent = heard.vocabulary.urgent.find(heard.words)
    if not urgent:
        return set()
    exempt = _exempt(heard)
    return {one.means for one in urgent if not any(_exempts(other, one) for other in exempt)}


def _exempt(heard: Heard) -> list[Found[Phrase]]:
    """Only words as they are written exempt: a typing error must not hide a wish to stop."""
    parts = [sentence.whole for sentence in heard.sentences] + ([heard.rest] if heard.rest else [])
    return [
        Found(found.means, part.start + found.start, part.start + found.end)
        for part in parts
        for found in heard.vocabulary.exempt.find([word[:1] for word in part.words])
    ]


def _exempts(exempt: Found[Phrase], urgent: Found[Phrase]) -> bool:
    is_inside = exempt.start <= urgent.start and urgent.end <= exempt.end
    is_longer = exempt.end - exempt.start > urgent.end - urgent.start
    return _EXEMPTS[exempt.means] is urgent.means and is_inside and is_longer


def is_stop_word(heard: Heard) -> bool:
    """Whether the reply, or one of its sentences, is nothing but a STOP word, polite words aside."""
    known = heard.vocabulary
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
    known = heard.vocabulary
    readings = known.spelling.readings(joined) if len(joined) >= _LONG_WORD else (joined,)
    return not known.stop_joined.isdisjoint(readings)


_LONG_WORD = 6


def _is_polite_stop(heard: Heard, part: Part) -> bool:
    """Whether a part of a sentence asks politely: `I am not interested, please remove`."""
    bare = heard.without_polite(part.words)
    return len(bare) < len(part.words) and bool(heard.vocabulary.stop_words.whole(bare))


_LONGEST = 12  # words, polite ones among them, that may be a STOP word and nothing else


def _topic(heard: Heard) -> str | None:
    """The one pathway that a wish to stop names; None when it names none or several, or says "all"."""
    everything = heard.vocabulary.lists[WordList.EVERYTHING]
    if any(not everything.isdisjoint(word) for word in heard.words):
        return None
    named = {found.means for found in heard.vocabulary.topics.find(heard.words)}
    return named.pop() if len(named) == 1 else None
