"""Tells apart what comes back to the address that mails are sent from: non-deliveries, complaints, automatic mail,
and what people write.

Nothing is guessed. What is no notification of a form known here, and nobody's letter, is `Unclear`, and nothing
follows from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from email.utils import getaddresses
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
from scheduler.services.letters.letter import OUR_ID, Letter, letter_of
from scheduler.services.letters.marks import Mark, is_from_daemon
from scheduler.services.letters.reading import UNFOLDED, Opened, header, open_mail

_ID_LINE = re.compile(r"(?im)^[> \t]*message-id:[ \t]*<([0-9a-f]{32})@[^<>\s]+>")
_ENVELOPE_ID = re.compile(r"\s*([0-9a-f]{32})\s*", re.IGNORECASE)
_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_HEADER_TYPES = frozenset({"text/rfc822-headers", "message/global-headers"})
_RETURNED_TYPES = _HEADER_TYPES | {"message/rfc822", "message/global"}
_RECIPIENT_LINE = re.compile(r"(?im)^final-recipient[ \t]*:")
_STATUS_LINE = re.compile(r"(?im)^(?:action|status)[ \t]*:")
_RETURNED_FROM = re.compile(r"(?im)^[> \t]*(?:received|return-path|from|message-id):")
_COMPLAINTS = frozenset({"abuse", "opt-out"})  # RFC 5965 section 7.3, and one that preceded it
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

    mark: Mark


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nothing that is known here; `reason` is why, and safe to log."""

    reason: str


Reading = Bounce | Complaint | Automatic | Letter | Unclear


def read_mail(raw: bytes) -> Reading:
    """What a mail, headers and all, is and says. Never raises for its content.

    A letter may have a weak mark of a machine, of which only those can judge who know its sender.
    """
    opened = open_mail(raw)
    try:
        notification = None if opened.flaw else _notification(opened.mail)
        return notification or _other(opened, raw)
    except Exception:  # noqa: BLE001  # anybody can send anything, and the parser raises many things
        return Unclear("it is malformed")


def _notification(mail: Message) -> Reading | None:
    """What a notification says about mails of ours; None for any other mail."""
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
    if status is not None:
        return Unclear("it is a notification of a mail server in a form that is not known")
    return None


def _other(opened: Opened, raw: bytes) -> Reading:
    if is_from_daemon(opened.mail):
        return Unclear(opened.flaw or "it is a notification of a mail server in a form that is not known")
    letter = letter_of(opened, raw)
    if letter.mark is not None and not letter.mark.is_weak:
        return Automatic(letter.mark)
    if not letter.sender:
        return Unclear(opened.flaw or "it is no notification of a mail server, and says not who wrote it")
    return letter


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
    whole = b"\n\n".join(inner.as_bytes(policy=UNFOLDED) for inner in payload if isinstance(inner, Message))
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding in ("base64", "quoted-printable"):  # which RFC 2046 forbids here, and some do
        encoded = Message(policy=UNFOLDED)
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
    for sources in (_returned_ids(parts), _envelope_ids(groups), OUR_ID.findall(_answered(mail))):
        if found := frozenset(UUID(hex=one) for one in sources):
            return found
    return _scanned(parts)


def _returned_ids(parts: Iterable[Message]) -> list[str]:
    for part in parts:
        if part.get_content_type() in _HEADER_TYPES:
            returned = HeaderParser(policy=UNFOLDED).parsestr(_text(part).lstrip(), headersonly=True)
        elif part.get_content_type() in _RETURNED_TYPES and (inner := _direct_parts(part)):
            returned = inner[0]
        else:
            continue
        return OUR_ID.findall(str(returned.get("Message-ID", "")))
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
        named = getaddresses([header(mail, "X-Failed-Recipients")])
        for _, address in named:
            yield Notice(fate=Fate.FAILED, code=code_in(text), addresses=frozenset({comparable(address)}))
    elif is_from_daemon(mail):
        code = code_in(text)
        if _is_final(code):
            yield Notice(fate=Fate.FAILED, code=code)


def _is_final(code: Code) -> bool:
    """Only a permanent code says, in free text, that the server has given up; the rest may be a warning of delay."""
    return (code.status or str(code.reply or "")).startswith("5")


# Complaints


def _feedback(mail: Message, parts: Iterable[Message], groups: Iterable[Fields]) -> Reading:
    fields = {name: value for group in groups for name, value in group.items()}
    if fields.get("feedback-type", "").strip().lower() not in _COMPLAINTS:
        return Automatic(Mark.FEEDBACK)
    named = named_addresses(fields.get("original-rcpt-to", ""))
    return Complaint(_attempts(mail, parts, ()), named)
