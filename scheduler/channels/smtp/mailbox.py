"""A mailbox read over IMAP (RFC 3501): the mails that nobody has seen yet, one by one.

What was dealt with is marked as seen. What was not stays unseen, for a person who opens the mailbox, and gets a
keyword of ours, so that the next look does not fetch it again. Nothing is moved or deleted.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from scheduler.channels.smtp.mailbox_url import MailboxSettings
from scheduler.channels.smtp.settings import Tls

LEFT = "BonewiseLeft"  # the keyword of mails that are left for a person
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_QUOTED = re.compile(r'(["\\])')


class MailboxError(Exception):
    """The mailbox cannot be read. The text says why and what to do, without the password."""


class Mailbox:
    """An open mailbox. A context manager; every method raises `MailboxError`."""

    def __init__(self, settings: MailboxSettings, *, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls = tls
        self._imap: imaplib.IMAP4

    def __enter__(self) -> Self:
        settings = self._settings
        try:
            self._imap = self._connect()
        except (imaplib.IMAP4.error, OSError) as error:
            raise MailboxError(_unreachable(error, settings)) from error
        try:
            self._log_in()
            self._select()
        except BaseException:
            self._imap.shutdown()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._imap.logout()
        except (imaplib.IMAP4.error, OSError):
            return  # it is gone already, which is what was wanted

    def unseen(self, *, largest: int) -> Iterator[tuple[str, bytes | None]]:
        """The id and the content of each mail that is neither seen nor left over, oldest first.

        Of a mail of more than `largest` bytes, so many from its beginning. The content is None for one that has gone
        meanwhile.
        """
        found = self._uid("SEARCH", "UNSEEN", "UNDELETED", "UNKEYWORD", LEFT)
        for uid in (found[0] or b"").decode("ascii", "replace").split():
            yield uid, self._content(uid, largest)

    def mark_seen(self, uid: str) -> None:
        """The mail has been dealt with."""
        self._uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")

    def leave(self, uid: str) -> None:
        """Leave the mail unseen, for a person. On a server without keywords it is read again at the next look."""
        try:
            self._imap.uid("STORE", uid, "+FLAGS.SILENT", f"({LEFT})")
        except (imaplib.IMAP4.abort, OSError) as error:
            raise MailboxError(_broken(error, self._settings)) from error
        except imaplib.IMAP4.error:
            return

    def _content(self, uid: str, largest: int) -> bytes | None:
        size = _SIZE.search(b" ".join(part for part in self._uid("FETCH", uid, "(RFC822.SIZE)") if _is_bytes(part)))
        if size is None:
            return None
        wanted = "BODY.PEEK[]" if int(size[1]) <= largest else f"BODY.PEEK[]<0.{largest}>"
        for part in self._uid("FETCH", uid, f"({wanted})"):  # PEEK: it must not become seen by being read
            if isinstance(part, tuple) and len(part) == 2:
                return bytes(part[1])[:largest]
        return None

    def _uid(self, command: str, *arguments: str) -> list[Any]:
        try:
            answer, data = self._imap.uid(command, *arguments)
        except (imaplib.IMAP4.error, OSError) as error:
            raise MailboxError(_broken(error, self._settings)) from error
        if answer != "OK":
            raise MailboxError(f"the mail server of the mailbox refuses {command}; have its operator look")
        return data

    # Opening

    def _connect(self) -> imaplib.IMAP4:
        settings = self._settings
        context = self._tls or ssl.create_default_context()
        if settings.tls is Tls.IMPLICIT:
            return imaplib.IMAP4_SSL(settings.host, settings.port, ssl_context=context, timeout=settings.timeout)
        imap = imaplib.IMAP4(settings.host, settings.port, timeout=settings.timeout)
        if settings.tls is Tls.REQUIRED:
            try:
                if "STARTTLS" not in imap.capabilities:
                    raise MailboxError(
                        f"{settings.host} offers no encryption (STARTTLS), so no password was sent; write imaps://"
                    )
                imap.starttls(context)
            except BaseException:
                imap.shutdown()
                raise
        return imap

    def _log_in(self) -> None:
        settings = self._settings
        try:
            self._imap.login(_quoted(settings.username), settings.password)  # which imaplib quotes by itself
        except (imaplib.IMAP4.abort, OSError) as error:
            raise MailboxError(_broken(error, settings)) from error
        except imaplib.IMAP4.error as error:
            raise MailboxError(
                f"{settings.host} does not accept the user name and password of the mailbox; "
                "correct BONEWISE_BOUNCE_MAILBOX"
            ) from error

    def _select(self) -> None:
        settings = self._settings
        try:
            answer, _ = self._imap.select(_quoted(settings.folder))
        except imaplib.IMAP4.readonly as error:
            raise MailboxError(
                f"the folder {settings.folder} on {settings.host} may only be read; "
                "allow this user to mark mails as seen"
            ) from error
        except (imaplib.IMAP4.error, OSError) as error:
            raise MailboxError(_broken(error, settings)) from error
        if answer != "OK":
            raise MailboxError(
                f"{settings.host} has no folder {settings.folder} for this user; correct BONEWISE_BOUNCE_MAILBOX"
            )


def _is_bytes(part: object) -> bool:
    return isinstance(part, bytes)


def _quoted(text: str) -> str:
    return '"' + _QUOTED.sub(r"\\\1", text) + '"'


def _unreachable(error: Exception, settings: MailboxSettings) -> str:
    place = f"the mail server {settings.host}:{settings.port} of the mailbox"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {place} was not accepted ({error.verify_message}); renew it or correct the host"
    if isinstance(error, ssl.SSLError):
        return f"{place} does not speak TLS as expected; write imap:// for STARTTLS, imaps:// for TLS from the start"
    if isinstance(error, TimeoutError):
        return f"{place} did not answer within {settings.timeout:g} s; check the network to it"
    if isinstance(error, OSError):
        return f"{place} cannot be reached ({error.strerror or 'unknown host'}); check BONEWISE_BOUNCE_MAILBOX"
    return f"{place} does not speak IMAP; check the port in BONEWISE_BOUNCE_MAILBOX"


def _broken(error: Exception, settings: MailboxSettings) -> str:
    if isinstance(error, TimeoutError):
        return f"the mail server {settings.host} did not answer within {settings.timeout:g} s; try again later"
    return f"the connection to the mail server {settings.host} broke; what is left is read next time"
