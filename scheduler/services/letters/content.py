"""The words of a mail, and what came with them."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message

from scheduler.services.letters.flowed import unflowed
from scheduler.services.letters.markup import words_of_html
from scheduler.services.letters.reading import clean

MOST_PARTS = 100  # of one mail that are looked at
LONGEST_TEXT = 512 * 1024  # bytes of one part that are looked at

# Their decoders take the square of the length, or make text of what is none.
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})
# Signatures and cards that mail programs add by themselves.
_ADDED = frozenset(
    {
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/ms-tnef",
        "text/vcard",
        "text/x-vcard",
        "text/directory",
        "text/calendar",
    }
)


@dataclass(frozen=True, slots=True)
class Content:
    """What a mail says: all of its text, quotations included, and how many files came with it."""

    text: str
    files: int


def content_of(mail: Message) -> Content:
    """The text of a mail, of its HTML where it has no other. Never raises; the work is bounded."""
    gathered = _Gathered()
    gathered.take(mail)
    return Content("\n\n".join(text for text in gathered.texts if text.strip()), gathered.files)


class _Gathered:
    """Goes through the parts in the order in which they are shown."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.files = 0
        self._left = MOST_PARTS

    def take(self, part: Message, *, is_related: bool = False) -> None:
        self._left -= 1
        if self._left < 0:
            return
        kind = part.get_content_type()
        if part.get_content_maintype() == "multipart":
            self._take_parts(kind, part)
        elif kind in ("text/plain", "text/html") and not self._is_file(part):
            self.texts.append(_text(part))
        elif not (is_related and kind.startswith("image/")) and kind not in _ADDED:
            self.files += 1  # a picture in the text is decoration, one beside it was sent

    def _take_parts(self, kind: str, whole: Message) -> None:
        payload = whole.get_payload()
        if not isinstance(payload, list):  # its parts are nowhere to be found
            self.texts.append(_decoded(whole))
            return
        parts = [one for one in payload if isinstance(one, Message)]
        if kind == "multipart/alternative":
            self._take_best(parts)
        elif kind in ("multipart/signed", "multipart/report"):
            self._take_each(parts[:1])
        elif kind == "multipart/encrypted":
            self.files += 1
        else:
            self._take_each(parts, is_related=kind == "multipart/related")

    def _take_each(self, parts: Iterable[Message], *, is_related: bool = False) -> None:
        for part in parts:
            self.take(part, is_related=is_related)

    def _take_best(self, parts: list[Message]) -> None:
        """Of several forms of the same: plain text, which needs no guessing, where there is any; else the others.

        Files may stand in one form only: each is gone through, and those of the richest count.
        """
        already, most, chosen = self.files, 0, ""
        for part in sorted(parts, key=lambda one: one.get_content_type() != "text/plain"):
            before = len(self.texts)
            self.take(part)
            words = "\n\n".join(text for text in self.texts[before:] if text.strip())
            del self.texts[before:]
            chosen = chosen or words
            most, self.files = max(most, self.files - already), already
        self.texts.append(chosen)
        self.files = already + most

    def _is_file(self, part: Message) -> bool:
        """Whether a text came as a file. Some programs give the body a name too: what comes first is the body."""
        try:
            is_named = bool(part.get_filename())
            return part.get_content_disposition() == "attachment" or (is_named and any(self.texts))
        except (LookupError, ValueError, TypeError, AttributeError):  # a name that is written wrongly (RFC 2231)
            return True


def _text(part: Message) -> str:
    content = _decoded(part)
    if part.get_content_type() == "text/html":
        return words_of_html(content)
    if _parameter(part, "format") == "flowed":
        return unflowed(content, delete_space=_parameter(part, "delsp") == "yes")
    return content


def _decoded(part: Message) -> str:
    """The content as text, whatever its encoding and charset claim."""
    try:
        content = part.get_payload(decode=True)
    except Exception:  # noqa: BLE001 - the decoders of the library raise what they like
        content = None
    if not isinstance(content, bytes):
        return clean(str(part.get_payload()))[:LONGEST_TEXT]
    errors = "ignore" if len(content) > LONGEST_TEXT else "strict"  # the cut may go through a character
    content = content[:LONGEST_TEXT]
    for charset in (_charset(part), "utf-8", "cp1252"):
        try:
            return clean(content.decode(charset, errors).replace("\r\n", "\n").replace("\r", "\n"))
        except (LookupError, ValueError):
            continue
    return clean(content.decode("utf-8", "replace"))


def _charset(part: Message) -> str:
    """The charset that the part claims, if there is such a one."""
    try:
        name = codecs.lookup(part.get_content_charset() or "utf-8").name
    except (LookupError, ValueError, TypeError, AttributeError):
        return "utf-8"
    return "utf-8" if name.replace("-", "_") in _NO_CHARSETS else name


def _parameter(part: Message, name: str) -> str:
    try:
        return str(part.get_param(name, "")).lower()
    except (LookupError, ValueError, TypeError):
        return ""
