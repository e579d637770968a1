"""Rows become records by the order of their columns: it has to be the order of the records' fields."""

from __future__ import annotations

from dataclasses import fields

from scheduler.domain.enrolment import Enrolment
from scheduler.records import LedgerMessage
from scheduler.store import rows

NAMED_OTHERWISE = {"times": "count"}  # a row of SQLAlchemy's has a method of that name


def test_the_state_of_an_enrolment_is_selected_in_the_order_of_its_fields() -> None:
    assert [field.name for field in fields(Enrolment)] == ["pathway", *rows.STATE]


def test_what_messages_share_is_selected_in_the_order_of_their_fields() -> None:
    selected = [NAMED_OTHERWISE.get(str(column.key), str(column.key)) for column in rows.MESSAGE.columns]
    keys = ["id", "clinic_id", "patient_id", "enrolment_id"]
    assert [field.name for field in fields(LedgerMessage)] == [*keys, *selected]
