"""The mailbox that undeliverable mail comes back to, and how it is written as a URL."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from scheduler.channels.smtp.settings import Tls

_EXAMPLE = "write it as imaps://user:password@host/INBOX"
_DEFAULT_PORTS = {"imap": 143, "imaps": 993}  # RFC 3501, RFC 8314
_SELF = ("127.0.0.1", "::1", "localhost")
_PLAIN = re.compile(r"[ -~]+")  # what goes to the server as it stands


class MailboxUrlError(ValueError):
    """The URL cannot be used; the text says why and what to write, and never repeats the password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxSettings:
    """A folder on an IMAP server and how to log in. `timeout` is in seconds, for each answer of the server."""

    host: str
    port: int
    tls: Tls
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    timeout: float = 10.0


def parse_mailbox_url(url: str, *, timeout: float = 10.0) -> MailboxSettings:
    """Read `imaps://user:pass@host/INBOX`, or `imap://...`, which asks for STARTTLS.

    Reserved characters in the user name, password and folder are percent-encoded. `?starttls=no` leaves the
    encryption out, and is taken for a server on this machine only. Raises `MailboxUrlError`.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise MailboxUrlError(f"the port or the host is malformed: {_EXAMPLE}") from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise MailboxUrlError(f"it must begin with imaps:// or imap://: {_EXAMPLE}")
    if not parts.hostname:
        raise MailboxUrlError(f"the mail server's host is missing: {_EXAMPLE}")
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not username or not password:
        raise MailboxUrlError(f"the {'password' if username else 'user name'} is missing: {_EXAMPLE}")
    folder = unquote(parts.path.strip("/")) or "INBOX"
    for what, text in (("user name", username), ("password", password), ("folder", folder)):
        if not _PLAIN.fullmatch(text):
            raise MailboxUrlError(f"the {what} has characters outside ASCII, which IMAP does not take as they stand")
    return MailboxSettings(
        host=parts.hostname,
        port=port or _DEFAULT_PORTS[parts.scheme],
        tls=_tls(parts),
        username=username,
        password=password,
        folder=folder,
        timeout=timeout,
    )


def _tls(parts: SplitResult) -> Tls:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    wanted = options.pop("starttls", "required")
    if options or parts.fragment:
        raise MailboxUrlError("only starttls= may stand after the folder; write ? # in a password as %3F %23")
    if parts.scheme == "imaps":
        return Tls.IMPLICIT
    if wanted not in (Tls.REQUIRED, Tls.NO):
        raise MailboxUrlError(f"starttls={wanted} is unknown: use required or no")
    if wanted == Tls.NO and parts.hostname not in _SELF:
        raise MailboxUrlError("starttls=no would send the password unencrypted over a network: write imaps://")
    return Tls(wanted)
