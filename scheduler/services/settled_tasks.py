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

    What asks for a number or address to be checked is settled when one was corrected, or found to be right, and none
    on file is marked; what asks for a way to reach the patient, when there is one that may be used.
    """
    was_corrected = (before.phone, before.email) != (after.phone, after.email) or bool(_found_right(before, after))
    is_bad = (after.phone is not None and after.phone_bad) or (after.email is not None and after.email_bad)
    if was_corrected and not is_bad:
        yield ServiceTask.CHECK_NUMBER
        yield ServiceTask.WRONG_NUMBER
    if before.phone != after.phone:  # the new one is asked about anew
        yield ServiceTask.CONFIRM_NUMBER
    has_phone = after.phone is not None and not after.phone_bad and after.sms_consent
    has_email = after.email is not None and not after.email_bad and after.email_consent
    if has_phone or has_email:
        yield ServiceTask.NO_CHANNEL


def why_settled(before: Patient, after: Patient) -> str:
    """What has changed, for the resolution of a task; no number and no address is in it."""
    what = [f"the {name} was {_fate(old, new)}" for name, old, new in _addresses(before, after) if old != new]
    what += [f"the {name} was confirmed" for name in _found_right(before, after)]
    agreed = [
        name
        for name, old, new in (
            ("texts", before.sms_consent, after.sms_consent),
            ("e-mail", before.email_consent, after.email_consent),
        )
        if new and not old
    ]
    what += [f"the patient agreed to {name}" for name in agreed]
    return "; ".join(what)


def _fate(old: str | None, new: str | None) -> str:
    if new is None:
        return "taken away"
    return "corrected" if old is not None else "added"


def _addresses(before: Patient, after: Patient) -> tuple[tuple[str, str | None, str | None], ...]:
    return ("phone number", before.phone, after.phone), ("e-mail address", before.email, after.email)


def _found_right(before: Patient, after: Patient) -> list[str]:
    """What was marked, and is right after all."""
    marks = (before.phone_bad, after.phone_bad), (before.email_bad, after.email_bad)
    return [
        name
        for (name, old, new), (was_bad, is_bad) in zip(_addresses(before, after), marks, strict=True)
        if old is not None and old == new and was_bad and not is_bad
    ]


def close_settled(unit: Unit, before: Patient, after: Patient, *, now: datetime) -> None:
    """Close the tasks that a change of the record settles. Nobody has anything left to do for one who has died."""
    if after.status is PatientStatus.DECEASED:
        unit.worklist.close_all_of(after.clinic_id, after.id, now=now, words="the patient has died")
        return
    causes = [cause(after.id, kind) for kind in settled_by(before, after)]
    unit.worklist.close(after.clinic_id, causes, now=now, words=why_settled(before, after))
