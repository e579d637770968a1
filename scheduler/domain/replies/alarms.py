"""The words that must never be missed, of every language: STOP, a wrong number, danger. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from scheduler.domain.replies.indexes import Languages, index_of, of_kinds, readings_of
from scheduler.domain.replies.patterns import Found, PhraseIndex, Words, read_phrase
from scheduler.domain.replies.words import CARRIER_WORDS, CarrierMeaning, Command, Phrase

URGENT = frozenset({Phrase.STOP, Phrase.WRONG_NUMBER, Phrase.SAFETY})
EXEMPT = frozenset({Phrase.NOT_STOP, Phrase.NOT_SAFETY})
_EXEMPTS = {Phrase.NOT_STOP: Phrase.STOP, Phrase.NOT_SAFETY: Phrase.SAFETY}
_SHORTEST_JOINED = 4  # letters of a STOP word that is understood also with a space in it


@dataclass(frozen=True, slots=True, eq=False)
class Alarms:
    """The urgent words of all languages, indexed."""

    stop_words: PhraseIndex[bool]  # each a whole text
    stop_joined: frozenset[str]  # the same without spaces
    urgent: PhraseIndex[Phrase]  # anywhere
    exempt: PhraseIndex[Phrase]

    def phrases_in(self, words: Words, stretches: Iterable[tuple[int, Words]]) -> set[Phrase]:
        """The urgent kinds of phrase that stand in `words` and are not part of a longer phrase that is none.

        A phrase may run over the end of a sentence; what exempts it stands within one of `stretches`, each with its
        place: "Don't! Stop!" is STOP. And only words as they are written exempt: a typing error must not hide a wish.
        """
        urgent = self.urgent.find(words)
        if not urgent:
            return set()
        exempt = [
            Found(found.means, start + found.start, start + found.end)
            for start, stretch in stretches
            for found in self.exempt.find([word[:1] for word in stretch])
        ]
        return {one.means for one in urgent if not any(_exempts(other, one) for other in exempt)}

    def hears(self, kind: Phrase, text: str) -> bool:
        """Whether a normalised text, spelled as the reply files spell, holds an urgent phrase of `kind`."""
        words = _as_written(text)
        if kind is Phrase.STOP and self.stop_words.whole(words):
            return True
        return kind in self.phrases_in(words, [(0, words)])

    def places(self, kind: Phrase, text: str) -> list[tuple[int, int]]:
        """Where phrases of `kind` stand in a normalised text, whatever exempts them: first word, and word after."""
        return [(one.start, one.end) for one in self.urgent.find(_as_written(text)) if one.means is kind]


@lru_cache(maxsize=8)
def alarms(every: Languages) -> Alarms:
    """The alarms of the languages that there are."""
    opt_out = [word for word, meaning in CARRIER_WORDS.items() if meaning is CarrierMeaning.OPT_OUT]
    own = [(word, words) for words in every for word in words.commands.get(Command.STOP, ())]
    carriers = [(parts, True) for word in opt_out for parts in read_phrase(word, {})]
    stop_words = [*opt_out, *(word for word, _ in own)]
    return Alarms(
        stop_words=PhraseIndex([*carriers, *((parts, True) for pair in own for parts in readings_of(*pair))]),
        stop_joined=frozenset(
            joined for word in stop_words if len(joined := word.replace(" ", "")) >= _SHORTEST_JOINED
        ),
        urgent=index_of(every, lambda words: of_kinds(words, URGENT)),
        exempt=index_of(every, lambda words: of_kinds(words, EXEMPT)),
    )


def _as_written(text: str) -> Sequence[tuple[str, ...]]:
    return [(word,) for word in text.split()]


def _exempts(exempt: Found[Phrase], urgent: Found[Phrase]) -> bool:
    is_inside = exempt.start <= urgent.start and urgent.end <= exempt.end
    is_longer = exempt.end - exempt.start > urgent.end - urgent.start
    return _EXEMPTS[exempt.means] is urgent.means and is_inside and is_longer
