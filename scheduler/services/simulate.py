"""The future, by the production rules: what would be sent, to whom, when. Sends nothing, writes nothing.

A patient's future depends on nobody else's, so each is walked through alone, from one instant at which something
happens to the next. `plan` and `hear` are the functions that the live service calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from scheduler.domain.contact import Change, Contact, Enrolled, PlannedMessage
from scheduler.domain.conversation import hear, is_remembered
from scheduler.domain.languages import language_chain
from scheduler.domain.people import Channel
from scheduler.domain.planning import next_contact, plan
from scheduler.domain.reacting import Situation
from scheduler.domain.when import instant, local_date
from scheduler.ports import Store
from scheduler.records import Clinic, Patient, Recipient
from scheduler.services.addressing import recipients_of
from scheduler.services.composing import Composer
from scheduler.services.rules import Rules
from scheduler.services.situations import UnknownPatientError

NOON = time(12)  # when a scripted answer that names no time is given


@dataclass(frozen=True, slots=True, order=True)
class ScriptedAnswer:
    """What a patient will write, at which local time."""

    day: date
    text: str
    at: time = NOON


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedMessage:
    """One message that would go. `at` is in the patient's zone."""

    patient: str  # MRN
    day: date
    at: datetime
    channel: Channel
    pathway: str
    step: str
    template: str
    body: str
    segments: int


Script = Mapping[str, Sequence[ScriptedAnswer]]


def simulate(
    store: Store,
    rules: Rules,
    composer: Composer,
    clinic: Clinic,
    *,
    days: int,
    start: datetime,
    mrn: str | None = None,
    script: Script | None = None,
) -> Iterator[SimulatedMessage]:
    """Walk the clinic's patients (or the one with `mrn`) through `days` days from `start` (UTC), patient by patient.

    `script` holds each patient's answers by MRN. Raises `UnknownPatientError`.
    """
    with store.reading() as unit:
        patients = unit.patients.of_clinic(clinic.id, mrn=mrn)
        enrolled = unit.patients.enrolments([patient.id for patient in patients])
        recipients = recipients_of(unit, rules, clinic, patients)
    if mrn is not None and not patients:
        raise UnknownPatientError(mrn, clinic)
    for patient in patients:
        walk = Walk(rules, clinic, patient, enrolled.get(patient.id, ()))
        answers = (script or {}).get(patient.mrn, ())
        for at, message in walk.messages(start, start + timedelta(days=days), answers):
            to = recipients.get((patient.id, message.to, message.channel))
            yield _simulated(composer, clinic, patient, at, message, to)


def coming(
    rules: Rules, clinic: Clinic, patient: Patient, enrolled: tuple[Enrolled, ...], *, start: datetime, days: int
) -> Iterator[tuple[datetime, PlannedMessage]]:
    """What goes to one patient in `days` days from `start` (UTC) when nothing is answered, each with its instant."""
    return Walk(rules, clinic, patient, enrolled).messages(start, start + timedelta(days=days), ())


class Walk:
    """One patient on the way through the future, by the functions that plan the present."""

    def __init__(self, rules: Rules, clinic: Clinic, patient: Patient, enrolled: tuple[Enrolled, ...]) -> None:
        self._rules = rules
        self._clinic = clinic
        self._languages = language_chain(patient.language, clinic.language)
        self._zone = ZoneInfo(patient.timezone)
        self._contact: Contact = patient.contact(clinic)
        self._enrolled = enrolled
        self._channel = self._contact.reach.choose(self._contact.channel) or patient.channel
        self._told: dict[str, datetime] = {}

    def messages(
        self, start: datetime, end: datetime, answers: Iterable[ScriptedAnswer]
    ) -> Iterator[tuple[datetime, PlannedMessage]]:
        """Every message from `start` to `end` (UTC, exclusive) with the instant at which it goes, in order."""
        script = sorted((instant(one.day, one.at, self._zone), one.text) for one in answers)
        script = [(at, text) for at, text in script if start <= at < end]
        due = next_contact(self._contact, self._enrolled, self._rules.pathways, start)
        while True:
            planned_at = None if due is None else max(due, start)
            answered_at = script[0][0] if script else None
            at = min((moment for moment in (planned_at, answered_at) if moment is not None), default=None)
            if at is None or at >= end:
                return
            if at == answered_at:
                change = self._hear(script.pop(0)[1], at)
            else:
                change = plan(self._contact, self._enrolled, self._rules.pathways, at)
            self._contact, self._enrolled, due = change.contact, change.enrolments, change.next_contact_at
            for message in change.messages:
                self._channel = message.channel  # the patient answers the way they were last written to
                yield max(at, message.send_from), message

    def _hear(self, text: str, at: datetime) -> Change:
        situation = Situation(self._contact, self._enrolled, self._rules.pathways, at)
        heard = hear(
            situation,
            text,
            channel=self._channel,
            words=self._rules.reply_words,
            languages=self._languages,
            told=self._told,
        )
        self._told |= {message.template: at for message in heard.change.messages if is_remembered(message)}
        said = tuple(replace(message, to=self._contact.addressee) for message in heard.change.messages)
        return replace(heard.change, messages=said)


def _simulated(
    composer: Composer,
    clinic: Clinic,
    patient: Patient,
    at: datetime,
    message: PlannedMessage,
    to: Recipient | None,
) -> SimulatedMessage:
    zone = ZoneInfo(patient.timezone)
    body, segments = composer.text(message, patient, clinic, to=to)
    return SimulatedMessage(
        patient=patient.mrn,
        day=local_date(at, zone),
        at=at.astimezone(zone),
        channel=message.channel,
        pathway=message.pathway,
        step=message.step,
        template=message.template,
        body=body,
        segments=segments,
    )
