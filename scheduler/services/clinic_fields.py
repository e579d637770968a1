"""What a clinic is called, where it is and what it sends by: each value read with its check.

An option's name stands before each fault: `--name: ...`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import time

from scheduler.domain.when import ContactWindow
from scheduler.domain.zones import parse_zone
from scheduler.services.intake.draft import FieldError
from scheduler.services.intake.emails import parse_email
from scheduler.services.intake.fields import parse_time
from scheduler.services.intake.languages import parse_language
from scheduler.services.intake.names import parse_name

LONGEST_MESSAGE_NAME = 40  # characters; the templates are written for names of up to 24
_LONGEST_NAME = 120  # characters, what its column holds
_MARKS = re.compile(r"[\s().\-]")
_SENDER = re.compile(r"\+[1-9]\d{6,14}|\d{3,8}")  # E.164, or a short code
_CALLED = re.compile(r"(?=(?:\D*\d){3})\+?[\d(][\d\s().\-/]*(?:(?:x|ext\.?) ?\d+)?", re.ASCII | re.IGNORECASE)
_LONGEST_CALLED = 30  # characters; it stands in texts


Doubts = Callable[[str], list[tuple[str, tuple[str, ...]]]]
"""Why a name should not stand on every message: each reason, and the words it is about."""


class ClinicFaultError(ValueError):
    """A clinic cannot be as described. The text names the option and the remedy."""


def no_doubts(_: str) -> list[tuple[str, tuple[str, ...]]]:
    """For where the words that no message may hold are not at hand."""
    return []


def read_message_name(text: str, doubts: Doubts = no_doubts) -> str:
    """The neutral name that opens every message. This and what follows raise `ClinicFaultError`."""
    name = read_name("--message-name", text)
    if braces := [char for char in "{}" if char in name]:
        raise ClinicFaultError(
            f"--message-name: the name has {braces[0]} in it, and nothing is filled in there; write it as patients "
            "read it"
        )
    if found := doubts(name):
        why, words = found[0]
        raise ClinicFaultError(
            f'--message-name: "{words[0]}" {why}, and this name is read on locked screens and shared phones; give a '
            "neutral one with --message-name"
        )
    if len(name) > LONGEST_MESSAGE_NAME:
        raise ClinicFaultError(
            f"--message-name: the name that opens every message has {len(name)} characters; "
            f"give a shorter, neutral one with --message-name (at most {LONGEST_MESSAGE_NAME})"
        )
    return name


def read_timezone(text: str) -> str:
    try:
        return parse_zone(text.strip()).key
    except ValueError as error:
        raise ClinicFaultError(f"--timezone: {error}") from error


def read_language(text: str) -> str:
    try:
        return parse_language(text)
    except FieldError as error:
        raise ClinicFaultError(f"--language {text!r}: {error}") from error


def check_pace(mps: float) -> None:
    """Whether a sender may be given this pace."""
    if not 0 < mps <= 1000:
        raise ClinicFaultError(f"--mps {mps:g}: write messages per second, above 0 and at most 1000")


def read_clock(option: str, text: str) -> time:
    try:
        return parse_time(text.strip())
    except FieldError as error:
        raise ClinicFaultError(f"{option}: {error}") from error


def read_window(text: str) -> ContactWindow:
    """From FROM-TO, two times of the day."""
    first, dash, last = text.partition("-")
    if not dash:
        raise ClinicFaultError(f"--window {text[:40]!r}: write two times such as 09:00-20:00")
    try:
        return ContactWindow(read_clock("--window", first), read_clock("--window", last))
    except ValueError as error:
        raise ClinicFaultError(f"--window: {str(error).removeprefix('--window: ')}") from error


def read_name(option: str, text: str) -> str:
    try:
        name = parse_name(" ".join(text.split()))
    except FieldError as error:
        raise ClinicFaultError(f"{option}: {error}") from error
    if len(name) > _LONGEST_NAME:
        raise ClinicFaultError(f"{option}: write at most {_LONGEST_NAME} characters")
    return name


def read_phone_to_call(text: str) -> str:
    """As the clinic writes it, an extension included: patients read it, nothing dials it."""
    phone = " ".join(text.split())
    if len(phone) > _LONGEST_CALLED or not _CALLED.fullmatch(phone):
        raise ClinicFaultError(f"--phone {text!r}: write a number that patients can call, such as 617-555-0100")
    return phone


def read_sender(option: str, number: str | None) -> str | None:
    """A sender: a number in E.164, or a short code. Whether the account owns it, only the provider knows."""
    if number is None:
        return None
    plain = _MARKS.sub("", number)
    if not _SENDER.fullmatch(plain):
        raise ClinicFaultError(f"{option} {number!r}: write it with + and its country code, such as +16175550100")
    return plain


def read_messaging_service(service: str | None) -> str | None:
    if service is None:
        return None
    digits = service.removeprefix("MG")
    if not service.startswith("MG") or len(digits) != 32 or not all(c in "0123456789abcdefABCDEF" for c in digits):
        raise ClinicFaultError("--messaging-service: write the service's SID, MG and 32 hexadecimal digits")
    return service


def read_email(option: str, address: str) -> str:
    try:
        return parse_email(address.strip())
    except FieldError as error:
        raise ClinicFaultError(f"{option}: {error}") from error
