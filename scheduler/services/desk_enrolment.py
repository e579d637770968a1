"""Enrolling one patient at the desk: every fault beside its field, and what is worth knowing before it is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from scheduler.domain.people import TOLD_TO_STAFF, Channel, ConsentSource
from scheduler.domain.when import local_date
from scheduler.ports import Store, Unit
from scheduler.records import Clinic, Patient
from scheduler.services.address_warnings import ADDRESSES, WHAT, address_warnings
from scheduler.services.enrol import Enroller, Fate
from scheduler.services.intake.assemble import draft_from_cells
from scheduler.services.intake.draft import IntakeDefaults, PatientDraft, PhoneCheck, Rejected
from scheduler.services.intake.fields import COLUMNS
from scheduler.services.merging import Learnt
from scheduler.services.rules import Rules

LONGEST = 1_000  # characters that any field may have; names and numbers have shorter bounds of their own
_MISSING = {"mrn": "Enter the record number.", "name": "Enter the patient's name."}
TAKEN = "A patient of this clinic has this record number already."


@dataclass(frozen=True, slots=True)
class Words:
    """What is read to a patient who is asked to agree to a channel. `mark` names exactly these words for ever."""

    mark: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPatient:
    """A patient as somebody at the desk typed them.

    `cells` are texts by CSV column, without those of consent. `agreed` holds, for each channel that was ticked, the
    mark of the words that stood beside it; `words` are those that should have stood there. `seen` are the warnings
    that were shown before.
    """

    cells: Mapping[str, str]
    agreed: Mapping[Channel, str] = field(default_factory=dict)
    told: str = ""  # how the clinic was told of it
    agreed_on: str = ""  # YYYY-MM-DD; empty: today
    words: Mapping[Channel, Words] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What is wrong, by the name of its field, and what should be known, by a name for it."""

    draft: PatientDraft | None
    errors: Mapping[str, str]
    warnings: Mapping[str, str]
    is_known: bool = False  # the clinic has this very patient already, as typed
    is_taken: bool = False  # the clinic has somebody else by this record number


