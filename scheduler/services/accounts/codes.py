"""The second factor: codes that an authenticator app shows (TOTP, RFC 6238), each good for once."""

from __future__ import annotations

import base64
import os
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP = 30  # seconds
_DIGITS = 6
_SECRET_BYTES = 20  # RFC 4226, section 4: 160 bits
_DRIFT = 1  # steps that a phone's clock may be off, either way (RFC 6238, section 5.2)


def new_secret() -> str:
    """A secret to share with an authenticator app, in base32."""
    return base64.b32encode(os.urandom(_SECRET_BYTES)).decode()


def step_of(secret: str, code: str, *, now: datetime, after: int) -> int | None:
    """The time step whose code this is, if it is a late enough one; None for a wrong, old or used code."""
    typed = "".join(each for each in code if not each.isspace())
    current = int(now.timestamp()) // STEP
    matching = [
        step
        for step in range(current - _DRIFT, current + _DRIFT + 1)
        if secrets.compare_digest(_code_at(secret, step).encode(), typed.encode())
    ]
    return next((step for step in matching if step > after), None)


def code_at(secret: str, now: datetime) -> str:
    """What an authenticator app shows at this instant."""
    return _code_at(secret, int(now.timestamp()) // STEP)


def setup_address(secret: str, *, account: str, issuer: str) -> str:
    """The `otpauth:` address that an authenticator app reads from a QR code."""
    label = quote(f"{issuer}:{account}", safe="")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer}, quote_via=quote)}"


def _code_at(secret: str, step: int) -> str:
    totp = TOTP(base64.b32decode(secret), _DIGITS, SHA1(), STEP)  # noqa: S303 - what authenticator apps speak
    return totp.generate(step * STEP).decode()
