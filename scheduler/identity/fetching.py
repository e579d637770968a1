"""Asking the provider over HTTP: briefly, without redirects, and never for more than a page of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import pycurl

from scheduler.ports.identity import IdentityUnavailable

CONNECT_SECONDS = 3.0
LARGEST_ANSWER = 512 * 1024  # bytes; sets of keys have some ten thousand
_BUSY = 429


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of an answer and the JSON object in it."""

    status: int
    said: dict[str, Any]


class Fetcher:
    """Asks one provider. `timeout` is in seconds and for a whole answer; `ca_file` names the certificates to trust.

    Threads may share it: each question has a connection of its own.
    """

    def __init__(self, *, timeout: float, ca_file: str | None) -> None:
        self._timeout = timeout
        self._ca_file = ca_file

    def get(self, url: str, *, headers: Sequence[str] = ()) -> Answer:
        """What is at an address. Raises `IdentityUnavailable`."""
        return self._ask(url, None, headers)

    def post(self, url: str, fields: Mapping[str, str], *, headers: Sequence[str] = ()) -> Answer:
        """What a form is answered with. Raises `IdentityUnavailable`."""
        return self._ask(url, urlencode(fields), headers)

    def _ask(self, url: str, form: str | None, headers: Sequence[str]) -> Answer:
        body = bytearray()

        def take(chunk: bytes) -> int | None:
            body.extend(chunk)
            return None if len(body) <= LARGEST_ANSWER else 0  # 0: libcurl stops here

        handle = self._handle(url, headers)
        try:
            if form is not None:
                handle.setopt(pycurl.POSTFIELDS, form)
            handle.setopt(pycurl.WRITEFUNCTION, take)
            handle.perform()
            status = int(handle.getinfo(pycurl.RESPONSE_CODE))
        except pycurl.error as error:
            why = error.args[-1] or "no reason given"
            raise IdentityUnavailable(f"{_place(url)} does not answer: {why}") from None
        finally:
            handle.close()
        if status >= 500 or status == _BUSY:
            raise IdentityUnavailable(f"{_place(url)} answers {status}")
        return Answer(status, _json_object(bytes(body), url, status))

    def _handle(self, url: str, headers: Sequence[str]) -> pycurl.Curl:
        """A proxy or a redirect would show codes and secrets somewhere else."""
        handle = pycurl.Curl()
        handle.setopt(pycurl.URL, url)
        handle.setopt(pycurl.HTTPHEADER, ["Accept: application/json", *headers])
        handle.setopt(pycurl.USERAGENT, "bonewise")
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.FOLLOWLOCATION, 0)
        handle.setopt(pycurl.PROXY, "")
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, round(1000 * min(self._timeout, CONNECT_SECONDS)) or 1)
        handle.setopt(pycurl.TIMEOUT_MS, round(1000 * self._timeout) or 1)
        handle.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2)
        handle.setopt(pycurl.SSL_VERIFYPEER, 1)
        handle.setopt(pycurl.SSL_VERIFYHOST, 2)
        if self._ca_file is not None:
            handle.setopt(pycurl.CAINFO, self._ca_file)
        return handle


def _json_object(body: bytes, url: str, status: int) -> dict[str, Any]:
    try:
        found = json.loads(body.decode())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise IdentityUnavailable(f"{_place(url)} answers {status} with something that is no JSON object")
    return found


def _place(url: str) -> str:
    """The address without its query, which may hold what is nobody's business."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
