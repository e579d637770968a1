"""Names of time zones: which are accepted, what they are called now, and which country they lie in.

Everything is read from the `tzdata` package, so that a result never depends on the operating system's files.
A patient's zone has to be a place: only a place has clock changes and is followed when its law changes.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Mapping
from functools import cache, lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

UTC_NAME = "UTC"

# Names that are no place, with the place most of their users mean. The last few are what Windows calls zones,
# which some record systems export.
_INSTEAD_OF = {
    "EST": "America/New_York",
    "EDT": "America/New_York",
    "ET": "America/New_York",
    "EST5EDT": "America/New_York",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "CT": "America/Chicago",
    "CST6CDT": "America/Chicago",
    "MST": "America/Denver",
    "MDT": "America/Denver",
    "MT": "America/Denver",
    "MST7MDT": "America/Denver",
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "PT": "America/Los_Angeles",
    "PST8PDT": "America/Los_Angeles",
    "AKST": "America/Anchorage",
    "AST": "America/Halifax",
    "HST": "Pacific/Honolulu",
    "GMT": "Europe/London",
    "GMT0": "Europe/London",
    "ETC/GMT": "Europe/London",
    "ETC/GREENWICH": "Europe/London",
    "GREENWICH": "Europe/London",
    "BST": "Europe/London",
    "WET": "Europe/Lisbon",
    "CET": "Europe/Berlin",
    "CEST": "Europe/Berlin",
    "MET": "Europe/Berlin",
    "EET": "Europe/Athens",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "AEST": "Australia/Sydney",
    "EASTERN STANDARD TIME": "America/New_York",
    "CENTRAL STANDARD TIME": "America/Chicago",
    "MOUNTAIN STANDARD TIME": "America/Denver",
    "PACIFIC STANDARD TIME": "America/Los_Angeles",
    "GMT STANDARD TIME": "Europe/London",
    "W. EUROPE STANDARD TIME": "Europe/Berlin",
}
_FIXED_OFFSET = re.compile(r"(Etc/)?(UTC|GMT|Z)?\s*[+\-\u2212]?\s*\d{1,2}(:?\d{2})?", re.IGNORECASE)

# Old names that `tzdata` files under another country because clocks have agreed since 1970, with their own
# country's name: a later change of law there should reach them.
_SAME_COUNTRY = {
    "Africa/Asmera": "Africa/Asmara",
    "Africa/Timbuktu": "Africa/Bamako",
    "America/Coral_Harbour": "America/Atikokan",
    "America/Virgin": "America/St_Thomas",
    "Antarctica/South_Pole": "Antarctica/McMurdo",
    "Atlantic/Jan_Mayen": "Arctic/Longyearbyen",
    "Iceland": "Atlantic/Reykjavik",
    "Pacific/Ponape": "Pacific/Pohnpei",
    "Pacific/Truk": "Pacific/Chuuk",
    "Pacific/Yap": "Pacific/Chuuk",
}
_NAME_SHOWN = 60  # characters of a rejected value that its error repeats


def use_packaged_zones() -> None:
    """Make `zoneinfo` read the `tzdata` package only, not the operating system's files. Call it at start."""
    zoneinfo.reset_tzpath(to=[])
    ZoneInfo.clear_cache()
    parse_zone.cache_clear()


@lru_cache(1024)
def parse_zone(name: str) -> ZoneInfo:
    """The time zone called `name`, an IANA name or alias in its usual spelling; `.key` is its canonical name.

    Spaces around the name are ignored. Raises `ValueError`, naming the value and a place to use instead, for
    anything else: fixed offsets ("UTC+5"), abbreviations ("EST", which is wrong all summer), typing errors.
    """
    return ZoneInfo(canonical_zone(name))


def canonical_zone(name: str) -> str:
    """What the zone called `name` is called now: "Asia/Calcutta" is "Asia/Kolkata". Raises like `parse_zone`.

    A place keeps its own name even where its clocks agree with another's (Europe/Oslo stays, though `tzdata`
    makes it an alias of Europe/Berlin): their laws may part again.
    """
    stripped = name.strip()
    if stripped in _countries():
        return stripped
    current = _links().get(stripped, stripped)
    if current in (UTC_NAME, "Etc/UTC"):
        return UTC_NAME
    if stripped.upper() in _INSTEAD_OF or current not in _countries():
        raise ValueError(_why_not(stripped))
    return current


def country_of_zone(name: str) -> str | None:
    """The ISO 3166 code of the zone's country, such as "US"; None for UTC and for names not accepted."""
    try:
        return _countries().get(canonical_zone(name))
    except ValueError:
        return None


def zone_names() -> tuple[str, ...]:
    """Every canonical zone name, sorted, for a list to choose from: one for each place, and UTC."""
    return (*sorted(_countries()), UTC_NAME)


@cache
def tzdata_version() -> str:
    """The release of the zone database, such as "2026f"; instants planned under another may have moved."""
    first_line = _read("zoneinfo/tzdata.zi").partition("\n")[0]
    return first_line.removeprefix("# version ").strip()


@lru_cache(1024)
def _why_not(name: str) -> str:
    if not name:
        return "The time zone is empty: use a place such as America/New_York."
    shown = name if len(name) <= _NAME_SHOWN else name[:_NAME_SHOWN] + "..."
    place = _INSTEAD_OF.get(name.upper())
    if place or _FIXED_OFFSET.fullmatch(name):
        return (
            f"Time zone {shown!r} is not a place, so it does not follow a place's clock changes:"
            f" use a place such as {place or 'America/New_York'}."
        )
    meant = _closest(name)
    if meant:
        return f"Time zone {shown!r} is not known. Did you mean {meant}?"
    return f"Time zone {shown!r} is not known: use a place such as America/New_York."


def _closest(name: str) -> str | None:
    """The canonical name that a wrong one most resembles: other case, spaces, only a city, a typing error."""
    if len(name) > _NAME_SHOWN:
        return None
    from difflib import get_close_matches

    wanted = name.casefold().replace(" ", "_")
    known = _spellings()
    likely = [wanted] if wanted in known else get_close_matches(wanted, known, n=1, cutoff=0.8)
    return known[likely[0]] if likely else None


@cache
def _spellings() -> Mapping[str, str]:
    """Canonical names by what people may type, in lower case: a name or alias, or its last part alone."""
    names = {alias: name for alias, name in _links().items() if name in _countries()}
    names |= {name: name for name in _countries()}
    last_parts = {known.rpartition("/")[2].casefold(): name for known, name in names.items()}
    return MappingProxyType(last_parts | {known.casefold(): name for known, name in names.items()})


@cache
def _countries() -> Mapping[str, str]:
    """Country code by zone name, from `zone.tab`: every place's own name, one country each."""
    rows = [line.split("\t") for line in _read("zoneinfo/zone.tab").splitlines() if line and line[0] != "#"]
    return MappingProxyType({row[2]: row[0] for row in rows})


@cache
def _links() -> Mapping[str, str]:
    """The zone that each alias stands for, from the `L target alias` lines of `tzdata.zi`."""
    lines = [line.split() for line in _read("zoneinfo/tzdata.zi").splitlines() if line.startswith("L ")]
    return MappingProxyType({alias: target for _, target, alias in lines} | _SAME_COUNTRY)


def _read(path: str) -> str:
    from importlib.resources import files  # seldom needed, and slow to import

    return files("tzdata").joinpath(path).read_text(encoding="utf-8")
