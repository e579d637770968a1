"""What a clinic's own people can change later: its free days, its daily digest, where alerts go."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import TypeVar

from scheduler.domain.holidays import HolidayCalendar
from scheduler.domain.people import Channel, StopScope
from scheduler.ports import Store
from scheduler.records import DEFAULT_DIGEST_TIME, Clinic
from scheduler.services.clinic_fields import (
    ClinicFaultError,
    Doubts,
    check_pace,
    no_doubts,
    read_clock,
    read_language,
    read_message_name,
    read_messaging_service,
    read_name,
    read_phone_to_call,
    read_sender,
    read_timezone,
    read_window,
)
from scheduler.services.escalation import follow_working_days
from scheduler.services.intake.draft import FieldError
from scheduler.services.intake.emails import parse_email
from scheduler.services.intake.fields import parse_time, parse_yes_no
from scheduler.services.lanes import sender_key
from scheduler.services.number_policy import follow_number_policy
from scheduler.services.rules import Rules
from scheduler.services.settled_messages import sender_cause

NONE = "none"  # written in place of a value to have none
YES = "yes"

_LONGEST_SPAN = 62  # days of one `FROM..TO`
_MOST_CLOSED = 400
_BY = "command line"
_CHANGED = {
    Channel.SMS: "the clinic's sender of texts was changed",
    Channel.EMAIL: "the clinic's e-mail sender was changed",
}
_LONGEST_ENTRY = 255  # characters, what its column holds

V = TypeVar("V")


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
    stop_scope: str | None = None
    confirm_numbers: str | None = None  # yes or no
    closed: tuple[str, ...] = ()
    not_closed: tuple[str, ...] = ()
    closed_in_all: tuple[str, ...] | None = None  # these days, and no others
    name: str | None = None
    message_name: str | None = None
    timezone: str | None = None
    language: str | None = None
    phone: str | None = None
    window: str | None = None  # FROM-TO, times of the patient's day
    contact_time: str | None = None
    sms_from: str | None = None
    messaging_service: str | None = None
    mps: str | None = None
    pathways: tuple[str, ...] | None = None  # that new patients begin


def set_clinic(
    store: Store,
    calendars: Mapping[str, HolidayCalendar],
    clinic: Clinic,
    wanted: OfficeSettings,
    *,
    now: datetime,
    rules: Rules | None = None,
    by: str = _BY,
    doubts: Doubts = no_doubts,
) -> Clinic:
    """Change a clinic, and with it when its open tasks become overdue and its next digest is due.

    `calendars` are those that there are; `rules` have the pathways to choose from. Where the hours for messages or
    `confirm_numbers` change, the next ticks plan its patients anew. `by` is who does so, and `doubts` are about
    another name that opens messages. Raises `ClinicFaultError`;
    nothing changes then.
    """
    pathways = () if rules is None else rules.pathways
    changed = with_settings(clinic, wanted, calendars, pathways=pathways, doubts=doubts)
    entries = [(clinic.id, "clinic changed", None, said) for said in changes(clinic, changed)]
    with store.writing() as unit:
        unit.installation.change_clinic(changed)
        follow_working_days(unit, calendars, changed, now)
        if changed.confirm_numbers is not clinic.confirm_numbers:
            follow_number_policy(unit, changed)
        elif (changed.window, changed.contact_time) != (clinic.window, clinic.contact_time):
            unit.replanning.ask(clinic.id)  # there may be a hundred thousand of them, and somebody waits
        for channel in Channel:
            gone = sender_key(channel, clinic)
            if gone != sender_key(channel, changed):  # what was refused is not used any more
                unit.worklist.close(clinic.id, [sender_cause(gone)], now=now, words=_CHANGED[channel])
        unit.installation.audit(entries, actor=by, now=now)
    return changed


def with_settings(
    clinic: Clinic,
    wanted: OfficeSettings,
    calendars: Mapping[str, HolidayCalendar],
    *,
    pathways: Collection[str] = (),
    doubts: Doubts = no_doubts,
) -> Clinic:
    """`clinic` as it is wanted; `pathways` are those that there are. Raises `ClinicFaultError`."""
    after = replace(
        clinic,
        holidays=_calendar(wanted.holidays, clinic.holidays, calendars),
        email_from=_address("--email-from", wanted.email_from, clinic.email_from),
        digest_to=_address("--digest-to", wanted.digest_to, clinic.digest_to),
        duty_email=_address("--duty-email", wanted.duty_email, clinic.duty_email),
        digest_at=_time("--digest-at", wanted.digest_at, clinic.digest_at),
        closed_days=_closed(clinic.closed_days, wanted),
        name_on_shared=_yes_no("--name-on-shared", wanted.name_on_shared, before=clinic.name_on_shared),
        stop_scope=StopScope(wanted.stop_scope) if wanted.stop_scope else clinic.stop_scope,
        confirm_numbers=wanted.confirm_numbers == YES if wanted.confirm_numbers else clinic.confirm_numbers,
    )
    after = _with_identity(_with_senders(after, wanted), wanted, pathways, doubts)
    for option, address in (("--digest-to", after.digest_to), ("--duty-email", after.duty_email)):
        if address and not after.email_from:
            raise ClinicFaultError(f"{option}: the clinic has no sender for e-mail; give one with --email-from")
    return after


def changes(before: Clinic, after: Clinic) -> Iterator[str]:
    """What is different, each as `name: before → after`, for the audit trail."""
    for each in fields(Clinic):
        was, is_now = getattr(before, each.name), getattr(after, each.name)
        if was != is_now:
            yield f"{each.name}: {_said(was)} → {_said(is_now)}"[:_LONGEST_ENTRY]


def _said(value: object) -> str:
    match value:
        case None | frozenset() if not value:
            return "none"
        case frozenset():
            return ", ".join(sorted(map(str, value)))
        case time():
            return f"{value:%H:%M}"
        case bool():
            return YES if value else "no"
    return str(value)


def _with_identity(clinic: Clinic, wanted: OfficeSettings, known: Collection[str], doubts: Doubts) -> Clinic:
    given = wanted.pathways
    if given is not None and (strange := sorted(set(given) - set(known))):
        raise ClinicFaultError(f"--pathways: there is no pathway {strange[0][:40]!r}; there are: {', '.join(known)}")
    hours = wanted.contact_time
    after = replace(
        clinic,
        name=clinic.name if wanted.name is None else read_name("--name", wanted.name),
        message_name=_message_name(clinic, wanted.message_name, doubts),
        timezone=clinic.timezone if wanted.timezone is None else read_timezone(wanted.timezone),
        language=clinic.language if wanted.language is None else read_language(wanted.language),
        window=clinic.window if wanted.window is None else read_window(wanted.window),
        contact_time=clinic.contact_time if hours is None else read_clock("--contact-time", hours),
        pathways=clinic.pathways if given is None else frozenset(given),
    )
    is_moved = (after.window, after.contact_time) != (clinic.window, clinic.contact_time)
    if is_moved and after.contact_time not in after.window:
        raise ClinicFaultError(
            f"--contact-time: {after.contact_time:%H:%M} is outside the hours for messages, {after.window}; choose "
            "another time, or other hours"
        )
    return after


def _message_name(clinic: Clinic, given: str | None, doubts: Doubts) -> str:
    """The name that opens every message; one that is there already stays, so that the rest can be saved."""
    if given is None or " ".join(given.split()) == clinic.message_name:
        return clinic.message_name
    return read_message_name(given, doubts)


def _with_senders(clinic: Clinic, wanted: OfficeSettings) -> Clinic:
    after = replace(
        clinic,
        phone=_unless_none(wanted.phone, clinic.phone, read_phone_to_call),
        sms_from=_unless_none(wanted.sms_from, clinic.sms_from, partial(read_sender, "--sms-from")),
        messaging_service=_unless_none(wanted.messaging_service, clinic.messaging_service, read_messaging_service),
        messages_per_second=_unless_none(wanted.mps, clinic.messages_per_second, _pace),
    )
    is_changed = (after.sms_from, after.messaging_service) != (clinic.sms_from, clinic.messaging_service)
    if is_changed and after.sms_from and after.messaging_service:
        raise ClinicFaultError("--messaging-service: texts have one sender; leave this or --sms-from empty")
    return after


def _unless_none(given: str | None, before: V | None, read: Callable[[str], V | None]) -> V | None:
    if given is None:
        return before
    return None if given.strip().lower() == NONE else read(given)


def _pace(text: str) -> float:
    try:
        pace = float(text)
    except ValueError as error:
        raise ClinicFaultError(f"--mps {text[:40]!r}: write messages per second, such as 1 or 0.5") from error
    check_pace(pace)
    return pace


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
    if wanted.closed_in_all is not None:
        before = frozenset(day for written in wanted.closed_in_all for day in _days("--closed", written))
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
