"""Texts as words compare: without case, accents, punctuation, symbols or emoji."""

from __future__ import annotations

import unicodedata

_APOSTROPHES = "'’‘ʼ`´"
_REMEMBERED = 4096  # characters; more than any language of ours uses, so that odd texts cannot fill the memory


class _Folding(dict[int, str]):
    """What each character becomes, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        if len(self) >= _REMEMBERED:
            self.clear()
        folded = self[code] = _fold(chr(code))
        return folded


def normalise(text: str) -> str:
    """`text` as words compare: one space between words, no case, accents, punctuation, symbols or emoji.

    Compatibility forms are folded (NFKC), so full-width digits and keycap emoji become plain digits.
    Apostrophes vanish (`don't` is `dont`); other punctuation parts words. Normalising twice changes nothing
    more.
    """
    return " ".join(text.translate(_FOLDING).split())


def _fold(char: str) -> str:
    """One character: letters and numbers stay in their plainest form, punctuation is a space, marks are nothing."""
    if char in _APOSTROPHES:
        return ""
    kept: list[str] = []
    for part in unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", char).casefold()):
        category = unicodedata.category(part)
        if category == "Nd":
            kept.append(str(unicodedata.decimal(part)))  # digits of every script
        elif category[0] in "LN":
            kept.append(part)
        elif category[0] in "PSZ" or category == "Cc":
            kept.append("" if part in _APOSTROPHES else " ")  # marks and invisible characters leave no gap
    folded = "".join(kept).casefold()
    # A compatibility form may unfold to something that has a case or accents of its own.
    return folded if folded == char else "".join(map(_fold, folded))


_FOLDING = _Folding()
