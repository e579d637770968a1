"""Links to a patient's own page, and discreet wording: what staff decide about them for the patient."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, date

from scheduler.domain.patient_page import LINK_LASTS
from scheduler.domain.people import PatientStatus
from scheduler.ports import Store, Unit
from scheduler.records import Patient
from scheduler.services.care import CareError, Deciding
from scheduler.services.links import Links
from scheduler.services.situations import UnknownPatientError

_KEY_BYTES = 8
_GONE = (PatientStatus.DECEASED, PatientStatus.DISCHARGED)


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link to a patient's own page, and the last day (UTC) on which it leads there."""

    url: str
    expires_on: date


def make_link(store: Store, links: Links, about: Deciding) -> PageLink:
    """A link for the patient. Links made before go on, and a page that was locked opens again.

    Raises `CareError` and `UnknownPatientError`.
    """
    with store.writing() as unit:
        patient = _held(unit, about)
        if patient.status in _GONE:
            raise CareError(f"this patient is {patient.status.value}; there is no page to open")
        _check_birth_date(patient)
        keyed = with_key(patient)
        if keyed is not patient:
            unit.patients.update([keyed], now=about.now)
        unit.pages.keep_gate(replace(unit.pages.gate(patient.clinic_id, patient.id), failures=0, locked_until=None))
        _note(unit, about, patient, "page link made", "")
    expires_on = about.now.astimezone(UTC).date() + LINK_LASTS
    return PageLink(links.page(keyed.page_key or b"", expires_on=expires_on), expires_on)


def end_links(store: Store, about: Deciding) -> None:
    """No link that this patient was ever given leads anywhere. Raises `CareError` and `UnknownPatientError`."""
    with store.writing() as unit:
        patient = _held(unit, about)
        if patient.page_key is None:
            raise CareError("this patient has no link to their page; there is nothing to end")
        unit.patients.update([replace(patient, page_key=new_key() if patient.is_discreet else None)], now=about.now)
        _note(unit, about, patient, "page links ended", "")


def set_discreet(store: Store, about: Deciding, *, discreet: bool) -> None:
    """Whether the patient's messages say only that there is one. Raises `CareError` and `UnknownPatientError`."""
    with store.writing() as unit:
        patient = _held(unit, about)
        if discreet:
            _check_birth_date(patient)
        change_discreet(unit, about, patient, discreet=discreet)


def change_discreet(unit: Unit, about: Deciding, patient: Patient, *, discreet: bool) -> None:
    """As `set_discreet`, inside the caller's transaction, which holds the patient."""
    if patient.is_discreet == discreet:
        return
    unit.patients.update([replace(with_key(patient), is_discreet=discreet)], now=about.now)
    _note(unit, about, patient, "wording changed", "discreet" if discreet else "in full")


def with_key(patient: Patient) -> Patient:
    """The patient, whose page has a key."""
    return patient if patient.page_key is not None else replace(patient, page_key=new_key())


def new_key() -> bytes:
    """A key that no page has had."""
    return os.urandom(_KEY_BYTES)


def _check_birth_date(patient: Patient) -> None:
    if patient.birth_date is None:
        raise CareError(
            "the record has no date of birth, and the page asks for its year before it shows anything",
            command="; add the date with `bonewise enrol --birth-date` or the next import",
            page="; add the date under “Contact”",
        )


def _held(unit: Unit, about: Deciding) -> Patient:
    found = unit.patients.by_mrn(about.clinic.id, [about.mrn], lock=True).get(about.mrn)
    if found is None:
        raise UnknownPatientError(about.mrn, about.clinic)
    return found


def _note(unit: Unit, about: Deciding, patient: Patient, action: str, detail: str) -> None:
    unit.installation.audit([(about.clinic.id, action, patient.id, detail)], actor=about.by, now=about.now)
