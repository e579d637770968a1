"""Loads `config/holidays/*.yaml`: the calendars of holidays that clinics choose from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from scheduler.catalogue.holiday_words import NotADayError, read_holiday
from scheduler.catalogue.yaml_fields import Fields
from scheduler.catalogue.yaml_nodes import FaultLog, Scalar, did_you_mean, read_yaml, shown_path
from scheduler.domain.faults import Fault
from scheduler.domain.holidays import Holiday, HolidayCalendar, Weekend

_KEYS = ("title", "includes", "weekend", "days")
_MOST_DAYS = 100  # that a calendar holds: a typing mistake must not close a clinic for good
CALENDAR_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class LoadedHolidays:
    """The calendars by name, such as US-MA. With any fault the service must not start."""

    calendars: dict[str, HolidayCalendar]
    faults: list[Fault]


@dataclass(slots=True)
class _File:
    """One calendar as it is written."""

    log: FaultLog
    title: str
    weekend: Weekend
    includes: str | None
    includes_line: int
    days: list[Holiday] = field(default_factory=list)


def load_holidays(config_dir: Path) -> LoadedHolidays:
    """Read all calendars of `config_dir`/holidays, if any. Never raises for what is written in them."""
    paths = {path.stem: path for path in (config_dir / "holidays").glob("*.yaml")}
    files = {name: _read(paths[name], config_dir) for name in sorted(paths)}
    calendars = {
        name: HolidayCalendar(name, file.title, tuple(_with_included(name, files))) for name, file in files.items()
    }
    return LoadedHolidays(calendars, sorted(fault for file in files.values() for fault in file.log.faults))


def _read(path: Path, config_dir: Path) -> _File:
    log = FaultLog(shown_path(path, config_dir))
    file = _File(log, title=path.stem, weekend=Weekend.STAYS, includes=None, includes_line=0)
    if not CALENDAR_NAME.fullmatch(path.stem):
        log.add(0, "the file's name is the calendar's: write at most 32 letters, digits, hyphens or underscores")
    table = read_yaml(path, log)
    if table is None:
        return file
    fields = Fields(table, log, where="", allowed=_KEYS)
    fields.require("title", "days")
    file.title = fields.text("title") or path.stem
    file.weekend = fields.choice("weekend", Weekend) or Weekend.STAYS
    file.includes, file.includes_line = fields.text("includes"), fields.line("includes")
    file.days = _read_days(fields)
    return file


def _read_days(fields: Fields) -> list[Holiday]:
    found: list[Holiday] = []
    for entry in fields.mapping("days") or ():
        if not isinstance(entry.value, Scalar):
            fields.fault(entry.line, f"'{entry.key}' must say in words when it is, such as january 1")
            continue
        try:
            found.append(read_holiday(entry.key, entry.value.text))
        except NotADayError as error:
            fields.fault(entry.line, f"{entry.key}: {error}")
    if len(found) > _MOST_DAYS:
        fields.fault(fields.line("days"), f"a calendar has at most {_MOST_DAYS} holidays, not {len(found)}")
    return found[:_MOST_DAYS]


def _with_included(name: str, files: dict[str, _File]) -> list[tuple[Holiday, Weekend]]:
    """The holidays of a calendar and of those that it includes, each as its own file treats weekends."""
    found: list[tuple[Holiday, Weekend]] = []
    seen: list[str] = []
    while True:
        file = files[name]
        found += [(holiday, file.weekend) for holiday in file.days]
        seen.append(name)
        if file.includes is None:
            return found
        if file.includes not in files:
            hint = did_you_mean(file.includes, list(files)) or f"; there are: {', '.join(files)}"
            file.log.add(file.includes_line, f"includes: there is no calendar '{file.includes}'{hint}")
            return found
        if file.includes in seen:
            file.log.add(
                file.includes_line, f"includes: '{file.includes}' leads back to this calendar; leave one out"
            )
            return found
        name = file.includes
