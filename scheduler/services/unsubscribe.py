"""The unsubscribe link of an e-mail (RFC 8058): its bearer takes back consent to e-mail, nothing else.

The link never ends and works any number of times. Its bearer cannot begin the e-mails again, because mails are passed
on: for that the patient writes from their own address. Only a press that has just ended them can be taken back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from scheduler.domain.people import Channel, ConsentSource
from scheduler.domain.reacting import reopen
from scheduler.domain.replies.interpret import Meaning
from scheduler.domain.when import local_date
from scheduler.ports import Store, Unit
from scheduler.records import Clinic, Patient
from scheduler.services.carers import end_carers_mail, set_consent
from scheduler.services.consenting import record_consent
from scheduler.services.rules import Rules
from scheduler.services.situations import load, write
from scheduler.services.withdrawing import withdraw

BY_LINK = "patient"  # the actor: only the patient's own mails hold the link
UNDO_FOR = timedelta(minutes=30)  # how long a press can be taken back


class Pressed(StrEnum):
    """What a press on the link or its button came to."""

    ENDED = "ended"  # the e-mails have ended by it
    ALREADY = "already"  # they had ended before
    GONE = "gone"  # there is no such patient any more


def subscriber(store: Store, *, clinic_id: int, patient_id: UUID) -> tuple[Clinic, Patient] | None:
    """Whose link it is, a patient's or a carer's; None when they are no longer here. Changes nothing."""
    with store.reading() as unit:
        clinic = unit.installation.clinics().get(clinic_id)
        patient = unit.patients.get(clinic_id, patient_id) if clinic is not None else None
        if clinic is not None and patient is None:
            patient = _as_their_carer(unit, clinic_id, patient_id)
    return (clinic, patient) if clinic is not None and patient is not None else None


def _as_their_carer(unit: Unit, clinic_id: int, carer_id: UUID) -> Patient | None:
    """Whose carer's link it is, with what the page shows: the carer's language, and consent to e-mail."""
    carer = unit.carers.get(clinic_id, carer_id)
    patient = unit.patients.get(clinic_id, carer.patient_id) if carer is not None else None
    if carer is None or patient is None:
        return None
    is_on = carer.consent and carer.channel is Channel.EMAIL
    return replace(patient, id=carer.id, language=carer.language, email_consent=is_on)


def unsubscribe(
    store: Store, rules: Rules, *, clinic_id: int, patient_id: UUID, wording: str, now: datetime
) -> Pressed:
    """Revoke consent to e-mail at `now` (UTC); again changes nothing. `wording` is what the patient agreed to.

    What is planned for the mailbox falls at its last look, or goes by text where there is consent to texts.
    """
    with store.writing() as unit:
        clinic = unit.installation.clinics().get(clinic_id)
        if clinic is None:
            return Pressed.GONE
        carer = unit.carers.get(clinic_id, patient_id)
        if carer is not None:
            has_ended = end_carers_mail(
                unit, rules, clinic_id, carer.patient_id, source=ConsentSource.UNSUBSCRIBE, now=now
            )
            return Pressed.ENDED if has_ended else Pressed.ALREADY
        if unit.patients.get(clinic_id, patient_id, lock=True) is None:
            return Pressed.GONE
        has_ended = revoke(
            unit, rules, clinic, patient_id, source=ConsentSource.UNSUBSCRIBE, wording=wording, now=now
        )
    return Pressed.ENDED if has_ended else Pressed.ALREADY


def revoke(
    unit: Unit, rules: Rules, clinic: Clinic, patient_id: UUID, *, source: ConsentSource, wording: str, now: datetime
) -> bool:
    """Take back consent to e-mail, inside the caller's transaction. False when there is none, or no such patient."""
    loaded = load(unit, rules, clinic, patient_id, now)
    if loaded is None or not loaded.patient.email_consent:
        return False
    withdraw(unit, rules, loaded, Channel.EMAIL, source=source, by=BY_LINK, now=now, wording=wording)
    return True


def take_back(
    store: Store, rules: Rules, *, clinic_id: int, patient_id: UUID, pressed_at: datetime, wording: str, now: datetime
) -> bool:
    """Give consent to e-mail again that a press at `pressed_at` (UTC) took back by mistake.

    False when that is too long ago, or the patient has asked to stop since, or there is nothing to take back.
    """
    if not pressed_at <= now <= pressed_at + UNDO_FOR:
        return False
    with store.writing() as unit:
        clinic = unit.installation.clinics().get(clinic_id)
        carer = unit.carers.get(clinic_id, patient_id) if clinic is not None else None
        if clinic is not None and carer is not None:
            on = local_date(now, ZoneInfo(clinic.timezone))
            source = ConsentSource.UNSUBSCRIBE
            return set_consent(
                unit, rules, clinic, carer, granted=True, source=source, given_on=on, by=BY_LINK, now=now
            )
        loaded = load(unit, rules, clinic, patient_id, now) if clinic is not None else None
        if loaded is None or loaded.patient.email_consent:
            return False
        since = unit.inbox.replies(clinic_id, mrn=loaded.patient.mrn, since=pressed_at)
        if any(reply.meaning in (None, Meaning.STOP) for reply in since):
            return False
        patient = record_consent(
            unit,
            loaded.patient,
            Channel.EMAIL,
            granted=True,
            source=ConsentSource.UNSUBSCRIBE,
            given_on=loaded.situation.today,
            by=BY_LINK,
            now=now,
            wording=wording,
        )
        after = loaded.with_patient(patient)
        write(unit, rules, after, reopen(after.situation))
    return True
