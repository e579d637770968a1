"""Replies: stored first, understood after, and everything that follows written in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from scheduler.domain.conversation import Heard, hear
from scheduler.domain.languages import language_chain
from scheduler.domain.people import Channel, ConsentSource
from scheduler.domain.tasks import ServiceTask, add_working_days
from scheduler.ids import new_id
from scheduler.ports import Store, Unit
from scheduler.records import Clinic, NewTask, Patient, Reply
from scheduler.services.consenting import record_consent
from scheduler.services.rules import Rules
from scheduler.services.situations import Loaded, load, write

BY_REPLY = "patient"  # the actor of what a patient's own message decided


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A message as it came in. `sender` is E.164 or an e-mail address; `provider_id` tells repeats apart."""

    channel: Channel
    sender: str
    body: str
    provider_id: str | None


def receive(store: Store, rules: Rules, clinic: Clinic, inbound: Inbound, *, now: datetime) -> Reply | None:
    """Take in one message from a patient of `clinic`. None when the provider has delivered it before.

    The words are committed before anybody tries to understand them.
    """
    with store.writing() as unit:
        sender = _sender(unit, clinic, inbound)
        reply = Reply(
            id=new_id(),
            clinic_id=clinic.id,
            patient_id=sender.id if sender else None,
            mrn=sender.mrn if sender else None,
            received_at=now,
            channel=inbound.channel,
            sender=inbound.sender,
            body=inbound.body,
            provider_id=inbound.provider_id,
        )
        if not unit.inbox.add(reply):
            return None
        if reply.patient_id is None:
            _hand_to_a_person(unit, rules, clinic, reply)
    return reply if reply.patient_id is None else _understand(store, rules, clinic, reply, reply.patient_id)


def _understand(store: Store, rules: Rules, clinic: Clinic, reply: Reply, patient_id: UUID) -> Reply:
    with store.writing() as unit:
        loaded = load(unit, rules, clinic, patient_id, reply.received_at)
        if loaded is None:
            return reply
        heard = hear(
            loaded.situation,
            reply.body,
            channel=reply.channel,
            words=rules.reply_words,
            languages=language_chain(loaded.patient.language, clinic.language),
        )
        _record_decisions(unit, loaded, heard, reply)
        write(unit, rules, loaded, heard.change)
        meaning = heard.meaning
        understood = replace(reply, meaning=meaning.meaning.value, pathway=meaning.pathway, answer=meaning.answer)
        unit.inbox.understood(understood)
    return understood


def _record_decisions(unit: Unit, loaded: Loaded, heard: Heard, reply: Reply) -> None:
    """What the reply decides about consent and numbers, beside the pathways."""
    patient = loaded.patient
    if heard.consent is not None:
        channels = [reply.channel] if heard.consent else _consented(patient) or [reply.channel]
        for channel in channels:
            patient = record_consent(
                unit,
                patient,
                channel,
                granted=heard.consent,
                source=ConsentSource.REPLY,
                given_on=loaded.situation.today,
                by=BY_REPLY,
                now=reply.received_at,
            )
    if heard.wrong_number:
        unit.patients.mark_bad(patient.clinic_id, patient.id, reply.channel)


def _consented(patient: Patient) -> list[Channel]:
    agreed = {Channel.SMS: patient.sms_consent, Channel.EMAIL: patient.email_consent}
    return [channel for channel, given in agreed.items() if given]


def _sender(unit: Unit, clinic: Clinic, inbound: Inbound) -> Patient | None:
    """Whose number or address this is: of several who share it, the one contacted last."""
    found = unit.patients.by_address(inbound.channel, inbound.sender, clinic_id=clinic.id)
    return max(found, key=lambda patient: patient.contacted_on or date.min, default=None)


def _hand_to_a_person(unit: Unit, rules: Rules, clinic: Clinic, reply: Reply) -> None:
    """Somebody we do not know wrote: a person reads it."""
    kind = rules.task_kinds[ServiceTask.UNCLEAR_REPLY]
    task = NewTask(
        clinic_id=clinic.id,
        patient_id=None,
        kind=kind.name,
        cause=f"reply:{reply.id.hex}",
        priority=kind.priority.value,
        due=add_working_days(reply.received_at.date(), kind.due_working_days),
        note=reply.body,
    )
    unit.worklist.open([task], now=reply.received_at)
