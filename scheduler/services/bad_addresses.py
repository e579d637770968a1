"""Marking a number or address, and what that makes of its patient."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from scheduler.domain.numbers import WhyBad
from scheduler.domain.people import CarerMode, Channel, PatientStatus
from scheduler.ports import SERVICE, Unit
from scheduler.records import Patient


def without_address(unit: Unit, patient: Patient, channel: Channel, *, why: WhyBad, now: datetime) -> Patient:
    """Mark the patient's present number or address. Returns the patient after it; writes the mark, not the status."""
    address = patient.address(channel)
    if address is None:
        return patient
    unit.numbers.mark_bad(patient.clinic_id, patient.id, channel, address, why=why, now=now)
    is_sms = channel is Channel.SMS
    return with_status_of_addresses(
        replace(patient, phone_bad=patient.phone_bad or is_sms, email_bad=patient.email_bad or not is_sms)
    )


def not_theirs(unit: Unit, patient: Patient, channel: Channel, address: str, *, now: datetime) -> Patient:
    """Whoever has `address` is not the patient. As `without_address`, if it is still the one on file."""
    entry = (patient.clinic_id, "number suspended", patient.id, f"{channel.value}, {WhyBad.NOT_THEIRS.value}")
    unit.installation.audit([entry], actor=SERVICE, now=now)
    present = patient.address(channel)
    if present is not None and present.lower() == address.lower():
        return without_address(unit, patient, channel, why=WhyBad.NOT_THEIRS, now=now)
    unit.numbers.mark_bad(patient.clinic_id, patient.id, channel, address, why=WhyBad.NOT_THEIRS, now=now)
    return patient


def with_status_of_addresses(patient: Patient) -> Patient:
    """Who has neither a number nor an address that may be used is unreachable; who has one again is not.

    A carer in the patient's place can be reached for them.
    """
    has_carer = patient.carer_mode is CarerMode.INSTEAD
    has_phone = patient.phone is not None and not patient.phone_bad
    has_email = patient.email is not None and not patient.email_bad
    is_marked = (patient.phone is not None and patient.phone_bad) or (patient.email is not None and patient.email_bad)
    if patient.status is PatientStatus.UNREACHABLE and (has_phone or has_email or has_carer):
        return replace(patient, status=PatientStatus.ACTIVE)
    if patient.status is PatientStatus.ACTIVE and is_marked and not (has_phone or has_email or has_carer):
        return replace(patient, status=PatientStatus.UNREACHABLE)
    return patient
