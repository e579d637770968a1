"""One patient loaded for a decision, and the decision written: what use cases about one patient have in common."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from scheduler.domain.contact import Change
from scheduler.domain.reacting import Situation
from scheduler.ports import Unit
from scheduler.records import Clinic, Patient
from scheduler.services.changes import Decided, write_changes
from scheduler.services.rules import Rules


class UnknownPatientError(LookupError):
    """No such patient in the clinic."""

    def __init__(self, mrn: str, clinic: Clinic) -> None:
        super().__init__(f"clinic {clinic.code} has no patient with MRN {mrn}; `bonewise patients` lists them")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A patient, held until the transaction ends, and their situation."""

    clinic: Clinic
    patient: Patient
    situation: Situation

    def with_patient(self, patient: Patient) -> Loaded:
        """The same situation after the patient's record has changed."""
        contact = patient.contact(self.clinic)
        return replace(self, patient=patient, situation=replace(self.situation, contact=contact))


def load(
    unit: Unit, rules: Rules, clinic: Clinic, patient_id: UUID, now: datetime, *, lock: bool = True
) -> Loaded | None:
    """The patient with their enrolments, locked unless told otherwise; None when the clinic has no such patient."""
    patient = unit.patients.get(clinic.id, patient_id, lock=lock)
    if patient is None:
        return None
    enrolled = unit.patients.enrolments([patient_id]).get(patient_id, ())
    return Loaded(clinic, patient, Situation(patient.contact(clinic), enrolled, rules.pathways, now))


def load_by_mrn(unit: Unit, rules: Rules, clinic: Clinic, mrn: str, now: datetime, *, lock: bool = True) -> Loaded:
    """As `load`, by MRN. Raises `UnknownPatientError`."""
    known = unit.patients.by_mrn(clinic.id, [mrn]).get(mrn)
    loaded = load(unit, rules, clinic, known.id, now, lock=lock) if known is not None else None
    if loaded is None:
        raise UnknownPatientError(mrn, clinic)
    return loaded


def write(unit: Unit, rules: Rules, loaded: Loaded, change: Change) -> None:
    """Write what was decided about a loaded patient."""
    decided = Decided(loaded.patient.id, loaded.clinic.id, loaded.situation.enrolments, change)
    write_changes(unit, rules, [decided], now=loaded.situation.now)
