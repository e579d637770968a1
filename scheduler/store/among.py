"""Rows whose key is one of many: as one array on PostgreSQL, where hundreds of parameters cost more than the rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, Text, and_, any_, bindparam, cast, func, select

from scheduler.store.arrays import array_text
from scheduler.store.rows import patient_id_of
from scheduler.store.tables import patients


def among(connection: Connection, column: Column[UUID], ids: Iterable[UUID]) -> ColumnElement[bool]:
    """A condition: `column` is one of `ids`, of which there may be none."""
    if connection.dialect.name != "postgresql":
        return column.in_(list(ids))
    return column == any_(_array(column, ids))


def of_mrns(connection: Connection, clinic_id: int, mrns: Iterable[str]) -> ColumnElement[bool]:
    """A condition: a patient of the clinic whose MRN is one of `mrns`, of which there may be none.

    On PostgreSQL each is looked up by itself and the patient then read by the id. As a plain condition it is a matter
    of statistics: while a first list fills an empty table, one row is expected, all patients of the clinic are read
    instead, and each is compared with a thousand numbers. Whoever waits for a lock may get a patient whose MRN has
    been another for a moment.
    """
    if connection.dialect.name != "postgresql":
        return and_(patients.c.clinic_id == clinic_id, patients.c.mrn.in_(list(mrns)))
    wanted = func.unnest(_array(patients.c.mrn, mrns)).table_valued("mrn", name="wanted").render_derived()
    found = select(patient_id_of(clinic_id, wanted.c.mrn)).select_from(wanted)
    return patients.c.id == any_(func.array(found.scalar_subquery()))


def _array(column: Column[Any], values: Iterable[Any]) -> ColumnElement[Any]:
    from sqlalchemy.dialects.postgresql import ARRAY  # a heavy import, which SQLite has no use for

    written = bindparam(None, array_text(column.type, values), type_=Text(), unique=True)
    return cast(written, ARRAY(column.type))
