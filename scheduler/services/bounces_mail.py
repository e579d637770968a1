"""Reads what comes back to the address that mails are sent from: non-deliveries, complaints, automatic answers.

Nothing is guessed. What is no notification of a form known here is `Unclear`, and nothing follows from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser, HeaderParser
from email.policy import compat32
from email.utils import getaddresses, parseaddr
from uuid import UUID

from scheduler.services.bounces_notice import (
    Code,
    Fate,
    Fields,
    Notice,
    code_in,
    comparable,
    field_groups,
    named_addresses,
    notices_of,
    qmail_notices,
)

LARGEST = 10 * 1024 * 1024  # bytes
TOO_LARGE = "it is larger than 10 MB"

_UNFOLDED = compat32.clone(max_line_length=None)
_OUR_ID = re.compile(r"<([0-9a-f]{32})@[^<>\s]+>", re.IGNORECASE)
_ID_LINE = re.compile(r"(?im)^[> \t]*message-id:[ \t]*<([0-9a-f]{32})@[^<>\s]+>")
_ENVELOPE_ID = re.compile(r"\s*([0-9a-f]{32})\s*", re.IGNORECASE)
_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_HEADER_TYPES = frozenset({"text/rfc822-headers", "message/global-headers"})
_RETURNED_TYPES = _HEADER_TYPES | {"message/rfc822", "message/global"}
_RECIPIENT_LINE = re.compile(r"(?im)^final-recipient[ \t]*:")
_STATUS_LINE = re.compile(r"(?im)^(?:action|status)[ \t]*:")
_RETURNED_FROM = re.compile(r"(?im)^[> \t]*(?:received|return-path|from|message-id):")
_DAEMONS = ("mailer-daemon", "postmaster", "mail-daemon", "microsoftexchange")
_COMPLAINTS = frozenset({"abuse", "opt-out"})  # RFC 5965 section 7.3, and one that preceded it
# Reading takes the product of a mail's lines and the depth of its parts; more than this is written only to do harm.
_MOST = ((b"boundary=", 20), (b"\n--", 10_000), (b"\n\n", 100_000))
_LONG_TYPE = re.compile(rb"(?im)^content-type:(?:[^\n]|\n[ \t]){10000}")
_LONGEST_HEADER = 10_000  # characters that are looked at: reading addresses takes the square of their length
_QMAIL = "Hi. This is the "


@dataclass(frozen=True, slots=True)
class Bounce:
    """A notification about one of the mails with these ids, of which at most one is meant; empty: it names none."""

    attempts: frozenset[UUID]
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Complaint:
    """The recipient told their mailbox provider that the mail is unwanted (RFC 5965). Addresses are comparable."""

    attempts: frozenset[UUID]
    addresses: frozenset[str]


@dataclass(frozen=True, slots=True)
class Automatic:
    """Written by a machine and no news of a mail of ours: a holiday notice, a receipt of having been read."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nothing that is known here; `reason` is why, and safe to log."""

    reason: str


Reading = Bounce | Complaint | Automatic | Unclear


def read_mail(raw: bytes) -> Reading:
    """What a mail, headers and all, says. Never raises for its content."""
    if len(raw) > LARGEST:
        return Unclear(TOO_LARGE)
    if _is_outsized(raw.replace(b"\r\n", b"\n").lower()):
        return Unclear("it has more parts than a mail server writes")
    try:
        return _read(BytesParser(policy=_UNFOLDED).parsebytes(raw))
    except Exception:  # noqa: BLE001  # anybody can send anything, and the parser raises many things
        return Unclear("it is malformed")


def _is_outsized(raw: bytes) -> bool:
    return any(raw.count(piece) > most for piece, most in _MOST) or _LONG_TYPE.search(raw) is not None


def _read(mail: Message) -> Reading:
    parts = list(mail.walk())
    text = _human_text(parts)
    feedback = next((part for part in parts if part.get_content_type() == "message/feedback-report"), None)
    if feedback is not None:
        return _feedback(mail, parts, field_groups(_text(feedback)))
    status = _status_part(mail, parts)
    if status is not None:
        groups = field_groups(status)
        notices = tuple(notices_of(groups, around=text))
        if notices:
            return Bounce(_attempts(mail, parts, groups), notices)
    if (notices := tuple(_unstandardised(mail, text))) and (attempts := _scanned(parts)):
        return Bounce(attempts, notices)
    if _is_automatic(mail) and not _is_from_daemon(mail):
        return Automatic()
    if status is not None or _is_from_daemon(mail):
        return Unclear("it is a notification of a mail server in a form that is not known")
    return Unclear("it is neither a notification of a mail server nor an automatic answer")


# Parts


def _status_part(mail: Message, parts: Iterable[Message]) -> str | None:
    """The fields of a delivery status; also where the part has the wrong type, as some servers send it."""
    for part in parts:
        if part.get_content_type() in _STATUS_TYPES:
            return _text(part)
    if mail.get_content_maintype() == "multipart":
        for part in _direct_parts(mail):
            if part.get_content_type() in _RETURNED_TYPES:
                continue
            text = _text(part)
            if _RECIPIENT_LINE.search(text) and _STATUS_LINE.search(text):
                return text
    return None


