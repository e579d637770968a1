"""Erasing a patient: on request, or because the clinic may keep the record no longer."""

from __future__ import annotations

from collections.abc import Mapping

from scheduler.ports import Store
from scheduler.services.care import CareError, Deciding
from scheduler.services.situations import UnknownPatientError


def erase(store: Store, about: Deciding) -> Mapping[str, int]:
    """Delete all that is on file about a patient, for good; returns how many rows of which table.

    What stays says nothing about whom: the audit trail, when consent was given and taken back, and counts in reports.
    Raises `CareError` while a message is on its way to them, and `UnknownPatientError`; nothing has changed then.
    """
    with store.writing() as unit:
        patient = unit.patients.by_mrn(about.clinic.id, [about.mrn], lock=True).get(about.mrn)
        if patient is None:
            raise UnknownPatientError(about.mrn, about.clinic)
        if unit.erasing.is_on_its_way(patient):
            raise CareError(
                f"a message to {about.mrn} is on its way just now, and nobody could tell what became of it; "
                "try again in a few minutes"
            )
        gone = unit.erasing.erase(patient, now=about.now)
        unit.installation.audit([(about.clinic.id, "patient erased", patient.id, "")], actor=about.by, now=about.now)
    return gone
