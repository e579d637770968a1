"""Tasks that close by themselves, because what a patient's record now says settles them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from scheduler.domain.people import PatientStatus
from scheduler.domain.tasks import ServiceTask
from scheduler.ports import Unit
from scheduler.records import Patient
from scheduler.services.new_tasks import cause


def settled_by(before: Patient, after: Patient) -> Iterator[ServiceTask]:
    """The kinds of task that a change of the record settles.

    What asks for a number or address to be checked is settled when one was corrected and none on file is known to be
    bad; what asks for a way to reach the patient, when there is one that may be used.
    """
    was_corrected = (before.phone, before.email) != (after.phone, after.email)
    is_bad = (after.phone is not None and after.phone_bad) or (after.email is not None and after.email_bad)
    if was_corrected and not is_bad:
        yield ServiceTask.CHECK_NUMBER
        yield ServiceTask.CONFIRM_NUMBER
        yield ServiceTask.WRONG_NUMBER
    has_phone = after.phone is not None and not after.phone_bad and after.sms_consent
    has_email = after.email is not None and not after.email_bad and after.email_consent
    if has_phone or has_email:
        yield ServiceTask.NO_CHANNEL


def close_settled(unit: Unit, before: Patient, after: Patient, *, now: datetime) -> None:
    """Close the tasks that a change of the record settles. Nobody has anything left to do for one who has died."""
    if after.status is PatientStatus.DECEASED:
        unit.worklist.close_all_of(after.clinic_id, after.id, now=now, words="the patient has died")
        return
    causes = [cause(after.id, kind) for kind in settled_by(before, after)]
    unit.worklist.close(after.clinic_id, causes, now=now)
