"""Months, weeks and days of the week."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.calendar import EVERY_DAY, Weekday, add_months, monday_of, on_or_after

days = st.dates(date(1950, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 15), 1, date(2026, 2, 15)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 1, 31), 3, date(2026, 4, 30)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 11, 30), 12, date(2027, 11, 30)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2028, 2, 29), 48, date(2032, 2, 29)),
        (date(2026, 1, 31), 0, date(2026, 1, 31)),
        (date(2026, 1, 31), -2, date(2025, 11, 30)),
    ],
)
def test_a_date_moves_by_whole_months_and_stays_within_the_month_it_lands_in(
    day: date, months: int, expected: date
) -> None:
    assert add_months(day, months) == expected


@given(day=days, months=st.integers(-600, 600))
def test_moving_by_months_lands_in_the_right_month_and_never_on_a_later_day(day: date, months: int) -> None:
    moved = add_months(day, months)
    assert moved.year * 12 + moved.month == day.year * 12 + day.month + months
    assert moved.day == day.day or (moved.day < day.day and (moved + timedelta(days=1)).day == 1)


def test_counting_from_the_anchor_keeps_the_month_end_that_counting_step_by_step_loses() -> None:
    anchor = date(2026, 1, 31)
    assert add_months(anchor, 2) == date(2026, 3, 31)
    assert add_months(add_months(anchor, 1), 1) == date(2026, 3, 28)


@given(day=days)
def test_the_monday_of_a_week_is_at_most_six_days_back(day: date) -> None:
    monday = monday_of(day)
    assert Weekday(monday.weekday()) is Weekday.MON
    assert timedelta(0) <= day - monday <= timedelta(days=6)


def test_a_week_begins_on_monday_and_ends_on_sunday() -> None:
    assert monday_of(date(2026, 11, 22)) == date(2026, 11, 16)  # a Sunday
    assert monday_of(date(2026, 11, 23)) == date(2026, 11, 23)  # a Monday


@given(day=days, weekdays=st.frozensets(st.sampled_from(Weekday), min_size=1))
def test_the_next_chosen_day_of_the_week_is_the_first_that_fits(day: date, weekdays: frozenset[Weekday]) -> None:
    found = on_or_after(day, weekdays)
    passed_over = [day + timedelta(days=n) for n in range((found - day).days)]
    assert timedelta(0) <= found - day < timedelta(days=7)
    assert Weekday(found.weekday()) in weekdays
    assert not any(Weekday(skipped.weekday()) in weekdays for skipped in passed_over)


def test_every_day_of_the_week_fits_at_once() -> None:
    assert on_or_after(date(2026, 11, 22), EVERY_DAY) == date(2026, 11, 22)
