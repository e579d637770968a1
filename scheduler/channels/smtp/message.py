"""Builds the mail itself: headers that mail programs and list software rely on, then text and HTML."""

from __future__ import annotations

import re
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import format_datetime

from scheduler.channels.smtp.body import mime_body
from scheduler.channels.smtp.headers import UnbuildableError, address_value, checked_value, text_value
from scheduler.ports import OutboundEmail

# What a recipient's mail program may not answer by itself; without NDR, because we want to know of bounces.
_NO_AUTO_RESPONSE = "DR, RN, NRN, OOF, AutoReply"
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
_URL = re.compile(r"https?://[!-;=?-~]+")  # printable ASCII without < and >
_NOT_IN_ADDRESS = re.compile(r"[\s<>,;]")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]+"
_LABEL = r"[A-Za-z0-9\-]{1,63}"
_PLAIN_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")


def ascii_address(address: str) -> str:
    """The address for the envelope: its domain in IDNA. Raises `UnbuildableError` for a malformed one.

    A mailbox name outside ASCII needs SMTPUTF8 (RFC 6531) all the way, and is refused.
    """
    if _PLAIN_ADDRESS.fullmatch(address):  # as nearly all are; reading one with the parser costs as much as the mail
        return address
    mailbox, _, domain = address.strip().rpartition("@")
    try:
        plain = f"{mailbox}@{domain.encode('idna').decode('ascii')}"
        Address(addr_spec=plain)
    except (ValueError, MessageError, IndexError) as error:
        raise UnbuildableError("not a usable e-mail address") from error
    if not (mailbox and domain and plain.isascii()) or _NOT_IN_ADDRESS.search(plain):
        raise UnbuildableError("not a usable e-mail address")
    return plain


def build_message(mail: OutboundEmail, *, to: str, sender: str, now: datetime) -> bytes:
    """The whole mail as bytes, ASCII only, with CRLF line ends. `to` and `sender` come from `ascii_address`.

    Raises `UnbuildableError`: a header with a line break never becomes two headers.
    """
    headers = _headers(mail, to=to, sender=sender, now=now)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return head.encode("ascii") + _content(mail)


def _headers(mail: OutboundEmail, *, to: str, sender: str, now: datetime) -> list[tuple[str, str]]:
    headers = [
        ("From", address_value(mail.sender_name, sender)),
        ("To", to),
        ("Subject", text_value(mail.subject, "the subject")),
        ("Date", format_datetime(now)),
        ("Message-ID", checked_value(mail.message_id, _MESSAGE_ID, "the Message-ID")),
        ("Auto-Submitted", "auto-replied" if mail.is_reply else "auto-generated"),  # RFC 3834
        ("X-Auto-Response-Suppress", _NO_AUTO_RESPONSE),
    ]
    if mail.thread:  # RFC 5322 section 3.6.4
        ids = [checked_value(one, _MESSAGE_ID, "the Message-ID of a mail that is answered") for one in mail.thread]
        headers.append(("In-Reply-To", ids[-1]))
        headers.append(("References", "\r\n ".join(ids)))
    if mail.unsubscribe_url:  # RFC 8058
        url = checked_value(mail.unsubscribe_url, _URL, "the unsubscribe address")
        headers.append(("List-Unsubscribe", f"<{url}>"))
        headers.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    return headers


def _content(mail: OutboundEmail) -> bytes:
    try:
        return mime_body(mail.text, mail.html)
    except UnicodeEncodeError as error:
        raise UnbuildableError("the text has half of a character") from error
