"""Staff correct what is on file about a patient: name, numbers, language, zone, days. Checked as an import is.

What a list said last is left as it is, so that the same list again does not undo what staff have entered. What
somebody else has changed since a form was opened is left as it is too, and said where both changed the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from zoneinfo import ZoneInfo

from scheduler.domain.calendar import EVERY_DAY
from scheduler.domain.when import local_date
from scheduler.ports import Store, Unit
from scheduler.records import Clinic, Patient
from scheduler.services.address_warnings import ADDRESSES, address_warnings
from scheduler.services.care import Deciding
from scheduler.services.changes import write_changes
from scheduler.services.intake.assemble import draft_from_cells
from scheduler.services.intake.draft import IntakeDefaults, PatientDraft, PhoneCheck, Rejected
from scheduler.services.merging import at_other_addresses
from scheduler.services.replanning import replanned
from scheduler.services.rules import Rules
from scheduler.services.settled_tasks import close_settled
from scheduler.services.situations import load_by_mrn

FIELDS = (
    "name",
    "birth_date",
    "phone",
    "email",
    "channel",
    "language",
    "timezone",
    "mobility",
    "exercise_days",
)
_ANY_MRN = "0"  # a draft needs one; that of the record stays, also where a new patient could not have it
_LONGEST = 320  # characters of a cell; nothing that is looked for is longer

WasShown = Callable[[str, str], bool]
"""Whether a form showed this value of this field when it was opened."""


class ContactDataError(ValueError):
    """What was entered cannot be used, and nothing has changed. `faults` has a sentence for each field."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(", ".join(faults))  # the sentences may say what is on file
        self.faults = dict(faults)


class UnseenWarningsError(Exception):
    """Nothing has changed yet: something should be known first. `warnings` has a sentence by a name for it."""

    def __init__(self, warnings: Mapping[str, str]) -> None:
        super().__init__(", ".join(warnings))
        self.warnings = dict(warnings)


def cells_of(patient: Patient) -> dict[str, str]:
    """The record as the fields of a form hold it."""
    return {
        "name": patient.name,
        "birth_date": patient.birth_date.isoformat() if patient.birth_date else "",
        "phone": patient.phone or "",
        "email": patient.email or "",
        "channel": patient.channel.value,
        "language": patient.language,
        "timezone": patient.timezone,
        "mobility": patient.mobility.value,
        "exercise_days": ";".join(day.name.lower() for day in sorted(patient.exercise_days)),
    }


def typed_over(cells: Mapping[str, str], was_shown: WasShown | None) -> dict[str, str]:
    """The fields that somebody changed in a form; without `was_shown`, all of them."""
    return {
        name: cells[name]
        for name in FIELDS
        if name in cells and (was_shown is None or not was_shown(name, cells[name].strip()))
    }


def change(
    store: Store,
    rules: Rules,
    about: Deciding,
    cells: Mapping[str, str],
    *,
    was_shown: WasShown | None = None,
    seen: Set[str] = frozenset(),
) -> tuple[str, ...]:
    """Write the fields that `cells` changes, and plan by them; returns their names.

    With `was_shown`, a field that still says what the form showed is left alone, and one that somebody else has
    changed since is refused. Another number must be confirmed anew where the clinic wants that. What waits to go
    follows. Raises `UnknownPatientError`, `ContactDataError`, and `UnseenWarningsError` for what is not among `seen`.
    """
    clinic = about.clinic
    with store.writing() as unit:
        loaded = load_by_mrn(unit, rules, clinic, about.mrn, about.now)
        before = loaded.patient
        on_file, typed = cells_of(before), typed_over(cells, was_shown)
        overtaken = {
            name: _changed_to(name, on_file[name])
            for name in typed
            if was_shown is not None and not was_shown(name, on_file[name])
        }
        try:
            draft = _draft(rules, clinic, before, {**on_file, **typed}, about)
        except ContactDataError as error:
            raise ContactDataError({**error.faults, **overtaken}) from None
        bad = unit.numbers.bad_of(clinic.id, [before.id]).get(before.id, frozenset())
        after = at_other_addresses(before, _changed(before, draft, clinic), bad=bad)
        names = tuple(name for name in FIELDS if getattr(before, name) != getattr(after, name))
        if not names:
            return ()
        if overtaken := {name: said for name, said in overtaken.items() if name in names}:
            raise ContactDataError(overtaken)
        warnings = _warnings(unit, before, after)
        if warnings.keys() - seen:
            raise UnseenWarningsError(warnings)
        enrolled = loaded.situation.enrolments
        decided = replanned(unit, rules, clinic, before, after, enrolled, now=about.now)
        unit.patients.update([after], now=about.now)
        write_changes(unit, rules, [decided], now=about.now)
        close_settled(unit, before, after, now=about.now)
        entry = (clinic.id, "patient updated", before.id, ",".join(names))
        unit.installation.audit([entry], actor=about.by, now=about.now)
        return names


def _warnings(unit: Unit, before: Patient, after: Patient) -> dict[str, str]:
    """What should be known of another number or address."""
    found: dict[str, str] = {}
    for channel, name in ADDRESSES.items():
        address = getattr(after, name)
        if address is not None and address != getattr(before, name):
            found |= address_warnings(unit, after.clinic_id, channel, address, but=after.id)
    return found


def _changed_to(field: str, value: str) -> str:
    """What is said where somebody else has changed the same field meanwhile."""
    if field == "exercise_days":
        value = value.replace(";", ", ")
    elif field == "mobility":
        value = value.replace("_", " ")
    was = f"changed to {value}" if value else "emptied"
    return f"since you opened this page it was {was}; save again to put yours in its place, or enter theirs"


def _draft(rules: Rules, clinic: Clinic, before: Patient, cells: Mapping[str, str], about: Deciding) -> PatientDraft:
    faults = {name: "that is too long" for name, text in cells.items() if len(text) > _LONGEST}
    if faults:
        raise ContactDataError(faults)
    # A number that is on file already was checked when it came.
    is_known = cells["phone"].strip() == (before.phone or "") or clinic.is_sample
    defaults = IntakeDefaults(
        country=clinic.country,
        phone_check=PhoneCheck.POSSIBLE if is_known else PhoneCheck.VALID,
        pathway_names=frozenset(rules.pathways),
        today=local_date(about.now, ZoneInfo(clinic.timezone)),
    )
    given = {"mrn": _ANY_MRN, **cells}
    # Texts that a patient agreed to must not go to a landline.
    if before.sms_consent and cells["phone"].strip():
        given["sms_consent"] = "yes"
    draft = draft_from_cells(given, defaults=defaults)
    if isinstance(draft, Rejected):
        raise ContactDataError({error.column: error.reason for error in draft.errors})
    if any(warning.column == "phone" for warning in draft.warnings):
        raise ContactDataError({"phone": "this is a landline, which gets no texts; give a mobile number"})
    if not draft.exercise_days:
        raise ContactDataError({"exercise_days": "choose at least one day"})
    return draft


def _changed(before: Patient, draft: PatientDraft, clinic: Clinic) -> Patient:
    return replace(
        before,
        name=draft.name,
        birth_date=draft.birth_date,
        phone=draft.phone,
        email=draft.email,
        channel=draft.channel or before.channel,
        language=draft.language or clinic.language,
        timezone=draft.timezone or clinic.timezone,
        mobility=draft.mobility or before.mobility,
        exercise_days=draft.exercise_days or EVERY_DAY,
    )
