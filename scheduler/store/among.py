"""Rows whose key is one of many: as one array on PostgreSQL, where hundreds of parameters cost more than the rows."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, Text, any_, bindparam, cast

from scheduler.store.arrays import array_text


def among(connection: Connection, column: Column[UUID], ids: Iterable[UUID]) -> ColumnElement[bool]:
    """A condition: `column` is one of `ids`, of which there may be none."""
    if connection.dialect.name != "postgresql":
        return column.in_(list(ids))
    from sqlalchemy.dialects.postgresql import ARRAY  # a heavy import, which SQLite has no use for

    written = bindparam(None, array_text(column.type, ids), type_=Text(), unique=True)
    return column == any_(cast(written, ARRAY(column.type)))
