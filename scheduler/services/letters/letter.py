"""A mail as the service looks at it: who wrote it, to whom, in answer to what, and its words."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from email.message import Message
from email.utils import getaddresses, parseaddr
from uuid import UUID

from scheduler.services.bounces_notice import comparable
from scheduler.services.letters.content import Content, content_of
from scheduler.services.letters.marks import Mark, mark_of, sender_of
from scheduler.services.letters.reading import Opened, decoded_header, header, headers
from scheduler.services.words import MAIL_ID

OUR_ID = re.compile(r"<([0-9a-f]{32})@[^<>\s]+>", re.IGNORECASE)

_ANY_ID = re.compile(r"<[!-;=?-~]{1,200}@[!-;=?-~]{1,200}>")
_MOST_BEFORE = 8  # of a thread, beside its first mail

_RECIPIENT_HEADERS = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Forwarded-To", "To", "Cc")
_MOST_RECIPIENTS = 50
_PLUS = re.compile(r"\+[^@]*@")
_MOST_ANSWERED = 10
_LONGEST_THREAD = 5000  # characters
_FAILED = re.compile(r"\bdmarc\s*=\s*fail\b", re.IGNORECASE)
_PREFIX = re.compile(
    r"^\s*(?:(?:re|r|aw|antw|sv|vs|res|odp|enc|rv|fwd?|wg|tr|i)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail that somebody may have written. `flaw` is why not all of it was read."""

    provider_id: str  # the same for the same mail
    sender: str
    name: str  # by which the sender goes; may be empty
    recipients: tuple[str, ...]  # comparable
    answers: tuple[UUID, ...]  # attempts of ours, the likeliest first
    subject: str
    content: Content
    thread: tuple[str, ...] = ()  # the Message-IDs of the mails that led to it, and its own; empty: it has none
    mark: Mark | None = None
    is_disowned: bool = False  # the domain that it claims to come from says that it does not (RFC 7489)
    flaw: str = ""

    @property
    def own_subject(self) -> str:
        """The subject, if the writer of this mail wrote it: an answer repeats that of the mail it answers."""
        return "" if _PREFIX.match(self.subject) else self.subject

    @property
    def bare_subject(self) -> str:
        """The subject without what an answer puts before it."""
        return _PREFIX.sub("", self.subject)


def letter_of(opened: Opened, raw: bytes) -> Letter:
    """The letter in a mail that was taken apart. Never raises."""
    mail = opened.mail
    return Letter(
        provider_id=_identity(mail, raw),
        sender=sender_of(mail),
        name=parseaddr(decoded_header(mail, "From"))[0],
        recipients=_recipients(mail),
        answers=_answered(mail),
        subject=decoded_header(mail, "Subject"),
        content=content_of(mail),
        thread=_thread(mail),
        mark=mark_of(mail),
        is_disowned=any(_FAILED.search(result) for result in headers(mail, "Authentication-Results")),
        flaw=opened.flaw,
    )


def _identity(mail: Message, raw: bytes) -> str:
    """A digest of the Message-ID; of the whole mail where it has none."""
    named = header(mail, "Message-ID")
    return f"{MAIL_ID}{hashlib.sha256(named.encode() or raw).hexdigest()[:40]}"


def _thread(mail: Message) -> tuple[str, ...]:
    """What an answer names in References (RFC 5322 section 3.6.4): the first, the latest, this mail itself last."""
    own = _ANY_ID.fullmatch(header(mail, "Message-ID").strip())
    if own is None:
        return ()
    before = _ANY_ID.findall(str(mail.get("References", ""))[-_LONGEST_THREAD:])
    if not before:
        direct = _ANY_ID.findall(header(mail, "In-Reply-To"))
        before = direct if len(direct) == 1 else []
    earlier = [one for one in dict.fromkeys(before) if one != own.group()]
    return (*earlier[:1], *earlier[1:][-_MOST_BEFORE:], own.group())


def _recipients(mail: Message) -> tuple[str, ...]:
    """To whom it was sent, those first who surely got it; then without what follows a plus sign."""
    written = [value for name in _RECIPIENT_HEADERS for value in headers(mail, name)]
    found = [comparable(address) for _, address in getaddresses(written)[:_MOST_RECIPIENTS] if "@" in address]
    plain = [_PLUS.sub("@", address) for address in found]
    return tuple(dict.fromkeys([*found, *plain]))


def _answered(mail: Message) -> tuple[UUID, ...]:
    """The mails of ours that it says it answers: that one first, then the others of its thread, the last first."""
    direct = OUR_ID.findall(header(mail, "In-Reply-To"))
    thread = OUR_ID.findall(str(mail.get("References", ""))[-_LONGEST_THREAD:])
    ids = dict.fromkeys([*direct, *reversed(thread)])
    return tuple(UUID(hex=one) for one in list(ids)[:_MOST_ANSWERED])
