"""What a patient reads after each decision on their supplement: shown to the clinician before they sign."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from scheduler.domain.contact import PlannedMessage
from scheduler.domain.effects import sendable
from scheduler.domain.messages import MessageKind
from scheduler.domain.pathway import Pathway
from scheduler.ports import Unit
from scheduler.records import Clearance, Clinic, Patient
from scheduler.services.composing import Composer
from scheduler.services.facts import Decision
from scheduler.services.rules import Rules

Wordings = Mapping[Decision, str]


def wordings(
    unit: Unit, rules: Rules, composer: Composer, clinic: Clinic, cases: Iterable[Clearance], *, now: datetime
) -> dict[int, Wordings]:
    """By case, the words that each decision sends to its patient. Where nothing would be sent there are none."""
    waiting = list(cases)
    patients = unit.patients.by_mrn(clinic.id, sorted({case.patient for case in waiting}))
    enrolled = unit.patients.enrolments([patient.id for patient in patients.values()])
    found: dict[int, Wordings] = {}
    for case in waiting:
        patient = patients[case.patient]
        on = [rules.pathways.get(one.state.pathway) for one in enrolled.get(patient.id, ())]
        found[case.id] = {
            decision: text
            for decision in Decision
            if (text := _text(composer, clinic, patient, [each for each in on if each], decision, now))
        }
    return found


def _text(
    composer: Composer,
    clinic: Clinic,
    patient: Patient,
    pathways: Iterable[Pathway],
    decision: Decision,
    now: datetime,
) -> str:
    contact = patient.contact(clinic)
    channel = contact.reach.choose(contact.channel)
    for pathway in pathways:
        action = pathway.facts.get(decision.value)
        if action is None or action.say is None or channel is None:
            continue
        opens, closes = sendable(contact, MessageKind.NOTICE, now)
        message = PlannedMessage(
            enrolment_id=None,
            kind=MessageKind.NOTICE,
            channel=channel,
            pathway=pathway.name,
            step="",
            cycle=0,
            fired=0,
            template=action.say,
            due_date=opens.date(),
            send_from=opens,
            send_until=closes,
        )
        return composer.text(message, patient, clinic)[0]
    return ""
