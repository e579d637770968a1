"""Opening a patient's own page: whose link it is, and the year of birth that is asked for before anything is shown.

A try counts before it is judged: of many that come at once, none gets past the lock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from scheduler.domain.patient_page import FREE_TRIES, locked_for
from scheduler.ports import Store
from scheduler.records import Clinic, Patient
from scheduler.services.links import Links

BY_PAGE = "patient"  # the actor of what is decided there


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose link it is. Whoever holds it may be anybody."""

    clinic: Clinic
    patient: Patient


class Tried(StrEnum):
    """What a try at the year of birth came to."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"  # too many were wrong; none is taken for a while
    UNKNOWN = "unknown"  # the clinic has no date of birth to compare with


@dataclass(frozen=True, slots=True)
class Try:
    """The outcome, and after a wrong one how many are left before the lock."""

    tried: Tried
    left: int = 0


def bearer_of(store: Store, links: Links, token: str, *, now: datetime) -> Bearer | None:
    """Whose page this token leads to at `now` (UTC); None when it is not ours, has run out, or was taken back."""
    meant = links.paged(token)
    if meant is None or now.astimezone(UTC).date() > meant[1]:
        return None
    with store.reading() as unit:
        patient = unit.pages.by_key(meant[0])
        clinic = unit.installation.clinics().get(patient.clinic_id) if patient is not None else None
    return Bearer(clinic, patient) if clinic is not None and patient is not None else None


def is_locked(store: Store, bearer: Bearer, *, now: datetime) -> bool:
    """Whether no year may be tried at `now` (UTC)."""
    with store.reading() as unit:
        gate = unit.pages.gate(bearer.clinic.id, bearer.patient.id)
    return gate.locked_until is not None and now < gate.locked_until


def try_year(store: Store, bearer: Bearer, year: int, *, now: datetime) -> Try:
    """Whether the patient was born in that year. `now` is real time (UTC), by which locks end."""
    clinic_id, patient_id = bearer.clinic.id, bearer.patient.id
    with store.writing() as unit:
        patient = unit.patients.get(clinic_id, patient_id, lock=True)
        if patient is None or patient.birth_date is None:
            return Try(Tried.UNKNOWN)
        gate = unit.pages.gate(clinic_id, patient_id)
        if gate.locked_until is not None and now < gate.locked_until:
            return Try(Tried.LOCKED)
        if patient.birth_date.year == year:
            if gate.failures:
                unit.pages.keep_gate(replace(gate, failures=0, locked_until=None))
            unit.installation.audit([(clinic_id, "page opened", patient_id, "")], actor=BY_PAGE, now=now)
            return Try(Tried.RIGHT)
        failures = gate.failures + 1
        lock = locked_for(failures)
        unit.pages.keep_gate(replace(gate, failures=failures, locked_until=now + lock if lock else None))
        if not lock:
            return Try(Tried.WRONG, FREE_TRIES - failures)
        said = f"{failures} wrong years of birth in a row"
        unit.installation.audit([(clinic_id, "page locked", patient_id, said)], actor=BY_PAGE, now=now)
    return Try(Tried.LOCKED)
