"""Text as it is read aloud: sentences, and words with numbers spelled out."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"(?:https?://|www\.)\S*[^\s.,;:!?)]|\S+@\S+\.\w+")
_SENTENCE_END = re.compile(
    r"[.!?…]+[\"'”’)\]]*(?=\s|$)"
    r"|\n\s*\n"
    r"|\n(?=\s*(?:[-*•]|\d+[\s.):=-]))"  # each item of a list is read on its own
)
_TOKEN = re.compile(r"\+?\(?\d+\)?(?:[ .-]\(?\d+\)?)+|\d+|[^\W\d_]+(?:['’][^\W\d_]+)*")
_PHONE_DIGITS = 7  # this many digits in groups are a phone number, or a date in figures
_LARGEST_NUMBER = 9999


def _listed(words: str) -> list[str]:
    return words.split()


_UNITS = {
    "en": _listed(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
        " sixteen seventeen eighteen nineteen"
    ),
    "es": _listed(
        "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis"
        " diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco"
        " veintiséis veintisiete veintiocho veintinueve"
    ),
}
_TENS = {
    "en": _listed("zero ten twenty thirty forty fifty sixty seventy eighty ninety"),
    "es": _listed("cero diez veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa"),
}
_SPANISH_HUNDREDS = _listed(
    "cero ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"
)


def without_addresses(text: str) -> str:
    """`text` without web and mail addresses, which are tapped and not read."""
    return _ADDRESS.sub(" ", text)


def sentences(text: str) -> list[str]:
    """The sentences of `text`, without web and mail addresses. A paragraph and a list item end one too."""
    parts = _SENTENCE_END.split(without_addresses(text))
    return [" ".join(part.split()) for part in parts if re.search(r"\w", part)]


def spoken_words(sentence: str, language: str) -> list[str]:
    """The words of `sentence` as read aloud in `language` (`en` or `es`): 25 is twenty five."""
    words: list[str] = []
    for token in _TOKEN.findall(sentence):
        words.extend(_number(token, language) if any(char.isdigit() for char in token) else [token])
    return words


def written_words(sentence: str) -> int:
    """How many words a reader sees; a phone number is one."""
    return len(_TOKEN.findall(sentence))


def _number(token: str, language: str) -> list[str]:
    groups = re.findall(r"\d+", token)
    if sum(map(len, groups)) >= _PHONE_DIGITS:
        return [_UNITS[language][int(digit)] for digit in "".join(groups)]
    return [word for group in groups for word in _count(int(group), language)]


def _count(number: int, language: str) -> list[str]:
    if number > _LARGEST_NUMBER:
        return [_UNITS[language][int(digit)] for digit in str(number)]
    return _english(number) if language == "en" else _spanish(number)


def _english(number: int) -> list[str]:
    units = _UNITS["en"]
    if number < len(units):
        return [units[number]]
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = number % size
            return [*_english(number // size), name, *(_english(rest) if rest else [])]
    tens, rest = divmod(number, 10)
    return [_TENS["en"][tens], *(_english(rest) if rest else [])]


def _spanish(number: int) -> list[str]:
    units = _UNITS["es"]
    if number < len(units):
        return [units[number]]
    if number >= 1000:
        thousands, rest = divmod(number, 1000)
        return [*(_spanish(thousands) if thousands > 1 else []), "mil", *(_spanish(rest) if rest else [])]
    if number >= 100:
        hundreds, rest = divmod(number, 100)
        return [_SPANISH_HUNDREDS[hundreds], *_spanish(rest)] if rest else [_round_hundred(hundreds)]
    tens, rest = divmod(number, 10)
    return [_TENS["es"][tens], *(["y", *_spanish(rest)] if rest else [])]


def _round_hundred(hundreds: int) -> str:
    return "cien" if hundreds == 1 else _SPANISH_HUNDREDS[hundreds]
