"""A mail server on the loopback address that keeps every mail, and misbehaves on request.

In a test: `with SmtpSink() as sink:` and then `sink.url`, `sink.mails`, `sink.reply_to(...)`.
As a process: `python -m tests.support.smtp_sink --port 0 --journal FILE --maildir DIR` prints its URL on one
line and, before answering, appends each accepted mail to FILE as a line of JSON and writes it into DIR.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import ssl
import sys
import time
from collections import deque
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from enum import StrEnum
from pathlib import Path
from typing import Any, Self, cast
from urllib.parse import quote

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.loop_thread import LoopThread


class Break(StrEnum):
    """Where the server breaks a connection off."""

    AT_SENDER = "at_sender"  # after MAIL FROM
    AT_RECIPIENT = "at_recipient"  # after RCPT TO
    BEFORE_CONTENT = "before_content"  # after DATA, instead of 354
    AFTER_GO_AHEAD = "after_go_ahead"  # after its 354
    AFTER_DOT = "after_dot"  # the mail is kept, the answer never comes


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that the sink took."""

    at: float  # Unix seconds
    sender: str  # of the envelope
    recipients: tuple[str, ...]
    content: bytes
    was_encrypted: bool
    login: str | None

    @property
    def message(self) -> EmailMessage:
        return BytesParser(policy=default).parsebytes(self.content)

    def journal_line(self) -> bytes:
        fields = {"at": self.at, "sender": self.sender, "recipients": self.recipients}
        message_id = self.message["Message-ID"]
        return json.dumps({**fields, "message_id": str(message_id)}).encode() + b"\n"


class _Protocol(SMTP):
    """aiosmtpd's server, with the breaks that its hooks cannot make."""

    def __init__(self, sink: SmtpSink, **options: Any) -> None:
        super().__init__(_Handler(sink), **options)
        self._sink = sink
        self.transaction = 0
        self._is_counted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self._is_counted:  # aiosmtpd calls this a second time after STARTTLS
            self._sink.connected(transport)
        self._is_counted = True

    async def push(self, status: Any) -> None:
        self._sink.replies.append(str(status))
        await super().push(status)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        await super().smtp_MAIL(self._sink.without_dsn("MAIL", arg or ""))

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        await super().smtp_RCPT(self._sink.without_dsn("RCPT", arg or ""))

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  # aiosmtpd finds it by this name
        if self._sink.breaks_at(Break.BEFORE_CONTENT):
            self._abort()
        elif self._sink.breaks_at(Break.AFTER_GO_AHEAD):
            await self.push("354 go ahead")
            self._abort()
        else:
            await super().smtp_DATA(arg)

    def _abort(self) -> None:
        cast(asyncio.Transport, self.transport).close()


