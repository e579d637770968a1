"""Until when: weekdays, days of the month and dates, counted from a day."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.calendar import Weekday
from scheduler.domain.replies.dates import Until

MONDAY = date(2026, 6, 1)


@pytest.mark.parametrize(
    ("until", "today", "comes_to"),
    [
        (Until(weekday=Weekday.MON), MONDAY, date(2026, 6, 8)),  # said on a Monday, it is the next one
        (Until(weekday=Weekday.TUE), MONDAY, date(2026, 6, 2)),
        (Until(day=15), MONDAY, date(2026, 6, 15)),
        (Until(day=1), MONDAY, date(2026, 7, 1)),
        (Until(day=31), date(2026, 6, 5), date(2026, 6, 30)),
        (Until(day=31), date(2026, 6, 30), date(2026, 7, 31)),
        (Until(month=6, day=15), MONDAY, date(2026, 6, 15)),
        (Until(month=6, day=1), MONDAY, date(2027, 6, 1)),
        (Until(month=2, day=29), MONDAY, date(2027, 2, 28)),
        (Until(month=12, day=31), date(2026, 12, 31), date(2027, 12, 31)),
    ],
)
def test_it_is_the_first_such_day_after_today(until: Until, today: date, comes_to: date) -> None:
    assert until.after(today) == comes_to


@given(
    st.one_of(
        st.sampled_from(Weekday).map(lambda day: Until(weekday=day)),
        st.integers(1, 31).map(lambda day: Until(day=day)),
        st.builds(lambda month, day: Until(month=month, day=day), st.integers(1, 12), st.integers(1, 31)),
    ),
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
)
def test_it_is_always_later_and_at_most_a_year_and_a_day_away(until: Until, today: date) -> None:
    assert 1 <= (until.after(today) - today).days <= 367
