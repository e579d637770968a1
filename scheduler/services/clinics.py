"""Adding a clinic, and the people who work there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from scheduler.domain.accounts import LinkKind, Role
from scheduler.domain.holidays import HolidayCalendar
from scheduler.domain.sms import segments
from scheduler.domain.zones import country_of_zone, parse_zone
from scheduler.ports import Store
from scheduler.records import Clinic
from scheduler.services.accounts.passwords import PasswordError, check_password, hashed
from scheduler.services.accounts.staffing import StaffingError, add_account, make_link
from scheduler.services.clinic_settings import ClinicFaultError, OfficeSettings, with_settings
from scheduler.services.escalation import follow_working_days
from scheduler.services.intake.draft import FieldError
from scheduler.services.intake.emails import parse_email
from scheduler.services.intake.languages import parse_language
from scheduler.services.intake.names import parse_name
from scheduler.services.intake.phones import country_of_number, is_country

LONGEST_MESSAGE_NAME = 40  # characters; the templates are written for names of up to 24
_COMFORTABLE_NAME = 24
_LONGEST_NAME = 120  # characters, what its column holds

_BY = "command line"
_NO_CALENDARS: Mapping[str, HolidayCalendar] = {}
_MARKS = re.compile(r"[\s().\-]")
_SENDER = re.compile(r"\+[1-9]\d{6,14}|\d{3,8}")  # E.164, or a short code
_CALLED = re.compile(r"(?=(?:\D*\d){3})\+?[\d(][\d\s().\-/]*(?:(?:x|ext\.?) ?\d+)?", re.ASCII | re.IGNORECASE)
_LONGEST_CALLED = 30  # characters; it stands in texts


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClinic:
    """A clinic as `bonewise clinic add` describes it."""

    code: str
    name: str
    timezone: str
    sms_from: str | None = None
    messaging_service: str | None = None
    email_from: str | None = None
    phone: str | None = None
    mps: float | None = None
    message_name: str | None = None
    language: str = "en"
    country: str | None = None
    holidays: str | None = None
    digest_to: str | None = None
    digest_at: str | None = None
    duty_email: str | None = None
    name_on_shared: str | None = None


@dataclass(frozen=True, slots=True)
class AddedClinic:
    """The clinic as stored, and what its people may want to know."""

    clinic: Clinic
    warnings: tuple[str, ...] = ()


def add_clinic(
    store: Store,
    new: NewClinic,
    *,
    now: datetime,
    is_sample: bool = False,
    calendars: Mapping[str, HolidayCalendar] = _NO_CALENDARS,
) -> AddedClinic:
    """Check and store a clinic. Raises `ClinicFaultError`; nothing is stored then.

    Of the `calendars` of holidays it keeps its country's, if there is one, unless it names another.
    """
    clinic = _with_office(replace(_checked(new), is_sample=is_sample), new, calendars)
    with store.writing() as unit:
        if unit.installation.clinic(clinic.code) is not None:
            raise ClinicFaultError(f"there is a clinic with the code {clinic.code} already; choose another --code")
        clinic = replace(clinic, id=unit.installation.add_clinic(clinic, now=now))
        follow_working_days(unit, calendars, clinic, now)
        unit.installation.audit([(clinic.id, "clinic added", None, clinic.code)], actor=_BY, now=now)
    return AddedClinic(clinic, tuple(_warnings(clinic)))


def add_staff(
    store: Store,
    clinic: Clinic,
    *,
    email: str,
    role: str,
    now: datetime,
    password: str | None = None,
    by: str = _BY,
) -> str | None:
    """Add a member of staff, with a password or, without one, the token of a one-time link to choose it.

    Raises `ClinicFaultError`; nothing is stored then.
    """
    address = _email("--email", email).lower()
    try:
        if password is not None:
            check_password(password, email=address)
        phc = None if password is None else hashed(password)
        with store.writing() as unit:
            account = add_account(unit, clinic, email=address, role=Role(role), by=by, now=now, password=phc)
            return None if phc else make_link(unit, account, LinkKind.INVITATION, by=by, now=now)
    except StaffingError as error:
        raise ClinicFaultError(str(error)) from error
    except PasswordError as error:
        raise ClinicFaultError(f"the password was not taken: {error}") from error


def _with_office(clinic: Clinic, new: NewClinic, calendars: Mapping[str, HolidayCalendar]) -> Clinic:
    of_country = clinic.country if clinic.country in calendars else None
    wanted = OfficeSettings(
        holidays=new.holidays or of_country,
        digest_to=new.digest_to,
        digest_at=new.digest_at,
        duty_email=new.duty_email,
        name_on_shared=new.name_on_shared,
    )
    return with_settings(clinic, wanted, calendars)


def _checked(new: NewClinic) -> Clinic:
    code, name = new.code.strip(), _name("--name", new.name)
    if not code or len(code) > 32 or not code.isascii() or not code.replace("-", "").replace("_", "").isalnum():
        raise ClinicFaultError(f"--code {new.code!r}: write 1 to 32 letters, digits, hyphens or underscores")
    message_name = _name("--message-name", new.message_name or name)
    if len(message_name) > LONGEST_MESSAGE_NAME:
        raise ClinicFaultError(
            f"the name that opens every message has {len(message_name)} characters; "
            f"give a shorter, neutral one with --message-name (at most {LONGEST_MESSAGE_NAME})"
        )
    try:
        timezone = parse_zone(new.timezone).key
    except ValueError as error:
        raise ClinicFaultError(f"--timezone: {error}") from error
    try:
        language = parse_language(new.language)
    except FieldError as error:
        raise ClinicFaultError(f"--language {new.language!r}: {error}") from error
    if new.sms_from and new.messaging_service:
        raise ClinicFaultError("--sms-from and --messaging-service: give one of the two, for texts have one sender")
    if new.mps is not None and not 0 < new.mps <= 1000:
        raise ClinicFaultError(f"--mps {new.mps:g}: write messages per second, above 0 and at most 1000")
    return Clinic(
        code=code,
        name=name,
        message_name=message_name,
        timezone=timezone,
        country=_country(new, timezone),
        language=language,
        phone=_phone_to_call(new.phone) if new.phone else None,
        sms_from=_number("--sms-from", new.sms_from),
        messaging_service=_messaging_service(new.messaging_service),
        email_from=_email("--email-from", new.email_from) if new.email_from else None,
        messages_per_second=new.mps,
    )


def _country(new: NewClinic, timezone: str) -> str:
    if new.country:
        country = new.country.strip().upper()
        if not is_country(country):
            raise ClinicFaultError(f"--country {new.country!r}: write the two letters of ISO 3166, such as US")
        return country
    for number in (new.sms_from, new.phone):
        if number and (found := country_of_number(number)):
            return found
    return country_of_zone(timezone) or "US"


def _name(option: str, text: str) -> str:
    try:
        name = parse_name(" ".join(text.split()))
    except FieldError as error:
        raise ClinicFaultError(f"{option}: {error}") from error
    if len(name) > _LONGEST_NAME:
        raise ClinicFaultError(f"{option}: write at most {_LONGEST_NAME} characters")
    return name


def _phone_to_call(text: str) -> str:
    """As the clinic writes it, an extension included: patients read it, nothing dials it."""
    phone = " ".join(text.split())
    if len(phone) > _LONGEST_CALLED or not _CALLED.fullmatch(phone):
        raise ClinicFaultError(f"--phone {text!r}: write a number that patients can call, such as 617-555-0100")
    return phone


def _number(option: str, number: str | None) -> str | None:
    """A sender: a number in E.164, or a short code. Whether the account owns it, only the provider knows."""
    if number is None:
        return None
    plain = _MARKS.sub("", number)
    if not _SENDER.fullmatch(plain):
        raise ClinicFaultError(f"{option} {number!r}: write it with + and its country code, such as +16175550100")
    return plain


def _messaging_service(service: str | None) -> str | None:
    if service is None:
        return None
    digits = service.removeprefix("MG")
    if not service.startswith("MG") or len(digits) != 32 or not all(c in "0123456789abcdefABCDEF" for c in digits):
        raise ClinicFaultError("--messaging-service: write the service's SID, MG and 32 hexadecimal digits")
    return service


def _email(option: str, address: str) -> str:
    try:
        return parse_email(address.strip())
    except FieldError as error:
        raise ClinicFaultError(f"{option}: {error}") from error


def _warnings(clinic: Clinic) -> list[str]:
    found = []
    if len(clinic.message_name) > _COMFORTABLE_NAME:
        found.append(
            f"'{clinic.message_name}' opens every text, and with more than {_COMFORTABLE_NAME} characters some texts "
            "take two segments; --message-name gives a shorter one"
        )
    odd = segments(clinic.message_name).odd
    if odd:
        found.append(
            f"{' '.join(odd)} in '{clinic.message_name}' makes every text cost about twice as much; "
            "--message-name without it avoids that"
        )
    if not (clinic.sms_from or clinic.messaging_service or clinic.email_from):
        found.append("the clinic has no sender yet: nothing can be sent without --sms-from or --email-from")
    return found
