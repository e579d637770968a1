"""A number or mailbox that several patients have."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from scheduler.domain.confirming import confirmed
from scheduler.domain.people import Addressee, Channel, ConsentSource
from scheduler.domain.sending import CONFIRM_NUMBER
from scheduler.domain.topics import only_topic_ends, without_topic
from scheduler.domain.when import local_date
from scheduler.ports import Unit
from scheduler.records import Clinic, Reply
from scheduler.services.carers import set_consent
from scheduler.services.consenting import Revocation, record_consent, revoke_topics
from scheduler.services.rules import Rules
from scheduler.services.situations import Loaded, load, write
from scheduler.services.withdrawing import withdraw


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
) -> None:
    """A STOP is about the number it comes from: nobody else of the clinic is written to there either.

    Whoever has agreed to another way as well goes on by that one. With `topic`, it is about that pathway alone.
    """
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
    for carer in unit.carers.at(clinic.id, reply.channel, reply.sender):
        on = local_date(now, ZoneInfo(clinic.timezone))
        set_consent(unit, rules, clinic, carer, granted=False, source=source, given_on=on, by=by, now=now)


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
