"""What a patient gets next, and when; or why nothing comes. By the same walk through the future as `simulate`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from scheduler.domain.contact import Enrolled, PlannedMessage
from scheduler.domain.messages import MessageKind
from scheduler.domain.people import Addressee, Channel, PatientStatus
from scheduler.ports import Unit
from scheduler.records import Clinic, Patient, Recipient
from scheduler.services.addressing import Key, recipients_of
from scheduler.services.composing import Composer
from scheduler.services.rules import Rules
from scheduler.services.simulate import Walk
from scheduler.services.writing import why_not

MOST = 5  # messages that are shown
_AHEAD = timedelta(days=400)
_LOOKED_AT = 40  # messages: a daily pathway must not hide the others, nor take for ever


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """One message that will go if nobody answers before. `at` is in the patient's zone."""

    at: datetime
    channel: Channel
    pathway: str
    title: str
    text: str
    is_to_carer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """The next messages, in order: the very next ones, and the first of each pathway. `why_nothing`: with none."""

    coming: tuple[Coming, ...]
    why_nothing: str | None = None


def upcoming(
    unit: Unit,
    rules: Rules,
    composer: Composer,
    clinic: Clinic,
    patient: Patient,
    enrolled: tuple[Enrolled, ...],
    *,
    now: datetime,
) -> Upcoming:
    """What comes after `now` (UTC), as if the patient answered nothing."""
    if patient.status not in (PatientStatus.ACTIVE, PatientStatus.PAUSED):
        return Upcoming(coming=(), why_nothing=_because(patient, clinic))
    walk = Walk(rules, clinic, patient, enrolled).messages(now, now + _AHEAD, ())
    ahead = [(at, message) for at, message in islice(walk, _LOOKED_AT) if message.kind is MessageKind.REMINDER]
    chosen = _chosen(ahead)
    recipients = recipients_of(unit, rules, clinic, [patient]) if chosen else {}
    coming = tuple(_coming(rules, composer, clinic, patient, at, message, recipients) for at, message in chosen)
    return Upcoming(coming=coming, why_nothing=None if coming else _because(patient, clinic))


def _chosen(ahead: list[tuple[datetime, PlannedMessage]]) -> list[tuple[datetime, PlannedMessage]]:
    """The next ones, and of each pathway the first, in order."""
    first: dict[str, tuple[datetime, PlannedMessage]] = {}
    for at, message in ahead:
        first.setdefault(message.pathway, (at, message))
    of_each = sorted(first.values(), key=lambda pair: pair[0])[:MOST]
    rest = [pair for pair in ahead if pair not in of_each][: MOST - len(of_each)]
    return sorted([*of_each, *rest], key=lambda pair: pair[0])


def _coming(
    rules: Rules,
    composer: Composer,
    clinic: Clinic,
    patient: Patient,
    at: datetime,
    message: PlannedMessage,
    recipients: Mapping[Key, Recipient],
) -> Coming:
    pathway = rules.pathways.get(message.pathway)
    text, _ = composer.text(message, patient, clinic, to=recipients.get((patient.id, message.to, message.channel)))
    return Coming(
        at=at.astimezone(ZoneInfo(patient.timezone)),
        channel=message.channel,
        pathway=message.pathway,
        title=pathway.title if pathway else message.pathway,
        text=text,
        is_to_carer=message.to is Addressee.CARER,
    )


def _because(patient: Patient, clinic: Clinic) -> str:
    contact = patient.contact(clinic)
    if patient.status is PatientStatus.PAUSED and patient.paused_until is None:
        return "all reminders are paused until somebody at the clinic lets them go on"
    if contact.status in (PatientStatus.ACTIVE, PatientStatus.PAUSED) and contact.reach.choose(contact.channel):
        return "nothing is planned within the next year; each pathway says where it stands"
    return why_not(patient, contact, patient.channel)
