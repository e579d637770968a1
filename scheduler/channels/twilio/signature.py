"""Checks that a webhook comes from Twilio. https://www.twilio.com/docs/usage/security#validating-requests"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urldefrag


def parse_form(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form-encoded body, in order. Blank ones are kept: they are part of what was signed."""
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def verify_signature(
    *, url: str, params: Iterable[tuple[str, str]], signature: str | None, tokens: Iterable[str]
) -> bool:
    """Whether Twilio signed this POST with one of our auth tokens. Never raises.

    `url` is the address as configured at Twilio, built from our public URL and the request's path and query,
    never from its Host header. `params` are the fields of the form body, blank and repeated ones included.
    `signature` is the X-Twilio-Signature header, None when there is none. While a token is being replaced,
    `tokens` has the new one and the old one.

    The scheme has no time stamp, so a request can be replayed: handlers must be idempotent.
    """
    if not signature:
        return False
    address = urldefrag(url).url  # Twilio signs without the fragment
    fields = _Fields(params)
    tokens, given = tuple(tokens), signature.encode("utf-8", "surrogatepass")
    try:
        if any(hmac.compare_digest(expected, given) for expected in _plain_signatures(address, fields, tokens)):
            return True
        return any(_validator(token).validate(address, fields, signature) for token in tokens if token)
    except ValueError:  # a port beyond 65535, or half of a surrogate pair, which nobody can have signed
        return False


def _plain_signatures(address: str, fields: _Fields, tokens: Iterable[str]) -> Iterator[bytes]:
    """What each token makes of a form without repeated fields, and of the address as it is.

    That is nearly every request. `RequestValidator` looks at the others, and takes four times as long.
    """
    names = sorted(fields)
    values = [fields.getlist(name) for name in names]
    if all(len(each) == 1 for each in values):
        signed = (address + "".join(name + each[0] for name, each in zip(names, values, strict=True))).encode()
        for token in tokens:
            if token:
                # Not `hmac.digest`: it lets go of the interpreter, and gets a busy one back only milliseconds later.
                yield base64.b64encode(hmac.new(token.encode(), signed, "sha1").digest())


class _Fields:
    """Form fields as `RequestValidator` wants them: names by iteration, all values of one by `getlist`."""

    def __init__(self, params: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in params:
            self._values.setdefault(name, []).append(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def getlist(self, name: str) -> list[str]:
        return self._values[name]


@lru_cache(maxsize=16)
def _validator(token: str) -> Any:
    from twilio.request_validator import RequestValidator

    return RequestValidator(token)
