"""Header lines of a mail, written out: nothing in them is folded, encoded or split but as the RFCs allow.

The standard library's folding is not used. It turns a `List-Unsubscribe` of more than 76 characters into
encoded words, with which no mail program unsubscribes, and makes encoded words longer than the 75 characters
of RFC 2047; with a larger line length, which cures the first, much longer.
"""

from __future__ import annotations

import re
from email.utils import formataddr

MAX_LINE = 900  # characters; a line may have 998 (RFC 5322 section 2.1.1)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SAFE_IN_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/")
_WORD = "=?utf-8?q?{}?="
# A line with an encoded word has at most 76 characters (RFC 2047 section 2), "Subject: " included.
_MAX_ENCODED = 76 - len("Subject: ") - len(_WORD.format(""))


class UnbuildableError(ValueError):
    """The mail cannot be built; the text says which part is wrong without repeating it."""


def text_value(text: str, what: str) -> str:
    """A value of plain text, such as a subject.

    Raises `UnbuildableError` for a line break or another control character.
    """
    if _CONTROL.search(text):
        raise UnbuildableError(f"{what} has a line break or control character")
    if text.isascii() and "=?" not in text and text == text.strip() and len(text) <= MAX_LINE:
        return text
    return "\r\n ".join(_WORD.format(word) for word in _words(text, what))


def address_value(name: str, address: str) -> str:
    """A display name and an ASCII address, as in `From`. Raises `UnbuildableError` as `text_value` does."""
    written = text_value(name, "the sender's name")
    if written == name:
        return formataddr((name, address))
    return f"{written}\r\n <{address}>"


def checked_value(value: str, pattern: re.Pattern[str], what: str) -> str:
    """`value` as it stands, when it matches. Raises `UnbuildableError`."""
    if len(value) > MAX_LINE or not pattern.fullmatch(value):
        raise UnbuildableError(f"{what} is malformed")
    return value


def _words(text: str, what: str) -> list[str]:
    """The text in pieces for encoded words (RFC 2047 section 4.2); a character is never split between two."""
    words = [""]
    for character in text:
        try:
            written = "".join(_byte(byte) for byte in character.encode())
        except UnicodeEncodeError as error:
            raise UnbuildableError(f"{what} has half of a character") from error
        if len(words[-1]) + len(written) > _MAX_ENCODED:
            words.append("")
        words[-1] += written
    return words


def _byte(byte: int) -> str:
    if byte in _SAFE_IN_WORD:
        return chr(byte)
    return "_" if byte == ord(" ") else f"={byte:02X}"
