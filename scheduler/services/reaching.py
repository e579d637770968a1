"""A patient who had no number or address that may be used has one again: what they missed today still goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from scheduler.domain.contact import Change, Contact
from scheduler.domain.enrolment import Enrolment
from scheduler.domain.messages import MessageKind
from scheduler.domain.numbers import Missed, reachable_again
from scheduler.domain.people import PatientStatus
from scheduler.domain.reacting import Situation
from scheduler.ports import Unit
from scheduler.records import LedgerMessage, Patient
from scheduler.services.aftermath import still_wanted, try_again


def is_reachable(contact: Contact) -> bool:
    """Whether anything can be planned for a patient."""
    return contact.status is PatientStatus.ACTIVE and contact.reach.choose(contact.channel) is not None


def has_other_address(before: Patient, after: Patient) -> bool:
    """Whether a number or address is another, or may be used again."""
    return (before.phone, before.email, before.phone_bad, before.email_bad) != (
        after.phone,
        after.email,
        after.phone_bad,
        after.email_bad,
    )


def reach_again(unit: Unit, patient: Patient, situation: Situation) -> Change:
    """What a number or address changes for a patient who could not be reached before it; plans second tries.

    The pathway of a reminder that was skipped either knows of that, and has it due again, or has moved on: then a
    second try stands in for it, as for the clinic's news.
    """
    held: set[UUID] = set()
    taken_back: set[UUID] = set()
    contact = situation.contact
    states = {one.id: one.state for one in situation.enrolments}
    for message in unit.numbers.missed(patient.clinic_id, patient.id, on=situation.today):
        enrolment_id = message.enrolment_id
        was_planned = message.kind is not MessageKind.REMINDER or bool(message.template)
        if was_planned and still_wanted(message, situation.enrolments, contact, situation.now):
            contact = try_again(unit, message, contact, situation.now) or contact
        elif enrolment_id is None or enrolment_id not in states:
            continue
        elif was_planned and _was_taken_back(states[enrolment_id], message):
            taken_back.add(enrolment_id)
        elif not was_planned and _is_due(states[enrolment_id], situation.today):
            held.add(enrolment_id)
    return reachable_again(replace(situation, contact=contact), Missed(held, taken_back))


def _was_taken_back(state: Enrolment, message: LedgerMessage) -> bool:
    return (state.step, state.cycle, state.fired + 1) == (message.step, message.cycle, message.fired)


def _is_due(state: Enrolment, today: date) -> bool:
    return state.timer_on is not None and state.timer_on <= today
