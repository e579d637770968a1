"""Adding a clinic, and the people who work there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from scheduler.domain.accounts import LinkKind, Role
from scheduler.domain.holidays import HolidayCalendar
from scheduler.domain.sms import segments
from scheduler.domain.zones import country_of_zone
from scheduler.ports import Store
from scheduler.records import Clinic
from scheduler.services.accounts.passwords import PasswordError, check_password, hashed
from scheduler.services.accounts.staffing import StaffingError, add_account, make_link
from scheduler.services.clinic_fields import (
    ClinicFaultError,
    Doubts,
    check_pace,
    no_doubts,
    read_email,
    read_language,
    read_message_name,
    read_messaging_service,
    read_name,
    read_phone_to_call,
    read_sender,
    read_timezone,
)
from scheduler.services.clinic_settings import OfficeSettings, with_settings
from scheduler.services.escalation import follow_working_days
from scheduler.services.intake.phones import country_of_number, is_country

_COMFORTABLE_NAME = 24  # characters, that the templates are written for

_BY = "command line"
_NO_CALENDARS: Mapping[str, HolidayCalendar] = {}


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
    doubts: Doubts = no_doubts,
) -> AddedClinic:
    """Check and store a clinic. Raises `ClinicFaultError`; nothing is stored then.

    Of the `calendars` of holidays it keeps its country's, if there is one, unless it names another. `doubts` are
    about the name that opens messages.
    """
    clinic = _with_office(replace(_checked(new, doubts), is_sample=is_sample), new, calendars)
    with store.writing() as unit:
        if unit.installation.clinic(clinic.code) is not None:
            raise ClinicFaultError(f"there is a clinic with the code {clinic.code} already; choose another --code")
        clinic = replace(clinic, id=unit.installation.add_clinic(clinic, now=now))
        follow_working_days(unit, calendars, clinic, now)
        unit.installation.audit([(clinic.id, "clinic added", None, clinic.code)], actor=_BY, now=now)
    return AddedClinic(clinic, tuple(_warnings(clinic, doubts)))


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
    address = read_email("--email", email).lower()
    try:
        if password is not None:
            check_password(password, email=address, clinic=(clinic.name, clinic.message_name, clinic.code))
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


def _checked(new: NewClinic, doubts: Doubts) -> Clinic:
    code, name = new.code.strip(), read_name("--name", new.name)
    if not code or len(code) > 32 or not code.isascii() or not code.replace("-", "").replace("_", "").isalnum():
        raise ClinicFaultError(f"--code {new.code!r}: write 1 to 32 letters, digits, hyphens or underscores")
    message_name = read_message_name(new.message_name, doubts) if new.message_name else read_message_name(name)
    timezone, language = read_timezone(new.timezone), read_language(new.language)
    if new.sms_from and new.messaging_service:
        raise ClinicFaultError("--sms-from and --messaging-service: give one of the two, for texts have one sender")
    if new.mps is not None:
        check_pace(new.mps)
    return Clinic(
        code=code,
        name=name,
        message_name=message_name,
        timezone=timezone,
        country=_country(new, timezone),
        language=language,
        phone=read_phone_to_call(new.phone) if new.phone else None,
        sms_from=read_sender("--sms-from", new.sms_from),
        messaging_service=read_messaging_service(new.messaging_service),
        email_from=read_email("--email-from", new.email_from) if new.email_from else None,
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


def _warnings(clinic: Clinic, doubts: Doubts) -> list[str]:
    found = [
        f"'{clinic.message_name}' opens every text, and \"{words[0]}\" {why}; --message-name gives a neutral one"
        for why, words in doubts(clinic.message_name)
    ]
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
