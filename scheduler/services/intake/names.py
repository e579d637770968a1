"""Text that people typed to name a patient: record numbers and names, cleaned, or the reason why not."""

from __future__ import annotations

import re
import unicodedata

from scheduler.services.intake.draft import FieldError

MAX_MRN = 64
MAX_NAME = 200
_FORMULA_STARTS = (
    "=",
    "+",
    "-",
    "@",
    "'=",
    "'+",
    "'-",
    "'@",
)  # what a spreadsheet would run, plain or escaped
_JOINERS = "\u200c\u200d"  # zero-width joiners: Persian and Indic names are misspelt without them
_REFUSED = frozenset({"Cc", "Cs", "Cf", "Co", "Zl", "Zp"})  # control, surrogate, invisible, private, line breaks
PAGES = frozenset({"new", "import", "found", "chosen", "bulk"})
"""What stands where a record number would, in the addresses of the pages of patients."""
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d+")


def parse_mrn(text: str) -> str:
    """The medical record number, trimmed and in Unicode NFC, that has a page to open; raises `FieldError`."""
    mrn = mrn_on_file(text)
    if "/" in mrn or "\\" in mrn:
        raise FieldError(
            "the record number has a slash or a backslash in it, and no page could show the patient; write it "
            "without, such as with a hyphen"
        )
    if not mrn.strip("."):
        raise FieldError(
            "the record number is only dots, and no page could show the patient; add a letter or a digit"
        )
    if mrn in PAGES:
        raise FieldError(
            f'a page of the web app is called "{mrn}", so no page could show the patient; add a letter or a digit '
            "to the record number"
        )
    return mrn


def mrn_on_file(text: str) -> str:
    """A record number as `parse_mrn` reads it, also one that no new patient may have; raises `FieldError`."""
    mrn = _clean(text, "the record number")
    if _SHORTENED.fullmatch(mrn):
        raise FieldError(
            "a spreadsheet has shortened the record number; format the column as text and enter it again"
        )
    if len(mrn) > MAX_MRN:
        raise FieldError(f"the record number is longer than {MAX_MRN} characters")
    return mrn


def parse_name(text: str) -> str:
    """The patient's name, trimmed and in Unicode NFC; raises `FieldError`."""
    name = _clean(text, "the name")
    if len(name) > MAX_NAME:
        raise FieldError(f"the name is longer than {MAX_NAME} characters")
    if not any(char.isalpha() for char in name):
        raise FieldError("the name has no letters in it")
    return name


def _clean(text: str, what: str) -> str:
    if text.isascii() and text.isprintable():
        cleaned = text.strip()
    else:
        cleaned = _visible(unicodedata.normalize("NFC", text.strip()), what)
    if cleaned.startswith(_FORMULA_STARTS):
        raise FieldError(f"{what} begins like a spreadsheet formula; remove the leading {cleaned[0]}")
    if '"' in cleaned and cleaned.count('"') % 2:
        raise FieldError(f"{what} has a quotation mark without its partner; add or remove one")
    return cleaned


def _visible(text: str, what: str) -> str:
    """`text` with every kind of space as a plain one; raises `FieldError` on what cannot be seen."""
    cleaned = []
    for char in text:
        category = unicodedata.category(char)
        if category in _REFUSED and char not in _JOINERS:
            raise FieldError(
                f"{what} has a line break or an invisible character in it (U+{ord(char):04X}); enter it again"
            )
        cleaned.append(" " if category == "Zs" else char)
    return "".join(cleaned)
