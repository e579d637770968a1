"""What a clinic's own people can change later: its free days, its daily digest, where alerts go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from scheduler.domain.holidays import HolidayCalendar
from scheduler.domain.people import Channel
from scheduler.ports import Store
from scheduler.records import DEFAULT_DIGEST_TIME, Clinic
from scheduler.services.escalation import follow_working_days
from scheduler.services.intake.draft import FieldError
from scheduler.services.intake.emails import parse_email
from scheduler.services.intake.fields import parse_time, parse_yes_no
from scheduler.services.lanes import sender_key
from scheduler.services.settled_messages import sender_cause

NONE = "none"  # written in place of a value to have none

_LONGEST_SPAN = 62  # days of one `FROM..TO`
_MOST_CLOSED = 400
_BY = "command line"


class ClinicFaultError(ValueError):
    """A clinic cannot be as described. The text names the option and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeSettings:
    """As the options of `clinic add` and `clinic set` say it; None: not said. "none" takes a value away.

    `closed` and `not_closed` are dates, or spans of dates written FROM..TO.
    """

    holidays: str | None = None
    digest_to: str | None = None
    digest_at: str | None = None
    duty_email: str | None = None
    email_from: str | None = None
    name_on_shared: str | None = None
    closed: tuple[str, ...] = ()
    not_closed: tuple[str, ...] = ()


def set_clinic(
    store: Store,
    calendars: Mapping[str, HolidayCalendar],
    clinic: Clinic,
    wanted: OfficeSettings,
    *,
    now: datetime,
) -> Clinic:
    """Change a clinic, and with it when its open tasks become overdue and its next digest is due.

    `calendars` are those that there are. Raises `ClinicFaultError`; nothing is changed then.
    """
    changed = with_settings(clinic, wanted, calendars)
    names = [name for name in _FIELDS if getattr(changed, name) != getattr(clinic, name)]
    with store.writing() as unit:
        unit.installation.change_clinic(changed)
        follow_working_days(unit, calendars, changed, now)
        if changed.email_from != clinic.email_from:  # what was refused is not used any more
            gone = sender_cause(sender_key(Channel.EMAIL, clinic))
            unit.worklist.close(clinic.id, [gone], now=now, words="the clinic's e-mail sender was changed")
        entry = (clinic.id, "clinic changed", None, ", ".join(names))
        unit.installation.audit([entry], actor=_BY, now=now)
    return changed


def with_settings(clinic: Clinic, wanted: OfficeSettings, calendars: Mapping[str, HolidayCalendar]) -> Clinic:
    """`clinic` as it is wanted. Raises `ClinicFaultError`."""
    after = replace(
        clinic,
        holidays=_calendar(wanted.holidays, clinic.holidays, calendars),
        email_from=_address("--email-from", wanted.email_from, clinic.email_from),
        digest_to=_address("--digest-to", wanted.digest_to, clinic.digest_to),
        duty_email=_address("--duty-email", wanted.duty_email, clinic.duty_email),
        digest_at=_time("--digest-at", wanted.digest_at, clinic.digest_at),
        closed_days=_closed(clinic.closed_days, wanted),
        name_on_shared=_yes_no("--name-on-shared", wanted.name_on_shared, before=clinic.name_on_shared),
    )
    for option, address in (("--digest-to", after.digest_to), ("--duty-email", after.duty_email)):
        if address and not after.email_from:
            raise ClinicFaultError(f"{option}: the clinic has no sender for e-mail; give one with --email-from")
    return after


_FIELDS = ("holidays", "email_from", "digest_to", "duty_email", "digest_at", "closed_days", "name_on_shared")


def _calendar(given: str | None, before: str | None, calendars: Mapping[str, HolidayCalendar]) -> str | None:
    if given is None:
        return before
    if given.lower() == NONE:
        return None
    known = {name.lower(): name for name in calendars}
    if given.lower() not in known:
        there = ", ".join(calendars) or "none"
        raise ClinicFaultError(
            f"--holidays {given!r}: there is no such calendar in config/holidays; there are: {there}. Write one of "
            "them, 'none', or add a file"
        )
    return known[given.lower()]


def _address(option: str, given: str | None, before: str | None) -> str | None:
    if given is None:
        return before
    if given.strip().lower() == NONE:
        return None
    try:
        return parse_email(given.strip())
    except FieldError as error:
        raise ClinicFaultError(f"{option}: {error}") from error


def _time(option: str, given: str | None, before: time) -> time:
    if given is None:
        return before
    if given.strip().lower() == NONE:
        return DEFAULT_DIGEST_TIME
    try:
        return parse_time(given.strip())
    except FieldError as error:
        raise ClinicFaultError(f"{option}: {error}") from error


def _yes_no(option: str, given: str | None, *, before: bool) -> bool:
    if given is None:
        return before
    try:
        return parse_yes_no(given.strip())
    except FieldError as error:
        raise ClinicFaultError(f"{option}: {error}") from error


def _closed(before: frozenset[date], wanted: OfficeSettings) -> frozenset[date]:
    added = frozenset(day for written in wanted.closed for day in _days("--closed", written))
    taken = frozenset(day for written in wanted.not_closed for day in _days("--not-closed", written))
    after = (before | added) - taken
    if len(after) > _MOST_CLOSED:
        raise ClinicFaultError(
            f"--closed: the clinic would be closed on {len(after)} days, and {_MOST_CLOSED} is the most; "
            "take past ones away with --not-closed"
        )
    return after


def _days(option: str, written: str) -> Iterator[date]:
    first, dots, last = written.strip().partition("..")
    try:
        start = date.fromisoformat(first)
        end = date.fromisoformat(last) if dots else start
    except ValueError as error:
        raise ClinicFaultError(
            f"{option} {written!r}: write a date such as 2026-12-24, or from the first to the last day "
            "2026-12-24..2026-12-31"
        ) from error
    if not 0 <= (end - start).days < _LONGEST_SPAN:
        raise ClinicFaultError(f"{option} {written!r}: from the first day to the last, at most {_LONGEST_SPAN} days")
    return (start + timedelta(days=n) for n in range((end - start).days + 1))
