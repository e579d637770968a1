"""How requests of the `twilio` package travel: pooled connections, timeouts, no doubt about what was written.

The package's own client waits for ever by default and does not say whether a failed request had left. A
reminder must never go twice, so this one never repeats a request and tells two failures apart:
`RequestNotWrittenError`, after which another try is safe, and `AnswerLostError`, after which Twilio may have
the message.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode

import urllib3
from twilio.http import HttpClient
from twilio.http.response import Response
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from scheduler.channels.twilio.settings import TWILIO_API

# A server may close a connection that has been idle for some seconds (5 is the shortest in wide use) just as
# we write to it, which looks like a lost answer. Idle for less than this, it is safe to use again.
IDLE_SECONDS = 3.0


@dataclass(slots=True)
class Exchange:
    """What happened to the request that this thread made last."""

    written: bool = False  # at least one byte was handed to the connection
    retry_after: str | None = None  # the answer's Retry-After header


class RequestFailedError(Exception):
    """No answer. `code` is ours, `reason` is safe to log."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class RequestNotWrittenError(RequestFailedError):
    """The request never left: trying again is safe."""


class AnswerLostError(RequestFailedError):
    """The request left, at least in part, and no answer came back."""


_thread = threading.local()


def last_exchange() -> Exchange:
    """The exchange of this thread's last request; an unwritten one when there was none."""
    exchange = getattr(_thread, "exchange", None)
    return exchange if isinstance(exchange, Exchange) else new_exchange()


def new_exchange() -> Exchange:
    """Start recording this thread's next request."""
    exchange = _thread.exchange = Exchange()
    return exchange


class _Watched:
    """Mixed into a connection: knows when the first byte is written, and counts as dropped when idle for long.

    Headers and body are written at once: one packet instead of two, and no half request when the first fails.
    """

    _idle_since = 0.0
    _held: list[bytes] | None = None

    def request(self, *args: Any, **options: Any) -> None:
        parts: list[bytes] = []
        self._held = parts
        try:
            super().request(*args, **options)  # type: ignore[misc]
        finally:
            self._held = None
        self.send(b"".join(parts))

    def send(self, data: Any) -> None:
        if self._held is not None:
            self._held.append(data)
            return
        if self.sock is None:  # type: ignore[attr-defined]
            self.connect()  # type: ignore[attr-defined]  # a failure in here comes before the first byte
        last_exchange().written = True
        super().send(data)  # type: ignore[misc]

    def getresponse(self) -> Any:
        response = super().getresponse()  # type: ignore[misc]
        self._idle_since = time.monotonic()
        return response

    @property
    def is_connected(self) -> bool:
        idle = time.monotonic() - self._idle_since
        return idle < IDLE_SECONDS and bool(super().is_connected)  # type: ignore[misc]


class _HttpConnection(_Watched, HTTPConnection):
    pass


class _HttpsConnection(_Watched, HTTPSConnection):
    pass


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


class PooledHttpClient(HttpClient):  # type: ignore[misc]
    """An HTTP client for `twilio.rest.Client`; safe to share between threads.

    `timeout` is in seconds, for connecting and again for the answer. Requests to https://api.twilio.com go to
    `api_url`. Certificates are always checked, against the system's store unless `tls` is given.
    """

    def __init__(
        self,
        *,
        timeout: float,
        connections: int,
        api_url: str = TWILIO_API,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(logging.getLogger(__name__), False, timeout)
        self._api_url = api_url.rstrip("/")
        self._pools = urllib3.PoolManager(
            maxsize=connections,
            retries=False,
            timeout=urllib3.Timeout(connect=timeout, read=timeout),
            ssl_context=tls or ssl.create_default_context(),
        )
        self._pools.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}

    def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Make one request, once. Redirects are never followed: a POST would be repeated elsewhere.

        Raises `RequestNotWrittenError` or `AnswerLostError`.
        """
        exchange = new_exchange()
        sent_headers = dict(headers or {})
        if auth is not None:
            sent_headers["Authorization"] = _basic(*auth)
        try:
            answer = self._pools.urlopen(
                method.upper(),
                self._target(uri, params),
                redirect=False,
                headers=sent_headers,
                body=urlencode(data, doseq=True) if data else None,
                **({} if timeout is None else {"timeout": timeout}),
            )
        except (HTTPError, HTTPException, OSError) as error:
            code, reason = _describe(error, self.timeout if timeout is None else timeout)
            failure = AnswerLostError if exchange.written else RequestNotWrittenError
            raise failure(code, reason) from error
        exchange.retry_after = answer.headers.get("Retry-After")
        return Response(answer.status, answer.data.decode("utf-8", "replace"), answer.headers)

    def close(self) -> None:
        """Close every idle connection."""
        self._pools.clear()

    def _target(self, uri: str, params: Mapping[str, object] | None) -> str:
        target = self._api_url + uri[len(TWILIO_API) :] if uri.startswith(TWILIO_API) else uri
        return f"{target}?{urlencode(params, doseq=True)}" if params else target


def _basic(username: str, password: str) -> str:
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


def _describe(error: Exception, timeout: float | None) -> tuple[str, str]:
    """A code and a reason for a request without an answer; the exception's own text names the account."""
    if isinstance(error, NameResolutionError):
        return "dns", "the provider's host name was not found"
    if isinstance(error, NewConnectionError):  # in urllib3 a kind of ConnectTimeoutError
        return "connect", f"no connection: {_system_reason(error)}"
    if isinstance(error, ConnectTimeoutError):
        return "connect_timeout", f"no connection within {timeout:g} s"
    if isinstance(error, SSLError | ssl.SSLError):
        return "tls", f"the encrypted connection failed: {_system_reason(error)}"
    if isinstance(error, ReadTimeoutError | TimeoutError):
        return "timeout", f"no answer within {timeout:g} s"
    return "closed", "the connection closed before a whole answer came"


def _system_reason(error: BaseException) -> str:
    """The operating system's words for the cause, such as `Connection refused`."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"certificate not accepted ({cause.verify_message})"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return "no reason given"
