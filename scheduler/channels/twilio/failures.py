"""What it means for a message that its request got no answer: from libcurl's error to what we may do next."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pycurl


@dataclass(frozen=True, slots=True)
class Failure:
    """A request without a whole answer. `code` is ours, `reason` is safe to log.

    `may_have_it` is False when Twilio cannot have had the whole request: trying again is safe.
    `is_setup` is True when trying again is of no use until somebody changes a setting.
    """

    may_have_it: bool
    code: str
    reason: str
    is_setup: bool = False


_CERTIFICATES = frozenset(
    {
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CIPHER,
        pycurl.E_SSL_ISSUER_ERROR,
        pycurl.E_SSL_ENGINE_INITFAILED,
    }
)
_BROKEN_OFF = "unexpected eof"  # OpenSSL's words for a connection that ends in the middle of the handshake
_ADDRESS = frozenset({pycurl.E_URL_MALFORMAT, pycurl.E_UNSUPPORTED_PROTOCOL})
_UNREADABLE = frozenset(
    {
        pycurl.E_FTP_WEIRD_SERVER_REPLY,  # libcurl's CURLE_WEIRD_SERVER_REPLY by its old name
        pycurl.E_UNSUPPORTED_PROTOCOL,  # an answer in HTTP/0.9
        pycurl.E_FILESIZE_EXCEEDED,
        pycurl.E_BAD_CONTENT_ENCODING,
    }
)


def failure_of(handle: pycurl.Curl, number: int, words: str, *, is_body_read: bool, timeout: float) -> Failure:
    """The failure that libcurl reports for `handle` as error `number` with `words`.

    `is_body_read` says whether it ever asked for the request's body. It does so only when it is about to write to
    an open connection; as long as it has not, Twilio cannot have had a whole request. Once it has, nobody knows.
    """
    if is_body_read:
        return _after_writing(number, timeout)
    return _before_writing(number, words, errno=handle.getinfo(pycurl.OS_ERRNO), timeout=timeout)


def answer_overdue(timeout: float) -> Failure:
    """The request was written, and no whole answer came within `timeout` seconds."""
    return Failure(True, "timeout", f"no answer within {timeout:g} s")


def _before_writing(number: int, words: str, *, errno: int, timeout: float) -> Failure:
    if number == pycurl.E_COULDNT_RESOLVE_HOST:
        return Failure(False, "dns", "the provider's host name was not found")
    if number == pycurl.E_OPERATION_TIMEDOUT:
        return Failure(False, "connect_timeout", f"no connection within {timeout:g} s")
    if number in _CERTIFICATES:
        return Failure(False, "tls", f"the encrypted connection failed: {words}", is_setup=True)
    if number == pycurl.E_SSL_CONNECT_ERROR and not (errno or _BROKEN_OFF in words):  # else the network's fault
        return Failure(False, "tls", f"the encrypted connection failed: {words}", is_setup=True)
    if number in _ADDRESS:
        reason = "the provider's address cannot be called; check TWILIO_API_URL"
        return Failure(False, "address", reason, is_setup=True)
    reason = os.strerror(errno) if errno else f"it broke off (libcurl error {number})"
    return Failure(False, "connect", f"no connection: {reason}")


def _after_writing(number: int, timeout: float) -> Failure:
    if number == pycurl.E_OPERATION_TIMEDOUT:
        return answer_overdue(timeout)
    if number in _UNREADABLE:
        return Failure(True, "unreadable", f"the answer is not what HTTP allows (libcurl error {number})")
    return Failure(True, "closed", "the connection closed before a whole answer came")
