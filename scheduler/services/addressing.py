"""Whom a message goes to, as things are now: the patient or their carer, and the mark of whom it is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from scheduler.domain.messages import MessageKind
from scheduler.domain.people import Addressee, Channel
from scheduler.ports import Unit
from scheduler.records import Carer, Clinic, ReadyMessage, Recipient
from scheduler.services.marking import Marks, choices_of, marks_at
from scheduler.services.rules import Rules

_FIXED = frozenset({MessageKind.REPLY, MessageKind.COPY})  # for whom they were planned; the rest follow the record


class Addressing:
    """Addresses messages that are about to go, a batch at a time."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def addressed(
        self, unit: Unit, ready: Sequence[ReadyMessage], clinics: Mapping[int, Clinic], channel: Channel
    ) -> list[ReadyMessage]:
        """The messages of one batch on `channel`, each to whom it goes now. Most are left as they are."""
        wanted = [_wanted(one) for one in ready]
        to_carers = [
            (one.to.clinic_id, one.to.id) for one, to in zip(ready, wanted, strict=True) if to is Addressee.CARER
        ]
        carers = unit.carers.of(to_carers)
        own = {one.to.id for one, to in zip(ready, wanted, strict=True) if to is Addressee.PATIENT}
        shared = unit.sharing.shared_among(channel, own)
        known: dict[tuple[int, str], _At] = defaultdict(_At)
        found: list[ReadyMessage] = []
        for one, to in zip(ready, wanted, strict=True):
            sent = _to(one, to, carers.get(one.to.id))
            if (to is Addressee.CARER or one.to.id in shared) and sent.to.address is not None:
                at = known[sent.to.clinic_id, sent.to.address]
                sent = self._marked(unit, sent, clinics[sent.to.clinic_id], channel, at)
            found.append(sent)
        return found

    def _marked(self, unit: Unit, one: ReadyMessage, clinic: Clinic, channel: Channel, at: _At) -> ReadyMessage:
        address = one.to.address or ""
        if at.marks is None:
            people = unit.sharing.people_at(clinic.id, channel, address)
            at.marks = marks_at(unit, clinic, channel, address)
            at.choices = choices_of(people, clinic, self._rules.reply_words).shown(
                [each.patient_id for each in people]
            )
        return replace(one, to=replace(one.to, for_whom=at.marks.for_whom(one.to.id), choices=at.choices))


class _At:
    """What is known of one address."""

    def __init__(self) -> None:
        self.marks: Marks | None = None
        self.choices = ""


def _wanted(one: ReadyMessage) -> Addressee:
    return one.message.to if one.message.kind in _FIXED else one.to.contact.addressee


def _to(one: ReadyMessage, to: Addressee, carer: Carer | None) -> ReadyMessage:
    message = one.message if one.message.to is to else replace(one.message, to=to)
    if to is Addressee.PATIENT:
        contact = one.to.contact
        is_own = contact.addressee is Addressee.PATIENT
        return ReadyMessage(message, one.to if is_own else replace(one.to, contact=contact.without_carer()))
    return ReadyMessage(message, _carers(one.to, carer, message.channel))


def _carers(patient: Recipient, carer: Carer | None, channel: Channel) -> Recipient:
    """The carer in the patient's place; without an address when they have none on this channel."""
    if carer is None:
        return replace(patient, address=None, contact=patient.contact.reaching(None))
    is_open = carer.may_be_written_to
    contact = patient.contact.reaching(carer.channel if is_open else None)
    return replace(
        patient,
        name=carer.name,
        language=carer.language,
        address=carer.address if carer.channel is channel else None,
        contact=contact,
        link_to=carer.id,
    )
