"""The values of single fields, from text to what the rules know; all functions raise `FieldError`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, time
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

from scheduler.domain.calendar import Weekday
from scheduler.domain.people import Channel, Mobility, RiskFactor
from scheduler.domain.zones import parse_zone
from scheduler.services.intake.draft import FieldError, IntakeDefaults
from scheduler.services.intake.emails import parse_email
from scheduler.services.intake.languages import parse_language
from scheduler.services.intake.names import parse_mrn, parse_name
from scheduler.services.intake.phones import parse_phone

OLDEST_AGE = 120  # years; an earlier birth date is a slip of the pen
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::00)?", re.ASCII)
_ENGLISH_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {name[:3]: Weekday(number) for number, name in enumerate(_ENGLISH_DAYS)} | {
    name: Weekday(number) for number, name in enumerate(_ENGLISH_DAYS)
}
_Choice = TypeVar("_Choice", bound=StrEnum)


def word(text: str) -> str:
    """`Standing Frame` as the names in this program are written: `standing_frame`."""
    return "_".join(text.lower().replace("-", " ").split())


def suggestion(wrong: str, choices: Iterable[str]) -> str:
    """`; did you mean "…"?` when one of `choices` is close to `wrong`, else nothing."""
    close = get_close_matches(wrong, list(choices), n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""


def parse_birth_date(text: str, today: date) -> date:
    """A date of birth (YYYY-MM-DD), not after `today` and not more than `OLDEST_AGE` years before it."""
    born = _date(text)
    if born > today:
        raise FieldError("the birth date lies in the future; look for a wrong year")
    if born.year < today.year - OLDEST_AGE:
        raise FieldError(f"the birth date is more than {OLDEST_AGE} years ago; look for a wrong year")
    return born


def parse_consent_date(text: str, today: date) -> date:
    """The day on which consent was given (YYYY-MM-DD), not after `today`."""
    given = _date(text)
    if given > today:
        raise FieldError("the consent date lies in the future; it is the day on which consent was given")
    return given


def _date(text: str) -> date:
    if not _DATE.fullmatch(text):
        raise FieldError("a date is written YYYY-MM-DD, such as 1974-03-31")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FieldError("there is no such day in the calendar; a date is written YYYY-MM-DD") from None


@lru_cache(maxsize=2048)
def parse_time(text: str) -> time:
    """A local wall time, `HH:MM` on a 24-hour clock; `9:30` is 09:30, and `:00` seconds may follow."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise FieldError("a time is written HH:MM on a 24-hour clock, such as 09:30 or 14:00")
    hour, minute = int(match[1]), int(match[2])
    if hour > 23 or minute > 59:
        raise FieldError("there is no such time of day; hours go from 00 to 23, minutes from 00 to 59")
    return time(hour, minute)


@lru_cache(maxsize=1024)
def parse_timezone(text: str) -> str:
    """The name of an IANA time zone, as `scheduler.domain.zones.parse_zone` accepts it."""
    try:
        return parse_zone(text).key
    except ValueError as error:
        raise FieldError(str(error)) from None


def parse_yes_no(text: str) -> bool:
    """`yes` or `no`, in any case. Nothing else counts: consent is not something to guess at."""
    answer = text.lower()
    if answer not in ("yes", "no"):
        raise FieldError("write yes or no; leave it empty when nothing is known")
    return answer == "yes"


@lru_cache(maxsize=256)
def parse_channel(text: str) -> Channel:
    """`sms` or `email`."""
    return _choice(text, Channel)


@lru_cache(maxsize=256)
def parse_mobility(text: str) -> Mobility:
    """One of the mobility groups."""
    return _choice(text, Mobility)


@lru_cache(maxsize=1024)
def parse_risk_factors(text: str) -> tuple[RiskFactor, ...]:
    """`;`-separated risk factors, each once, in the order given."""
    return tuple(dict.fromkeys(_choice(item, RiskFactor) for item in _items(text)))


@lru_cache(maxsize=1024)
def parse_exercise_days(text: str) -> frozenset[Weekday]:
    """`;`-separated days of the week: `mon;wed;fri`, or their full names."""
    days = [_DAYS.get(item.lower()) for item in _items(text)]
    if None in days:
        raise FieldError("days are written mon;tue;wed;thu;fri;sat;sun, with ; between them")
    return frozenset(day for day in days if day is not None)


@lru_cache(maxsize=1024)
def parse_pathways(text: str, known: frozenset[str]) -> tuple[str, ...]:
    """`;`-separated names out of `known`, each once, in the order given."""
    chosen = tuple(dict.fromkeys(word(item) for item in _items(text)))
    for name in chosen:
        if name not in known:
            raise FieldError(_unknown(name, sorted(known)))
    return chosen


def _choice(text: str, kind: type[_Choice]) -> _Choice:
    try:
        return kind(word(text))
    except ValueError:
        raise FieldError(_unknown(text, list(kind))) from None


def _unknown(text: str, choices: list[str]) -> str:
    separated = ", ".join(choices)
    hint = "; separate several with ;" if "," in text else suggestion(word(text), choices)
    return f'"{text[:40]}" is not one of {separated}{hint}'


def _items(text: str) -> list[str]:
    return [item for part in text.split(";") if (item := part.strip())]


PARSERS: dict[str, Callable[[str, IntakeDefaults], object]] = {
    "mrn": lambda text, _: parse_mrn(text),
    "name": lambda text, _: parse_name(text),
    "birth_date": lambda text, defaults: parse_birth_date(text, defaults.today),
    "phone": lambda text, defaults: parse_phone(text, country=defaults.country, check=defaults.phone_check),
    "email": lambda text, _: parse_email(text),
    "language": lambda text, _: parse_language(text),
    "timezone": lambda text, _: parse_timezone(text),
    "contact_time": lambda text, _: parse_time(text),
    "channel": lambda text, _: parse_channel(text),
    "mobility": lambda text, _: parse_mobility(text),
    "sms_consent": lambda text, _: parse_yes_no(text),
    "email_consent": lambda text, _: parse_yes_no(text),
    "consent_date": lambda text, defaults: parse_consent_date(text, defaults.today),
    "pathways": lambda text, defaults: parse_pathways(text, defaults.pathway_names),
    "exercise_days": lambda text, _: parse_exercise_days(text),
    "risk_factors": lambda text, _: parse_risk_factors(text),
    "discreet": lambda text, _: parse_yes_no(text),
}
"""One parser per CSV column, in the documented order. `phone` gives a `Phone`, the rest the draft's field."""

COLUMNS = tuple(PARSERS)
REQUIRED = ("mrn", "name")
