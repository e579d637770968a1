"""What a changed record makes of a patient's plan."""

from __future__ import annotations

from datetime import datetime

from scheduler.domain.contact import Enrolled
from scheduler.domain.reacting import Situation, realign, reopen
from scheduler.ports import Unit
from scheduler.records import Clinic, Patient
from scheduler.services.changes import Decided
from scheduler.services.reaching import has_other_address, is_reachable, reach_again
from scheduler.services.rules import Rules


def replanned(
    unit: Unit,
    rules: Rules,
    clinic: Clinic,
    before: Patient,
    patient: Patient,
    enrolled: tuple[Enrolled, ...],
    *,
    now: datetime,
) -> Decided:
    """The next contact anew, and what waited for a way to be reached. `now` is UTC; nothing but second tries is
    written."""
    contact = patient.contact(clinic)
    situation = realign(Situation(contact, enrolled, rules.pathways, now))
    if is_reachable(before.contact(clinic)) or not is_reachable(contact):
        change = situation.unchanged()
    elif has_other_address(before, patient):
        change = reach_again(unit, patient, situation)
    else:
        change = reopen(situation)
    return Decided(patient.id, clinic.id, enrolled, change)
