"""The clinic's phone number as a patient's page shows it: one press calls it, and it never breaks over two lines."""

from __future__ import annotations

from markupsafe import Markup, escape

from scheduler.records import Clinic
from scheduler.services.intake.draft import FieldError, PhoneCheck
from scheduler.services.intake.phones import parse_phone


def call_link(clinic: Clinic) -> Markup:
    """The number as the clinic writes it, a link where it can be read; empty when the clinic gave none."""
    if not clinic.phone:
        return Markup()
    try:
        number = parse_phone(clinic.phone, country=clinic.country, check=PhoneCheck.POSSIBLE).number
    except FieldError:  # an extension, or words beside it
        return Markup('<span class="call">{}</span>').format(clinic.phone)
    return Markup('<a class="call" href="tel:{}">{}</a>').format(number, clinic.phone)


def with_call_links(clinic: Clinic, words: str) -> Markup:
    """Words for the page, the clinic's number among them as a link."""
    if not clinic.phone:
        return escape(words)
    return call_link(clinic).join(escape(part) for part in words.split(clinic.phone))
