"""Identifiers: time-ordered, so that new rows are near each other on disk, and impossible to guess."""

from __future__ import annotations

import os
import time
from typing import Any
from uuid import UUID, SafeUUID

_UNIX_MS_SHIFT, _PART_SHIFT = 80, 64
_NS, _PARTS = 1_000_000, 1 << 12  # of a millisecond
_RANDOM_BYTES = 8
_MARKS = 0x7 << 76 | 0x2 << 62  # version 7, and the variant of RFC 9562
_RANDOM = (1 << 62) - 1


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562, 5.7): 48 bits of milliseconds, 12 of parts of one (6.2, method 3), 62 random."""
    return new_ids(1)[0]


def new_ids(count: int) -> list[UUID]:
    """As many at once, in ascending order, for a third of the cost of one by one."""
    milliseconds, rest = divmod(time.time_ns(), _NS)
    base = milliseconds << _UNIX_MS_SHIFT | rest * _PARTS // _NS << _PART_SHIFT | _MARKS
    random = os.urandom(_RANDOM_BYTES * count)
    starts = range(0, _RANDOM_BYTES * count, _RANDOM_BYTES)
    ends = sorted(int.from_bytes(random[at : at + _RANDOM_BYTES]) & _RANDOM for at in starts)
    return [_uuid(base | end) for end in ends]


_slots: Any = UUID
_set_int, _set_safe = _slots.int.__set__, _slots.is_safe.__set__


def _uuid(number: int) -> UUID:
    """`UUID(int=number)` without its constructor, which looks for seven ways of writing one: a third of the cost."""
    made = object.__new__(UUID)
    _set_int(made, number)
    _set_safe(made, SafeUUID.unknown)
    return made
