"""Phone numbers: from what people write to E.164, or the reason why not."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType, ValidationResult

from scheduler.services.intake.draft import FieldError, PhoneCheck

MAX_E164_DIGITS = 15  # ITU-T E.164, 6.1
_PLAIN = re.compile(r"\+?[\d(][\d\s()./\-‐-―]*")  # digits and the marks people put between them
_MARKS = re.compile(r"[\s()./\-]+")
_EXTENSION = re.compile(r"(?i)(?:\bext?n?\b\.?|\bextension\b|(?<=[\d\s])x\.?(?=\s*\d)|#)")
_SHORTENED = re.compile(r"(?i)\d(?:[.,]\d+)?e\+\d+")
_NOT_FOR_TEXTS = {
    PhoneNumberType.TOLL_FREE: "a toll-free number",
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.PAGER: "a pager",
    PhoneNumberType.UAN: "a company-wide number",
    PhoneNumberType.VOICEMAIL: "a voicemail box",
}


@dataclass(frozen=True, slots=True)
class Phone:
    """`number` is E.164. `landline`: the numbering plan rules texts out (unknown under `possible`)."""

    number: str
    landline: bool


def parse_phone(text: str, *, country: str, check: PhoneCheck) -> Phone:
    """Read one phone number; `country` (ISO 3166, or empty) is assumed for those without `+`.

    `valid` asks the numbering plan whether such a number can exist and rules out numbers that are never a
    person's phone; `possible` looks at the length alone. Raises `FieldError` with the reason and the remedy.
    """
    if not text.isprintable():  # invisible direction marks come along when a number is copied from an address book
        text = "".join(char for char in text if unicodedata.category(char) != "Cf").strip()
    if not _PLAIN.fullmatch(text):
        raise FieldError(_unplain(text))
    ten_digits = _north_american(text, country)
    if ten_digits and check is PhoneCheck.POSSIBLE:
        return Phone(f"+1{ten_digits}", landline=False)
    parsed = _parsed(text, country) if ten_digits is None else PhoneNumber(1, int(ten_digits))
    landline = _known(parsed, country) if check is PhoneCheck.VALID else _long_enough(parsed, country)
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if len(number) > MAX_E164_DIGITS + 1:
        raise FieldError("the phone number has too many digits; write one number only")
    return Phone(number, landline)


def _north_american(text: str, country: str) -> str | None:
    """The digits of a number of country code 1, as `phonenumbers.parse` finds them at ten times the cost."""
    if not text.isascii():
        return None
    digits = _MARKS.sub("", text)
    if digits.startswith("+1"):
        digits = digits[2:]
    elif digits.startswith("+") or _country_code(country) != 1:
        return None
    elif len(digits) == 11 and digits.startswith("1"):
        digits = digits[1:]
    if len(digits) != 10 or digits[0] in "01":
        return None
    return digits


_country_code = lru_cache(phonenumbers.country_code_for_region)


def _parsed(text: str, country: str) -> PhoneNumber:
    try:
        return phonenumbers.parse(text, country)
    except NumberParseException as error:
        raise FieldError(_unparsable(text, error)) from None


def _known(parsed: PhoneNumber, country: str) -> bool:
    # The type of an invalid number is UNKNOWN, so one look-up answers both "is it valid" and "what is it".
    kind = phonenumbers.number_type(parsed)
    if kind == PhoneNumberType.UNKNOWN:
        _long_enough(parsed, country)
        raise FieldError("no such phone number can exist; look for a wrong digit or area code")
    if kind in _NOT_FOR_TEXTS:
        raise FieldError(f"this is {_NOT_FOR_TEXTS[kind]}, not a patient's phone; give a mobile number")
    return bool(kind == PhoneNumberType.FIXED_LINE)


def _long_enough(parsed: PhoneNumber, country: str) -> bool:
    length = phonenumbers.is_possible_number_with_reason(parsed)
    if length == ValidationResult.IS_POSSIBLE:
        return False
    if length == ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        raise FieldError("the phone number has no area code; write it in full")
    if length == ValidationResult.TOO_SHORT:
        raise FieldError("the phone number is too short; write it in full, with its area code")
    if length == ValidationResult.INVALID_COUNTRY_CODE:
        raise FieldError("the country code after the + does not exist")
    raise FieldError(
        "the phone number has the wrong number of digits; "
        f"write one number only, and one from outside {country} with + and its country code"
    )


def _unplain(text: str) -> str:
    if _SHORTENED.fullmatch(text):
        return "a spreadsheet has shortened the phone number; format the column as text and enter it again"
    if _EXTENSION.search(text):
        return "the phone number has an extension, which cannot receive texts; give a direct or mobile number"
    if any(char.isalpha() for char in text):
        return "the phone number contains letters; write it in digits, without any words"
    if any(char in ",;|&" for char in text) or text.count("+") > 1:
        return "there is more than one phone number; give the one to text"
    return "this is not a phone number; write it in digits, such as +1 212 555 0123"


def _unparsable(text: str, error: NumberParseException) -> str:
    if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
        if not text.startswith("+"):
            return "the phone number has no country code and the clinic no country; write it with + and the code"
        return "the country code after the + does not exist"
    if error.error_type == NumberParseException.TOO_LONG:
        return "the phone number has too many digits; write one number only"
    return "the phone number is too short; write it in full, with its area code"


def is_country(code: str) -> bool:
    """Whether numbers written without `+` can be read as this country's (ISO 3166, two letters)."""
    return code in phonenumbers.SUPPORTED_REGIONS


def country_of_number(number: str) -> str | None:
    """The ISO 3166 country of a number written with `+`, where one country alone has it."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except NumberParseException:
        return None
    return str(region) if region and len(region) == 2 and region.isalpha() else None
