"""One connection to a mail server, and exactly how far a mail got on it.

`smtplib`'s own `sendmail` does not say whether the connection broke before or after the final dot of a mail.
Only after it may the server have the mail, so the conversation is led here, step by step (RFC 5321 section
4.1.1).
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from dataclasses import dataclass

from scheduler.channels.errors import SmtpStage
from scheduler.channels.smtp.settings import SmtpSettings, Tls

IDLE_SECONDS = 5.0  # after which a connection is asked whether it still lives
_STATUS = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?!\d)")  # RFC 3463, at the start of the text
_CLOSING = 421


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One mail for one recipient; addresses are ASCII, `content` has CRLF line ends.

    `mail_id` comes back in a notification of non-delivery, from servers that support that (RFC 3461).
    """

    sender: str
    recipient: str
    content: bytes
    mail_id: str


class SmtpRefusedError(Exception):
    """The server said no. `status` is its RFC 3463 code where it gave one."""

    def __init__(self, stage: SmtpStage, reply: int, text: bytes) -> None:
        super().__init__(f"{reply} at {stage}")
        self.stage = stage
        self.reply = reply
        found = _STATUS.match(text)
        self.status = found[0].decode() if found else None

    @property
    def is_end_of_connection(self) -> bool:
        """The server is closing the connection (421), and had not been given the mail."""
        return self.reply == _CLOSING and self.stage in (SmtpStage.SENDER, SmtpStage.RECIPIENT)