def _direct_parts(mail: Message) -> list[Message]:
    payload = mail.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


def _text(part: Message) -> str:
    """The content as text. The parser takes `message/*` apart into messages; here they are put together again."""
    payload = part.get_payload()
    if not isinstance(payload, list):
        content = part.get_payload(decode=True)
        return content.decode("utf-8", "replace") if isinstance(content, bytes) else str(payload)
    whole = b"\n\n".join(inner.as_bytes(policy=_UNFOLDED) for inner in payload if isinstance(inner, Message))
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding in ("base64", "quoted-printable"):  # which RFC 2046 forbids here, and some do
        encoded = Message(policy=_UNFOLDED)
        encoded["Content-Transfer-Encoding"] = encoding
        encoded.set_payload(whole.strip().decode("ascii", "replace"))
        decoded = encoded.get_payload(decode=True)
        whole = decoded if isinstance(decoded, bytes) else whole
    return whole.decode("utf-8", "replace")


def _human_text(parts: Iterable[Message]) -> str:
    """What the notification says to people, without the mail that it returns."""
    part = next((part for part in parts if part.get_content_maintype() == "text"), None)
    if part is None or part.get_content_type() in _HEADER_TYPES:
        return ""
    text = _text(part).replace("\r\n", "\n").strip()
    returned = None if text.startswith(_QMAIL) else _RETURNED_FROM.search(text)
    return text[: returned.start()] if returned else text


# Which mail of ours


def _attempts(mail: Message, parts: Iterable[Message], groups: Iterable[Fields]) -> frozenset[UUID]:
    """By the first of: the returned headers, the envelope's id (RFC 3461), what the notification says it answers."""
    for sources in (_returned_ids(parts), _envelope_ids(groups), _OUR_ID.findall(_answered(mail))):
        if found := frozenset(UUID(hex=one) for one in sources):
            return found
    return _scanned(parts)


def _returned_ids(parts: Iterable[Message]) -> list[str]:
    for part in parts:
        if part.get_content_type() in _HEADER_TYPES:
            returned = HeaderParser(policy=_UNFOLDED).parsestr(_text(part).lstrip(), headersonly=True)
        elif part.get_content_type() in _RETURNED_TYPES and (inner := _direct_parts(part)):
            returned = inner[0]
        else:
            continue
        return _OUR_ID.findall(str(returned.get("Message-ID", "")))
    return []


def _envelope_ids(groups: Iterable[Fields]) -> list[str]:
    values = (fields.get("original-envelope-id", "") for fields in groups)
    return [match[1] for value in values if (match := _ENVELOPE_ID.fullmatch(value))]


def _answered(mail: Message) -> str:
    return f"{mail.get('In-Reply-To', '')} {mail.get('References', '')}"


def _scanned(parts: Iterable[Message]) -> frozenset[UUID]:
    """Ids in anything that looks like returned headers, for notifications without a part of their own for these."""
    found: list[str] = []
    for part in parts:
        if part.get_content_maintype() == "text":
            found += _ID_LINE.findall(_text(part))
        elif part.get_content_type() in _RETURNED_TYPES:
            found += _returned_ids([part])
    return frozenset(UUID(hex=one) for one in found)


# Notifications from before RFC 3464


def _unstandardised(mail: Message, text: str) -> Iterator[Notice]:
    if text.startswith(_QMAIL):
        yield from qmail_notices(text)
    elif "X-Failed-Recipients" in mail:  # Exim
        named = getaddresses([str(mail["X-Failed-Recipients"])[:_LONGEST_HEADER]])
        for _, address in named:
            yield Notice(fate=Fate.FAILED, code=code_in(text), addresses=frozenset({comparable(address)}))
    elif _is_from_daemon(mail):
        code = code_in(text)
        if _is_final(code):
            yield Notice(fate=Fate.FAILED, code=code)


def _is_final(code: Code) -> bool:
    """Only a permanent code says, in free text, that the server has given up; the rest may be a warning of delay."""
    return (code.status or str(code.reply or "")).startswith("5")


def _is_from_daemon(mail: Message) -> bool:
    sender = parseaddr(str(mail.get("From", ""))[:_LONGEST_HEADER])[1].lower()
    return sender.startswith(_DAEMONS)


def _is_automatic(mail: Message) -> bool:
    """RFC 3834 section 5, and the marks of programs older than it; also notices that a mail was read (RFC 8098)."""
    submitted = str(mail.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    precedence = str(mail.get("Precedence", "")).strip().lower()
    return (
        submitted != "no"
        or precedence in ("auto_reply", "bulk", "junk", "list")
        or any(name in mail for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponse"))
        or str(mail.get_param("report-type", "")).lower() == "disposition-notification"
    )


# Complaints


def _feedback(mail: Message, parts: Iterable[Message], groups: Iterable[Fields]) -> Reading:
    fields = {name: value for group in groups for name, value in group.items()}
    if fields.get("feedback-type", "").strip().lower() not in _COMPLAINTS:
        return Automatic()
    named = named_addresses(fields.get("original-rcpt-to", ""))
    return Complaint(_attempts(mail, parts, ()), named)
