"""One-click unsubscribe from e-mail (RFC 8058): the link's bearer takes back consent to e-mail, nothing else."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from scheduler.domain.people import Channel, ConsentSource
from scheduler.ports import Store
from scheduler.records import Clinic, Patient
from scheduler.services.consenting import record_consent
from scheduler.services.rules import Rules
from scheduler.services.situations import load, write

BY_LINK = "patient"  # the actor: only the patient's own mails hold the link


def subscriber(store: Store, *, clinic_id: int, patient_id: UUID) -> tuple[Clinic, Patient] | None:
    """Whose link it is; None when the clinic or the patient is no longer here. Changes nothing."""
    with store.reading() as unit:
        clinic = unit.installation.clinics().get(clinic_id)
        patient = unit.patients.get(clinic_id, patient_id) if clinic is not None else None
    return (clinic, patient) if clinic is not None and patient is not None else None


def unsubscribe(store: Store, rules: Rules, *, clinic_id: int, patient_id: UUID, now: datetime) -> bool:
    """Revoke consent to e-mail at `now` (UTC). False when there is no such patient; again changes nothing.

    What is planned for the mailbox falls at its last look, or goes by text where there is consent to texts.
    """
    with store.writing() as unit:
        clinic = unit.installation.clinics().get(clinic_id)
        loaded = load(unit, rules, clinic, patient_id, now) if clinic is not None else None
        if loaded is None:
            return False
        if not loaded.patient.email_consent:
            return True
        patient = record_consent(
            unit,
            loaded.patient,
            Channel.EMAIL,
            granted=False,
            source=ConsentSource.UNSUBSCRIBE,
            given_on=loaded.situation.today,
            by=BY_LINK,
            now=now,
        )
        after = loaded.with_patient(patient)
        write(unit, rules, after, after.situation.unchanged())
    return True
