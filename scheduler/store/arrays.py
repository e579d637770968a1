"""PostgreSQL's written form of arrays: made here a column at a time, for the driver goes through it value by value.

https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Date, Float, Integer, LargeBinary, String, Time, Uuid
from sqlalchemy.types import TypeEngine

from scheduler.store.types import Instant, Sealed

_NULL = "NULL"
_SHORT = 32  # characters: such columns hold names of ours


def array_text(kind: TypeEngine[Any], values: Iterable[Any]) -> str:
    """The values of one column as the text of an array. Raises `TypeError` for a type that no table has."""
    return "{" + ",".join(map(_writer(kind), values)) + "}"


@lru_cache(maxsize=256)
def _writer(kind: TypeEngine[Any]) -> Callable[[Any], str]:
    if isinstance(kind, String) and kind.length is not None and kind.length <= _SHORT:
        return _recurring_text
    for types, writer in _WRITERS:
        if isinstance(kind, types):
            return writer
    raise TypeError(f"no array has been written of {kind!r} yet")


def _number(value: float | None) -> str:
    return _NULL if value is None else str(value)


def _uuid(value: UUID | None) -> str:
    return _NULL if value is None else f"{value.int:032x}"


def _text(value: str | None) -> str:
    if value is None:
        return _NULL
    if value.isalnum() and value.isascii() and value.upper() != _NULL:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_recurring_text = lru_cache(maxsize=4096)(_text)  # statuses, steps, languages: few different values in many rows
_plain = lru_cache(maxsize=4096, typed=True)(_number)  # typed: true is 1, and is written otherwise


def _sealed(value: bytes | None) -> str:
    ciphertext = Sealed.checked(value)
    return _NULL if ciphertext is None else _bytes(ciphertext)


def _bytes(value: bytes | None) -> str:
    return _NULL if value is None else f'"\\\\x{value.hex()}"'


@lru_cache(maxsize=4096)
def _day_or_time(value: date | time | None) -> str:
    return _NULL if value is None else value.isoformat()


@lru_cache(maxsize=4096)
def _instant(value: datetime | None) -> str:
    if value is None:
        return _NULL
    if value.tzinfo is None:
        raise ValueError("an instant needs a time zone; pass an aware datetime")
    return value.astimezone(UTC).isoformat()


_WRITERS: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (Uuid, _uuid),
    (Sealed, _sealed),
    (LargeBinary, _bytes),
    (Instant, _instant),
    ((Date, Time), _day_or_time),
    ((Integer, Boolean, Float), _plain),
    (String, _text),
)
