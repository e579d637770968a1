"""Columns whose content recurs from row to row: converted once for each different content, not once a row.

Where thousands of patients are due in one minute, most stand where many others stand. Equal rows give one and the
same object, so that who uses them can tell by identity that nothing differs.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Dialect, type_coerce
from sqlalchemy.types import NullType

T = TypeVar("T")


class Recurring:
    """Certain columns. Select `columns`, and give `reader` their values as they come."""

    def __init__(self, columns: Sequence[ColumnElement[Any]]) -> None:
        self.columns = [type_coerce(column, NullType()).label(column.key) for column in columns]
        self._types = [column.type for column in columns]
        self._row = _row_of([str(column.key) for column in columns])

    def reader(self, dialect: Dialect, make: Callable[[Any], T]) -> Callable[[tuple[Any, ...]], T]:
        """Reads rows of one query: `make` gets the columns' values as attributes. Remembers what has been made."""
        convert = [
            (place, to)
            for place, kind in enumerate(self._types)
            if (to := kind.dialect_impl(dialect).result_processor(dialect, None)) is not None
        ]
        made: dict[tuple[Any, ...], T] = {}

        def read(raw: tuple[Any, ...]) -> T:
            known = made.get(raw)
            if known is None:
                values = list(raw)
                for place, to in convert:
                    values[place] = to(values[place])
                known = made[raw] = make(self._row._make(values))
            return known

        return read


def _row_of(names: Sequence[str]) -> Any:
    """A class of rows with these columns."""
    return namedtuple("_row", names)
