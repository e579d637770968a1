"""Identifiers: time-ordered, so that new rows are near each other on disk, and impossible to guess."""

from __future__ import annotations

import os
import time
from uuid import UUID

_UNIX_MS_SHIFT = 80
_RANDOM_BYTES = 10
_MARKS = 0x7 << 76 | 0x2 << 62  # version 7, and the variant of RFC 9562
_RANDOM = (1 << _UNIX_MS_SHIFT) - 1 & ~(0xF << 76 | 0x3 << 62)  # the 74 bits that the marks leave


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562, 5.7): 48 bits of milliseconds, 74 random bits."""
    return new_ids(1)[0]


def new_ids(count: int) -> list[UUID]:
    """As many at once, for a third of the cost of one by one."""
    base = time.time_ns() // 1_000_000 << _UNIX_MS_SHIFT | _MARKS
    random = os.urandom(_RANDOM_BYTES * count)
    starts = range(0, _RANDOM_BYTES * count, _RANDOM_BYTES)
    return [UUID(int=base | int.from_bytes(random[at : at + _RANDOM_BYTES]) & _RANDOM) for at in starts]