class DeskEnrolment:
    """Enrols patients of one clinic at `now` (UTC); `by` is the e-mail address of a member of staff."""

    def __init__(self, store: Store, rules: Rules, clinic: Clinic, *, by: str, now: datetime) -> None:
        self._store = store
        self._rules = rules
        self._clinic = clinic
        self._by = by
        self._now = now

    def check(self, new: NewPatient) -> Checked:
        """What would be said to it. Changes nothing."""
        with self._store.reading() as unit:
            return self._check(unit, new)

    def enrol(self, new: NewPatient) -> Checked:
        """Enrol the patient, unless something is wrong or a warning has not been seen yet; both are returned.

        The same form sent again enrols nobody a second time.
        """
        with self._store.writing() as unit:
            unit.desk.hold(self._clinic.id)
            checked = self._check(unit, new)
            if checked.draft is None or checked.errors or checked.is_known or checked.warnings.keys() - new.seen:
                return checked
            self._enroller(new).enrol(unit, [checked.draft])
            self._keep_words(unit, new, checked.draft)
            return checked

    # What is wrong

    def _check(self, unit: Unit, new: NewPatient) -> Checked:
        errors = dict(_too_long(new.cells))
        # The form speaks of every field, also of those that were left empty.
        row = draft_from_cells(_cells(new, but=set(errors)), defaults=self._defaults(), given=frozenset(COLUMNS))
        draft = row if isinstance(row, PatientDraft) else None
        for error in row.errors if isinstance(row, Rejected) else ():
            is_missing = not error.value and error.column in _MISSING
            errors.setdefault(
                error.column, _MISSING[error.column] if is_missing else said(error.column, error.reason)
            )
        errors |= self._consent_errors(new, draft)
        mrn = draft.mrn if draft else row.mrn
        known = unit.patients.by_mrn(self._clinic.id, [mrn]).get(mrn) if mrn else None
        is_same = bool(known and draft and not errors and self._is_same(unit, new, draft))
        if known and not is_same:
            errors.setdefault("mrn", TAKEN)
        return Checked(
            draft=None if errors else draft,
            errors={name: errors[name] for name in sorted(errors, key=_place)},
            warnings={} if is_same else self._warnings(unit, new, draft, known),
            is_known=is_same,
            is_taken=known is not None and not is_same,
        )

    def _defaults(self) -> IntakeDefaults:
        return desk_defaults(self._rules, self._clinic, now=self._now)

    def _consent_errors(self, new: NewPatient, draft: PatientDraft | None) -> Iterator[tuple[str, str]]:
        for channel, mark in new.agreed.items():
            column = f"{channel}_consent"
            if mark != new.words[channel].mark:
                yield (
                    column,
                    "The words have changed with the language. Read them out as they are now, and tick again.",
                )
            elif not new.cells.get(ADDRESSES[channel], "").strip():
                yield column, f"There is no {WHAT[channel]} to agree to. Enter one, or leave this unticked."
            elif draft is not None and getattr(draft, column) is None:
                yield column, "This number is a landline, which gets no texts. Untick this, or enter a mobile number."
        if new.agreed and new.told not in TOLD_TO_STAFF:
            yield "consent_source", "Choose how they told you."
        if draft and draft.consent_date and draft.birth_date and draft.consent_date < draft.birth_date:
            yield "consent_date", "This is before the patient's birth. Look for a wrong year."

    def _is_same(self, unit: Unit, new: NewPatient, draft: PatientDraft) -> bool:
        fates = self._enroller(new).enrol(unit, [draft], write=False)
        return fates[Fate.UNCHANGED] == 1

    # What should be known

    def _warnings(
        self, unit: Unit, new: NewPatient, draft: PatientDraft | None, known: Patient | None
    ) -> dict[str, str]:
        warnings: dict[str, str] = {}
        if draft is None:
            return warnings
        for warning in draft.warnings:
            if warning.column != "phone":  # a landline with consent to texts is refused here
                warnings[warning.column] = said(warning.column, warning.reason)
        for channel, name in ADDRESSES.items():
            address = getattr(draft, name)
            if address is not None:
                but = known.id if known else None
                warnings |= address_warnings(unit, self._clinic.id, channel, address, but=but)
        return warnings

    # Doing it

    def _enroller(self, new: NewPatient) -> Enroller:
        source = ConsentSource(new.told) if new.told in TOLD_TO_STAFF else ConsentSource.STAFF
        learnt = Learnt(source, {channel: new.words[channel].mark for channel in new.agreed})
        return Enroller(self._rules, self._clinic, now=self._now, by=self._by, learnt=learnt)

    def _keep_words(self, unit: Unit, new: NewPatient, draft: PatientDraft) -> None:
        (patient,) = unit.patients.by_mrn(self._clinic.id, [draft.mrn]).values()
        for channel in new.agreed:
            words = new.words[channel]
            unit.desk.keep_wording(self._clinic.id, words.mark, words.text, now=self._now)
            entry = (self._clinic.id, "consent granted", patient.id, f"{channel.value}, {new.told}")
            unit.installation.audit([entry], actor=self._by, now=self._now)


def desk_defaults(rules: Rules, clinic: Clinic, *, now: datetime) -> IntakeDefaults:
    """What reading a patient's record takes from the clinic. Made-up numbers are let through in the sample alone."""
    return IntakeDefaults(
        country=clinic.country,
        phone_check=PhoneCheck.POSSIBLE if clinic.is_sample else PhoneCheck.VALID,
        pathway_names=frozenset(rules.pathways),
        today=local_date(now, ZoneInfo(clinic.timezone)),
    )


def said(column: str, reason: str) -> str:
    """A reason of the intake as a sentence beside its field."""
    if column == "channel" and reason.startswith("the channel is"):
        wanted = "an e-mail address" if "email" in reason else "a phone number"
        return f"This way needs {wanted}. Enter one, or choose another way."
    return reason[:1].upper() + reason[1:] + ("" if reason.endswith((".", "?")) else ".")


def _cells(new: NewPatient, *, but: Set[str]) -> dict[str, str]:
    """The cells of the CSV row that says the same."""
    cells = {name: text for name, text in new.cells.items() if text.strip() and name not in but}
    cells |= {f"{channel}_consent": "yes" for channel in new.agreed}
    if new.agreed and new.agreed_on.strip():
        cells["consent_date"] = new.agreed_on
    return cells


def _too_long(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in cells.items():
        if len(text) > LONGEST:
            yield name, f"This is longer than {LONGEST:,} characters. Look for something pasted by mistake."


_ORDER = (
    "mrn",
    "name",
    "birth_date",
    "phone",
    "email",
    "channel",
    "language",
    "timezone",
    "contact_time",
    "exercise_days",
    "mobility",
    "pathways",
    "risk_factors",
    "sms_consent",
    "email_consent",
    "consent_source",
    "consent_date",
)


def _place(name: str) -> int:
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)
