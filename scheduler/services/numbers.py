"""A number or address that was suspended is right after all: staff say so, and reminders go there again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from scheduler.domain.people import Channel
from scheduler.domain.tasks import ServiceTask
from scheduler.ports import Store, Unit
from scheduler.records import Clinic, Patient
from scheduler.services.bad_addresses import with_status_of_addresses
from scheduler.services.new_tasks import cause
from scheduler.services.reaching import is_reachable, reach_again
from scheduler.services.refusals import RefusedError
from scheduler.services.rules import Rules
from scheduler.services.settled_tasks import close_settled
from scheduler.services.situations import load_by_mrn, write

_VIEWER = "viewer"
_NAMES = {Channel.SMS: "phone number", Channel.EMAIL: "e-mail address"}


class NumberError(RefusedError):
    """The number or address cannot be confirmed. The text says why and what to do."""


def confirm_number(
    store: Store, rules: Rules, clinic: Clinic, *, mrn: str, channel: Channel, by: str, now: datetime
) -> bool:
    """Staff say that the patient's number or address is theirs and works. False: it was in use already.

    Tasks that asked for it close; what the patient missed today goes if its window is still open. Raises
    `UnknownPatientError` and `NumberError`.
    """
    with store.writing() as unit:
        actor = _able(unit, clinic, by)
        loaded = load_by_mrn(unit, rules, clinic, mrn, now)
        before = loaded.patient
        address = before.address(channel)
        if address is None:
            raise NumberError(
                f"{mrn} has no {_NAMES[channel]} on file",
                command=f"; `bonewise enrol` with --mrn {mrn} records one",
                page="; add one under “Contact”",
            )
        if not (before.phone_bad if channel is Channel.SMS else before.email_bad):
            _close_check(unit, before, channel, now=now)
            return False
        after = _unmarked(before, channel)
        unit.numbers.is_right(clinic.id, before.id, channel, address)
        unit.patients.update([after], now=now)
        again = loaded.with_patient(after)
        was_reached = is_reachable(before.contact(clinic)) or not is_reachable(again.situation.contact)
        write(
            unit,
            rules,
            again,
            again.situation.unchanged() if was_reached else reach_again(unit, after, again.situation),
        )
        close_settled(unit, before, after, now=now)
        unit.installation.audit(
            [(clinic.id, "number confirmed", before.id, channel.value)],
            actor=actor,
            now=now,
        )
    return True


def _close_check(unit: Unit, patient: Patient, channel: Channel, *, now: datetime) -> None:
    """A number that was only out of reach for long is in use all the time; staff have looked at it now."""
    if not (patient.phone_bad or patient.email_bad):
        words = f"the {_NAMES[channel]} was confirmed"
        unit.worklist.close(patient.clinic_id, [cause(patient.id, ServiceTask.CHECK_NUMBER)], now=now, words=words)


def _unmarked(patient: Patient, channel: Channel) -> Patient:
    is_sms = channel is Channel.SMS
    return with_status_of_addresses(
        replace(patient, phone_bad=patient.phone_bad and not is_sms, email_bad=patient.email_bad and is_sms)
    )


def _able(unit: Unit, clinic: Clinic, email: str) -> str:
    """The address of somebody who may say so, as it is on record."""
    address = email.strip().lower()
    role = unit.installation.staff_role(clinic.id, address)
    if role is None:
        raise NumberError(
            f"{email} is not on the staff of clinic {clinic.code}",
            command=f"; `bonewise staff add --clinic {clinic.code} --email {email} --role coordinator` adds them",
            page="; an administrator of the clinic adds them",
        )
    if role == _VIEWER:
        raise NumberError(f"{email} is a viewer of clinic {clinic.code}, who may look but not change anything")
    return address
