"""Whom a message goes to, as things are now: the patient or their carer, and the mark of whom it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from scheduler.domain.messages import MessageKind
from scheduler.domain.people import Addressee, Channel
from scheduler.domain.sending import SERVICE_MESSAGES
from scheduler.domain.sharing import WHO
from scheduler.ports import Unit
from scheduler.records import Carer, Clinic, Patient, ReadyMessage, Recipient
from scheduler.services.marking import Marks, choices_of, marks_of
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
        sharers = _Sharers(unit, self._rules, channel)
        found: list[ReadyMessage] = []
        for one, to in zip(ready, wanted, strict=True):
            sent = _to(one, to, carers.get(one.to.id))
            is_about_several = to is Addressee.CARER or one.to.id in shared or _asks_who(one)
            if is_about_several and sent.to.address is not None:
                clinic = clinics[sent.to.clinic_id]
                sent = replace(sent, to=sharers.told_apart(sent.to, clinic))
            found.append(sent)
        return found


def _asks_who(one: ReadyMessage) -> bool:
    """Whether it asks who of several wrote; after a STOP it lists them although nobody is written to there."""
    return (one.message.pathway, one.message.template) == (SERVICE_MESSAGES, WHO)


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


Key = tuple[UUID, Addressee, Channel]


def recipients_of(unit: Unit, rules: Rules, clinic: Clinic, patients: Sequence[Patient]) -> dict[Key, Recipient]:
    """Who gets what is about these patients of the clinic, where that is not just the patient themselves."""
    found: dict[Key, Recipient] = {}
    by_id = {patient.id: patient for patient in patients}
    sharers = {channel: _Sharers(unit, rules, channel) for channel in Channel}
    for channel in Channel:
        for start in range(0, len(patients), _AT_ONCE):
            some = [patient.id for patient in patients[start : start + _AT_ONCE]]
            for patient_id in unit.sharing.shared_among(channel, some):
                patient = by_id[patient_id]
                own = patient.phone if channel is Channel.SMS else patient.email
                plain = _plain(patient, clinic, own)
                found[patient_id, Addressee.PATIENT, channel] = sharers[channel].told_apart(plain, clinic)
    cared_for = [patient for patient in patients if patient.carer_mode is not None]
    for patient_id, carer in unit.carers.of((clinic.id, patient.id) for patient in cared_for).items():
        plain = _carers(_plain(by_id[patient_id], clinic, None), carer, carer.channel)
        found[patient_id, Addressee.CARER, carer.channel] = sharers[carer.channel].told_apart(plain, clinic)
    return found


_AT_ONCE = 500  # patients to a look-up


def _plain(patient: Patient, clinic: Clinic, address: str | None) -> Recipient:
    return Recipient(
        id=patient.id,
        clinic_id=clinic.id,
        name=patient.name,
        language=patient.language,
        address=address,
        contact=patient.contact(clinic),
        is_discreet=patient.is_discreet,
        page_key=patient.page_key,
    )


class _Sharers:
    """How those at one address are told apart: found once for all messages of a batch that go there."""

    def __init__(self, unit: Unit, rules: Rules, channel: Channel) -> None:
        self._unit = unit
        self._rules = rules
        self._channel = channel
        self._known: dict[tuple[int, str], tuple[Marks, str, str]] = {}

    def told_apart(self, to: Recipient, clinic: Clinic) -> Recipient:
        """The recipient with the marks and letters of all at their address."""
        key = clinic.id, to.address or ""
        if key not in self._known:
            self._known[key] = self._read(clinic, key[1])
        marks, everybody, choices = self._known[key]
        return replace(to, for_whom=marks.for_whom(to.id), everybody=everybody, choices=choices)

    def _read(self, clinic: Clinic, address: str) -> tuple[Marks, str, str]:
        people = self._unit.sharing.people_at(clinic.id, self._channel, address)
        patients = [each.patient_id for each in people]
        marks = marks_of(people, clinic)
        everybody = ", ".join(marks.for_whom(each)[0] for each in patients)
        return marks, everybody, choices_of(people, clinic, self._rules.reply_words).shown(patients)
