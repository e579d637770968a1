"""The simulated phones and mailboxes: everything that went either way, as its owner would see it."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from scheduler.domain.contact import Enrolled
from scheduler.domain.languages import language_chain
from scheduler.domain.people import Channel, PatientStatus
from scheduler.ports import SimulatedDelivery, Unit
from scheduler.records import Clinic, Patient, Reply
from scheduler.services.rules import Rules

MOST_PHONES = 24  # on one page; of more, those with the latest messages

_Address = tuple[Channel, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """One message as it stands on the screen. `at` is in the owner's zone."""

    at: datetime
    text: str
    is_own: bool  # written by the owner of the phone
    sender: str
    subject: str | None = None
    number: int = 0  # of what came in, in the order of arrival
    html: str | None = None  # the HTML part of a mail


@dataclass(frozen=True, slots=True)
class Offer:
    """An answer that would be understood now, and what it means."""

    text: str
    means: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A phone, or with channel e-mail a mailbox, and what is on it, oldest first."""

    channel: Channel
    address: str
    owner: str
    mrn: str
    zone: str
    language: str
    clinic: str
    bubbles: tuple[Bubble, ...]
    offers: tuple[Offer, ...] = ()

    @property
    def key(self) -> str:
        """A name for it that can stand in an address and does not change."""
        return phone_key(self.channel, self.address)

    @property
    def version(self) -> str:
        """Changes whenever something comes in, or another answer fits."""
        latest = self.bubbles[-1].at.isoformat() if self.bubbles else ""
        offered = "".join(offer.text for offer in self.offers)
        return hashlib.sha256(f"{len(self.bubbles)}-{latest}-{offered}".encode()).hexdigest()[:12]


def phone_key(channel: Channel, address: str) -> str:
    """What `Phone.key` is for this number or e-mail address."""
    return hashlib.sha256(f"{channel.value}:{address}".encode()).hexdigest()[:12]


def phones(
    unit: Unit, deliveries: Sequence[SimulatedDelivery], *, channels: AbstractSet[Channel], rules: Rules
) -> list[Phone]:
    """The phones and mailboxes of the simulated `channels`, by MRN. `deliveries` are what came in, oldest first."""
    clinics = unit.installation.clinics()
    received = [delivery for delivery in deliveries if delivery.channel in channels]
    owners = _owners(unit, clinics, received, channels)
    threads: dict[_Address, list[Bubble]] = defaultdict(list)
    for address, bubble in _outbound(received, owners):
        threads[address].append(bubble)
    for address, bubble in _own(unit, clinics.values(), received, owners):
        threads[address].append(bubble)
    enrolled = unit.patients.enrolments([owner.id for owner in owners.values()])
    found = [
        _phone(address, owner, clinics[owner.clinic_id], threads.get(address, []), rules, enrolled.get(owner.id, ()))
        for address, owner in owners.items()
    ]
    return sorted(found, key=lambda phone: (phone.clinic, phone.mrn, phone.channel))


def _owners(
    unit: Unit,
    clinics: dict[int, Clinic],
    received: Sequence[SimulatedDelivery],
    channels: AbstractSet[Channel],
) -> dict[_Address, Patient]:
    """Whose each address is: those that got something last, and where there is room everybody's."""
    latest = dict.fromkeys((one.channel, one.address) for one in reversed(received))
    owners: dict[_Address, Patient] = {}
    for channel, address in list(latest)[:MOST_PHONES]:
        if who := unit.patients.by_address(channel, address) or _carers(unit, clinics, channel, address):
            owners[channel, address] = max(who, key=lambda patient: patient.contacted_on or date.min)
    if sum(unit.patients.count(clinic_id) for clinic_id in clinics) > MOST_PHONES:
        return owners
    for clinic_id in clinics:
        for patient in unit.patients.of_clinic(clinic_id):
            own = patient.phone if patient.channel is Channel.SMS else patient.email
            if own and patient.channel in channels:
                owners.setdefault((patient.channel, own), patient)
    return owners


def _carers(unit: Unit, clinics: Iterable[int], channel: Channel, address: str) -> list[Patient]:
    """The patients whose carer has this address, each under the carer's name."""
    return [
        replace(patient, name=carer.name, language=carer.language)
        for clinic_id in clinics
        for carer in unit.carers.at(clinic_id, channel, address)
        if (patient := unit.patients.get(clinic_id, carer.patient_id)) is not None
    ]


