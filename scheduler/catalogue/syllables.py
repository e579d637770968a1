"""How many syllables a written word has when read aloud, in English and Spanish.

Hyphenation patterns are no help here: they say where a line may break, and leave out breaks that look bad
(`a-gua`, `i-de-a`). So English has rules for vowel groups and a list of exceptions; Spanish needs only rules.
"""

from __future__ import annotations

import re
from functools import lru_cache

# English words that the rules below get wrong, of those that clinics write.
_EXCEPTIONS: dict[str, int] = {
    "anyone": 3, "area": 3, "bathe": 1, "being": 2, "breathe": 1, "business": 2, "clothes": 1, "create": 2,
    "created": 3, "diet": 2, "dietitian": 4, "doing": 2, "dr": 2, "evening": 2, "every": 2, "everyday": 3,
    "everyone": 3, "everything": 3, "going": 2, "homemade": 2, "hour": 1, "idea": 3, "lifestyle": 2,
    "maybe": 2, "mr": 2, "mrs": 2, "people": 2, "quiet": 2, "recipe": 3, "safely": 2, "science": 2,
    "seeing": 2, "someone": 2, "something": 2, "sometimes": 2, "somewhere": 2, "tired": 2, "vegetable": 3,
    "via": 2, "video": 3, "wednesday": 2, "wheelchair": 2,
}  # fmt: skip

# Spoken letter by letter, or as a word of their own.
_ACRONYMS: dict[str, int] = {
    "DEXA": 2,
    "DXA": 3,
    "MS": 2,
    "US": 2,
    "PT": 2,
    "AM": 2,
    "PM": 2,
    "SMS": 3,
    "FAQ": 3,
}

_VOWELS = re.compile(r"[aeiouy]+")
# A written e that is not heard: at the end, in -ed and -es after most consonants, before -ly, -ful, -ment.
_SILENT_E = re.compile(
    r"(?:(?<=[^aeiouy])e$"
    r"|(?<=[^aeiouytd])ed$"
    r"|(?<=[^aeiouyscgzx])(?<!ch)(?<!sh)es$"
    r"|(?<=[^aeiouyl])e(?=(?:ly|ful|less|ments?|fully|time|where|thing)$))"
)
_HEARD_LE = re.compile(r"[^aeiouyl]le[sd]?$")  # ta-ble, mus-cles, hand-led; not called
# Two vowels side by side that are read apart: cal-ci-um, ra-di-o, sit-u-a-tion.
_APART = re.compile(r"i(?:um|o$|os$|a$|as$|est|er$|ers$)|(?<![ct])ia(?!l|n)|(?<![qg])ua[lt]|y(?:ing|er)|eo$|uing")
_LETTER_SYLLABLES = {"en": 1, "es": 2}  # em, ess; eme, ese


@lru_cache(maxsize=8192)
def english_syllables(word: str) -> int:
    """Syllables of one English word, at least 1. Capitals matter only for acronyms (DEXA 2, DXA 3)."""
    if word in _ACRONYMS:
        return _ACRONYMS[word]
    plain = word.lower().replace("’", "'").removesuffix("'s").strip("'")
    for known in (plain, plain.removesuffix("s")):
        if known in _EXCEPTIONS:
            return _EXCEPTIONS[known]
    if not _VOWELS.search(plain):
        return max(1, len(plain) * _LETTER_SYLLABLES["en"])
    groups = len(_VOWELS.findall(_SILENT_E.sub("", plain)))
    return max(1, groups + len(_HEARD_LE.findall(plain)) + len(_APART.findall(plain)))


_SPANISH_VOWELS = re.compile(r"[aeiouáéíóúü]+y?\b|[aeiouáéíóúü]+|\by\b")
_STRONG = re.compile(r"[aeoáéíóú]")


@lru_cache(maxsize=8192)
def spanish_syllables(word: str) -> int:
    """Syllables of one Spanish word, at least 1.

    Each strong vowel (a, e, o, any with an accent) is a syllable; i and u join a neighbour, or each other.
    """
    runs = _SPANISH_VOWELS.findall(word.lower())
    if not runs:
        return max(1, len(word) * _LETTER_SYLLABLES["es"])
    return sum(max(1, len(_STRONG.findall(run))) for run in runs)
