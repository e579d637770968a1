"""Contact windows in named places: what fits them, when a contact goes, when they open."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.when import (
    DEFAULT_WINDOW,
    HARD_WINDOW,
    LAST_CALL,
    ContactWindow,
    contact_instant,
    is_inside_window,
    local_wall,
    next_opening,
    window_bounds,
)
from scheduler.domain.zones import use_packaged_zones

use_packaged_zones()
NEW_YORK = ZoneInfo("America/New_York")
APIA = ZoneInfo("Pacific/Apia")
JUBA = ZoneInfo("Africa/Juba")  # 15 January 2000: 12:00 became 13:00
EASTER = ZoneInfo("Pacific/Easter")  # 1968 to 1981: 21:00 became 22:00, and 20:00 again
KWAJALEIN = ZoneInfo("Pacific/Kwajalein")  # 30 September 1969: midnight became 01:00 of the same day


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Contact windows


def test_a_window_includes_its_start_and_not_its_end() -> None:
    assert [wall in DEFAULT_WINDOW for wall in (time(8, 59, 59), time(9), time(19, 59, 59), time(20))] == [
        False,
        True,
        True,
        False,
    ]


def test_a_window_reads_as_its_hours() -> None:
    assert str(DEFAULT_WINDOW) == "09:00-20:00"


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        (time(7, 59), time(20), "07:59-20:00 goes beyond 08:00-21:00"),
        (time(9), time(21, 1), "09:00-21:01 goes beyond 08:00-21:00"),
        (time(20), time(9), "20:00-09:00 ends before it begins"),
        (time(9), time(9), "start has to be earlier"),
        (time(9, tzinfo=UTC), time(20, tzinfo=UTC), "without a zone"),
    ],
)
def test_a_window_that_may_not_be_is_refused_with_the_remedy(start: time, end: time, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ContactWindow(start, end)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (time(0), time(9)),
        (time(8, 59), time(9)),
        (time(9), time(9)),
        (time(19, 59), time(19, 59)),
        (time(20), time(19, 30)),
        (time(23, 59), time(19, 30)),
    ],
)
def test_a_contact_time_outside_the_window_moves_to_where_the_message_can_still_go(wanted: time, given: time) -> None:
    assert DEFAULT_WINDOW.clamp(wanted) == given


def test_a_window_shorter_than_the_last_call_takes_late_contact_times_at_its_start() -> None:
    assert ContactWindow(time(9), time(9, 10)).clamp(time(12)) == time(9)


@given(wall=st.times(), start=st.integers(480, 1259), length=st.integers(1, 780))
def test_a_clamped_time_is_inside_any_window(wall: time, start: int, length: int) -> None:
    end = min(start + length, 1260)
    window = ContactWindow(time(start // 60, start % 60), time(end // 60, end % 60))
    assert window.clamp(wall) in window
    assert window.clamp(window.clamp(wall)) == window.clamp(wall)


# Contacts


def test_a_contact_goes_at_the_patients_own_time() -> None:
    at = contact_instant(date(2026, 7, 1), time(9, 30), NEW_YORK, DEFAULT_WINDOW)
    assert (at, at.tzinfo) == (utc("2026-07-01 13:30"), UTC)


def test_a_contact_time_that_clocks_skip_goes_after_the_change() -> None:
    at = contact_instant(date(2000, 1, 15), time(12, 15), JUBA, DEFAULT_WINDOW)
    assert local_wall(at, JUBA) == time(13, 15)


def test_a_contact_that_a_clock_change_carries_past_the_end_goes_before_the_end() -> None:
    window = ContactWindow(time(9), time(13))
    at = contact_instant(date(2000, 1, 15), time(12, 45), JUBA, window)
    assert at == utc("2000-01-15 09:30")  # the change, at 12:00, less the last call
    assert local_wall(at, JUBA) == time(11, 30)


def test_a_contact_in_a_short_window_that_a_clock_change_shortens_goes_at_its_opening() -> None:
    window = ContactWindow(time(11, 45), time(12, 30))
    assert local_wall(contact_instant(date(2000, 1, 15), time(12, 15), JUBA, window), JUBA) == time(11, 45)


def test_a_contact_on_a_date_that_does_not_exist_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"Apia has no 09:00-20:00 on 2011-12-30.*date after"):
        contact_instant(date(2011, 12, 30), time(9, 30), APIA, DEFAULT_WINDOW)


def test_a_contact_in_a_window_that_clocks_skip_whole_is_refused() -> None:
    with pytest.raises(ValueError, match="Juba has no 12:10-12:50"):
        contact_instant(date(2000, 1, 15), time(12, 30), JUBA, ContactWindow(time(12, 10), time(12, 50)))


def test_a_date_that_occurs_twice_has_one_contact_the_first() -> None:
    days = [date(1969, 9, 29) + timedelta(days=n) for n in range(3)]
    instants = [contact_instant(day, time(9, 30), KWAJALEIN, DEFAULT_WINDOW) for day in days]
    assert [at.isoformat() for at in instants] == [
        "1969-09-28T22:30:00+00:00",
        "1969-09-29T22:30:00+00:00",
        "1969-10-01T21:30:00+00:00",
    ]


# The bounds of a window, and its next opening


def test_a_window_opens_and_closes_by_local_clocks() -> None:
    assert window_bounds(date(2026, 1, 15), NEW_YORK, DEFAULT_WINDOW) == (
        utc("2026-01-15 14:00"),
        utc("2026-01-16 01:00"),
    )


@pytest.mark.parametrize(
    ("start", "end", "opens", "closes"),
    [
        pytest.param(time(12, 30), time(20), "10:00", "17:00", id="start skipped"),
        pytest.param(time(9), time(12, 30), "07:00", "10:00", id="end skipped"),
        pytest.param(time(12, 10), time(12, 50), "10:00", "10:00", id="all skipped: empty"),
        pytest.param(time(9), time(20), "07:00", "17:00", id="an hour inside skipped: an hour shorter"),
    ],
)
def test_where_clocks_skip_an_edge_the_window_ends_at_the_change(
    start: time, end: time, opens: str, closes: str
) -> None:
    bounds = window_bounds(date(2000, 1, 15), JUBA, ContactWindow(start, end))
    assert bounds == (utc(f"2000-01-15 {opens}"), utc(f"2000-01-15 {closes}"))


def test_the_window_of_a_date_that_does_not_exist_is_empty() -> None:
    opens, closes = window_bounds(date(2011, 12, 30), APIA, DEFAULT_WINDOW)
    assert opens == closes == utc("2011-12-30 10:00")


@pytest.mark.parametrize(
    ("zone", "window", "at", "opening"),
    [
        pytest.param(NEW_YORK, DEFAULT_WINDOW, "2026-01-15 13:00", "2026-01-15 14:00", id="before: today"),
        pytest.param(NEW_YORK, DEFAULT_WINDOW, "2026-01-15 15:00", "2026-01-15 15:00", id="inside: now"),
        pytest.param(NEW_YORK, DEFAULT_WINDOW, "2026-01-16 01:00", "2026-01-16 14:00", id="closed: tomorrow"),
        pytest.param(NEW_YORK, DEFAULT_WINDOW, "2026-03-08 01:30", "2026-03-08 13:00", id="night of the change"),
        pytest.param(APIA, DEFAULT_WINDOW, "2011-12-30 07:00", "2011-12-30 19:00", id="over a skipped date"),
        pytest.param(JUBA, ContactWindow(time(12, 30), time(20)), "2000-01-15 09:00", "2000-01-15 10:00", id="gap"),
        pytest.param(EASTER, HARD_WINDOW, "1969-03-30 03:00", "1969-03-30 03:00", id="20:00 again: open again"),
        pytest.param(
            EASTER,
            ContactWindow(time(9), time(20, 30)),
            "1969-03-30 02:45",
            "1969-03-30 03:00",
            id="closed at 20:30, open again at the second 20:00",
        ),
        pytest.param(
            EASTER,
            ContactWindow(time(20, 15), time(21)),
            "1969-03-30 03:05",
            "1969-03-30 03:15",
            id="second occurrence of the start",
        ),
    ],
)
def test_the_next_opening_is_the_first_instant_inside(
    zone: ZoneInfo, window: ContactWindow, at: str, opening: str
) -> None:
    assert next_opening(utc(at), zone, window) == utc(opening)


def test_the_window_is_judged_by_the_clock_on_the_wall_in_a_repeated_hour() -> None:
    at = [
        utc("1969-03-30 02:30"),
        utc("1969-03-30 03:30"),
        utc("1969-03-30 04:00"),
    ]  # 20:30, 20:30 again, 21:00
    assert [is_inside_window(moment, EASTER, HARD_WINDOW) for moment in at] == [True, True, False]


def test_the_last_call_leaves_time_before_the_window_closes() -> None:
    day = date(2026, 7, 1)
    _, closes = window_bounds(day, NEW_YORK, DEFAULT_WINDOW)
    assert closes - contact_instant(day, time(23), NEW_YORK, DEFAULT_WINDOW) == LAST_CALL
