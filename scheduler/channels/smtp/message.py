"""Builds the mail itself: headers that mail programs and list software rely on, then text and HTML."""

from __future__ import annotations

import re
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from typing import Any

from scheduler.ports import OutboundEmail

# What a recipient's mail program may not answer by itself; without NDR, because we want to know of bounces.
_NO_AUTO_RESPONSE = "DR, RN, NRN, OOF, AutoReply"
_MESSAGE_ID = re.compile(r"<[!-~]+@[!-~]+>")
_URL = re.compile(r"https?://[!-;=?-~]+")  # printable ASCII without < and >
_MAX_VALUE = 900  # a header line may have 998 characters (RFC 5322 section 2.1.1)
_UNFOLDED = frozenset({"list-unsubscribe", "message-id"})


class UnbuildableError(ValueError):
    """The mail cannot be built; the text says which part is wrong without repeating it."""


class _Policy(EmailPolicy):
    """`email.policy.SMTP`, but never folds a URL or a Message-ID.

    The standard policy turns a `List-Unsubscribe` of more than 76 characters into RFC 2047 encoded words, with
    which no mail program unsubscribes. A longer `max_line_length` would cure that and break the rest: encoded
    words over 75 characters (RFC 2047 section 2) and quoted-printable lines over 76 (RFC 2045 section 6.7).
    """

    def fold(self, name: str, value: Any) -> str:
        if name.lower() in _UNFOLDED:
            return f"{name}: {value}{self.linesep}"
        folded: str = super().fold(name, value)
        return folded

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() in _UNFOLDED:
            return self.fold(name, value).encode("ascii")
        folded: bytes = super().fold_binary(name, value)
        return folded


_POLICY = _Policy(linesep=SMTP.linesep, raise_on_defect=False)


def ascii_address(address: str) -> str:
    """The address for the envelope: its domain in IDNA. Raises `UnbuildableError` for a malformed one.

    A mailbox name outside ASCII needs SMTPUTF8 (RFC 6531) all the way, and is refused.
    """
    mailbox, at, domain = address.strip().rpartition("@")
    try:
        plain = f"{mailbox}@{domain.encode('idna').decode('ascii')}"
        Address(addr_spec=plain)
    except (ValueError, MessageError, IndexError) as error:
        raise UnbuildableError("not a usable e-mail address") from error
    if not (mailbox and at and domain and plain.isascii()) or re.search(r"[\s<>,;]", plain):
        raise UnbuildableError("not a usable e-mail address")
    return plain


def build_message(mail: OutboundEmail, *, to: str, sender: str, now: datetime) -> bytes:
    """The whole mail as bytes, ASCII only, with CRLF line ends. `to` and `sender` come from `ascii_address`.

    Raises `UnbuildableError`: a header with a line break never becomes two headers.
    """
    message = EmailMessage(policy=_POLICY)
    try:
        message["From"] = Address(display_name=mail.sender_name, addr_spec=sender)
        message["To"] = Address(addr_spec=to)
        message["Subject"] = mail.subject
    except (ValueError, MessageError) as error:
        raise UnbuildableError("a header has a line break or is malformed") from error
    message["Date"] = format_datetime(now)
    message["Message-ID"] = _checked(mail.message_id, _MESSAGE_ID, "the Message-ID")
    message["Auto-Submitted"] = "auto-replied" if mail.is_reply else "auto-generated"  # RFC 3834
    message["X-Auto-Response-Suppress"] = _NO_AUTO_RESPONSE
    if mail.unsubscribe_url:
        url = _checked(mail.unsubscribe_url, _URL, "the unsubscribe address")
        message["List-Unsubscribe"] = f"<{url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    message.set_content(mail.text, subtype="plain", charset="utf-8", cte="quoted-printable")
    if mail.html:
        message.add_alternative(mail.html, subtype="html", charset="utf-8", cte="quoted-printable")
    return message.as_bytes()


def _checked(value: str, pattern: re.Pattern[str], what: str) -> str:
    if len(value) > _MAX_VALUE or not pattern.fullmatch(value):
        raise UnbuildableError(f"{what} is malformed")
    return value
