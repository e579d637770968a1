"""One FHIR Patient resource, made into a draft, an exclusion or a rejection."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from scheduler.services.intake.draft import (
    Excluded,
    Exclusion,
    FieldError,
    IntakeDefaults,
    PatientDraft,
    Rejected,
    Row,
    RowError,
)
from scheduler.services.intake.fhir_elements import MalformedError, codes, flag, in_use, objects, text
from scheduler.services.intake.fhir_json import Found
from scheduler.services.intake.fhir_telecom import Reachable, addresses_lost, reachable
from scheduler.services.intake.fields import parse_birth_date, parse_timezone
from scheduler.services.intake.languages import parse_language
from scheduler.services.intake.names import mrn_on_file, parse_mrn, parse_name

IDENTIFIER_TYPES = ("http://terminology.hl7.org/CodeSystem/v2-0203", "http://hl7.org/fhir/v2/0203")
LANGUAGE_TAGS = "urn:ietf:bcp:47"
TIMEZONE_EXTENSION = "http://hl7.org/fhir/StructureDefinition/timezone"
_NAME_USES = (
    "official",
    "usual",
    "",
    "temp",
    "nickname",
    "anonymous",
)  # best first; old and maiden ones never
_PARTIAL_DATE = re.compile(r"\d{4}(-\d{2})?", re.ASCII)
_SHOWN = 200  # characters of a wrong value that are kept for the report
_Value = TypeVar("_Value")


def row_from_patient(found: Found, *, defaults: IntakeDefaults, grant_consent: bool) -> Row:
    """Map a Patient resource. Errors and warnings name the element's path.

    What keeps a patient from being identified or reached is an error; a language, zone or birth date that
    cannot be used is a warning, as is a bad address when another one is left, and no address at all: the
    clinic may know one.
    """
    mapping = _Mapping(found, defaults)
    exclusion = mapping.read("active", lambda: _exclusion(found.resource))
    # Whoever is on file is taken off reminders, by whatever number.
    parse = parse_mrn if exclusion is None else mrn_on_file
    mrn = mapping.read("identifier", lambda: _mrn(found.resource, defaults.today, parse))
    if exclusion is not None:
        return Excluded(line=found.line, reason=exclusion, mrn=mrn)
    name = mapping.read("name", lambda: _name(found.resource, defaults.today))
    reach = mapping.read("telecom", lambda: reachable(found.resource, defaults))
    mapping.judge(reach)
    birth_date = mapping.birth_date()
    language = mapping.optional("communication", lambda: _language(found.resource), parse_language)
    timezone = mapping.optional("extension", lambda: _timezone(found.resource), parse_timezone)
    if mapping.errors or mrn is None or name is None or reach is None:
        return Rejected(line=found.line, errors=tuple(mapping.errors), raw=found.text, mrn=mrn)
    return PatientDraft(
        mrn=mrn,
        name=name,
        birth_date=birth_date,
        phone=reach.phone,
        email=reach.email,
        language=language,
        timezone=timezone,
        sms_consent=True if grant_consent and reach.phone else None,
        email_consent=True if grant_consent and reach.email else None,
        consent_date=defaults.today if grant_consent and (reach.phone or reach.email) else None,
        warnings=tuple(mapping.warnings),
        line=found.line,
        raw=found.text,
        given=_given(reach, birth_date=birth_date, language=language, timezone=timezone),
    )


class _Mapping:
    """Collects what is wrong with one resource while its elements are read."""

    def __init__(self, found: Found, defaults: IntakeDefaults) -> None:
        self._found = found
        self._today = defaults.today
        self.errors: list[RowError] = []
        self.warnings: list[RowError] = []

    def read(self, element: str, reader: Callable[[], _Value]) -> _Value | None:
        """What `reader` gives; when it cannot, an error, and None."""
        try:
            return reader()
        except MalformedError as error:
            self.errors.append(self._error(error.path, "", str(error)))
        except FieldError as error:
            self.errors.append(self._error(element, "", str(error)))
        return None

    def optional(self, element: str, reader: Callable[[], str], parse: Callable[[str], str]) -> str | None:
        """The parsed text that `reader` finds; when it cannot be used, a warning, and None."""
        value = self.read(element, reader)
        try:
            return parse(value) if value else None
        except FieldError as error:
            self.warnings.append(self._error(element, value or "", f"{error}; the clinic's own is used"))
            return None

    def birth_date(self) -> date | None:
        value = text(self._found.resource, "birthDate")
        if not value:
            return None
        if _PARTIAL_DATE.fullmatch(value):
            reason = "the birth date is not complete and was left out; nothing depends on it"
            self.warnings.append(self._error("birthDate", value, reason))
            return None
        try:
            return parse_birth_date(value, self._today)
        except FieldError as error:
            self.errors.append(self._error("birthDate", value, str(error)))
            return None

    def judge(self, reach: Reachable | None) -> None:
        """A bad contact point is an error when it leaves the patient without any address, else a warning."""
        if reach is None:
            return
        unreachable = not reach.phone and not reach.email
        lost = [*addresses_lost(reach.problems)]
        for problem in reach.problems:
            fatal = unreachable and problem in lost
            (self.errors if fatal else self.warnings).append(self._error(problem.path, problem.value, problem.reason))
        if unreachable and not lost:
            reason = "there is no phone number or e-mail address in use; nobody can be reached until one is added"
            self.warnings.append(self._error("telecom", "", reason))

    def _error(self, path: str, value: str, reason: str) -> RowError:
        return RowError(self._found.line, f"{self._found.path}.{path}", value[:_SHOWN], reason)


def _given(
    reach: Reachable, *, birth_date: date | None, language: str | None, timezone: str | None
) -> frozenset[str]:
    """FHIR's absence says nothing: only what the resource speaks about may change a patient on file."""
    optional = {"birth_date": birth_date, "language": language, "timezone": timezone}
    present = {name for name, value in optional.items() if value is not None}
    return frozenset({"mrn", "name"} | present | reach.mentioned)


