"""Identifiers: time-ordered, so that new rows are near each other on disk, and impossible to guess."""

from __future__ import annotations

import os
import time
from uuid import UUID

_UNIX_MS_SHIFT = 80
_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62
_RAND_A = (1 << 12) - 1
_RAND_B = (1 << 62) - 1


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562, 5.7): 48 bits of milliseconds, 74 random bits."""
    random = int.from_bytes(os.urandom(10))
    milliseconds = time.time_ns() // 1_000_000
    return UUID(
        int=milliseconds << _UNIX_MS_SHIFT | _VERSION_7 | (random >> 62 & _RAND_A) << 64 | _VARIANT | random & _RAND_B
    )
