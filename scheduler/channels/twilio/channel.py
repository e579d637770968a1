"""`SmsChannel` over Twilio: many requests at once in the caller's thread, one result for each message."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime

from scheduler.channels.errors import ErrorTable
from scheduler.channels.twilio import outcome
from scheduler.channels.twilio.callback import status_callback_base
from scheduler.channels.twilio.form import FormEncoder
from scheduler.channels.twilio.handles import default_ca_file
from scheduler.channels.twilio.listing import MessageList
from scheduler.channels.twilio.retry_after import MAY_SAY_WHEN, retry_after
from scheduler.channels.twilio.settings import TwilioSettings
from scheduler.channels.twilio.source import Source
from scheduler.channels.twilio.transfers import Finished, Transfers
from scheduler.ports import WINDOW_CLOSED, Clock, Handed, OutboundSms, Scope, SendResult

MAX_VALIDITY_SECONDS = 36_000  # Twilio's queue holds a message ten hours at most
_NOTHING_YET = 0.005  # seconds to look after what is under way before a batch without a message is asked again
_UNTIL_ONE_MOVES = 0.05

_log = logging.getLogger(__name__)


class TwilioSms:
    """Sends texts through Twilio's Messages resource, and looks up what it holds. Safe to share between threads.

    `ca_file` names the certificates to trust, in PEM; None for those of the system.
    """

    def __init__(
        self, settings: TwilioSettings, *, errors: ErrorTable, clock: Clock, ca_file: str | None = None
    ) -> None:
        self._settings = settings
        self._errors = errors
        self._clock = clock
        self._ca_file = ca_file or default_ca_file()
        self._forms = FormEncoder(status_callback_base(settings.public_url, settings.api_url))
        self._list = MessageList(settings, clock=clock, ca_file=self._ca_file)
        self._idle: deque[Transfers] = deque()  # a batch has one for itself; the next batch gets its connections
        self._is_closed = False

    def send(self, batch: Iterable[OutboundSms | None]) -> Iterator[SendResult]:
        """Send all, up to `concurrency` at once; yield results as they come, in no order.

        Messages are taken from `batch` one by one as there is room; None in it means "nothing yet". When the
        caller stops reading, messages that have not begun are not sent; those under way finish. What `batch`
        raises is raised here, once the results of those under way are out.
        """
        source, transfers = Source(batch), self._take_transfers()
        try:
            while transfers.under_way or not source.is_spent:
                yield from self._begin_some(source, transfers)
                for finished in transfers.drive(_how_long(source, transfers)):
                    yield self._result(finished)
            source.raise_what_was_raised()
        finally:
            transfers.finish()
            self._give_back(transfers)

    def find(self, *, to: str, since: datetime, until: datetime) -> list[Handed]:
        """Every message that Twilio took over for `to` between the instants. Raises `ProviderUnavailable`."""
        return self._list.find(to=to, since=since, until=until)

    def close(self) -> None:
        """Close the connections; those of a batch under way close when it is done."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().close()
        self._list.close()

    # Connections

    def _take_transfers(self) -> Transfers:
        try:
            return self._idle.pop()
        except IndexError:
            return Transfers(self._settings, self._ca_file)

    def _give_back(self, transfers: Transfers) -> None:
        if self._is_closed:
            transfers.close()
        else:
            self._idle.append(transfers)

    # One message

    def _begin_some(self, source: Source, transfers: Transfers) -> Iterator[SendResult]:
        """Begin messages while there is room; yield the results of those that cannot go."""
        while transfers.has_room and not source.is_spent:
            message = source.next()
            if message is None:
                return
            refused = self._begin(message, transfers)
            if refused is not None:
                yield refused
            if transfers.is_overdue:
                return

    def _begin(self, message: OutboundSms, transfers: Transfers) -> SendResult | None:
        """Begin one message, or say why it cannot go."""
        attempt, validity = message.attempt_id, None
        if message.valid_until is not None:
            validity = validity_seconds(now=self._clock.now(), valid_until=message.valid_until)
            if validity <= 0:
                return outcome.not_handed_over(
                    attempt,
                    code=WINDOW_CLOSED,
                    detail="the patient's contact window closed before the message could go",
                )
        if not message.messaging_service and not message.sender_number:
            return outcome.misconfigured(
                attempt,
                code="no_sender",
                scope=Scope.SENDER,
                detail="the clinic has neither a sender number nor a messaging service",
            )
        try:
            transfers.start(attempt, self._forms.encode(message, validity=validity))
        except Exception as error:  # noqa: BLE001  # the ledger needs an answer for every message
            _log.error("a text could not be built: %s", type(error).__name__)
            return outcome.misconfigured(
                attempt,
                code="not_built",
                scope=Scope.MESSAGE,
                detail=f"the request could not be built ({type(error).__name__})",
            )
        return None

    def _result(self, finished: Finished) -> SendResult:
        if finished.failure is not None:
            return outcome.from_failure(finished.tag, finished.failure)
        wait = None
        if finished.status in MAY_SAY_WHEN:
            wait = retry_after(finished.head, now=self._clock.now())
        return outcome.from_answer(
            finished.tag,
            status=finished.status,
            body=finished.body,
            retry_after=wait,
            errors=self._errors,
        )


def _how_long(source: Source, transfers: Transfers) -> float:
    """Seconds to wait for something to happen to those under way before there is something else to do."""
    if source.is_spent or not transfers.has_room:
        return _UNTIL_ONE_MOVES
    return _NOTHING_YET if source.is_waiting else 0.0


def validity_seconds(*, now: datetime, valid_until: datetime) -> int:
    """How long Twilio may keep the message in its queue: whole seconds, at most ten hours.

    0 or less means that it is too late to send.
    """
    return min(MAX_VALIDITY_SECONDS, int((valid_until - now).total_seconds()))
