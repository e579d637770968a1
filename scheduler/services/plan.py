"""Planning: who is due now, and what they get. Pure decisions, written in batches."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.domain.planning import next_contact, plan
from scheduler.ports import Store, Unit
from scheduler.records import DuePatient
from scheduler.services.changes import Decided, write_changes
from scheduler.services.rules import Rules

BATCH = 500  # patients per transaction
ANEW_AT_ONCE = 10  # batches that are planned anew before those who are due have their turn
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
    """Decide about every patient who is due at `now` (UTC), batch after batch, until done or `stopping`.

    Before that, some of those who are to be planned anew.
    """
    for _ in range(ANEW_AT_ONCE):
        if stopping() or not plan_anew(store, rules, now):
            break
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


def plan_anew(store: Store, rules: Rules, now: datetime, *, limit: int = BATCH) -> int:
    """Work out the next contact of up to `limit` patients anew, in one transaction; returns how many.

    Of clinics for which `unit.replanning` was asked, because their hours or the zone data have changed. Nothing goes
    at a wrong time meanwhile: who is looked at too early is only looked at again, and each message has its last look.
    """
    with store.reading() as unit:
        if not unit.replanning.is_wanted():
            return 0
    with store.writing() as unit:
        patients = unit.replanning.take(limit=limit)
        unit.patients.set_contacts(
            (one.id, one.clinic_id, one.contact, next_contact(one.contact, one.enrolments, rules.pathways, now))
            for one in patients
        )
    return len(patients)
