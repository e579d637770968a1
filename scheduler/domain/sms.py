"""How long a text is on the phone network: encodings, units and segments.

One character outside GSM-7 turns a whole text into UCS-2, where a segment holds 70 instead of 160.
Tables and lengths: 3GPP TS 23.038 and 23.040; the numbers are those that Twilio bills by.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")  # each is an escape and a character: two septets

# What fits a text in one segment, and each part of a longer one, where a header takes six octets.
GSM7_SINGLE, GSM7_PART = 160, 153  # septets
UCS2_SINGLE, UCS2_PART = 70, 67  # UTF-16 code units

_BASIC_ONLY = re.compile("[" + re.escape("".join(sorted(GSM7_BASIC))) + "]*")
_EXTENDED = re.compile("[" + re.escape("".join(sorted(GSM7_EXTENSION))) + "]")
_ODD = re.compile("[^" + re.escape("".join(sorted(GSM7_BASIC | GSM7_EXTENSION))) + "]")

_ESCAPE = "\x1b"

_SPACES = "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_INVISIBLE = "\u00ad\u200b\u2060\ufeff"  # soft hyphen, zero-width space, word joiner, byte-order mark
_LINE_ENDS = "\u0085\u2028\u2029"
_LOOKALIKES = str.maketrans(
    dict.fromkeys("‘’‚‛′ʼ‹›`´", "'")
    | dict.fromkeys("“”„‟″«»", '"')
    | dict.fromkeys("‐‑‒–—―−•·", "-")
    | dict.fromkeys(_SPACES, " ")
    | dict.fromkeys(_INVISIBLE, "")
    | dict.fromkeys(_LINE_ENDS, "\n")
    | {"…": "...", "⁄": "/"}
)


class Encoding(StrEnum):
    """How a text travels. The provider picks GSM-7 whenever every character is in it."""

    GSM7 = "GSM-7"  # seven-bit septets, 160 to a segment
    UCS2 = "UCS-2"  # sixteen-bit code units, 70 to a segment


@dataclass(frozen=True, slots=True)
class SmsLength:
    """What a text costs. `odd` are the distinct characters outside GSM-7, in order of appearance."""

    encoding: Encoding
    units: int  # septets in GSM-7, UTF-16 code units in UCS-2
    segments: int  # what is billed; 0 for an empty text, which no provider sends
    odd: tuple[str, ...] = ()


def segments(text: str) -> SmsLength:
    """The encoding, length and number of segments of `text`. Any string is accepted."""
    if _BASIC_ONLY.fullmatch(text):
        return _plain_gsm7(len(text))
    odd = tuple(dict.fromkeys(_ODD.findall(text)))
    if odd:
        return _ucs2(text, odd)
    return _extended_gsm7(text)


def to_gsm7_lookalikes(text: str) -> str:
    """`text` with typographic characters replaced by their GSM-7 look-alikes.

    Curly quotes, dashes, bullets, the ellipsis and special spaces become plain ones, invisible characters go,
    and an accent written as a character of its own joins its letter. Letters are never respelled, so a text
    that needs UCS-2 for its language still does (see `SmsLength.odd`). Never costs more segments: where
    spelling out many an ellipsis would, `text` is returned as it is.
    """
    if _BASIC_ONLY.fullmatch(text):
        return text
    plain = unicodedata.normalize("NFC", text).translate(_LOOKALIKES)
    return plain if segments(plain).segments <= segments(text).segments else text


@lru_cache(1024)
def _plain_gsm7(septets: int) -> SmsLength:
    """The length of a text of one-septet characters; nearly every text is one, so the answers are kept."""
    if not septets:
        return SmsLength(Encoding.GSM7, units=0, segments=0)
    parts = 1 if septets <= GSM7_SINGLE else -(-septets // GSM7_PART)
    return SmsLength(Encoding.GSM7, septets, parts)


def _extended_gsm7(text: str) -> SmsLength:
    """The length of a text with two-septet characters; the escape and what it escapes stay in one segment."""
    septets = _EXTENDED.sub(_ESCAPE + "x", text)
    if len(septets) <= GSM7_SINGLE:
        return SmsLength(Encoding.GSM7, len(septets), 1)
    parts = _parts(len(septets), GSM7_PART, lambda at: septets[at - 1] == _ESCAPE)
    return SmsLength(Encoding.GSM7, len(septets), parts)


def _ucs2(text: str, odd: tuple[str, ...]) -> SmsLength:
    """The length of a text in UCS-2; the two halves of a surrogate pair stay in one segment."""
    encoded = text.encode("utf-16-be", "surrogatepass")
    units = len(encoded) // 2
    if units <= UCS2_SINGLE:
        return SmsLength(Encoding.UCS2, units, 1, odd)

    def splits_a_pair(at: int) -> bool:
        # The high byte tells: D8 to DB leads a pair, DC to DF follows.
        return encoded[2 * at - 2] & 0xFC == 0xD8 and encoded[2 * at] & 0xFC == 0xDC

    return SmsLength(Encoding.UCS2, units, _parts(units, UCS2_PART, splits_a_pair), odd)


def _parts(units: int, part: int, splits: Callable[[int], bool]) -> int:
    """How many parts `units` fill when a part that would end inside a pair ends before it instead."""
    parts = position = 0
    while position < units:
        position += part
        if position < units and splits(position):
            position -= 1
        parts += 1
    return parts