def _outbound(
    received: Iterable[SimulatedDelivery], owners: dict[_Address, Patient]
) -> Iterable[tuple[_Address, Bubble]]:
    for delivery in received:
        address = (delivery.channel, delivery.address)
        if owner := owners.get(address):
            yield (
                address,
                Bubble(
                    at=delivery.at.astimezone(ZoneInfo(owner.timezone)),
                    text=delivery.body,
                    is_own=False,
                    sender=delivery.sender,
                    subject=delivery.subject,
                    number=delivery.number,
                    html=delivery.html,
                ),
            )


def _own(
    unit: Unit,
    clinics: Iterable[Clinic],
    received: Sequence[SimulatedDelivery],
    owners: dict[_Address, Patient],
) -> Iterable[tuple[_Address, Bubble]]:
    """What the owners wrote since the oldest message that is shown."""
    since = received[0].at if received else None
    for clinic in clinics:
        for reply in unit.inbox.replies(clinic.id, since=since):
            address = (reply.channel, reply.sender)
            if owner := owners.get(address):
                yield address, _own_bubble(reply, owner)


def _own_bubble(reply: Reply, owner: Patient) -> Bubble:
    at = reply.received_at.astimezone(ZoneInfo(owner.timezone))
    return Bubble(at=at, text=reply.body, is_own=True, sender=owner.name)


def _phone(
    address: _Address,
    owner: Patient,
    clinic: Clinic,
    bubbles: list[Bubble],
    rules: Rules,
    enrolled: Sequence[Enrolled],
) -> Phone:
    channel, number = address
    # Of two of one instant, the patient's comes first: the other is the answer to it.
    thread = tuple(sorted(bubbles, key=lambda bubble: (bubble.at, not bubble.is_own)))
    return Phone(
        channel=channel,
        address=number,
        owner=owner.name,
        mrn=owner.mrn,
        zone=owner.timezone,
        language=owner.language,
        clinic=clinic.message_name,
        bubbles=thread,
        offers=tuple(_offers(rules, owner, clinic, thread, enrolled)),
    )


# What can be answered

_NAME_OF_A_SUPPLEMENT = "Magnesium"  # where the question is which one; anything would do
_CAPITALS = re.compile(r"\b[^\W\d_]{3,}\b")


def _offers(
    rules: Rules, owner: Patient, clinic: Clinic, thread: Sequence[Bubble], enrolled: Sequence[Enrolled]
) -> Iterable[Offer]:
    """The answers to the question that was asked last, and the word that counts a day of movement."""
    if owner.status is not PatientStatus.ACTIVE or not thread:
        return
    asking = [
        (one.state.silence_from, -pathway.priority, pathway.steps[one.state.step])
        for one in enrolled
        if (pathway := rules.pathways.get(one.state.pathway)) and one.state.is_open_question(pathway)
    ]
    questions = [each for each in asking if each[2].every is None]
    if questions:
        step = max(questions, key=lambda each: each[:2])[2]
        yield from (Offer(one.digit, _plainly(one.name)) for one in step.answers if one.digit)
        if step.free_text is not None:
            yield Offer(_NAME_OF_A_SUPPLEMENT, "its name")
    counting = {answer.name for _, _, step in asking if step.every for answer in step.answers if answer.action.counts}
    for name in sorted(counting):
        if word := _word_in_capitals(rules, language_chain(owner.language, clinic.language), thread, name):
            yield Offer(word, "today's movement" if name == "done" else _plainly(name))


def _word_in_capitals(rules: Rules, languages: Sequence[str], thread: Sequence[Bubble], name: str) -> str | None:
    """How the latest message that asks for the answer writes its word: DONE, HECHO."""
    words = _answer_words(rules, languages, name)
    for bubble in reversed(thread):
        if not bubble.is_own:
            for word in _CAPITALS.findall(bubble.text):
                if word.isupper() and word.lower() in words:
                    return str(word)
    return None


def _answer_words(rules: Rules, languages: Sequence[str], name: str) -> set[str]:
    found: Mapping[str, Iterable[str]]
    words: set[str] = set()
    for language in languages:
        if language in rules.reply_words:
            found = rules.reply_words[language].answers
            words.update(found.get(name, ()))
    return words


def _plainly(name: str) -> str:
    return name.replace("_", " ")
