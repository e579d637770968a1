"""`EmailChannel` over SMTP: one connection for many mails."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from uuid import UUID

from scheduler.channels.errors import ErrorTable, SmtpStage
from scheduler.channels.smtp.connection import (
    Envelope,
    SmtpBrokenError,
    SmtpConnection,
    SmtpRefusedError,
    SmtpUnreachableError,
)
from scheduler.channels.smtp.headers import UnbuildableError
from scheduler.channels.smtp.message import ascii_address, build_message
from scheduler.channels.smtp.settings import SmtpSettings
from scheduler.ports import Clock, ErrorClass, OutboundEmail, Outcome, Scope, SendResult

MAX_BROKEN_IN_A_ROW = 3  # connections that broke on us, before the rest of a batch is left for later
_NOTHING_YET = 0.005  # seconds until a source that has nothing for now is asked again
# What is refused at these stages is us, and so every mail of ours, or of this sender.
_REACHES = {
    SmtpStage.CONNECT: Scope.ACCOUNT,
    SmtpStage.LOGIN: Scope.ACCOUNT,
    SmtpStage.SENDER: Scope.SENDER,
}


class SmtpEmail:
    """Sends mails one after the other over a connection that is kept between batches.

    `bounce_address` is where undeliverable mail comes back to; each mail's own sender unless given.
    """

    def __init__(
        self,
        settings: SmtpSettings,
        *,
        errors: ErrorTable,
        clock: Clock,
        bounce_address: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = settings
        self._bounce_address = bounce_address
        self._errors = errors
        self._clock = clock
        self._tls = tls
        self._idle: SmtpConnection | None = None
        self._lock = threading.Lock()

    def send(self, batch: Iterable[OutboundEmail | None]) -> Iterator[SendResult]:
        """Send all in order; yield each result as it is known. None in `batch` means: nothing yet, ask again.

        When the mail server cannot be reached, the rest of the batch is not tried: each of its mails is
        `NOT_HANDED_OVER` for the same reason.
        """
        session = _Session(self._settings, self._tls, self._errors, self._take())
        try:
            for mail in batch:
                if mail is None:
                    time.sleep(_NOTHING_YET)
                    continue
                envelope = self._envelope(mail)
                if isinstance(envelope, SendResult):
                    yield envelope
                else:
                    result = session.send(mail.attempt_id, envelope)
                    is_taken = result.outcome is Outcome.ACCEPTED
                    yield replace(result, provider_id=mail.message_id) if is_taken else result
        finally:
            self._give_back(session.connection)

    def close(self) -> None:
        """Take leave of the mail server."""
        connection = self._take()
        if connection is not None:
            connection.quit()

    def _envelope(self, mail: OutboundEmail) -> Envelope | SendResult:
        """What to send, or why it cannot be."""
        try:
            recipient = ascii_address(mail.to)
        except UnbuildableError as error:
            return _refused(mail, "bad_address", ErrorClass.PERMANENT, str(error))
        try:
            sender = ascii_address(mail.sender_address)
            bounces_to = ascii_address(self._bounce_address) if self._bounce_address else sender
            content = build_message(mail, to=recipient, sender=sender, now=self._clock.now())
        except Exception as error:  # noqa: BLE001  # the ledger needs an answer for every mail
            detail = str(error) if isinstance(error, UnbuildableError) else type(error).__name__
            return _refused(
                mail,
                "not_built",
                ErrorClass.CONFIGURATION,
                f"the mail could not be built: {detail}",
            )
        return Envelope(sender=bounces_to, recipient=recipient, content=content, mail_id=mail.attempt_id.hex)

    def _take(self) -> SmtpConnection | None:
        """The idle connection, which is then nobody else's; a second batch at the same time opens its own."""
        with self._lock:
            connection, self._idle = self._idle, None
        return connection

    def _give_back(self, connection: SmtpConnection | None) -> None:
        if connection is None:
            return
        with self._lock:
            surplus, self._idle = self._idle, connection
        if surplus is not None:
            surplus.quit()


