"""Taking a mail apart, whatever it is: the work is bounded, and nothing that it holds raises."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32

LARGEST = 10 * 1024 * 1024  # bytes
UNFOLDED = compat32.clone(max_line_length=None)

_BEGINNING = 256 * 1024  # bytes: how much of a mail is read that is too large or too intricate to be read whole
_LONGEST_HEAD = 64 * 1024  # bytes
_LONGEST_HEADER = 10_000  # characters: reading addresses takes the square of their length
_MOST_HEADERS = 20  # of one name
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
# Reading takes the product of a mail's lines and the depth of its parts; more than this is written only to do harm.
_MOST = ((b"boundary=", 20), (b"\n--", 10_000), (b"\n\n", 100_000), (b"message/rfc822", 20), (b"message/global", 20))
_LONG_TYPE = re.compile(rb"(?im)^content-type:(?:[^\n]|\n[ \t]){10000}")
# Line breaks and what else no text has; a zero cannot be stored everywhere.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Opened:
    """A mail taken apart. `flaw` is why not all of it was read, and safe to log; empty: all was."""

    mail: Message
    flaw: str = ""


def open_mail(raw: bytes) -> Opened:
    """Take a mail apart, headers and all; of one that cannot be read whole, its beginning, else its headers.

    Never raises: in the worst case the mail is without headers.
    """
    flaw = "it is larger than 10 MB" if len(raw) > LARGEST else ""
    if not flaw and is_outsized(raw):
        flaw = "it has more parts than a mail program writes"
    beginning = raw[:_BEGINNING]
    tries = [] if flaw else [(raw, "")]
    tries += [(beginning, flaw or "it is malformed")] if not is_outsized(beginning) else []
    for part, lack in tries:
        try:
            mail = BytesParser(policy=UNFOLDED).parsebytes(part)
            _ = list(mail.walk())
            return Opened(mail, lack)
        except Exception:  # noqa: BLE001, S112 - anybody can send anything, and the parser raises many things
            continue
    return Opened(_headers_of(raw), flaw or "it is malformed")


def is_outsized(raw: bytes) -> bool:
    """Whether reading all of this would keep us busy for long."""
    lines = raw.replace(b"\r\n", b"\n").lower()
    return any(lines.count(piece) > most for piece, most in _MOST) or _LONG_TYPE.search(lines) is not None


def header(mail: Message, name: str) -> str:
    """The first header of this name on one line, as it was sent; empty when there is none."""
    return next(iter(headers(mail, name)), "")


def headers(mail: Message, name: str) -> list[str]:
    """All headers of this name, each as `header` gives it; at most twenty."""
    wanted = name.lower()
    found = [str(value) for given, value in mail.raw_items() if given.lower() == wanted]
    return [clean(" ".join(_utf8(value[:_LONGEST_HEADER]).split())) for value in found[:_MOST_HEADERS]]


def _utf8(value: str) -> str:
    """A header with letters outside ASCII, as the parser keeps it, put right: most are in UTF-8 (RFC 6532)."""
    raw = value.encode("ascii", "surrogateescape") if not value.isascii() and _is_raw(value) else None
    if raw is None:
        return value
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _is_raw(value: str) -> bool:
    return all(letter.isascii() or "\udc80" <= letter <= "\udcff" for letter in value)


def decoded_header(mail: Message, name: str) -> str:
    """A header meant for people, its encoded words (RFC 2047) decoded where they can be."""
    written = header(mail, name)
    try:
        return clean(" ".join(str(make_header(decode_header(written))).split()))
    except (HeaderParseError, LookupError, ValueError):
        return written


def clean(text: str) -> str:
    """The text without control characters and half characters, which not every database takes."""
    return _CONTROL.sub(" ", text.encode("utf-8", "replace").decode("utf-8"))


def _headers_of(raw: bytes) -> Message:
    head = raw[:_LONGEST_HEAD]
    end = _END_OF_HEAD.search(head)
    plain = _LONG_TYPE.sub(b"", head[: end.start()] if end else head)
    try:
        return BytesParser(policy=UNFOLDED).parsebytes(plain, headersonly=True)
    except Exception:  # noqa: BLE001 - as above
        return Message(policy=UNFOLDED)
