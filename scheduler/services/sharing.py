"""A number or mailbox that several patients have, of one clinic or of several that text from one sender."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from scheduler.domain.confirming import confirmed
from scheduler.domain.contact import TaskOpened
from scheduler.domain.people import Addressee, Channel, ConsentSource, PatientStatus
from scheduler.domain.sending import CONFIRM_NUMBER, SERVICE_MESSAGES
from scheduler.domain.tasks import ServiceTask
from scheduler.domain.topics import come_back, only_topic_ends, without_topic
from scheduler.domain.when import local_date
from scheduler.ports import Unit
from scheduler.records import Clinic, Consent, Patient, Reply
from scheduler.services.carers import set_consent
from scheduler.services.consenting import PENDING_FOR, Revocation, record_consent, revoke_topics
from scheduler.services.lanes import sender_key
from scheduler.services.rules import Rules
from scheduler.services.situations import Loaded, load, write
from scheduler.services.withdrawing import withdraw

_ENDED = frozenset({PatientStatus.DECEASED, PatientStatus.DISCHARGED})


def stop_all_at(
    unit: Unit,
    rules: Rules,
    clinic: Clinic,
    reply: Reply,
    *,
    source: ConsentSource,
    by: str,
    now: datetime,
    topic: str | None = None,
) -> list[Patient]:
    """A STOP is about the number it comes from: nobody else of the clinic is written to there either.

    Whoever has agreed to another way as well goes on by that one. With `topic`, it is about that pathway alone.
    Returns the patients who took back consent to the channel with it, as they were before.
    """
    withdrawn: list[Patient] = []
    for sharer in unit.patients.by_address(reply.channel, reply.sender, clinic_id=clinic.id):
        has_agreed = sharer.sms_consent if reply.channel is Channel.SMS else sharer.email_consent
        is_writer = sharer.id == reply.patient_id and reply.written_by is Addressee.PATIENT
        if is_writer or not has_agreed:
            continue
        loaded = load(unit, rules, clinic, sharer.id, now)
        if loaded is None:
            continue
        if topic is not None and only_topic_ends(loaded.situation, topic):
            _stop_topic(unit, rules, loaded, reply.channel, topic, source=source, by=by, now=now)
            continue
        if topic is not None and all(one.state.pathway != topic for one in loaded.situation.enrolments):
            continue  # they never had it
        withdraw(unit, rules, loaded, reply.channel, source=source, by=by, now=now)
        withdrawn.append(loaded.patient)
    for carer in unit.carers.at(clinic.id, reply.channel, reply.sender):
        on = local_date(now, ZoneInfo(clinic.timezone))
        set_consent(unit, rules, clinic, carer, granted=False, source=source, given_on=on, by=by, now=now)
    return withdrawn


def _stop_topic(
    unit: Unit,
    rules: Rules,
    loaded: Loaded,
    channel: Channel,
    topic: str,
    *,
    source: ConsentSource,
    by: str,
    now: datetime,
) -> None:
    situation = loaded.situation
    own = [one.id for one in situation.enrolments if one.state.pathway == topic]
    revoked = Revocation(loaded.patient, [channel], source, situation.today, topic=topic)
    revoke_topics(unit, [(revoked, own)], by=by, now=now)
    write(unit, rules, loaded, without_topic(situation, topic))


def confirm_all_at(unit: Unit, rules: Rules, clinic: Clinic, reply: Reply, *, by: str, now: datetime) -> None:
    """Whoever agrees to be texted on a number answers for all who were asked about it: the texts were the same."""
    if not clinic.confirm_numbers:
        return
    for sharer in unit.patients.by_address(Channel.SMS, reply.sender, clinic_id=clinic.id):
        loaded = load(unit, rules, clinic, sharer.id, now) if sharer.id != reply.patient_id else None
        check = loaded.situation.contact.check if loaded is not None else None
        if loaded is None or check is None or not check.is_asked:
            continue
        record_consent(
            unit,
            loaded.patient,
            Channel.SMS,
            granted=True,
            source=ConsentSource.REPLY,
            given_on=loaded.situation.today,
            by=by,
            now=now,
            wording=unit.inbox.wording_of(clinic.id, sharer.id, CONFIRM_NUMBER),
        )
        unit.patients.confirm_phones([(clinic.id, sharer.id)])
        write(unit, rules, loaded, confirmed(loaded.situation))


# Clinics that text from one sender


def stop_at_other_clinics(
    unit: Unit,
    rules: Rules,
    clinic: Clinic,
    reply: Reply,
    *,
    source: ConsentSource,
    by: str,
    now: datetime,
    topic: str | None = None,
    is_wrong_number: bool = False,
) -> None:
    """A STOP by text is about the sender too: no other clinic that texts from there writes to the number any more.

    E-mail goes on. Nothing confirms it but the answer of `clinic`. With `is_wrong_number` their staff hear of it.
    """
    for other in _with_same_sender(unit, clinic, reply):
        for patient in stop_all_at(unit, rules, other, reply, source=source, by=by, now=now, topic=topic):
            loaded = load(unit, rules, other, patient.id, now)
            if loaded is None:
                continue
            has_another_way = loaded.patient.status is not PatientStatus.STOPPED
            channel = Channel.SMS if has_another_way else None
            unit.stops.void([(other.id, patient.id)], since=now - PENDING_FOR, channel=channel)
            if is_wrong_number:
                task = TaskOpened(ServiceTask.WRONG_NUMBER, SERVICE_MESSAGES)
                change = loaded.situation.unchanged()
                write(unit, rules, loaded, replace(change, tasks=(*change.tasks, task)))


def start_at_other_clinics(
    unit: Unit, rules: Rules, clinic: Clinic, reply: Reply, *, source: ConsentSource, by: str, now: datetime
) -> None:
    """A START undoes at the other clinics what a STOP of the same patient's ended there, and nothing else.

    Only where it is plain who is meant: one patient has the number, here and there.
    """
    if reply.is_shared or reply.written_by is not Addressee.PATIENT or reply.patient_id is None:
        return
    others = list(_with_same_sender(unit, clinic, reply))
    stopped_at = {one.recorded_at for one in _about_texts(unit, clinic, reply.patient_id) if not one.granted}
    for other in others:
        found = unit.patients.by_address(Channel.SMS, reply.sender, clinic_id=other.id)
        loaded = load(unit, rules, other, found[0].id, now) if len(found) == 1 else None
        if loaded is None or loaded.patient.sms_consent or loaded.patient.status in _ENDED:
            continue
        history = _about_texts(unit, other, loaded.patient.id)
        had_agreed = [one.granted for one in history[-2:]] == [True, False]
        if not had_agreed or history[-1].recorded_at not in stopped_at:
            continue
        given_on = loaded.situation.today
        patient = record_consent(
            unit, loaded.patient, Channel.SMS, granted=True, source=source, given_on=given_on, by=by, now=now
        )
        after = loaded.with_patient(patient)
        write(unit, rules, after, come_back(after.situation))


def _with_same_sender(unit: Unit, clinic: Clinic, reply: Reply) -> Iterator[Clinic]:
    """The other clinics that text from the number or service that this one texts from."""
    if reply.channel is not Channel.SMS or not (clinic.sms_from or clinic.messaging_service):
        return
    key = sender_key(Channel.SMS, clinic)
    for other in unit.installation.clinics().values():
        if other.id != clinic.id and sender_key(Channel.SMS, other) == key:
            yield other


def _about_texts(unit: Unit, clinic: Clinic, patient_id: UUID) -> list[Consent]:
    """What is on record about a patient's consent to texts as a whole, oldest first."""
    history = unit.patients.consent_history(clinic.id, patient_id)
    return [one for one in history if one.channel is Channel.SMS and one.topic is None]
