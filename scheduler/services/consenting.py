"""Consent: an append-only record per channel, and what it makes of the patient's status."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from scheduler.domain.people import Channel, ConsentSource, PatientStatus
from scheduler.ports import Unit
from scheduler.records import Consent, Patient


def record_consent(
    unit: Unit,
    patient: Patient,
    channel: Channel,
    *,
    granted: bool,
    source: ConsentSource,
    given_on: date,
    by: str,
    now: datetime,
    wording: str | None = None,
) -> Patient:
    """Append the record and return the patient as they are after it; writes the consent, not the status.

    A patient who has revoked every channel is stopped; consent on any channel brings them back.
    """
    record = Consent(
        patient_id=patient.id,
        clinic_id=patient.clinic_id,
        channel=channel,
        granted=granted,
        source=source,
        given_on=given_on,
        recorded_by=by,
        wording=wording,
    )
    unit.patients.record_consents([record], now=now)
    unit.patients.set_consent(patient.clinic_id, patient.id, channel, granted=granted)
    action = "consent granted" if granted else "consent revoked"
    unit.installation.audit(
        [(patient.clinic_id, action, patient.id, f"{channel.value}, {source.value}")], actor=by, now=now
    )
    return with_consent(patient, channel, granted=granted)


def with_consent(patient: Patient, channel: Channel, *, granted: bool) -> Patient:
    """The patient after a decision about one channel."""
    after = (
        replace(patient, sms_consent=granted) if channel is Channel.SMS else replace(patient, email_consent=granted)
    )
    if granted and after.status is PatientStatus.STOPPED:
        return replace(after, status=PatientStatus.ACTIVE)
    stoppable = after.status in (PatientStatus.ACTIVE, PatientStatus.PAUSED)
    if not granted and stoppable and not (after.sms_consent or after.email_consent):
        return replace(after, status=PatientStatus.STOPPED, paused_until=None)
    return after
