"""`SmsChannel` over Twilio: many requests at once, one result for each message."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime

from scheduler.channels.errors import ErrorTable
from scheduler.channels.twilio import outcome
from scheduler.channels.twilio.callback import status_callback, status_callback_base
from scheduler.channels.twilio.settings import TwilioSettings
from scheduler.ports import Clock, ErrorClass, OutboundSms, SendResult

MAX_VALIDITY_SECONDS = 36_000  # Twilio's queue holds a message ten hours at most


class TwilioSms:
    """Sends texts through Twilio's Messages resource.

    The `twilio` package is slow to import, so that happens when a channel is made, not with this module.
    """

    def __init__(
        self, settings: TwilioSettings, *, errors: ErrorTable, clock: Clock, tls: ssl.SSLContext | None = None
    ) -> None:
        from scheduler.channels.twilio.messages import TwilioMessages

        self._messages = TwilioMessages(settings, errors=errors, tls=tls)
        self._clock = clock
        self._callback_base = status_callback_base(settings.public_url, settings.api_url)
        self._threads = ThreadPoolExecutor(settings.threads, thread_name_prefix="twilio")

    def send(self, batch: Iterable[OutboundSms]) -> Iterator[SendResult]:
        """Send all, up to `threads` at once; yield results as they come, in no order.

        When the caller stops reading, messages that have not begun are not sent; those under way finish.
        """
        sending = [self._threads.submit(self._send_one, message) for message in batch]
        try:
            for done in as_completed(sending):
                yield done.result()
        finally:
            for each in sending:
                each.cancel()

    def close(self) -> None:
        """Wait for what is under way, then close the connections."""
        self._threads.shutdown(cancel_futures=True)
        self._messages.close()

    def _send_one(self, message: OutboundSms) -> SendResult:
        validity = None
        if message.valid_until is not None:
            validity = validity_seconds(now=self._clock.now(), valid_until=message.valid_until)
            if validity <= 0:
                return outcome.not_handed_over(
                    message.attempt_id,
                    code="window_closed",
                    error_class=ErrorClass.TRANSIENT,
                    detail="the patient's contact window closed before the message could go",
                )
        if message.messaging_service is None and message.sender_number is None:
            return outcome.not_handed_over(
                message.attempt_id,
                code="no_sender",
                error_class=ErrorClass.CONFIGURATION,
                detail="the clinic has neither a sender number nor a messaging service",
            )
        callback = None
        if self._callback_base is not None:
            callback = status_callback(self._callback_base, message.attempt_id)
        return self._messages.create(message, validity=validity, callback=callback)


def validity_seconds(*, now: datetime, valid_until: datetime) -> int:
    """How long Twilio may keep the message in its queue: whole seconds, at most ten hours.

    0 or less means that it is too late to send.
    """
    return min(MAX_VALIDITY_SECONDS, int((valid_until - now).total_seconds()))
