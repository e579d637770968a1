"""Holidays: the rules that give their dates, the shipped calendars, and what is wrong with a file of them."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.catalogue.holiday_files import load_holidays
from scheduler.catalogue.holiday_words import NotADayError, read_holiday
from scheduler.domain.holidays import HolidayCalendar, Weekend, easter
from tests.support.config_folder import SHIPPED, ConfigFolder, config_folder


@pytest.fixture
def folder(tmp_path: Path) -> ConfigFolder:
    made = config_folder(tmp_path)
    shutil.copytree(SHIPPED / "holidays", made.path / "holidays")
    return made


def calendar(*days: str, weekend: Weekend = Weekend.STAYS) -> HolidayCalendar:
    return HolidayCalendar("x", "X", tuple((read_holiday(day, day), weekend) for day in days))


def days(year: int, *month_and_day: tuple[int, int]) -> frozenset[date]:
    return frozenset(date(year, *each) for each in month_and_day)


@pytest.mark.parametrize(
    "sunday",
    ["1583-04-10", "1818-03-22", "1943-04-25", "1954-04-18", "2000-04-23", "2011-04-24", "2024-03-31", "2038-04-25"],
)
def test_easter_is_on_its_known_dates(sunday: str) -> None:
    assert easter(int(sunday[:4])) == date.fromisoformat(sunday)


@given(st.integers(1583, 4099))
def test_easter_is_a_sunday_between_22_march_and_25_april(year: int) -> None:
    found = easter(year)
    assert found.isoweekday() == 7
    assert date(year, 3, 22) <= found <= date(year, 4, 25)


@pytest.mark.parametrize(
    ("written", "year", "found"),
    [
        ("january 1", 2026, {(1, 1)}),
        ("  January   1 ", 2026, {(1, 1)}),
        ("february 29", 2027, set()),
        ("february 29", 2028, {(2, 29)}),
        ("first monday of september", 2026, {(9, 7)}),
        ("fourth thursday of november", 2026, {(11, 26)}),
        ("last monday of may", 2026, {(5, 25)}),
        ("last friday of december", 2027, {(12, 31)}),
        ("1 day after first monday of november", 2027, {(11, 2)}),
        ("2 days before easter", 2026, {(4, 3)}),
        ("easter", 2026, {(4, 5)}),
        ("1 day after easter", 2026, {(4, 6)}),
        ("june 19, from 2021", 2020, set()),
        ("june 19, from 2021", 2021, {(6, 19)}),
        ("october 1, every 6 years from 2024", 2029, set()),
        ("october 1, every 6 years from 2024", 2030, {(10, 1)}),
    ],
)
def test_a_day_is_read_as_people_write_it(written: str, year: int, found: set[tuple[int, int]]) -> None:
    assert calendar(written).dates(year) == days(year, *found)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "january",
        "january 32",
        "february 30",
        "january 0",
        "januar 1",
        "fifth monday of may",
        "first noday of may",
        "1 day after january 1",
        "1 day after 1 day after easter",
        "2 weeks before easter",
        "january 1, from soon",
        "january 1, every 0 years from 2024",
        "january 1, every 6 years",
    ],
)
def test_what_is_no_day_is_refused_with_how_to_write_one(written: str) -> None:
    with pytest.raises(NotADayError, match="write it as 'january 1'"):
        read_holiday("x", written)


@given(st.text(max_size=40))
def test_anything_written_is_a_day_or_is_refused(written: str) -> None:
    try:
        found = read_holiday("x", written)
    except NotADayError:
        return
    assert all(day.year == 2026 for day in HolidayCalendar("x", "X", ((found, Weekend.NEAREST),)).dates(2026))


@pytest.mark.parametrize(
    ("weekend", "saturday", "sunday"),
    [
        (Weekend.STAYS, (11, 7), (11, 8)),
        (Weekend.NEAREST, (11, 6), (11, 9)),
        (Weekend.MONDAY, (11, 7), (11, 9)),
    ],
)
def test_a_fixed_date_on_a_weekend_is_kept_as_its_calendar_says(
    weekend: Weekend, saturday: tuple[int, int], sunday: tuple[int, int]
) -> None:
    assert calendar("november 7", weekend=weekend).dates(2026) == days(2026, saturday)
    assert calendar("november 8", weekend=weekend).dates(2026) == days(2026, sunday)


def test_a_new_years_day_on_a_saturday_is_kept_on_the_last_day_of_the_old_year() -> None:
    new_year = calendar("january 1", weekend=Weekend.NEAREST)
    assert new_year.dates(2021) == days(2021, (1, 1), (12, 31))
    assert new_year.dates(2022) == frozenset()
    assert date(2021, 12, 31) in new_year


# The shipped calendars


def shipped(name: str) -> HolidayCalendar:
    return load_holidays(SHIPPED).calendars[name]


def test_the_shipped_calendars_have_no_fault() -> None:
    loaded = load_holidays(SHIPPED)
    assert loaded.faults == []
    assert list(loaded.calendars) == ["ES", "MX", "US", "US-MA", "US-NY"]


# As the United States Office of Personnel Management lists them:
# https://www.opm.gov/policy-data-oversight/pay-leave/federal-holidays/
@pytest.mark.parametrize(
    ("year", "listed"),
    [
        (2026, "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25"),
        (2027, "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31"),
    ],
)
def test_federal_holidays_are_those_that_are_published(year: int, listed: str) -> None:
    assert sorted(shipped("US").dates(year)) == [date.fromisoformat(f"{year}-{day}") for day in listed.split()]


def test_a_state_has_the_federal_holidays_and_its_own() -> None:
    federal = shipped("US").dates(2026)
    assert shipped("US-MA").dates(2026) == federal | days(2026, (4, 20))
    assert shipped("US-NY").dates(2026) == federal | days(2026, (2, 12), (11, 3))


def test_spain_has_good_friday_and_mexico_its_mondays() -> None:
    assert date(2026, 4, 3) in shipped("ES")
    assert date(2026, 4, 6) not in shipped("ES")  # Easter Monday is for some communities only
    assert {date(2026, 2, 2), date(2026, 3, 16), date(2026, 11, 16)} <= shipped("MX").dates(2026)
    assert date(2024, 10, 1) in shipped("MX")
    assert date(2025, 10, 1) not in shipped("MX")


# Files


GOOD = "title: Ours\ndays:\n  Founding Day: may 2\n"


def faults(folder: ConfigFolder, text: str, name: str = "ours") -> list[str]:
    folder.write(f"holidays/{name}.yaml", text)
    return [str(fault) for fault in load_holidays(folder.path).faults]


def test_a_clinics_own_calendar_is_a_file(folder: ConfigFolder) -> None:
    assert faults(folder, GOOD) == []
    assert load_holidays(folder.path).calendars["ours"].dates(2026) == days(2026, (5, 2))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("title: Ours\n", "config/holidays/ours.yaml:1: 'days' is missing"),
        (GOOD.replace("title", "titel"), "'titel' is not a word of this place; did you mean 'title'?"),
        (GOOD.replace("may 2", "may 32"), "ours.yaml:3: Founding Day: 'may 32' is not a day of the year"),
        (GOOD.replace("may 2", "{on: may 2}"), "ours.yaml:3: 'Founding Day' must say in words when it is"),
        (GOOD + "weekend: never\n", "ours.yaml:4: weekend: 'never' must be one of stays, nearest, monday"),
        (GOOD + "includes: US-MS\n", "ours.yaml:4: includes: there is no calendar 'US-MS'; did you mean 'US-MA'?"),
        (GOOD + "includes: ours\n", "ours.yaml:4: includes: 'ours' leads back to this calendar"),
        ("", "ours.yaml: the file is empty"),
    ],
)
def test_a_fault_is_told_with_file_and_line(folder: ConfigFolder, text: str, told: str) -> None:
    assert any(told in fault for fault in faults(folder, text)), faults(folder, text)


def test_calendars_that_include_each_other_are_a_fault_and_not_a_loop(folder: ConfigFolder) -> None:
    folder.write("holidays/a.yaml", GOOD + "includes: b\n")
    assert any("leads back" in fault for fault in faults(folder, GOOD + "includes: a\n", name="b"))


def test_a_calendar_that_closes_the_clinic_for_good_is_a_fault(folder: ConfigFolder) -> None:
    months = ("may", "july", "august", "october")
    every_day = "".join(f"  {month} {n}: {month} {n}\n" for month in months for n in range(1, 31))
    assert "at most 100 holidays" in faults(folder, "title: Ours\ndays:\n" + every_day)[0]


def test_without_a_folder_there_are_no_calendars(tmp_path: Path) -> None:
    assert load_holidays(tmp_path).calendars == {}
