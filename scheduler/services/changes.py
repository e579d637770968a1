"""Writing what the rules decided about patients: one batch, one transaction, a handful of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from scheduler.domain.contact import (
    Change,
    ClearanceOpened,
    Enrolled,
    TaskClosed,
    TaskEscalated,
    TaskOpened,
)
from scheduler.domain.enrolment import Enrolment
from scheduler.domain.tasks import ServiceTask, add_working_days
from scheduler.domain.when import local_date
from scheduler.ports import Unit
from scheduler.records import Clinic, NewTask
from scheduler.services.rules import Rules


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision about one patient, with the enrolments it started from.

    `change` may have been decided for somebody who stands alike: `stands_for` then leads from the enrolments that it
    speaks of to those of this patient.
    """

    patient_id: UUID
    clinic_id: int
    before: tuple[Enrolled, ...]
    change: Change
    stands_for: Mapping[UUID, UUID] = field(default_factory=dict)

    def own(self, enrolment_id: UUID | None) -> UUID | None:
        """This patient's enrolment that `change` means by `enrolment_id`."""
        return self.stands_for.get(enrolment_id, enrolment_id) if enrolment_id else None


def cause(patient_id: UUID, kind: str) -> str:
    """What a task is about: one patient and one kind have one open task."""
    return f"{patient_id.hex}:{kind}"


def new_task(rules: Rules, decided: Decided, kind: str, *, now: datetime, note: str = "") -> NewTask:
    """A task of `kind` about this patient, with the priority and due date of its kind."""
    opened_on = local_date(now, decided.change.contact.zone)
    task = _task(rules, kind, decided.clinic_id, cause(decided.patient_id, kind), opened_on, note)
    return replace(task, patient_id=decided.patient_id)


def clinic_task(rules: Rules, kind: str, clinic: Clinic, *, cause: str, now: datetime, note: str = "") -> NewTask:
    """A task of `kind` for the clinic as a whole; one for the same `cause` is open at a time."""
    return _task(rules, kind, clinic.id, cause, local_date(now, ZoneInfo(clinic.timezone)), note)


def _task(rules: Rules, kind: str, clinic_id: int, cause: str, opened_on: date, note: str) -> NewTask:
    described = rules.task_kinds[kind]
    return NewTask(
        clinic_id=clinic_id,
        patient_id=None,
        kind=kind,
        cause=cause,
        priority=described.priority.value,
        due=add_working_days(opened_on, described.due_working_days),
        note=note,
    )


def write_changes(unit: Unit, rules: Rules, decisions: Sequence[Decided], *, now: datetime) -> None:
    """Write all that `decisions` changed: patients, enrolments, ledger and worklist."""
    unit.patients.set_contacts(
        (one.patient_id, one.clinic_id, one.change.contact, one.change.next_contact_at) for one in decisions
    )
    unit.patients.update_enrolments(_moved(decisions))
    _supersede(unit, decisions)
    versions = rules.versions
    unit.ledger.plan(
        (
            (one.patient_id, one.clinic_id, one.own(message.enrolment_id), message)
            for one in decisions
            for message in one.change.messages
        ),
        now=now,
        versions=versions,
    )
    unit.ledger.skip(
        (
            (one.patient_id, one.clinic_id, one.own(skipped.enrolment_id), one.change.contact.channel, skipped)
            for one in decisions
            for skipped in one.change.skipped
        ),
        now=now,
        versions=versions,
    )
    for one in decisions:
        if one.change.tasks:
            _write_tasks(unit, rules, one, now)


def _moved(decisions: Iterable[Decided]) -> Iterator[tuple[int, UUID, Enrolment]]:
    for one in decisions:
        before = {enrolled.id: enrolled.state for enrolled in one.before}
        for after in one.change.enrolments:
            own_id = one.stands_for.get(after.id, after.id)
            state = before.get(own_id)
            if state is not after.state and state != after.state:
                yield one.clinic_id, own_id, after.state


def _supersede(unit: Unit, decisions: Iterable[Decided]) -> None:
    by_clinic: dict[int, list[UUID]] = defaultdict(list)
    for one in decisions:
        by_clinic[one.clinic_id].extend(one.stands_for.get(each, each) for each in one.change.superseded)
    for clinic_id, enrolment_ids in by_clinic.items():
        unit.ledger.supersede(enrolment_ids, clinic_id=clinic_id)


def _write_tasks(unit: Unit, rules: Rules, one: Decided, now: datetime) -> None:
    for change in one.change.tasks:
        match change:
            case TaskClosed(kind):
                unit.worklist.close(one.clinic_id, [cause(one.patient_id, kind)], now=now)
            case TaskEscalated(kind):
                unit.worklist.escalate(one.clinic_id, [cause(one.patient_id, kind)])
            case TaskOpened(kind, _, note):
                unit.worklist.open([new_task(rules, one, kind, now=now, note=note)], now=now)
            case ClearanceOpened(_, named):
                unit.worklist.open_clearance(one.clinic_id, one.patient_id, named=named, now=now)
                unit.worklist.open([new_task(rules, one, ServiceTask.SUPPLEMENT_CLEARANCE, now=now)], now=now)
