"""Consent: an append-only record per channel, and what it makes of the patient's status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from scheduler.domain.people import Channel, ConsentSource, PatientStatus
from scheduler.ports import Unit
from scheduler.records import Consent, Patient
from scheduler.services.settled_tasks import close_settled

PENDING_FOR = timedelta(days=31)  # what was planned earlier and still waits falls at its last look
_REVOKED = "consent revoked"


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
    action = "consent granted" if granted else _REVOKED
    unit.installation.audit(
        [(patient.clinic_id, action, patient.id, f"{channel.value}, {source.value}")], actor=by, now=now
    )
    after = with_consent(patient, channel, granted=granted)
    if granted:
        close_settled(unit, patient, after, now=now)
    return after


@dataclass(frozen=True, slots=True)
class Revocation:
    """Somebody takes back consent to these channels, on a local date."""

    patient: Patient
    channels: Sequence[Channel]
    source: ConsentSource
    on: date
    topic: str | None = None  # the one pathway that it is about; None: everything
    wording: str | None = None


def revoke_topics(
    unit: Unit, revoked: Sequence[tuple[Revocation, Sequence[UUID]]], *, by: str, now: datetime
) -> None:
    """Append what patients take back for one topic each, and void what is planned for the enrolments on it."""
    for one, enrolments in revoked:
        patient = one.patient
        record = Consent(
            patient_id=patient.id,
            clinic_id=patient.clinic_id,
            channel=Channel.SMS,
            granted=False,
            source=one.source,
            given_on=one.on,
            recorded_by=by,
            topic=one.topic,
            wording=one.wording,
        )
        unit.patients.record_consents([replace(record, channel=each) for each in one.channels], now=now)
        unit.stops.void([(patient.clinic_id, patient.id)], since=now - PENDING_FOR, enrolments=enrolments)
        entry = (patient.clinic_id, _REVOKED, patient.id, f"{one.topic} alone, {one.source.value}")
        unit.installation.audit([entry], actor=by, now=now)


def revoke_all(unit: Unit, revoked: Sequence[Revocation], *, by: str, now: datetime) -> None:
    """Append what patients take back, for many of them at once. None of them has consented to anything afterwards.

    Writes the consent, not the status.
    """
    each = [(one, channel) for one in revoked for channel in one.channels]
    records = [
        Consent(
            patient_id=one.patient.id,
            clinic_id=one.patient.clinic_id,
            channel=channel,
            granted=False,
            source=one.source,
            given_on=one.on,
            recorded_by=by,
        )
        for one, channel in each
    ]
    unit.patients.record_consents(records, now=now)
    unit.patients.clear_consents((one.patient.clinic_id, one.patient.id) for one in revoked)
    entries = [
        (one.patient.clinic_id, _REVOKED, one.patient.id, f"{channel.value}, {one.source.value}")
        for one, channel in each
    ]
    unit.installation.audit(entries, actor=by, now=now)


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