class _Session:
    """The sending of one batch: opens connections as needed, and notices when that is hopeless."""

    def __init__(
        self,
        settings: SmtpSettings,
        tls: ssl.SSLContext | None,
        errors: ErrorTable,
        connection: SmtpConnection | None,
    ) -> None:
        self._settings = settings
        self._tls = tls
        self._errors = errors
        self._hopeless: SmtpUnreachableError | SmtpRefusedError | None = None
        self._broken_in_a_row = 0
        self.connection = connection

    def send(self, attempt: UUID, envelope: Envelope) -> SendResult:
        """Hand one mail over; never raises."""
        try:
            self._deliver(envelope)
        except SmtpUnreachableError as error:
            return self._unreachable(attempt, error)
        except SmtpRefusedError as error:
            if self.connection is not None:
                self.connection.reset()
            return self._refused(attempt, error)
        except SmtpBrokenError as error:
            self._count_break(error)
            return self._broken(attempt, error)
        self._broken_in_a_row = 0
        return SendResult(attempt_id=attempt, outcome=Outcome.ACCEPTED)

    def _deliver(self, envelope: Envelope) -> None:
        connection = self._open()
        try:
            connection.deliver(envelope)
        except (SmtpBrokenError, SmtpRefusedError) as error:
            if connection.delivered == 0 or not error.is_end_of_connection:
                raise
            # Servers end a connection after some mails or minutes. The mail was not written: once more.
            connection.close()
            self._open().deliver(envelope)

    def _open(self) -> SmtpConnection:
        """The connection, open. Raises `SmtpUnreachableError`, or `SmtpRefusedError` of greeting or login."""
        if self._hopeless is not None:
            raise self._hopeless
        if self.connection is not None and self.connection.is_alive():
            return self.connection
        if self.connection is not None:
            self.connection.close()
            self.connection = None
        try:
            self.connection = SmtpConnection(self._settings, self._tls)
        except (SmtpUnreachableError, SmtpRefusedError) as error:
            self._hopeless = error
            raise
        return self.connection

    def _count_break(self, error: SmtpBrokenError) -> None:
        self._broken_in_a_row += 1
        if self._broken_in_a_row >= MAX_BROKEN_IN_A_ROW:
            self._hopeless = SmtpUnreachableError("unstable", f"given up for this batch: {error.reason}")

    def _unreachable(self, attempt: UUID, error: SmtpUnreachableError) -> SendResult:
        return SendResult(
            attempt_id=attempt,
            outcome=Outcome.NOT_HANDED_OVER,
            code=error.code,
            error_class=ErrorClass.CONFIGURATION if error.is_setup else ErrorClass.TRANSIENT,
            scope=Scope.ACCOUNT,
            detail=error.reason,
        )

    def _refused(self, attempt: UUID, error: SmtpRefusedError) -> SendResult:
        """A refused greeting or login says nothing about the mail, which never left."""
        entry = self._errors.smtp_entry(error.stage, error.reply, error.status)
        if error.stage in _REACHES and entry.error_class is ErrorClass.PERMANENT:
            # "5.1.1 no such user", said of ourselves, is not about the patient's address.
            entry = self._errors.smtp_entry(error.stage, error.reply, None)
        before_the_mail = error.stage in (SmtpStage.CONNECT, SmtpStage.LOGIN)
        code = f"{error.reply} {error.status}" if error.status else str(error.reply)
        return SendResult(
            attempt_id=attempt,
            outcome=Outcome.NOT_HANDED_OVER if before_the_mail else Outcome.REFUSED,
            code=code,
            error_class=entry.error_class,
            scope=_REACHES.get(error.stage, entry.scope),
            detail=f"mail server answered {code} to the {error.stage}: {entry.meaning}",
        )

    def _broken(self, attempt: UUID, error: SmtpBrokenError) -> SendResult:
        return SendResult(
            attempt_id=attempt,
            outcome=Outcome.UNKNOWN if error.may_have_it else Outcome.NOT_HANDED_OVER,
            code="answer_lost" if error.may_have_it else "closed",
            error_class=ErrorClass.AMBIGUOUS if error.may_have_it else ErrorClass.TRANSIENT,
            detail=error.reason,
        )


def _refused(mail: OutboundEmail, code: str, error_class: ErrorClass, detail: str) -> SendResult:
    """Refused by ourselves: no server was asked."""
    return SendResult(
        attempt_id=mail.attempt_id,
        outcome=Outcome.REFUSED,
        code=code,
        error_class=error_class,
        detail=detail,
    )
