"""Instants and local dates in named places, one rule a test."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduler.domain.when import (
    DEFAULT_WINDOW,
    contact_instant,
    has_date,
    instant,
    is_inside_window,
    local_date,
    local_wall,
    next_date,
    next_opening,
)
from scheduler.domain.zones import use_packaged_zones

use_packaged_zones()
NEW_YORK = ZoneInfo("America/New_York")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Instants


@pytest.mark.parametrize(
    ("zone", "wall", "expected"),
    [
        pytest.param("America/New_York", "2026-03-08 02:30", "2026-03-08 07:30", id="skipped, shown as 03:30"),
        pytest.param("America/New_York", "2026-11-01 01:30", "2026-11-01 05:30", id="twice: the first, in EDT"),
        pytest.param("Europe/London", "2026-03-29 01:30", "2026-03-29 01:30", id="skipped, shown as 02:30"),
        pytest.param("Europe/London", "2026-10-25 01:30", "2026-10-25 00:30", id="twice: the first, in BST"),
        pytest.param("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:45", id="half an hour skipped"),
        pytest.param("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45", id="half an hour repeated"),
        pytest.param("Africa/Cairo", "2026-04-24 00:30", "2026-04-23 22:30", id="midnight skipped in Egypt"),
        pytest.param("Asia/Beirut", "2026-03-29 00:00", "2026-03-28 22:00", id="midnight skipped in Lebanon"),
        pytest.param("America/Sao_Paulo", "2018-11-04 00:00", "2018-11-04 03:00", id="midnight skipped in Brazil"),
        pytest.param("Asia/Kathmandu", "2026-06-01 09:30", "2026-06-01 03:45", id="offset of a quarter hour"),
        pytest.param("Pacific/Chatham", "2026-09-27 03:00", "2026-09-26 14:15", id="gap at 02:45"),
        pytest.param("Antarctica/Troll", "2026-03-29 02:30", "2026-03-29 02:30", id="two hours skipped"),
        pytest.param("Pacific/Apia", "2011-12-30 09:00", "2011-12-30 19:00", id="in a date that was skipped"),
        pytest.param("America/New_York", "2075-07-01 09:30", "2075-07-01 13:30", id="decades ahead"),
    ],
)
def test_a_wall_time_becomes_the_instant_that_rfc_5545_says(zone: str, wall: str, expected: str) -> None:
    day, at = datetime.fromisoformat(wall).date(), datetime.fromisoformat(wall).time()
    assert instant(day, at, ZoneInfo(zone)) == utc(expected)


@pytest.mark.parametrize(
    ("zone", "day", "wall", "shown"),
    [
        ("America/New_York", date(2026, 3, 8), time(2, 30), time(3, 30)),
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), time(2, 45)),
        ("Africa/Cairo", date(2026, 4, 24), time(0, 30), time(1, 30)),
        ("Antarctica/Troll", date(2026, 3, 29), time(1, 30), time(3, 30)),
    ],
)
def test_a_skipped_wall_time_is_shown_later_by_the_size_of_the_change(
    zone: str, day: date, wall: time, shown: time
) -> None:
    at = instant(day, wall, ZoneInfo(zone))
    assert (local_date(at, ZoneInfo(zone)), local_wall(at, ZoneInfo(zone))) == (day, shown)


def test_casablanca_keeps_the_patients_clock_time_when_ramadan_turns_clocks_back_and_on() -> None:
    casablanca = ZoneInfo("Africa/Casablanca")
    days = [date(2026, 2, 10), date(2026, 3, 1), date(2026, 4, 10)]  # before, in and after Ramadan 2026
    instants = [instant(day, time(9, 30), casablanca) for day in days]
    assert [at.time() for at in instants] == [time(8, 30), time(9, 30), time(8, 30)]
    assert {local_wall(at, casablanca) for at in instants} == {time(9, 30)}


def test_a_repeated_wall_time_is_its_first_occurrence_even_when_marked_as_the_second() -> None:
    second = time(1, 30, fold=1)
    assert instant(date(2026, 11, 1), second, NEW_YORK) == utc("2026-11-01 05:30")
    assert instant(date(2027, 11, 7), second, NEW_YORK) == utc("2027-11-07 05:30")


@pytest.mark.parametrize("zone", [UTC, NEW_YORK])
def test_a_wall_time_with_a_zone_of_its_own_is_refused(zone: ZoneInfo) -> None:
    with pytest.raises(ValueError, match="zone of its own"):
        instant(date(2026, 5, 1), time(9, tzinfo=zone), NEW_YORK)
    with pytest.raises(ValueError, match="zone of its own"):
        contact_instant(date(2026, 5, 1), time(9, tzinfo=zone), NEW_YORK, DEFAULT_WINDOW)


def test_an_instant_in_place_of_a_date_is_refused() -> None:
    with pytest.raises(ValueError, match="not a date"):
        instant(utc("2026-05-01 12:00"), time(9), NEW_YORK)


@pytest.mark.parametrize("read", [local_date, local_wall])
def test_a_naive_datetime_is_refused_when_read_in_a_zone(read: object) -> None:
    with pytest.raises(ValueError, match="naive"):
        read(datetime(2026, 5, 1, 12), NEW_YORK)  # type: ignore[operator]  # noqa: DTZ001


@pytest.mark.parametrize("ask", [is_inside_window, next_opening])
def test_a_naive_datetime_is_refused_when_held_against_a_window(ask: object) -> None:
    with pytest.raises(ValueError, match=r"datetime\.now\(UTC\)"):
        ask(datetime(2026, 5, 1, 12), NEW_YORK, DEFAULT_WINDOW)  # type: ignore[operator]  # noqa: DTZ001


def test_a_datetime_of_another_zone_is_read_as_the_instant_it_is() -> None:
    tokyo = datetime(2026, 5, 2, 1, 0, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert local_date(tokyo, NEW_YORK) == date(2026, 5, 1)
    assert local_wall(tokyo, NEW_YORK) == time(12)


def test_a_datetime_that_names_a_skipped_wall_time_is_shown_as_clocks_really_did() -> None:
    assert local_wall(datetime(2026, 3, 8, 2, 30, tzinfo=NEW_YORK), NEW_YORK) == time(3, 30)


# Dates


@pytest.mark.parametrize(
    ("zone", "skipped"), [("Pacific/Apia", date(2011, 12, 30)), ("Pacific/Kwajalein", date(1993, 8, 21))]
)
def test_a_place_that_crossed_the_date_line_lacks_one_date(zone: str, skipped: date) -> None:
    place, day = ZoneInfo(zone), timedelta(days=1)
    assert [has_date(skipped + n * day, place) for n in (-1, 0, 1)] == [True, False, True]
    assert [next_date(skipped + n * day, place) - skipped for n in (-1, 0, 1)] == [-day, day, day]


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Africa/Cairo", date(2026, 4, 24)),  # no 00:00 to 00:59
        ("America/Nuuk", date(2026, 3, 28)),  # no 23:00 to 23:59
        ("Pacific/Kwajalein", date(1969, 9, 30)),  # 01:00 to 23:59 twice
    ],
)
def test_a_date_exists_though_its_clocks_skip_or_repeat_an_hour_around_midnight(zone: str, day: date) -> None:
    assert has_date(day, ZoneInfo(zone))
