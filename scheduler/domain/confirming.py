"""What it comes to when a number that was asked about is confirmed. Pure."""

from __future__ import annotations

from dataclasses import replace

from scheduler.domain.contact import Change, Contact, Enrolled, TaskChange, TaskClosed
from scheduler.domain.pathway import Pathway
from scheduler.domain.reacting import Situation, reopen
from scheduler.domain.sending import SERVICE_MESSAGES
from scheduler.domain.stepping import begin
from scheduler.domain.tasks import ServiceTask


def confirmed(situation: Situation) -> Change:
    """Somebody at the number has agreed. Reminders begin, their days counted from today; what waited comes in turn.

    Where e-mail has gone on meanwhile nothing waited, and only the way changes.
    """
    contact = situation.contact
    was_reached = contact.reach.choose(contact.channel) is not None
    opened = replace(situation, contact=replace(contact, check=None, reach=replace(contact.reach, sms=True)))
    change = opened.unchanged() if was_reached else reopen(_begun_today(opened))
    return replace(change, tasks=(*change.tasks, *no_longer_asked(contact)))


def no_longer_asked(contact: Contact) -> tuple[TaskChange, ...]:
    """The task to ask the patient in person closes with what it was about."""
    if contact.check is None or not contact.check.is_given_up:
        return ()
    return (TaskClosed(ServiceTask.CONFIRM_NUMBER, SERVICE_MESSAGES),)


def _begun_today(situation: Situation) -> Situation:
    """The situation with each pathway that has said nothing yet begun today."""
    return replace(
        situation,
        enrolments=tuple(
            _begun(one, pathway, situation) if (pathway := situation.pathways.get(one.state.pathway)) else one
            for one in situation.enrolments
        ),
    )


def _begun(enrolled: Enrolled, pathway: Pathway, situation: Situation) -> Enrolled:
    state = enrolled.state
    is_new = (state.step, state.cycle, state.fired, state.sent_count) == (pathway.first_step, 1, 0, 0)
    if not is_new or state.done_on is not None:
        return enrolled
    fresh = begin(pathway, on=situation.today, weekdays=situation.contact.weekdays).enrolment
    kept = replace(
        fresh,
        is_paused=state.is_paused,
        paused_until=state.paused_until,
        is_stopped=state.is_stopped,
        rest_months=state.rest_months,
    )
    return replace(enrolled, state=kept)
