"""From named cells to a patient draft: every field parsed, then the fields checked against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scheduler.domain.people import Channel
from scheduler.domain.when import HARD_WINDOW
from scheduler.services.intake.draft import (
    FieldError,
    IntakeDefaults,
    PatientDraft,
    RawRecord,
    Rejected,
    RowError,
)
from scheduler.services.intake.fields import PARSERS, REQUIRED
from scheduler.services.intake.phones import Phone

_ADDRESSES = {Channel.SMS: ("phone", "phone number"), Channel.EMAIL: ("email", "e-mail address")}


def draft_from_cells(
    cells: Mapping[str, str],
    *,
    defaults: IntakeDefaults,
    line: int = 0,
    raw: RawRecord = (),
    given: frozenset[str] | None = None,
) -> PatientDraft | Rejected:
    """Validate one patient given as text by CSV column name; a rejected one names everything that is wrong.

    The names have to be among `fields.COLUMNS`. Also for patients who do not come from a file: `enrol`, a
    form.
    """
    given = frozenset(cells) if given is None else given
    values: dict[str, Any] = {}
    errors: list[RowError] = []
    for column, cell in cells.items():
        text = cell.strip()
        if not text:
            continue
        try:
            values[column] = PARSERS[column](text, defaults)
        except FieldError as error:
            errors.append(RowError(line, column, text, str(error)))
    wrong = {error.column for error in errors}
    for column in REQUIRED:
        if column not in values and column not in wrong:
            errors.append(RowError(line, column, "", f"the {column} is missing; every row needs one"))
    warnings = _agree(values, given, wrong, errors, line)
    if errors:
        return Rejected(line=line, errors=tuple(errors), raw=raw, mrn=values.get("mrn"))
    return PatientDraft(**values, given=given, warnings=warnings, line=line, raw=raw)


def _agree(
    values: dict[str, Any], given: frozenset[str], wrong: set[str], errors: list[RowError], line: int
) -> tuple[RowError, ...]:
    """Check fields against each other, adding to `errors`; turns the phone into its number."""
    warnings: tuple[RowError, ...] = ()
    phone: Phone | None = values.get("phone")
    if phone is not None:
        values["phone"] = phone.number
        if phone.landline:
            warnings += _landline(values, errors, line)
    errors.extend(RowError(line, column, value, reason) for column, value, reason in _unmet(values, given, wrong))
    contact_time = values.get("contact_time")
    if contact_time is not None and contact_time not in HARD_WINDOW:
        reason = f"nobody is contacted outside {HARD_WINDOW}; messages will go as near to it as allowed"
        warnings += (RowError(line, "contact_time", f"{contact_time:%H:%M}", reason),)
    return warnings


def _landline(values: dict[str, Any], errors: list[RowError], line: int) -> tuple[RowError, ...]:
    """A landline is kept, for calls; but consent to texts is not recorded for it, nor counted on."""
    wants_texts = values.get("sms_consent") is True
    by_email = "email" in values and values.get("email_consent") is not False
    if values.get("channel") is Channel.SMS or (wants_texts and not by_email):
        reason = "a landline cannot receive texts; give a mobile number, or an e-mail address and channel email"
        errors.append(RowError(line, "phone", values["phone"], reason))
        return ()
    if not wants_texts:
        return ()
    del values["sms_consent"]
    reason = "a landline cannot receive texts; no consent to texts was recorded, the e-mail address is used"
    return (RowError(line, "phone", values["phone"], reason),)


def _unmet(values: Mapping[str, Any], given: frozenset[str], wrong: set[str]) -> Iterator[tuple[str, str, str]]:
    """What a field promises and another does not keep: column, value, reason."""
    if values.get("discreet") is True and "birth_date" not in values and "birth_date" not in wrong:
        reason = "discreet messages lead to the patient's page, which asks for the year of birth; add the birth_date"
        yield "discreet", "yes", reason
    for channel, (address, what) in _ADDRESSES.items():
        if address in values or address in wrong:
            continue
        # Consent is consent to use a certain number or address, so the two always come together.
        if values.get(f"{channel}_consent") is True:
            reason = f"consent without the {what} that it is for; add the {address}, or leave the consent empty"
            yield f"{channel}_consent", "yes", reason
        # A list without a phone column says nothing about phones: the patient on file may have one.
        if values.get("channel") is channel and address in given:
            yield (
                "channel",
                channel.value,
                f"the channel is {channel}, but there is no {what}; add the {address}",
            )