def _mrn(patient: dict[str, Any], today: date, parse: Callable[[str], str]) -> str:
    for identifier in objects(patient, "identifier"):
        value = text(identifier, "value")
        if value and in_use(identifier, today) and "MR" in codes(identifier.get("type"), *IDENTIFIER_TYPES):
            return parse(value)
    if resource_id := text(patient, "id"):
        return parse(resource_id)
    raise FieldError("there is neither an identifier of type MR nor a resource id to know the patient by")


def _exclusion(patient: dict[str, Any]) -> Exclusion | None:
    if patient.get("deceasedDateTime") is not None or flag(patient, "deceasedBoolean"):
        return Exclusion.DECEASED
    if any(link.get("type") == "replaced-by" for link in objects(patient, "link")):
        return Exclusion.MERGED
    if flag(patient, "active") is False:
        return Exclusion.INACTIVE
    return None


def _name(patient: dict[str, Any], today: date) -> str:
    names = [
        (_NAME_USES.index(text(name, "use")), index, full)
        for index, name in enumerate(objects(patient, "name"))
        if text(name, "use") in _NAME_USES and in_use(name, today) and (full := _full_name(name))
    ]
    if not names:
        raise FieldError("there is no name in use")
    return parse_name(min(names)[2])


def _full_name(name: dict[str, Any]) -> str:
    given = name.get("given")
    first_names = [part.strip() for part in given if isinstance(part, str)] if isinstance(given, list) else []
    parts = [part for part in (*first_names, text(name, "family")) if part]
    return " ".join(parts) or text(name, "text")


def _language(patient: dict[str, Any]) -> str:
    """The preferred language of communication, else the first that is named; empty when there is none."""
    spoken = sorted(objects(patient, "communication"), key=lambda entry: entry.get("preferred") is not True)
    return next((tags[0] for entry in spoken if (tags := codes(entry.get("language"), LANGUAGE_TAGS))), "")


def _timezone(patient: dict[str, Any]) -> str:
    """The zone of the timezone extension, which is seen with a code and with a string; empty without."""
    for extension in objects(patient, "extension"):
        if extension.get("url") == TIMEZONE_EXTENSION:
            return text(extension, "valueCode") or text(extension, "valueString")
    return ""
