"""Carers: who a patient's contact person is, what they agreed to, and what follows when that changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from scheduler.domain.contact import TaskOpened
from scheduler.domain.conversation import Heard
from scheduler.domain.people import Addressee, CarerMode, Channel, ConsentSource
from scheduler.domain.reacting import reopen
from scheduler.domain.sending import SERVICE_MESSAGES
from scheduler.domain.tasks import ServiceTask
from scheduler.domain.when import local_date
from scheduler.ports import SERVICE, Unit
from scheduler.records import Carer, CarerConsent, Clinic
from scheduler.services.bad_addresses import with_status_of_addresses
from scheduler.services.cases import Case
from scheduler.services.new_tasks import cause
from scheduler.services.rules import Rules
from scheduler.services.situations import load, write

NOBODY_LEFT = "The carer gets nothing any more, and the patient has not agreed to messages of their own."


def carer_decided(unit: Unit, rules: Rules, case: Case, heard: Heard, *, by: str, now: datetime) -> None:
    """Write what a carer's reply decides about their own consent and number."""
    carer = case.carer
    if case.reply.written_by is not Addressee.CARER or carer is None:
        return
    if heard.consent is not None:
        set_consent(
            unit,
            rules,
            case.clinic,
            carer,
            granted=heard.consent,
            source=case.source,
            given_on=case.today,
            by=by,
            now=now,
        )
    if heard.wrong_number:
        mark_bad(unit, rules, case.clinic, carer, now=now)


def set_consent(
    unit: Unit,
    rules: Rules,
    clinic: Clinic,
    carer: Carer,
    *,
    granted: bool,
    source: ConsentSource,
    given_on: date,
    by: str,
    now: datetime,
) -> bool:
    """Record what a carer decided; False when that is on record already."""
    if carer.consent is granted:
        return False
    after = replace(carer, consent=granted)
    unit.carers.update(after)
    record(unit, after, granted=granted, source=source, given_on=given_on, by=by, now=now)
    follow(unit, rules, clinic, carer.patient_id, now=now)
    return True


def record(
    unit: Unit, carer: Carer, *, granted: bool, source: ConsentSource, given_on: date, by: str, now: datetime
) -> None:
    """Append to the record of a carer's consent, and to the audit trail."""
    unit.carers.record_consent(
        CarerConsent(
            carer_id=carer.id,
            clinic_id=carer.clinic_id,
            channel=carer.channel,
            granted=granted,
            source=source,
            given_on=given_on,
            recorded_by=by,
            recorded_at=now,
        )
    )
    action = "carer's consent granted" if granted else "carer's consent revoked"
    detail = f"{carer.channel.value}, {source.value}"
    unit.installation.audit([(carer.clinic_id, action, carer.patient_id, detail)], actor=by, now=now)


def mark_bad(unit: Unit, rules: Rules, clinic: Clinic, carer: Carer, *, now: datetime) -> None:
    """The carer's number or address is not theirs, or will never work."""
    unit.carers.update(replace(carer, is_bad=True))
    follow(unit, rules, clinic, carer.patient_id, now=now)


def end_carers_mail(
    unit: Unit, rules: Rules, clinic_id: int, patient_id: UUID, *, source: ConsentSource, now: datetime
) -> bool:
    """Take back the consent of a patient's carer to e-mail; False when there is none."""
    clinic = unit.installation.clinics()[clinic_id]
    carer = unit.carers.of([(clinic_id, patient_id)]).get(patient_id)
    if carer is None or carer.channel is not Channel.EMAIL:
        return False
    on = local_date(now, ZoneInfo(clinic.timezone))
    return set_consent(unit, rules, clinic, carer, granted=False, source=source, given_on=on, by=SERVICE, now=now)


def follow(unit: Unit, rules: Rules, clinic: Clinic, patient_id: UUID, *, now: datetime) -> None:
    """Let the patient's record say whether and how their carer may be written to, and plan by that.

    Where nobody is left who may be written to, that is a task: a patient who has not agreed is not texted silently in
    place of their carer.
    """
    loaded = load(unit, rules, clinic, patient_id, now)
    if loaded is None:
        return
    carer = unit.carers.of([(clinic.id, patient_id)]).get(patient_id)
    is_open = carer is not None and carer.may_be_written_to
    mode = carer.mode if carer is not None and is_open else None
    channel = carer.channel if carer is not None and is_open else None
    before = loaded.patient
    if (mode, channel) == (before.carer_mode, before.carer_channel):
        return
    unit.patients.set_carer(clinic.id, patient_id, mode, channel)
    changed = replace(before, carer_mode=mode, carer_channel=channel, stop_line_on=None)
    after = loaded.with_patient(with_status_of_addresses(changed))
    situation = after.situation
    could_be = loaded.situation.contact.reach.choose(Channel.SMS) is not None
    can_be = situation.contact.reach.choose(Channel.SMS) is not None
    change = reopen(situation) if can_be and not could_be else situation.unchanged()
    if before.carer_mode is CarerMode.INSTEAD and not can_be:
        task = TaskOpened(ServiceTask.NO_CHANNEL, SERVICE_MESSAGES, NOBODY_LEFT)
        change = replace(change, tasks=(*change.tasks, task))
    write(unit, rules, after, change)
    if can_be:
        unit.worklist.close(clinic.id, [cause(patient_id, ServiceTask.NO_CHANNEL)], now=now)
