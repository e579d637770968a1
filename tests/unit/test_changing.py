"""Records that are changed without their constructors: the same as `dataclasses.replace` makes of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.changing import built, replace
from scheduler.domain.enrolment import Enrolment
from scheduler.domain.when import DEFAULT_WINDOW

DAYS = st.dates() | st.none()
ASKED = Enrolment(
    pathway="dexa", step="ask", cycle=1, entered_on=date(2026, 3, 2), timer_on=None, silence_from=date(2026, 3, 2)
)


@given(st.fixed_dictionaries({}, optional={"timer_on": DAYS, "fired": st.integers(), "is_paused": st.booleans()}))
def test_a_changed_record_is_what_the_standard_library_makes_of_it(changes: dict[str, Any]) -> None:
    assert replace(ASKED, **changes) == dataclasses.replace(ASKED, **changes)


def test_the_record_that_is_changed_stays_as_it_was() -> None:
    later = replace(ASKED, timer_on=date(2026, 4, 1), fired=2)
    assert (ASKED.timer_on, ASKED.fired) == (None, 0)
    assert later.entered_on + timedelta(days=30) == later.timer_on


def test_a_changed_record_is_as_frozen_as_any() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        replace(ASKED, fired=1).fired = 2  # type: ignore[misc]


def test_a_field_that_there_is_not_is_refused() -> None:
    with pytest.raises(TypeError, match="Enrolment has no field 'colour'"):
        replace(ASKED, colour="red")  # type: ignore[call-arg]


def test_a_record_is_built_from_the_values_of_its_fields() -> None:
    assert built(Enrolment, [getattr(ASKED, field.name) for field in dataclasses.fields(ASKED)]) == ASKED


FIELDS = len(fields(Enrolment))


@pytest.mark.parametrize("count", [0, FIELDS - 1, FIELDS + 1])
def test_a_record_is_not_built_from_more_or_fewer_values_than_it_has_fields(count: int) -> None:
    with pytest.raises(TypeError, match=f"Enrolment has {FIELDS} fields, not {count}"):
        built(Enrolment, [None] * count)


def test_what_checks_itself_when_it_is_made_is_refused() -> None:
    with pytest.raises(TypeError, match="ContactWindow checks what it is made of"):
        replace(DEFAULT_WINDOW, start=DEFAULT_WINDOW.end)


def test_a_record_whose_fields_have_no_slots_is_refused() -> None:
    @dataclass(frozen=True)
    class Loose:
        one: int
        two: int

    with pytest.raises(AttributeError):
        replace(Loose(1, 2), two=3)
