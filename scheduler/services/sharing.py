"""A number or mailbox that several patients have."""

from __future__ import annotations

from datetime import datetime

from scheduler.domain.people import Channel, ConsentSource
from scheduler.ports import Unit
from scheduler.records import Clinic, Reply
from scheduler.services.rules import Rules
from scheduler.services.situations import load
from scheduler.services.withdrawing import withdraw


def stop_all_at(
    unit: Unit, rules: Rules, clinic: Clinic, reply: Reply, *, source: ConsentSource, by: str, now: datetime
) -> None:
    """A STOP is about the number it comes from: nobody else of the clinic is written to there either.

    Whoever has agreed to another way as well goes on by that one.
    """
    for sharer in unit.patients.by_address(reply.channel, reply.sender, clinic_id=clinic.id):
        has_agreed = sharer.sms_consent if reply.channel is Channel.SMS else sharer.email_consent
        if sharer.id == reply.patient_id or not has_agreed:
            continue
        loaded = load(unit, rules, clinic, sharer.id, now)
        if loaded is not None:
            withdraw(unit, rules, loaded, reply.channel, source=source, by=by, now=now)
