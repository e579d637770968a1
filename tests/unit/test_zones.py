"""Zone names: what is accepted, under which name it is kept, and what a wrong one is told."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.zones import (
    canonical_zone,
    country_of_zone,
    parse_zone,
    tzdata_version,
    use_packaged_zones,
    zone_names,
)

use_packaged_zones()


def error_for(name: str) -> str:
    with pytest.raises(ValueError, match=r"^(Time zone|The time zone)") as caught:
        parse_zone(name)
    return str(caught.value)


def test_the_operating_systems_files_are_not_consulted() -> None:
    use_packaged_zones()
    assert zoneinfo.TZPATH == ()


@pytest.mark.parametrize("name", ["America/New_York", "Europe/Oslo", "America/Argentina/Ushuaia", "Asia/Kolkata"])
def test_a_place_keeps_its_own_name(name: str) -> None:
    assert parse_zone(name).key == name


def test_spaces_around_a_name_do_not_matter() -> None:
    assert parse_zone("  America/New_York\n").key == "America/New_York"


@pytest.mark.parametrize(
    ("alias", "canonical"),
    [
        ("US/Eastern", "America/New_York"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Europe/Kiev", "Europe/Kyiv"),
        ("America/Indianapolis", "America/Indiana/Indianapolis"),
        ("America/Montreal", "America/Toronto"),
        ("GB", "Europe/London"),
        ("Iceland", "Atlantic/Reykjavik"),
        ("Pacific/Ponape", "Pacific/Pohnpei"),
        ("Africa/Timbuktu", "Africa/Bamako"),
    ],
)
def test_an_alias_is_kept_under_the_current_name_of_its_own_country(alias: str, canonical: str) -> None:
    assert parse_zone(alias).key == canonical == canonical_zone(alias)


@pytest.mark.parametrize("name", ["UTC", "Etc/UTC", "Zulu", "Etc/Universal"])
def test_utc_is_accepted_under_one_name(name: str) -> None:
    assert parse_zone(name).key == "UTC"


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("EST", "America/New_York"),
        ("EST5EDT", "America/New_York"),
        ("CST6CDT", "America/Chicago"),
        ("PST", "America/Los_Angeles"),
        ("MST", "America/Denver"),
        ("est", "America/New_York"),
        ("CET", "Europe/Berlin"),
        ("GMT", "Europe/London"),
        ("Etc/GMT", "Europe/London"),
        ("Eastern Standard Time", "America/New_York"),
        ("UTC+5", "America/New_York"),
        ("UTC-05:00", "America/New_York"),
        ("GMT+2", "America/New_York"),
        ("Etc/GMT+5", "America/New_York"),
        ("Etc/GMT-14", "America/New_York"),
        ("+05:30", "America/New_York"),
        ("\u22125", "America/New_York"),
        ("-0500", "America/New_York"),
    ],
)
def test_what_is_no_place_is_refused_with_a_place_to_use(name: str, instead: str) -> None:
    message = error_for(name)
    assert repr(name) in message
    assert f"is not a place, so it does not follow a place's clock changes: use a place such as {instead}." in message


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("america/new_york", "America/New_York"),
        ("America/New York", "America/New_York"),
        ("New York", "America/New_York"),
        ("chicago", "America/Chicago"),
        ("Amercia/Chicago", "America/Chicago"),
        ("Europe/Belin", "Europe/Berlin"),
        ("US/Eastren", "America/New_York"),
        ("calcutta", "Asia/Kolkata"),
    ],
)
def test_a_typing_error_is_told_what_was_meant(typed: str, meant: str) -> None:
    assert error_for(typed) == f"Time zone {typed!r} is not known. Did you mean {meant}?"


@pytest.mark.parametrize(
    "name",
    [
        "../etc/passwd",
        "/etc/localtime",
        "America",
        "zone.tab",
        "tzdata.zi",
        "Factory",
        "Mars/Base",
        "\0",
        "\ud800",
    ],
)
def test_what_resembles_nothing_is_refused_by_name_with_an_example(name: str) -> None:
    assert error_for(name) == f"Time zone {name!r} is not known: use a place such as America/New_York."


@pytest.mark.parametrize("name", ["", "   "])
def test_an_empty_name_is_refused(name: str) -> None:
    assert error_for(name) == "The time zone is empty: use a place such as America/New_York."


def test_a_very_long_name_is_cut_in_its_error() -> None:
    assert len(error_for("x" * 100_000)) < 200


@given(name=st.text() | st.from_regex(r"(Etc/)?(UTC|GMT)[+-]\d{1,2}", fullmatch=True))
def test_any_text_is_a_known_place_or_a_value_error(name: str) -> None:
    try:
        assert parse_zone(name).key in zone_names()
    except ValueError as error:
        assert "America/" in str(error) or "Did you mean" in str(error) or "use a place" in str(error)


def test_every_name_of_the_database_is_a_place_under_its_current_name_or_refused() -> None:
    accepted, refused = set(), set()
    for name in zoneinfo.available_timezones():
        try:
            canonical = canonical_zone(name)
        except ValueError:
            refused.add(name)
        else:
            accepted.add(canonical)
            assert canonical_zone(canonical) == canonical
    assert accepted == set(zone_names())
    assert {name for name in refused if "/" in name and not name.startswith("Etc/")} == set()


def test_a_name_and_its_canonical_name_show_the_same_time_in_the_coming_years() -> None:
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=7) * week for week in range(7 * 52)]
    aliases = {name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/")}
    for alias in aliases - set(zone_names()) | {"Iceland"}:
        zone, canonical = ZoneInfo(alias), parse_zone(alias)
        assert all(moment.astimezone(zone).time() == moment.astimezone(canonical).time() for moment in moments)


@pytest.mark.parametrize(
    ("name", "country"),
    [
        ("America/New_York", "US"),
        ("US/Pacific", "US"),
        ("America/Puerto_Rico", "PR"),
        ("Europe/Oslo", "NO"),
        ("Iceland", "IS"),
        ("Asia/Calcutta", "IN"),
        ("UTC", None),
        ("EST", None),
        ("nowhere", None),
    ],
)
def test_the_country_of_a_zone_is_its_places_country(name: str, country: str | None) -> None:
    assert country_of_zone(name) == country


def test_the_version_is_that_of_the_installed_database() -> None:
    year, release = version("tzdata").split(".")[:2]
    assert tzdata_version() == year + chr(ord("a") + int(release) - 1)
