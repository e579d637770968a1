"""Writing what the rules decided about patients: one batch, one transaction, a handful of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from scheduler.domain.contact import (
    Change,
    ClearanceOpened,
    Enrolled,
    TaskClosed,
    TaskEscalated,
    TaskOpened,
)
from scheduler.domain.enrolment import Enrolment
from scheduler.domain.tasks import ServiceTask
from scheduler.ports import Unit
from scheduler.records import Clinic
from scheduler.services.clearing import open_case_of
from scheduler.services.new_tasks import cause, patient_task
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
    with_tasks = [one for one in decisions if one.change.tasks]
    if with_tasks:
        clinics = unit.installation.clinics()
        for one in with_tasks:
            _write_tasks(unit, rules, one, clinics[one.clinic_id], now)


def _moved(decisions: Iterable[Decided]) -> Iterator[tuple[int, UUID, Enrolment]]:
    for one in decisions:
        untouched = {id(enrolled.state) for enrolled in one.before}
        changed = [after for after in one.change.enrolments if id(after.state) not in untouched]
        if not changed:
            continue
        before = {enrolled.state.pathway: enrolled.state for enrolled in one.before}  # one of each
        for after in changed:
            if before.get(after.state.pathway) != after.state:
                yield one.clinic_id, one.stands_for.get(after.id, after.id), after.state


def _supersede(unit: Unit, decisions: Iterable[Decided]) -> None:
    by_clinic: dict[int, list[UUID]] = defaultdict(list)
    for one in decisions:
        by_clinic[one.clinic_id].extend(one.stands_for.get(each, each) for each in one.change.superseded)
    for clinic_id, enrolment_ids in by_clinic.items():
        unit.ledger.supersede(enrolment_ids, clinic_id=clinic_id)


def _write_tasks(unit: Unit, rules: Rules, one: Decided, clinic: Clinic, now: datetime) -> None:
    patient_id = one.patient_id
    for change in one.change.tasks:
        match change:
            case TaskClosed(kind, pathway):
                unit.worklist.close(one.clinic_id, [cause(patient_id, kind, pathway)], now=now)
            case TaskEscalated(kind, pathway):
                unit.worklist.escalate(one.clinic_id, [cause(patient_id, kind, pathway)], now=now)
            case TaskOpened(kind, pathway, note):
                task = patient_task(rules, kind, clinic, patient_id, pathway=pathway, now=now, note=note)
                unit.worklist.open([task], now=now)
            case ClearanceOpened(pathway, named):
                kind = ServiceTask.SUPPLEMENT_CLEARANCE
                if open_case_of(unit, one.clinic_id, patient_id, named) is None:
                    unit.worklist.open_clearance(one.clinic_id, patient_id, named=named, now=now)
                    # An answer that has not gone yet would be read as about this one too.
                    own = [enrolled.id for enrolled in one.before if enrolled.state.pathway == pathway]
                    unit.ledger.supersede_news(own, clinic_id=one.clinic_id)
                unit.worklist.open([patient_task(rules, kind, clinic, patient_id, pathway=pathway, now=now)], now=now)