class _Handler:
    """aiosmtpd's hooks, which must have these names and answer with a reply line."""

    def __init__(self, sink: SmtpSink) -> None:
        self._sink = sink

    async def handle_EHLO(  # noqa: N802
        self, server: _Protocol, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [responses[0], *(["250-DSN"] if self._sink.offers_dsn else []), *responses[1:]]

    async def handle_MAIL(  # noqa: N802
        self, server: _Protocol, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        server.transaction += 1
        if self._sink.breaks_at(Break.AT_SENDER):
            cast(asyncio.Transport, server.transport).close()
        limit = self._sink.mails_per_connection
        if limit and server.transaction > limit:
            return "421 4.7.0 too many mails in this connection"
        reply = self._sink.replies_to.get(address)
        if reply is None:
            envelope.mail_from = address
        return reply or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: _Protocol, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._sink.breaks_at(Break.AT_RECIPIENT):
            cast(asyncio.Transport, server.transport).close()
        reply = self._sink.replies_to.get(address)
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 OK"

    async def handle_DATA(self, server: _Protocol, session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply = self._sink.content_replies.popleft() if self._sink.content_replies else "250 OK"
        if not reply.startswith(("4", "5")):
            self._sink.keep(session, envelope)
        if self._sink.breaks_at(Break.AFTER_DOT):
            cast(asyncio.Transport, server.transport).close()
        return reply


class SmtpSink:
    """The server. With `tls` it offers STARTTLS, or with `implicit` speaks TLS from the start.

    With `login` (user and password) it takes mail only after a login, which it allows over TLS only.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        login: tuple[str, str] | None = None,
        journal: Path | None = None,
        maildir: Path | None = None,
        mails_per_connection: int = 0,
        offers_dsn: bool = False,
    ) -> None:
        self.mails: list[Mail] = []
        self.replies: list[str] = []  # every reply line sent
        self.commands: list[str] = []  # every MAIL and RCPT, as received
        self.offers_dsn = offers_dsn  # delivery status notifications, RFC 3461
        self.replies_to: dict[str, str] = {}  # by envelope address
        self.content_replies: deque[str] = deque()
        self.mails_per_connection = mails_per_connection
        self.connections_made = 0
        self.port = port
        self._breaks: deque[Break] = deque()
        self._transports: list[asyncio.BaseTransport] = []
        self._tls, self._implicit, self._login = tls, implicit, login
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._journal = os.open(journal, flags, 0o600) if journal else None
        self._maildir = maildir
        self._thread: LoopThread | None = None
        self._listener: asyncio.Server | None = None

    @property
    def url(self) -> str:
        login = ":".join(quote(each, safe="") for each in self._login) + "@" if self._login else ""
        return f"{'smtps' if self._implicit else 'smtp'}://{login}127.0.0.1:{self.port}"

    def reply_to(self, address: str, reply: str) -> None:
        """Answer MAIL FROM or RCPT TO of this address with `reply`, such as `550 5.1.1 no such user`."""
        self.replies_to[address] = reply

    def reply_to_content(self, *replies: str) -> None:
        """Answer the next mails with these replies, one each."""
        self.content_replies.extend(replies)

    def break_off(self, where: Break, *, times: int = 1) -> None:
        """Break the next connections off that come to this point."""
        self._breaks.extend([where] * times)

    def breaks_at(self, where: Break) -> bool:
        if self._breaks and self._breaks[0] is where:
            self._breaks.popleft()
            return True
        return False

    def without_dsn(self, command: str, arguments: str) -> str:
        """What aiosmtpd, which knows nothing of RFC 3461, may see of it; the whole is kept."""
        self.commands.append(f"{command} {arguments}")
        return re.sub(r" (?:RET|ENVID|NOTIFY|ORCPT)=\S+", "", arguments) if self.offers_dsn else arguments

    def close_connections(self) -> None:
        """Close every connection, as a server does with idle ones."""
        assert self._thread is not None
        self._thread.call(self._close_transports)
        self._thread.call(int)  # the loop has been round once: what was closing is closed

    def connected(self, transport: asyncio.BaseTransport) -> None:
        self.connections_made += 1
        self._transports.append(transport)

    def keep(self, session: Session, envelope: Envelope) -> None:
        content = envelope.original_content or b""
        mail = Mail(
            at=time.time(),
            sender=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            content=content,
            was_encrypted=self._implicit or session.ssl is not None,
            login=getattr(session, "auth_data", None),
        )
        if self._journal is not None:
            os.write(self._journal, mail.journal_line())
        if self._maildir is not None:
            name = f"{mail.at:.6f}.{len(self.mails)}.eml"
            (self._maildir / name).write_bytes(content)
        self.mails.append(mail)

    def __enter__(self) -> Self:
        self._thread = LoopThread("smtp-sink")
        self._thread.run(self.listen())
        return self

    def __exit__(self, *_: object) -> None:
        assert self._thread is not None
        assert self._listener is not None
        self._thread.call(self._listener.close)
        self._thread.call(self._close_transports)
        self._thread.stop()
        if self._journal is not None:
            os.close(self._journal)

    async def listen(self) -> None:
        loop = asyncio.get_running_loop()
        if self._maildir is not None:
            self._maildir.mkdir(parents=True, exist_ok=True)
        self._listener = await loop.create_server(
            self._protocol, "127.0.0.1", self.port, ssl=self._tls if self._implicit else None
        )
        self.port = self._listener.sockets[0].getsockname()[1]

    def _protocol(self) -> _Protocol:
        return _Protocol(
            self,
            loop=asyncio.get_running_loop(),
            hostname="sink.test",
            tls_context=None if self._implicit else self._tls,
            auth_required=self._login is not None,
            auth_require_tls=not self._implicit,
            authenticator=self._authenticate,
        )

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self._login, auth_data=given[0], handled=False)

    def _close_transports(self) -> None:
        for transport in self._transports:
            transport.close()
        self._transports.clear()


def main() -> None:
    """Run until killed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--journal", type=Path)
    options.add_argument("--maildir", type=Path)
    given = options.parse_args()

    async def serve() -> None:
        sink = SmtpSink(port=given.port, journal=given.journal, maildir=given.maildir)
        await sink.listen()
        sys.stdout.write(f"{sink.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
