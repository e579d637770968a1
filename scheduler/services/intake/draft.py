"""What the intake readers hand over: patient drafts, and what kept a record from becoming one."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date, time
from enum import StrEnum
from operator import attrgetter
from typing import Any

from scheduler.domain.calendar import Weekday
from scheduler.domain.people import Channel, Mobility, RiskFactor

RawRecord = tuple[str, ...] | str
"""A record as it stood in the source: the cells of a CSV row, or the JSON text of a FHIR resource."""


class PhoneCheck(StrEnum):
    """How sure we must be that a phone number exists."""

    VALID = "valid"  # within a range that the numbering plan has given out
    POSSIBLE = "possible"  # of the right length: lets synthetic 555 numbers through


class Exclusion(StrEnum):
    """Why a patient is deliberately not enrolled, though the record is sound."""

    DECEASED = "deceased"
    INACTIVE = "inactive"  # FHIR Patient.active is false
    MERGED = "merged"  # replaced by another record (FHIR Patient.link of type replaced-by)


class UnreadableFile(ValueError):  # noqa: N818 - it says what the file is
    """The file as a whole cannot be imported; nothing in it was. The text says why and what to do."""


class FieldError(ValueError):
    """One value cannot be used. The text is the reason and the remedy, without personal values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeDefaults:
    """What the readers need to know about the clinic that imports.

    `country` (may be empty) is the ISO 3166 code of numbers written without `+`; `pathway_names` are the
    pathways that exist; `today` is the clinic's local date.
    """

    country: str
    phone_check: PhoneCheck
    pathway_names: frozenset[str]
    today: date


@dataclass(frozen=True, slots=True)
class RowError:
    """One thing wrong with a record (or, among warnings, one thing left out of a draft).

    `column` is the CSV column or the FHIR path, empty for the record as a whole. `value` is what stood there
    and may be personal, so it stays out of `repr`; `reason` has no
    name, number or address in it.
    """

    line: int
    column: str
    value: str = field(repr=False)
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientDraft:
    """A validated record, ready to create or update a patient.

    None means that the record says nothing, and then the clinic's own language, zone, contact time or channel
    holds; no `pathways` means all of them. `given` names the fields that the source speaks about at all: an
    update touches only those, and a field that is given but None (an emptied cell) is cleared. Consent is the
    exception: None never changes a consent on record. Personal fields stay out of `repr`.
    """

    mrn: str
    name: str = field(repr=False)
    birth_date: date | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)  # E.164
    email: str | None = field(default=None, repr=False)  # domain in lower case
    language: str | None = None  # BCP 47 in its usual case: es-MX
    timezone: str | None = None  # IANA name
    contact_time: time | None = None  # local wall time
    channel: Channel | None = None
    mobility: Mobility | None = None
    sms_consent: bool | None = None
    email_consent: bool | None = None
    consent_date: date | None = None
    pathways: tuple[str, ...] = ()
    exercise_days: frozenset[Weekday] | None = None
    risk_factors: tuple[RiskFactor, ...] = field(default=(), repr=False)
    discreet: bool | None = None  # messages say only that there is one; None never changes what was chosen
    given: frozenset[str] = frozenset()
    warnings: tuple[RowError, ...] = field(default=(), compare=False)
    line: int = field(default=0, compare=False)
    raw: RawRecord = field(default=(), compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by position: the way that dataclasses have by themselves takes three times as long."""
        return _restored, (_values_of(self),)

    def refused(self, *, column: str, value: str, reason: str) -> Rejected:
        """This record as a rejected row, for a fault that only the store can see."""
        error = RowError(self.line, column, value, reason)
        return Rejected(line=self.line, errors=(error,), raw=self.raw, mrn=self.mrn)


_DRAFT_FIELDS = tuple(each.name for each in fields(PatientDraft))
_values_of = attrgetter(*_DRAFT_FIELDS)


def _restored(values: tuple[Any, ...]) -> PatientDraft:
    return PatientDraft(**dict(zip(_DRAFT_FIELDS, values, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """A record that must not be enrolled; a patient on file under `mrn` should be taken off reminders."""

    line: int
    reason: Exclusion
    mrn: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A record that cannot be used, with everything wrong with it. `line` is its first line in the file."""

    line: int
    errors: tuple[RowError, ...]
    raw: RawRecord = field(repr=False)
    mrn: str | None = None  # None when not even that could be read


Row = PatientDraft | Excluded | Rejected
