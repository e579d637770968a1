"""How easy a text is to read: the Flesch-Kincaid grade for English, Fernández-Huerta's ease for Spanish.

Both look only at sentence length and syllables, and jump about on a text of a dozen words. So score all the
texts of one message together, and look at single sentences with `longest_sentence`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scheduler.catalogue.spoken import sentences, spoken_words, written_words
from scheduler.catalogue.syllables import english_syllables, spanish_syllables
from scheduler.domain.languages import base_language


@dataclass(frozen=True, slots=True)
class Counts:
    """What the formulas rest on."""

    sentences: int
    words: int
    syllables: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A reading score on its formula's own scale. `plain` says whether it is easy enough for a message."""

    formula: str
    value: float  # rounded to one decimal place
    limit: str  # as people say it: "6.0 or less"
    plain: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Formula:
    name: str
    compute: Callable[[Counts], float]
    limit: str
    plain: Callable[[float], bool]


def flesch_kincaid_grade(counts: Counts) -> float:
    """The US school grade that reads this with ease (Kincaid, 1975).

    0.39 words/sentence + 11.8 syllables/word - 15.59.
    """
    per_sentence, per_word = _ratios(counts)
    return 0.39 * per_sentence + 11.8 * per_word - 15.59


def fernandez_huerta_ease(counts: Counts) -> float:
    """Reading ease from 0 (hard) to 100 (Fernández-Huerta, 1959).

    206.84 - 60 syllables/word - 1.02 words/sentence.
    """
    per_sentence, per_word = _ratios(counts)
    return 206.84 - 60 * per_word - 1.02 * per_sentence


def _ratios(counts: Counts) -> tuple[float, float]:
    return counts.words / counts.sentences, counts.syllables / counts.words


MAX_GRADE = 6.0
MIN_EASE = 60.0

_SYLLABLES: dict[str, Callable[[str], int]] = {"en": english_syllables, "es": spanish_syllables}
_FORMULAS = {
    "en": _Formula(
        name="Flesch-Kincaid grade",
        compute=flesch_kincaid_grade,
        limit=f"{MAX_GRADE} or less",
        plain=lambda value: value <= MAX_GRADE,
    ),
    "es": _Formula(
        name="Fernández-Huerta ease",
        compute=fernandez_huerta_ease,
        limit=f"{MIN_EASE} or more",
        plain=lambda value: value >= MIN_EASE,
    ),
}


def count(texts: Iterable[str], language: str) -> Counts:
    """Sentences, spoken words and syllables of `texts` together. `language` is one that `score` knows."""
    base = base_language(language)
    spoken = [spoken_words(sentence, base) for text in texts for sentence in sentences(text)]
    syllables = _SYLLABLES[base]
    return Counts(
        sentences=len(spoken),
        words=sum(map(len, spoken)),
        syllables=sum(syllables(word) for words in spoken for word in words),
    )


def score(texts: Iterable[str], language: str) -> Score | None:
    """The reading score of `texts` together; None when there are no words, or no formula for the language."""
    formula = _FORMULAS.get(base_language(language))
    if formula is None:
        return None
    counts = count(texts, language)
    if counts.words == 0:
        return None
    value = round(formula.compute(counts), 1)
    return Score(formula=formula.name, value=value, limit=formula.limit, plain=formula.plain(value))


def longest_sentence(text: str) -> tuple[int, str]:
    """The longest sentence of `text` and its number of written words; (0, "") for an empty text."""
    return max(((written_words(one), one) for one in sentences(text)), default=(0, ""))
