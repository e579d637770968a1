"""Every zone of the database and every clock change from 2026 to 2032, walked day by day.

A slow reference, which reads the clock step by step, judges what the fast functions say.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from struct import pack
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.domain.when import (
    DEFAULT_WINDOW,
    HARD_WINDOW,
    ContactWindow,
    contact_instant,
    has_date,
    instant,
    is_inside_window,
    local_date,
    local_wall,
    next_date,
    next_opening,
    window_bounds,
)
from tests.support.clock_changes import every_change, every_zone

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
HALF_HOURS = [time(hour, minute) for hour in range(24) for minute in (0, 30)]
ODD_TIMES = [time(2, 15), time(7, 59), time(9, 37), time(19, 59), time(20, 59), time(23, 59)]
YEAR_WALKS = [  # a year in which each place's clocks do something that others' do not
    ("America/New_York", 2026),
    ("Europe/London", 2027),
    ("Australia/Lord_Howe", 2026),  # half an hour
    ("Pacific/Chatham", 2028),  # at a quarter to
    ("Antarctica/Troll", 2026),  # two hours
    ("Africa/Casablanca", 2026),  # back for Ramadan
    ("Africa/Cairo", 2026),  # at midnight
    ("Asia/Beirut", 2026),
    ("Asia/Gaza", 2026),  # around Ramadan too
    ("America/Scoresbysund", 2029),  # the evening before
    ("Pacific/Easter", 1969),  # in the evening, inside the hours of contact
    ("Africa/Juba", 2000),  # at noon
    ("Pacific/Kwajalein", 1969),  # a date twice
    ("Pacific/Kwajalein", 1993),  # a date skipped
    ("Pacific/Apia", 2011),  # a date skipped
]


def check_walk(zone: ZoneInfo, days: list[date], contact_time: time, window: ContactWindow) -> None:
    """One contact on each date that exists: in order, on that date, in the window, at the time asked for."""
    wanted = window.clamp(contact_time)
    previous = None
    for day in days:
        at = contact_instant(day, contact_time, zone, window)
        shown = at.astimezone(zone)
        assert shown.date() == day, (zone.key, day, contact_time)
        assert window.start <= shown.time() < window.end, (zone.key, day, contact_time)
        assert shown.time() == wanted or not occurs(day, wanted, zone), (zone.key, day, contact_time)
        assert previous is None or previous < at, (zone.key, day, contact_time)
        previous = at


def occurs(day: date, wall: time, zone: ZoneInfo) -> bool:
    """Whether clocks in `zone` ever show `wall` on `day`."""
    there_and_back = datetime.combine(day, wall, zone).astimezone(UTC).astimezone(zone)
    return there_and_back.replace(tzinfo=None) == datetime.combine(day, wall)


def inside(
    zone: ZoneInfo, window: ContactWindow, start: datetime, end: datetime, step: timedelta
) -> Iterator[datetime]:
    """The slow reference: each instant, step by step, at which clocks in `zone` show a time in `window`."""
    while start < end:
        if window.start <= start.astimezone(zone).time() < window.end:
            yield start
        start += step


def test_the_database_has_the_zones_and_changes_that_this_file_is_about() -> None:
    assert len(every_zone()) > 300
    assert len(every_change()) > 1000
    changing = {zone.key for zone, _ in every_change()}
    assert {"Africa/Casablanca", "America/New_York", "Antarctica/Troll", "Australia/Lord_Howe"} <= changing


@pytest.mark.parametrize(
    ("window", "contact_times"),
    [(DEFAULT_WINDOW, HALF_HOURS), (HARD_WINDOW, ODD_TIMES)],
    ids=["half-hours", "odd-times"],
)
def test_around_every_clock_change_each_date_has_one_contact_inside_the_window(
    window: ContactWindow, contact_times: list[time]
) -> None:
    for zone, day in every_change():
        days = [day + n * DAY for n in range(-2, 3)]
        assert all(has_date(day, zone) for day in days)
        for contact_time in contact_times:
            check_walk(zone, days, contact_time, window)


def test_in_every_zone_an_ordinary_week_has_one_contact_a_day() -> None:
    week = [date(2026, 1, 12) + n * DAY for n in range(7)]
    for zone in every_zone():
        for contact_time in ODD_TIMES:
            check_walk(zone, week, contact_time, DEFAULT_WINDOW)


@pytest.mark.parametrize(("name", "year"), YEAR_WALKS)
def test_through_a_whole_year_no_date_is_lost_or_doubled(name: str, year: int) -> None:
    zone = ZoneInfo(name)
    calendar = [date(year, 1, 1) + n * DAY for n in range(365)]
    existing = [day for day in calendar if has_date(day, zone)]
    noons = [datetime.combine(day, time(12), UTC) for day in calendar]
    assert set(existing) == {local_date(noon + n * DAY / 4, zone) for noon in noons for n in range(-4, 5)} & set(
        calendar
    )
    for contact_time in (time(0), time(9, 30), time(12, 30), time(20, 45), time(23, 30)):
        for window in (DEFAULT_WINDOW, HARD_WINDOW):
            check_walk(zone, existing, contact_time, window)


@pytest.mark.parametrize(
    ("name", "skipped"), [("Pacific/Apia", date(2011, 12, 30)), ("Pacific/Kwajalein", date(1993, 8, 21))]
)
def test_following_next_date_visits_every_date_but_the_skipped_one_once(name: str, skipped: date) -> None:
    zone = ZoneInfo(name)
    day, visited = next_date(skipped - 10 * DAY, zone), []
    while day <= skipped + 10 * DAY:
        visited.append(day)
        day = next_date(day + DAY, zone)
    assert visited == [skipped + n * DAY for n in range(-10, 11) if n]


def test_around_every_clock_change_the_window_opens_once_and_on_time() -> None:
    for zone, day in every_change():
        for today in (day - DAY, day):
            opens, closes = window_bounds(today, zone, DEFAULT_WINDOW)
            midnight = instant(today, time.min, zone)
            assert next_opening(midnight, zone, DEFAULT_WINDOW) == opens
            assert next_opening(closes, zone, DEFAULT_WINDOW) == window_bounds(today + DAY, zone, DEFAULT_WINDOW)[0]
            assert local_wall(opens, zone) == time(9)
            assert local_wall(closes, zone) == time(20)


QUARTER = timedelta(minutes=15)


def quarters_past_midnight(quarters: int) -> time:
    return time(quarters // 4, quarters % 4 * 15)


windows = (
    st.tuples(st.integers(8 * 4, 21 * 4), st.integers(8 * 4, 21 * 4))
    .filter(lambda edges: edges[0] < edges[1])
    .map(lambda edges: ContactWindow(*map(quarters_past_midnight, edges)))
)
zones = st.deferred(lambda: st.sampled_from(every_zone()))
days = st.dates(date(1950, 1, 1), date(2100, 12, 31))


@given(day=days, wall=st.times(), zone=zones)
def test_every_wall_time_of_every_date_has_an_instant(day: date, wall: time, zone: ZoneInfo) -> None:
    at = instant(day, wall, zone)
    assert at.tzinfo is UTC
    assert not occurs(day, wall, zone) or (local_date(at, zone), local_wall(at, zone)) == (day, wall)
    assert instant(day, wall, zone) == datetime.combine(day, wall.replace(fold=0), zone).astimezone(UTC)


@given(
    at=st.datetimes(datetime(1950, 1, 1), datetime(2100, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    zone=zones,
    window=windows,
)
def test_the_next_opening_is_inside_and_nothing_before_it_is(
    at: datetime, zone: ZoneInfo, window: ContactWindow
) -> None:
    opening = next_opening(at, zone, window)
    assert opening >= at
    assert is_inside_window(opening, zone, window)
    assert next(inside(zone, window, at, opening, 5 * MINUTE), None) is None


# Clock changes that no zone makes in these years, of any size and at any hour: laws come at short notice.


def zone_with_a_change(at: datetime, before: timedelta, after: timedelta) -> ZoneInfo:
    """A zone whose offset from UTC changes once, as a version 1 TZif file (RFC 9636)."""
    header = b"TZif" + bytes(16) + pack(">6l", 0, 0, 0, 1, 2, 4)
    change = pack(">lB", int(at.timestamp()), 1)
    types = pack(">lBB", int(before.total_seconds()), 0, 0) + pack(">lBB", int(after.total_seconds()), 0, 0)
    return ZoneInfo.from_file(BytesIO(header + change + types + b"TST\0"), key="Test/Change")


CHANGE_DAY = datetime(2026, 6, 15, tzinfo=UTC)
offsets = st.integers(-12 * 4, 12 * 4).map(lambda quarters: quarters * QUARTER)
invented_zones = st.builds(
    zone_with_a_change,
    at=st.integers(0, 24 * 4).map(lambda quarters: CHANGE_DAY + quarters * QUARTER),
    before=offsets,
    after=offsets,
)


@pytest.mark.parametrize("hour", [0, 1, 12, 23])
def test_a_whole_day_skipped_takes_a_date_only_when_it_begins_at_midnight(hour: int) -> None:
    half_a_day = timedelta(hours=12)
    zone = zone_with_a_change(CHANGE_DAY + hour * 4 * QUARTER + half_a_day, before=-half_a_day, after=half_a_day)
    existing = [has_date(CHANGE_DAY.date() + n * DAY, zone) for n in (-1, 0, 1, 2)]
    assert existing == ([True, False, True, True] if hour == 0 else [True] * 4)


@settings(max_examples=300)
@given(zone=invented_zones, window=windows, quarter=st.integers(0, 24 * 4 - 1))
def test_whatever_the_clock_change_contacts_are_where_the_slow_reference_has_them(
    zone: ZoneInfo, window: ContactWindow, quarter: int
) -> None:
    contact_time = quarters_past_midnight(quarter)
    possible = list(inside(zone, window, CHANGE_DAY - 4 * DAY, CHANGE_DAY + 5 * DAY, QUARTER))
    previous = None
    for day in (CHANGE_DAY.date() + offset * DAY for offset in range(-2, 4)):
        today = [at for at in possible if local_date(at, zone) == day]
        opens, closes = window_bounds(day, zone, window)
        assert (opens < closes) == bool(today)
        if not today:
            with pytest.raises(ValueError, match="Test/Change"):
                contact_instant(day, contact_time, zone, window)
            continue
        at = contact_instant(day, contact_time, zone, window)
        asked = [moment for moment in today if local_wall(moment, zone) == window.clamp(contact_time)]
        assert opens == today[0]
        assert at in today
        assert not asked or at == asked[0]
        assert previous is None or previous < at
        previous = at


@settings(max_examples=300)
@given(zone=invented_zones, window=windows, quarters=st.integers(-2 * 96, 3 * 96))
def test_whatever_the_clock_change_openings_are_where_the_slow_reference_has_them(
    zone: ZoneInfo, window: ContactWindow, quarters: int
) -> None:
    at = CHANGE_DAY + quarters * QUARTER
    assert next_opening(at, zone, window) == next(inside(zone, window, at, at + 4 * DAY, QUARTER))