class SmtpUnreachableError(Exception):
    """No usable connection. `code` is ours, `reason` safe to log; `is_setup` when a setting is to blame."""

    def __init__(self, code: str, reason: str, *, is_setup: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.is_setup = is_setup


class SmtpBrokenError(Exception):
    """The connection broke. `may_have_it`: the whole mail was written, and no readable answer came."""

    def __init__(self, reason: str, *, may_have_it: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.may_have_it = may_have_it

    @property
    def is_end_of_connection(self) -> bool:
        """The connection ended, and the server had not been given the mail."""
        return not self.may_have_it


class SmtpConnection:
    """An open, greeted and logged-in connection. Not safe to share between threads."""

    def __init__(self, settings: SmtpSettings, tls: ssl.SSLContext | None) -> None:
        self._settings = settings
        self._tls = tls
        self._smtp = self._connect()
        self.delivered = 0  # mails that this connection has answered for
        self._used_at = time.monotonic()

    def is_alive(self) -> bool:
        """Whether it may be used again; asks the server after a pause."""
        if self._smtp.sock is None:
            return False
        if time.monotonic() - self._used_at < IDLE_SECONDS:
            return True
        try:
            return self._smtp.noop()[0] == 250
        except (smtplib.SMTPException, OSError):
            return False

    def deliver(self, envelope: Envelope) -> None:
        """Hand one mail over. Returns when the server took it.

        Raises `SmtpRefusedError`, or `SmtpBrokenError` after which the connection is closed.
        """
        try:
            sender, recipient = _path_arguments(envelope, with_dsn=self._smtp.has_extn("dsn"))
            self._step(SmtpStage.SENDER, sender, "MAIL", wanted=(250,))
            self._step(SmtpStage.RECIPIENT, recipient, "RCPT", wanted=(250, 251))
            self._step(SmtpStage.CONTENT, "", "DATA", wanted=(354,))
            # One call: if it fails, the last line end did not leave, and without it no server takes a mail.
            self._smtp.send(_framed(envelope.content))
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise SmtpBrokenError(_reason(error, self._settings), may_have_it=False) from error
        self._finish()
        self.delivered += 1

    def reset(self) -> None:
        """Forget the mail that was refused, so that the connection can be used for the next one."""
        try:
            if self._smtp.sock is not None and self._smtp.docmd("RSET")[0] != 250:
                self.close()
        except (smtplib.SMTPException, OSError):
            self.close()

    def close(self) -> None:
        """Close at once."""
        self._smtp.close()

    def quit(self) -> None:
        """Say goodbye, then close."""
        try:
            if self._smtp.sock is not None:
                self._smtp.docmd("QUIT")
        except (smtplib.SMTPException, OSError):
            return  # it is gone already, which is what was wanted
        finally:
            self.close()

    def _step(self, stage: SmtpStage, arguments: str, command: str, *, wanted: tuple[int, ...]) -> None:
        reply, text = self._smtp.docmd(command, arguments)
        self._used_at = time.monotonic()
        if reply == -1:
            raise smtplib.SMTPServerDisconnected("not an SMTP reply")
        if reply not in wanted:
            raise SmtpRefusedError(stage, reply, text)

    def _finish(self) -> None:
        """Read the answer to the mail itself."""
        try:
            reply, text = self._smtp.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise SmtpBrokenError(_reason(error, self._settings), may_have_it=True) from error
        self._used_at = time.monotonic()
        if 400 <= reply < 600:
            raise SmtpRefusedError(SmtpStage.CONTENT, reply, text)
        if not 200 <= reply < 300:
            self.close()
            raise SmtpBrokenError("the answer to the mail was not an SMTP reply", may_have_it=True)

    def _connect(self) -> smtplib.SMTP:
        settings, stage = self._settings, SmtpStage.CONNECT
        try:
            smtp = self._open()
        except smtplib.SMTPConnectError as error:
            raise SmtpRefusedError(stage, error.smtp_code, _bytes(error.smtp_error)) from error
        except (smtplib.SMTPException, OSError) as error:
            raise _unreachable(error, settings) from error
        try:
            self._greet(smtp)
            if settings.username is not None and settings.password is not None:
                stage = SmtpStage.LOGIN
                _log_in(smtp, settings.username, settings.password)
        except SmtpUnreachableError:
            smtp.close()
            raise
        except smtplib.SMTPResponseException as error:
            smtp.close()
            raise SmtpRefusedError(stage, error.smtp_code, _bytes(error.smtp_error)) from error
        except (smtplib.SMTPException, OSError) as error:
            smtp.close()
            raise _unreachable(error, settings) from error
        return smtp

    def _open(self) -> smtplib.SMTP:
        settings = self._settings
        smtp: smtplib.SMTP
        name = "localhost"  # for now: left out, smtplib would look our own name up
        if settings.tls is Tls.IMPLICIT:
            context = self._tls or ssl.create_default_context()
            smtp = smtplib.SMTP_SSL(settings.host, settings.port, name, timeout=settings.timeout, context=context)
        else:
            smtp = smtplib.SMTP(settings.host, settings.port, name, timeout=settings.timeout)
        smtp.local_hostname = _own_name(smtp)
        return smtp

    def _greet(self, smtp: smtplib.SMTP) -> None:
        settings = self._settings
        smtp.ehlo_or_helo_if_needed()
        if settings.tls not in (Tls.REQUIRED, Tls.OPTIONAL):
            return
        if smtp.has_extn("starttls"):
            reply, text = smtp.starttls(context=self._starttls_context())
            if reply != 220:
                raise smtplib.SMTPResponseException(reply, text)
            smtp.ehlo_or_helo_if_needed()
        elif settings.tls is Tls.REQUIRED or settings.username is not None:
            raise SmtpUnreachableError(
                "no_starttls",
                "the mail server offers no encryption (STARTTLS), so nothing was sent: "
                "use smtps://, or starttls=optional without a login",
                is_setup=True,
            )

    def _starttls_context(self) -> ssl.SSLContext:
        """With `optional` and no login plain text would do, so any certificate is better (RFC 7435)."""
        context = self._tls or ssl.create_default_context()
        if self._tls is None and self._settings.tls is Tls.OPTIONAL and self._settings.username is None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def _log_in(smtp: smtplib.SMTP, username: str, password: str) -> None:
    try:
        smtp.login(username, password)
    except smtplib.SMTPNotSupportedError as error:
        raise SmtpUnreachableError(
            "no_login", "the mail server offers no login: leave out the user name", is_setup=True
        ) from error
    except UnicodeEncodeError as error:
        raise SmtpUnreachableError(
            "no_login", "the mail user name and password must be ASCII", is_setup=True
        ) from error


def _own_name(smtp: smtplib.SMTP) -> str:
    """Our name for EHLO: the host's full name, or its address as RFC 5321 section 4.1.3 writes it.

    Not looked up in the DNS, which can take longer than the mail.
    """
    name = socket.gethostname()
    if "." in name and re.fullmatch(r"[A-Za-z0-9.-]+", name):
        return name
    address = str(smtp.sock.getsockname()[0]) if smtp.sock else "127.0.0.1"
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _path_arguments(envelope: Envelope, *, with_dsn: bool) -> tuple[str, str]:
    """The arguments of MAIL and RCPT; with the service extension of RFC 3461 they say what a bounce should tell.

    Headers only, because the mail's text is nobody else's business; the id and the address as we know them; and
    nothing about delays, which change nothing.
    """
    sender, recipient = f"FROM:<{envelope.sender}>", f"TO:<{envelope.recipient}>"
    if not with_dsn:
        return sender, recipient
    original = re.sub(r"[+=]", lambda found: f"+{ord(found[0]):02X}", envelope.recipient)  # xtext, section 4
    return (
        f"{sender} RET=HDRS ENVID={envelope.mail_id}",
        f"{recipient} NOTIFY=FAILURE ORCPT=rfc822;{original}",
    )


def _framed(content: bytes) -> bytes:
    """The mail as DATA wants it: leading dots doubled, a lone dot at the end (RFC 5321 section 4.5.2)."""
    stuffed = re.sub(rb"(?m)^\.", b"..", content)
    return stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _unreachable(error: Exception, settings: SmtpSettings) -> SmtpUnreachableError:
    is_setup = isinstance(error, ssl.SSLError)
    code = "tls" if is_setup else "connect"
    return SmtpUnreachableError(code, _reason(error, settings), is_setup=is_setup)


def _reason(error: BaseException, settings: SmtpSettings) -> str:
    """What broke, in words without an address."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the mail server's certificate was not accepted ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return "the encrypted connection to the mail server failed"
        if isinstance(cause, TimeoutError):
            return f"the mail server did not answer within {settings.timeout:g} s"
        if isinstance(cause, socket.gaierror):
            return "the mail server's host name was not found"
        if isinstance(cause, OSError) and cause.strerror:
            return f"the connection to the mail server failed: {cause.strerror}"
        cause = cause.__cause__ or cause.__context__
    return "the mail server closed the connection"


def _bytes(text: bytes | str) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
