"""Every zone of the packaged database, and every clock change in it from 2026 to 2032."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from scheduler.domain.zones import use_packaged_zones, zone_names

use_packaged_zones()

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
YEARS = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2033, 1, 1, tzinfo=UTC))


@cache
def every_zone() -> tuple[ZoneInfo, ...]:
    """One zone for each different set of rules, by its canonical name; aliases have the same bytes."""
    root = files("tzdata").joinpath("zoneinfo")
    names = [*sorted(zoneinfo.available_timezones()), *zone_names()]
    by_rules = {root.joinpath(name).read_bytes(): name for name in names}
    return tuple(ZoneInfo(name) for name in sorted(by_rules.values()))


def changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """The clock changes of `zone` between two instants, to the minute."""
    offset = start.astimezone(zone).utcoffset()
    while start < end:
        before, start = start, start + DAY
        if (new := start.astimezone(zone).utcoffset()) == offset:
            continue
        low, high = 0, 24 * 60
        while high - low > 1:
            middle = (low + high) // 2
            same = (before + middle * MINUTE).astimezone(zone).utcoffset() == offset
            low, high = (middle, high) if same else (low, middle)
        yield before + high * MINUTE
        offset = new


@cache
def every_change() -> tuple[tuple[ZoneInfo, date], ...]:
    """Each zone with the local date of each of its clock changes."""
    return tuple((zone, at.astimezone(zone).date()) for zone in every_zone() for at in changes(zone, *YEARS))
