"""A second try at a message that provably did not arrive: whether, when, and which way. Pure.

It stands in for the first, on the same day and inside the same window: the pathway and the day's budget know of one
reminder only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.domain.contact import Contact
from scheduler.domain.effects import needs_stop_line, sendable
from scheduler.domain.messages import MessageKind
from scheduler.domain.people import Channel, PatientStatus
from scheduler.domain.sending import Pending
from scheduler.domain.when import local_date


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondTry:
    """What takes over. Instants are UTC; `send_until` is exclusive."""

    channel: Channel
    send_from: datetime
    send_until: datetime
    stop_line: bool


def second_try(
    missed: Pending, contact: Contact, now: datetime, *, wait: timedelta = timedelta()
) -> SecondTry | None:
    """The second try at `missed`, no sooner than `wait` after `now` (UTC); None when there is no room for one.

    `contact` is the patient after what was learnt: a number that has proved bad is no longer in reach. A reminder
    needs its own day and window; the clinic's news waits for the next window; an answer to the patient's own message
    would come too late to be understood, and a copy is not worth a second.
    """
    channel = missed.way(contact)
    if missed.asks_for_number:  # of the number itself: it can go no other way, and has its own second time
        return None
    if (
        missed.kind in (MessageKind.REPLY, MessageKind.COPY)
        or contact.status is not PatientStatus.ACTIVE
        or channel is None
    ):
        return None
    at = now + wait
    send_from, send_until = sendable(contact, missed.kind, at)
    today = local_date(send_from, contact.zone)
    if missed.kind is MessageKind.REMINDER:
        send_until = min(send_until, missed.send_until)
        if send_from > at or at >= send_until or today != missed.due_date:
            return None
    return SecondTry(
        channel=channel,
        send_from=send_from,
        send_until=send_until,
        stop_line=missed.kind is MessageKind.REMINDER and needs_stop_line(contact, channel, today),
    )
