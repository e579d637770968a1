"""From what a step asks for to what is written: messages with their times, and changes to the worklist."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from scheduler.domain.calendar import add_months
from scheduler.domain.contact import (
    ClearanceOpened,
    Contact,
    Enrolled,
    PlannedMessage,
    TaskChange,
    TaskClosed,
    TaskEscalated,
    TaskOpened,
)
from scheduler.domain.enrolment import (
    CloseTask,
    Effect,
    EscalateTask,
    OpenClearance,
    OpenTask,
    Outcome,
    Say,
    Send,
)
from scheduler.domain.messages import MessageKind
from scheduler.domain.people import Addressee, Channel
from scheduler.domain.when import local_date, next_opening, window_bounds

REPLY_LIFETIME = timedelta(hours=4)  # an answer that is later than this would only confuse


def sendable(contact: Contact, kind: MessageKind, now: datetime) -> tuple[datetime, datetime]:
    """When a message of `kind`, wanted at `now`, may go: from (inclusive) and until (exclusive), UTC."""
    if kind is MessageKind.REPLY:
        return now, now + REPLY_LIFETIME
    opening = next_opening(now, contact.zone, contact.window)
    _, closing = window_bounds(local_date(opening, contact.zone), contact.zone, contact.window)
    return opening, closing


def needs_stop_line(contact: Contact, channel: Channel, today: date) -> bool:
    """Whether a text sent `today` says how to stop: the first one does, and then one a month."""
    if channel is not Channel.SMS:
        return False
    return contact.stop_line_on is None or today >= add_months(contact.stop_line_on, 1)


def message(
    contact: Contact,
    enrolled: Enrolled,
    wanted: Send | Say,
    *,
    kind: MessageKind,
    channel: Channel,
    now: datetime,
) -> PlannedMessage:
    """The ledger's row for `wanted`, an effect of the step that `enrolled` has just taken."""
    send_from, send_until = sendable(contact, kind, now)
    today = local_date(send_from, contact.zone)
    return PlannedMessage(
        enrolment_id=enrolled.id,
        kind=kind,
        channel=channel,
        pathway=enrolled.state.pathway,
        step=enrolled.state.step,
        cycle=enrolled.state.cycle,
        fired=enrolled.state.fired,
        template=wanted.template,
        due_date=today,
        send_from=send_from,
        send_until=send_until,
        turn=wanted.turn if isinstance(wanted, Send) else 0,
        count=wanted.count,
        stop_line=kind is MessageKind.REMINDER and needs_stop_line(contact, channel, today),
        to=contact.addressee,
    )


def copy_of(reminder: PlannedMessage, *, by: Channel) -> PlannedMessage:
    """The same for a carer beside the patient."""
    stop_line = reminder.stop_line and by is Channel.SMS
    return replace(reminder, kind=MessageKind.COPY, channel=by, to=Addressee.CARER, stop_line=stop_line)


def says(
    contact: Contact, enrolled: Enrolled, outcome: Outcome, *, kind: MessageKind, now: datetime
) -> tuple[PlannedMessage, ...]:
    """The messages that answer the patient; none when no channel is open."""
    channel = contact.reach.choose(contact.channel)
    if channel is None:
        return ()
    return tuple(
        message(contact, enrolled, effect, kind=kind, channel=channel, now=now)
        for effect in outcome.effects
        if isinstance(effect, Say)
    )


def task_changes(pathway: str, effects: Iterable[Effect]) -> tuple[TaskChange, ...]:
    """What `effects` change on the worklist."""
    changes: list[TaskChange] = []
    for effect in effects:
        match effect:
            case OpenTask(kind):
                changes.append(TaskOpened(kind, pathway))
            case EscalateTask(kind):
                changes.append(TaskEscalated(kind, pathway))
            case CloseTask(kind):
                changes.append(TaskClosed(kind, pathway))
            case OpenClearance():
                changes.append(ClearanceOpened(pathway))
            case Send() | Say():
                pass
    return tuple(changes)
