"""Planning: who is due now, and what they get. Pure decisions, written in batches."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.domain.planning import next_contact, plan
from scheduler.ports import Store, Unit
from scheduler.records import Clinic, DuePatient
from scheduler.services.changes import Decided, write_changes
from scheduler.services.rules import Rules

BATCH = 500  # patients per transaction
PARKED = timedelta(hours=1)  # a patient who cannot be planned is looked at again after this

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Planned:
    """How much one round of planning decided."""

    patients: int = 0
    messages: int = 0
    skipped: int = 0

    def __add__(self, other: Planned) -> Planned:
        return Planned(self.patients + other.patients, self.messages + other.messages, self.skipped + other.skipped)


def plan_due(store: Store, rules: Rules, now: datetime, *, limit: int = BATCH) -> Planned:
    """Decide about up to `limit` patients who are due at `now` (UTC), in one transaction."""
    with store.writing() as unit:
        clinics = unit.installation.clinics()
        due = unit.patients.claim_due(now, limit=limit, clinics=clinics)
        decisions = [decided for alike in _alike(due) for decided in _decide(unit, rules, alike, now)]
        write_changes(unit, rules, decisions, now=now)
    return Planned(
        patients=len(due),
        messages=sum(len(one.change.messages) for one in decisions),
        skipped=sum(len(one.change.skipped) for one in decisions),
    )


def plan_all_due(
    store: Store, rules: Rules, now: datetime, *, stopping: Callable[[], bool] = lambda: False
) -> Planned:
    """Decide about every patient who is due at `now` (UTC), batch after batch, until done or `stopping`."""
    total = Planned()
    while not stopping() and (batch := plan_due(store, rules, now)).patients:
        total += batch
    return total


def _alike(due: Iterable[DuePatient]) -> Iterable[list[DuePatient]]:
    """The patients in groups of those who stand alike in everything that a decision looks at."""
    groups: dict[tuple[object, ...], list[DuePatient]] = defaultdict(list)
    for patient in due:
        # By identity, for comparing would cost as much as deciding: the store gives equals as one and the same.
        standing = [part for one in patient.enrolments for part in (id(one.state), one.contact_time)]
        groups[patient.clinic_id, id(patient.contact), *standing].append(patient)
    return groups.values()


def _decide(unit: Unit, rules: Rules, alike: list[DuePatient], now: datetime) -> list[Decided]:
    """One decision for all who stand alike. Who cannot be decided is parked, for nobody else must wait for them."""
    first = alike[0]
    try:
        change = plan(first.contact, first.enrolments, rules.pathways, now)
    except (ArithmeticError, LookupError, ValueError, TypeError):
        for patient in alike:
            _log.exception("patient %s cannot be planned; trying again in %s", patient.id, PARKED)
            unit.patients.set_next_contact(patient.clinic_id, patient.id, now + PARKED)
        return []
    return [
        Decided(
            patient.id,
            patient.clinic_id,
            patient.enrolments,
            change,
            {theirs.id: own.id for theirs, own in zip(first.enrolments, patient.enrolments, strict=True)}
            if patient is not first
            else {},
        )
        for patient in alike
    ]


def recompute(unit: Unit, rules: Rules, clinic: Clinic, now: datetime) -> int:
    """Work out every patient's next contact of one clinic anew: its window or hours, or the zone data, changed."""
    patients = unit.patients.hold_clinic(clinic.id)
    enrolled = unit.patients.enrolments([patient.id for patient in patients])
    unit.patients.set_contacts(
        (
            patient.id,
            clinic.id,
            contact,
            next_contact(contact, enrolled.get(patient.id, ()), rules.pathways, now),
        )
        for patient in patients
        if (contact := patient.contact(clinic))
    )
    return len(patients)
