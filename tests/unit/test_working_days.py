"""A clinic's working days: due dates, overdue instants, the next digest."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.when import local_date, local_wall
from scheduler.domain.working_days import WorkingDays

NEW_YORK, TOKYO = ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo")
FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)
EIGHT = time(8)


def in_new_york(day: date, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


@pytest.mark.parametrize(
    ("day", "n", "due"),
    [
        (MONDAY, 0, MONDAY),
        (MONDAY, 1, MONDAY + timedelta(days=1)),
        (FRIDAY, 1, MONDAY),
        (FRIDAY, 3, date(2026, 11, 25)),
        (FRIDAY + timedelta(days=1), 0, MONDAY),
        (FRIDAY + timedelta(days=1), 1, MONDAY),
        (FRIDAY + timedelta(days=2), 1, MONDAY),
        (MONDAY, 5, MONDAY + timedelta(days=7)),
    ],
)
def test_working_days_pass_over_the_weekend(day: date, n: int, due: date) -> None:
    assert WorkingDays(zone=NEW_YORK).add(day, n) == due


def test_working_days_pass_over_holidays_and_over_days_on_which_the_clinic_is_closed() -> None:
    days = WorkingDays(
        zone=NEW_YORK, holidays=frozenset({date(2026, 11, 26)}), closed=frozenset({date(2026, 11, 27)})
    )
    assert days.add(date(2026, 11, 25), 1) == date(2026, 11, 30)
    assert days.add(date(2026, 11, 26), 0) == date(2026, 11, 30)


def test_working_days_do_not_count_backwards() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        WorkingDays(zone=NEW_YORK).add(MONDAY, -1)


def test_a_due_date_counts_from_the_clinics_own_date() -> None:
    late_on_friday = in_new_york(FRIDAY, 22)  # Saturday in UTC, and noon of Saturday in Tokyo
    assert WorkingDays(zone=NEW_YORK).due(late_on_friday, 0) == FRIDAY
    assert WorkingDays(zone=NEW_YORK).due(late_on_friday, 1) == MONDAY
    assert WorkingDays(zone=TOKYO).due(late_on_friday, 0) == MONDAY


def test_a_task_is_overdue_when_the_next_working_day_begins() -> None:
    thanksgiving = WorkingDays(zone=NEW_YORK, holidays=frozenset({date(2026, 11, 26)}))
    assert WorkingDays(zone=NEW_YORK).overdue_at(FRIDAY) == in_new_york(MONDAY)
    assert thanksgiving.overdue_at(date(2026, 11, 25)) == in_new_york(date(2026, 11, 27))


def test_the_next_digest_is_at_its_time_on_the_next_working_day() -> None:
    days = WorkingDays(zone=NEW_YORK)
    assert days.next_at(EIGHT, after=in_new_york(FRIDAY, 7, 59)) == in_new_york(FRIDAY, 8)
    assert days.next_at(EIGHT, after=in_new_york(FRIDAY, 8)) == in_new_york(MONDAY, 8)
    assert days.next_at(EIGHT, after=in_new_york(FRIDAY + timedelta(days=1), 12)) == in_new_york(MONDAY, 8)


def test_the_digest_stays_at_its_wall_time_over_a_change_of_the_clocks() -> None:
    days = WorkingDays(zone=NEW_YORK)
    before = days.next_at(EIGHT, after=in_new_york(date(2026, 3, 6), 7))
    after = days.next_at(EIGHT, after=before)
    assert [local_wall(at, NEW_YORK) for at in (before, after)] == [EIGHT, EIGHT]
    assert after - before == timedelta(days=3, hours=-1)


@given(
    st.dates(date(2026, 1, 1), date(2032, 12, 31)),
    st.integers(0, 30),
    st.frozensets(st.dates(date(2026, 1, 1), date(2033, 12, 31)), max_size=20),
)
def test_exactly_n_working_days_lie_after_the_day_up_to_the_due_date(
    day: date, n: int, holidays: frozenset[date]
) -> None:
    def works(each: date) -> bool:
        return each.isoweekday() <= 5 and each not in holidays

    due = WorkingDays(zone=NEW_YORK, holidays=holidays).add(day, n)
    assert works(due)
    between = [day + timedelta(days=offset) for offset in range(1, (due - day).days + 1)]
    expected = n if n or works(day) else 1
    assert sum(map(works, between)) == expected


@given(
    st.integers(1_767_225_600, 1_956_528_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.times(),
    st.sampled_from([NEW_YORK, TOKYO, ZoneInfo("Europe/Madrid"), ZoneInfo("Australia/Lord_Howe")]),
)
def test_the_next_digest_is_later_and_on_a_working_day(after: datetime, wall: time, zone: ZoneInfo) -> None:
    days = WorkingDays(zone=zone)
    found = days.next_at(wall.replace(second=0, microsecond=0), after=after)
    assert found > after
    assert local_date(found, zone) in days
    assert found - after <= timedelta(days=3, hours=25)
