"""A number or mailbox that several patients have."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from scheduler.domain.people import Addressee, Channel, ConsentSource
from scheduler.domain.when import local_date
from scheduler.ports import Unit
from scheduler.records import Clinic, Reply
from scheduler.services.carers import set_consent
from scheduler.services.consenting import record_consent
from scheduler.services.rules import Rules
from scheduler.services.situations import load, write


def stop_all_at(
    unit: Unit, rules: Rules, clinic: Clinic, reply: Reply, *, source: ConsentSource, by: str, now: datetime
) -> None:
    """A STOP is about the number it comes from: nobody else of the clinic is written to there either.

    Whoever has agreed to another way as well goes on by that one.
    """
    for sharer in unit.patients.by_address(reply.channel, reply.sender, clinic_id=clinic.id):
        has_agreed = sharer.sms_consent if reply.channel is Channel.SMS else sharer.email_consent
        is_writer = sharer.id == reply.patient_id and reply.written_by is Addressee.PATIENT
        if is_writer or not has_agreed:
            continue
        loaded = load(unit, rules, clinic, sharer.id, now)
        if loaded is None:
            continue
        patient = record_consent(
            unit,
            loaded.patient,
            reply.channel,
            granted=False,
            source=source,
            given_on=loaded.situation.today,
            by=by,
            now=now,
        )
        after = loaded.with_patient(patient)
        write(unit, rules, after, after.situation.unchanged())
    for carer in unit.carers.at(clinic.id, reply.channel, reply.sender):
        on = local_date(now, ZoneInfo(clinic.timezone))
        set_consent(unit, rules, clinic, carer, granted=False, source=source, given_on=on, by=by, now=now)
