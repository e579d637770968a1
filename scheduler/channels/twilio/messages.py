"""One message through the `twilio` package. Importing this module imports the package."""

from __future__ import annotations

import logging
import ssl
from typing import Any

from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.base.values import unset
from twilio.rest import Client

from scheduler.channels.errors import ErrorTable
from scheduler.channels.twilio import outcome
from scheduler.channels.twilio.settings import TwilioSettings
from scheduler.channels.twilio.transport import (
    AnswerLostError,
    PooledHttpClient,
    RequestNotWrittenError,
    last_exchange,
    new_exchange,
)
from scheduler.ports import ErrorClass, OutboundSms, SendResult

_log = logging.getLogger(__name__)
# The client reads TWILIO_EDGE and TWILIO_REGION by itself; here the address comes from TWILIO_API_URL alone.
_NO_ENVIRONMENT = {"TWILIO_EDGE": "", "TWILIO_REGION": ""}


class TwilioMessages:
    """Creates messages; safe to share between threads."""

    def __init__(self, settings: TwilioSettings, *, errors: ErrorTable, tls: ssl.SSLContext | None) -> None:
        self._errors = errors
        self._http = PooledHttpClient(
            timeout=settings.timeout, connections=settings.threads, api_url=settings.api_url, tls=tls
        )
        client = Client(
            settings.username,
            settings.password,
            settings.account_sid,
            http_client=self._http,
            environment=_NO_ENVIRONMENT,
        )
        self._list: Any = client.messages

    def create(self, message: OutboundSms, *, validity: int | None, callback: str | None) -> SendResult:
        """Hand one message over, once; never raises.

        The messaging service is used when there is one, else the sender's number, never both.
        """
        attempt = message.attempt_id
        new_exchange()
        try:
            made = self._list.create(
                to=message.to,
                body=message.body,
                from_=unset if message.messaging_service else message.sender_number,
                messaging_service_sid=message.messaging_service or unset,
                validity_period=unset if validity is None else validity,
                status_callback=callback or unset,
            )
            return outcome.accepted_or_not(attempt, made.sid, made.status, made.error_code, self._errors)
        except RequestNotWrittenError as error:
            kind = ErrorClass.CONFIGURATION if error.code == "tls" else ErrorClass.TRANSIENT
            return outcome.not_handed_over(attempt, code=error.code, error_class=kind, detail=error.reason)
        except AnswerLostError as error:
            return outcome.unknown(attempt, code=error.code, detail=error.reason)
        except (
            TwilioRestException,
            TwilioServiceException,
        ) as error:  # the second is not a kind of the first
            return outcome.from_error_answer(
                attempt,
                status=error.status,
                code=error.code,
                retry_after=last_exchange().retry_after,
                errors=self._errors,
            )
        except Exception as error:  # noqa: BLE001  # the ledger needs an answer for every message
            return self._unreadable(message, error)

    def close(self) -> None:
        self._http.close()

    def _unreadable(self, message: OutboundSms, error: Exception) -> SendResult:
        """An answer that is no JSON object, or a request that the package could not build."""
        kind = type(error).__name__
        if last_exchange().written:
            return outcome.unknown(message.attempt_id, code="unreadable", detail=f"unreadable answer ({kind})")
        _log.error("a text could not be built", exc_info=error)
        return outcome.not_handed_over(
            message.attempt_id,
            code="not_built",
            error_class=ErrorClass.CONFIGURATION,
            detail=f"the request could not be built ({kind})",
        )
