"""Identifiers: time-ordered, so that new rows are near each other on disk, and impossible to guess."""

from __future__ import annotations

import os
import time
from uuid import UUID

_UNIX_MS_SHIFT = 80
_MARKS = 0x7 << 76 | 0x2 << 62  # version 7, and the variant of RFC 9562
_RANDOM = (1 << _UNIX_MS_SHIFT) - 1 & ~(0xF << 76 | 0x3 << 62)  # the 74 bits that the marks leave


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562, 5.7): 48 bits of milliseconds, 74 random bits."""
    random = int.from_bytes(os.urandom(10)) & _RANDOM
    return UUID(int=time.time_ns() // 1_000_000 << _UNIX_MS_SHIFT | _MARKS | random)
