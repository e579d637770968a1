"""What staff decide about one patient's reminders: a pause, going on, another time of day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from scheduler.domain.people import PatientStatus
from scheduler.domain.reacting import reopen
from scheduler.domain.wishes import at_another_time
from scheduler.ports import Store, Unit
from scheduler.records import Clinic, Patient
from scheduler.services.refusals import RefusedError
from scheduler.services.rules import Rules
from scheduler.services.situations import Loaded, load_by_mrn, write

LONGEST_PAUSE = timedelta(days=366)


class CareError(RefusedError):
    """It cannot be done for this patient. The text says why and what to do; `field` is what of a form is wrong."""


@dataclass(frozen=True, slots=True)
class Deciding:
    """Who decides about which patient, and when (UTC). `by` is a member of staff's e-mail address, or `patient`."""

    clinic: Clinic
    mrn: str
    by: str
    now: datetime


def pause(store: Store, rules: Rules, about: Deciding, *, until: date | None) -> None:
    """Nothing goes until that date (the patient's; exclusive), or with None until staff lift the pause.

    Raises `CareError` and `UnknownPatientError`.
    """
    with store.writing() as unit:
        loaded = load_by_mrn(unit, rules, about.clinic, about.mrn, about.now)
        pause_held(unit, rules, loaded, about, until=until)
        gate = unit.pages.gate(about.clinic.id, loaded.patient.id)
        if gate.paused_on is not None:  # from now on the pause is not the patient's to lift
            unit.pages.keep_gate(replace(gate, paused_on=None, paused_until=None))


def pause_held(unit: Unit, rules: Rules, loaded: Loaded, about: Deciding, *, until: date | None) -> None:
    """As `pause`, inside the caller's transaction, which holds the patient. Raises `CareError`."""
    today = loaded.situation.today
    if loaded.patient.status not in (PatientStatus.ACTIVE, PatientStatus.PAUSED):
        raise CareError(f"reminders of this patient are {loaded.patient.status.value}; there is nothing to pause")
    if until is not None and not today < until <= today + LONGEST_PAUSE:
        raise CareError("a pause ends on a day after today, within a year; without a day it lasts until lifted")
    paused = replace(loaded.patient, status=PatientStatus.PAUSED, paused_until=until)
    after = loaded.with_patient(paused)
    write(unit, rules, after, after.situation.unchanged())
    _note(unit, about, loaded.patient, f"paused until {until}" if until else "paused")


def resume(store: Store, rules: Rules, about: Deciding) -> None:
    """Lift a pause: what waited is due from the next day on. Raises `CareError` and `UnknownPatientError`."""
    with store.writing() as unit:
        resume_held(unit, rules, load_by_mrn(unit, rules, about.clinic, about.mrn, about.now), about)


def resume_held(unit: Unit, rules: Rules, loaded: Loaded, about: Deciding) -> None:
    """As `resume`, inside the caller's transaction, which holds the patient. Raises `CareError`."""
    if loaded.patient.status is not PatientStatus.PAUSED:
        raise CareError("reminders of this patient are not paused")
    after = loaded.with_patient(replace(loaded.patient, status=PatientStatus.ACTIVE, paused_until=None))
    write(unit, rules, after, reopen(after.situation))
    gate = unit.pages.gate(about.clinic.id, loaded.patient.id)
    if gate.paused_on is not None:
        unit.pages.keep_gate(replace(gate, paused_on=None, paused_until=None))
    _note(unit, about, loaded.patient, "pause lifted")


def set_contact_time(store: Store, rules: Rules, about: Deciding, at: time) -> None:
    """Send the patient's reminders at this time of their day, from the next one on.

    Raises `CareError` and `UnknownPatientError`.
    """
    with store.writing() as unit:
        loaded = load_by_mrn(unit, rules, about.clinic, about.mrn, about.now)
        change = at_another_time(loaded.situation, at)
        if change is None:
            window = about.clinic.window
            raise CareError(
                f"{at:%H:%M} is outside the hours in which the clinic writes: {window.start:%H:%M} to "
                f"{window.end:%H:%M}"
            )
        changed = replace(loaded.patient, contact_time=change.contact.contact_time)
        unit.patients.update([changed], now=about.now)
        write(unit, rules, loaded, change)
        _note(unit, about, loaded.patient, f"contact time {at:%H:%M}")


def _note(unit: Unit, about: Deciding, patient: Patient, what: str) -> None:
    unit.installation.audit([(about.clinic.id, "reminders changed", patient.id, what)], actor=about.by, now=about.now)
