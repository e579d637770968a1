"""What is stored, in the shape that the public interface promises."""

from __future__ import annotations

from typing import Any

from scheduler.domain.messages import Direction
from scheduler.domain.stepping import due_on
from scheduler.ports import Unit
from scheduler.records import Clinic, LedgerEntry, Patient, Reply, Task
from scheduler.services.rules import Rules
from scheduler.services.second_tries import Meaning, no_meaning, why_again

Row = dict[str, Any]


def patients(unit: Unit, rules: Rules, clinic: Clinic, *, mrn: str | None = None) -> list[Row]:
    """The clinic's patients with where they stand on each pathway, by MRN."""
    found = unit.patients.of_clinic(clinic.id, mrn=mrn)
    enrolled = unit.patients.enrolments([patient.id for patient in found])
    return [_patient(patient, clinic, _pathways(rules, patient, enrolled.get(patient.id, ()))) for patient in found]


def _pathways(rules: Rules, patient: Patient, enrolled: Any) -> list[Row]:
    rows: list[Row] = []
    for one in sorted(enrolled, key=lambda one: str(one.state.pathway)):
        pathway = rules.pathways.get(one.state.pathway)
        due = due_on(pathway, one.state, weekdays=patient.exercise_days) if pathway else None
        rows.append(
            {"pathway": one.state.pathway, "step": one.state.step, "cycle": one.state.cycle, "next_date": due}
        )
    return rows


def _patient(patient: Patient, clinic: Clinic, pathways: list[Row]) -> Row:
    return {
        "mrn": patient.mrn,
        "name": patient.name,
        "phone": patient.phone,
        "email": patient.email,
        "language": patient.language,
        "timezone": patient.timezone,
        "contact_time": f"{patient.contact_time or clinic.contact_time:%H:%M}",
        "channel": patient.channel.value,
        "mobility": patient.mobility.value,
        "status": patient.status.value,
        "sms_consent": patient.sms_consent,
        "email_consent": patient.email_consent,
        "paused_until": patient.paused_until,
        "pathways": pathways,
        "carer": patient.carer_mode.value if patient.carer_mode else None,
    }


def messages(unit: Unit, clinic: Clinic, *, mrn: str | None = None, meaning: Meaning = no_meaning) -> list[Row]:
    """Everything that went either way, or was meant to, oldest first.

    A second try says which message it takes over from, and why; `meaning` puts providers' codes into words.
    """
    entries = unit.ledger.entries(clinic.id, mrn=mrn)
    firsts = {entry.id: entry for entry in entries}
    sent = [
        (entry.planned_at, _outbound(entry, firsts.get(entry.retry_of) if entry.retry_of else None, meaning))
        for entry in entries
    ]
    received = [(reply.received_at, _inbound(reply)) for reply in unit.inbox.replies(clinic.id, mrn=mrn)]
    # Of one instant, what was heard comes before what it was answered with.
    return [row for _, row in sorted(received + sent, key=lambda pair: pair[0])]


def _outbound(entry: LedgerEntry, first: LedgerEntry | None, meaning: Meaning) -> Row:
    return {
        "id": str(entry.id),
        "patient": entry.patient,
        "direction": Direction.OUTBOUND.value,
        "channel": entry.channel.value,
        "pathway": entry.pathway,
        "step": entry.step,
        "due_date": entry.due_date,
        "status": entry.status.value,
        "reason": entry.reason,
        "attempts": entry.attempts,
        "provider_id": entry.provider_id,
        "sent_at": entry.sent_at,
        "body": entry.body,
        "kind": entry.kind,
        "template": entry.template,
        "segments": entry.segments,
        "to": entry.to.value,
        "retry_of": str(entry.retry_of) if entry.retry_of else None,
        "retry_why": why_again(first, meaning=meaning) if first else None,
    }


def _inbound(reply: Reply) -> Row:
    return {
        "id": str(reply.id),
        "patient": reply.mrn,
        "direction": Direction.INBOUND.value,
        "channel": reply.channel.value,
        "pathway": reply.pathway,
        "step": None,
        "due_date": None,
        "status": "received",
        "reason": reply.meaning,
        "attempts": 0,
        "provider_id": reply.provider_id,
        "sent_at": reply.received_at,
        "body": reply.body,
        "to": None,
        "retry_of": None,
        "retry_why": None,
    }


def replies(unit: Unit, clinic: Clinic, *, mrn: str | None = None) -> list[Row]:
    """What patients sent, oldest first."""
    return [
        {
            "id": str(reply.id),
            "patient": reply.mrn,
            "received_at": reply.received_at,
            "from": reply.sender,
            "body": reply.body,
            "meaning": reply.meaning,
            "pathway": reply.pathway,
            "answer": reply.answer,
            "by": reply.written_by.value,
        }
        for reply in unit.inbox.replies(clinic.id, mrn=mrn)
    ]


def tasks(unit: Unit, clinic: Clinic, *, mrn: str | None = None, only_open: bool = False) -> list[Row]:
    """The worklist, oldest first."""
    return [task_row(task) for task in unit.worklist.tasks(clinic.id, mrn=mrn, only_open=only_open)]


def task_row(task: Task) -> Row:
    """One item of the worklist."""
    return {
        "id": task.id,
        "kind": task.kind,
        "patient": task.patient,
        "priority": task.priority,
        "opened_at": task.opened_at,
        "due": task.due,
        "status": task.status,
        "note": task.note,
        "assignee": task.assignee,
        "closed_at": task.closed_at,
        "closed_by": task.closed_by,
        "resolution": task.resolution,
        "resolution_words": task.resolution_words,
    }
