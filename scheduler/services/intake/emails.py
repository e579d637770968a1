"""E-mail addresses: a pragmatic check that catches what people mistype, not all of RFC 5322."""

from __future__ import annotations

import re

from scheduler.services.intake.draft import FieldError

MAX_LENGTH = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
MAX_LOCAL = 64  # RFC 5321, 4.5.3.1.1
# Begins like no formula does, and has no two dots in a row.
_LOCAL = r"[A-Za-z0-9_](?:\.?[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-])*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"({_LOCAL})@((?:{_LABEL}\.)+(?=[A-Za-z0-9\-]*[A-Za-z]){_LABEL})")


def parse_email(text: str) -> str:
    """The address with its domain in lower case (and in ASCII form); raises `FieldError`.

    The part before the @ keeps its case: whether case matters there is the receiving server's affair (RFC
    5321, 2.4).
    """
    if not text.isascii():
        text = _ascii_domain(text)
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise FieldError(_why_not(text))
    local, domain = match.groups()
    if len(text) > MAX_LENGTH or len(local) > MAX_LOCAL:
        raise FieldError(f"the e-mail address is too long; at most {MAX_LENGTH} characters, {MAX_LOCAL} before the @")
    return f"{local}@{domain.lower()}"


def _ascii_domain(text: str) -> str:
    local, _, domain = text.rpartition("@")
    if not local.isascii():
        raise FieldError("the e-mail address has letters before the @ that mail servers may refuse; ask for another")
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        raise FieldError("the part of the e-mail address after the @ is not a domain name") from None


def _why_not(text: str) -> str:
    if "<" in text or text.lower().startswith("mailto:"):
        return "write the e-mail address only, without a name or mailto:"
    at_signs = text.count("@")
    if at_signs > 1:
        return "there is more than one e-mail address, or one @ too many; give one address"
    if any(char.isspace() for char in text):
        return "the e-mail address has a space in it"
    if at_signs == 0:
        return "the e-mail address has no @"
    if "." not in text.rpartition("@")[2]:
        return "the e-mail address has no dot after the @, as in name@example.org"
    return "this is not an e-mail address; write one such as name@example.org"
