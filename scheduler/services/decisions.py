"""What a patient reads after each decision on their supplement, or why nothing: told to the clinician beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from scheduler.domain.contact import PlannedMessage
from scheduler.domain.messages import SkipReason
from scheduler.domain.people import PatientStatus
from scheduler.domain.reacting import Situation, record_fact
from scheduler.domain.sending import Pending, Skip, last_look, why_not_reached
from scheduler.ports import Unit
from scheduler.records import Clearance, Clinic
from scheduler.services.clearing import Decision, asked_by
from scheduler.services.composing import Composer
from scheduler.services.rules import Rules

_NOT_SERVED = {
    PatientStatus.DECEASED: "the patient has died",
    PatientStatus.DISCHARGED: "the patient has left the clinic's care",
    PatientStatus.STOPPED: "the patient wants no messages",
    PatientStatus.UNREACHABLE: "the patient cannot be reached",
}
_GONE = (PatientStatus.DECEASED, PatientStatus.DISCHARGED)
_PAUSED = "messages to the patient are paused"
_TOPIC_STOPPED = "the patient wants no more messages about supplements"
_NOT_REACHED = {
    SkipReason.NO_CONSENT: "the patient has not agreed to messages",
    SkipReason.NO_CHANNEL: "there is no number or address that works",
    SkipReason.UNCONFIRMED: "the patient's number is not confirmed",
}
_NOT_ON_PATHWAY = "the patient is on no pathway that tells them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What follows for the patient from each decision on a case."""

    texts: Mapping[Decision, str] = field(default_factory=dict)  # what they read; empty when nothing is sent
    unsaid: str = ""  # then: why nothing is sent
    is_early: bool = False  # nothing is sent yet, for they wait for another decision as well
    is_gone: bool = False  # they have died or left, and nobody has to tell them
    differs: frozenset[Decision] = frozenset()  # those with which the patient is asked to come in instead

    def after(self, decision: Decision) -> str:
        """What the patient reads after `decision`, or why nothing, in words."""
        if decision in self.texts:
            return f"to the patient: {self.texts[decision]}"
        return f"nothing is sent to the patient{' yet' if self.is_early else ''}: {self.unsaid or _NOT_ON_PATHWAY}"


def outlooks(
    unit: Unit, rules: Rules, composer: Composer, clinic: Clinic, cases: Iterable[Clearance], *, now: datetime
) -> dict[int, Outlook]:
    """By case, what its patient reads after each decision, or why nothing is sent."""
    waiting = list(cases)
    patients = unit.patients.by_mrn(clinic.id, sorted({case.patient for case in waiting}))
    enrolled = unit.patients.enrolments([patient.id for patient in patients.values()])
    found: dict[int, Outlook] = {}
    for case in waiting:
        patient = patients[case.patient]
        situation = Situation(patient.contact(clinic), enrolled.get(patient.id, ()), rules.pathways, now)
        unsaid = _why_unsaid(situation)
        asked = asked_by(unit, case)
        if unsaid:
            found[case.id] = Outlook(unsaid=unsaid, is_gone=situation.contact.status in _GONE)
            continue
        if asked.still_open:
            found[case.id] = Outlook(unsaid=_waits_for(asked.still_open), is_early=True)
            continue
        answers = {decision: asked.answer(decision) for decision in Decision}
        said = {decision: _said(situation, answer) for decision, answer in answers.items()}
        found[case.id] = Outlook(
            texts={
                decision: "\n".join(composer.text(one, patient, clinic)[0] for one in messages)
                for decision, messages in said.items()
                if messages
            },
            unsaid="" if any(said.values()) else _NOT_ON_PATHWAY,
            differs=frozenset(decision for decision, answer in answers.items() if answer is not decision),
        )
    return found


def _said(situation: Situation, answer: Decision) -> tuple[PlannedMessage, ...]:
    return record_fact(situation, kind=answer.value, of=situation.today).messages


def _waits_for(cases: Iterable[Clearance]) -> str:
    return "they still wait for the decision on " + " and ".join(f"“{one.named}”" for one in cases)


def _why_unsaid(situation: Situation) -> str:
    """Why nothing can be sent to the patient, whatever is decided; empty when it can."""
    contact = situation.contact
    if contact.status not in (PatientStatus.ACTIVE, PatientStatus.PAUSED):
        return _NOT_SERVED[contact.status]
    if contact.reach.choose(contact.channel) is None:
        return _NOT_REACHED[why_not_reached(contact)]
    if any(one.state.is_stopped and situation.listens(one, Decision.CLEARED) for one in situation.enrolments):
        return _TOPIC_STOPPED
    for message in _said(situation, Decision.COME_IN):
        pending = Pending.of(message)
        if isinstance(last_look(pending, contact, situation.now), Skip):
            return _PAUSED
    return ""
