"""Asking whether a number may be texted: when, and by which message. Pure; `number_check` says how often."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from scheduler.domain.contact import Contact, PlannedMessage, TaskOpened
from scheduler.domain.effects import sendable
from scheduler.domain.messages import MessageKind
from scheduler.domain.people import Channel
from scheduler.domain.sending import CONFIRM_NUMBER, SERVICE_MESSAGES
from scheduler.domain.tasks import ServiceTask
from scheduler.domain.when import contact_instant, local_date, next_date, window_bounds


def next_ask(contact: Contact, now: datetime) -> datetime | None:
    """The instant (UTC) of the next text, or of handing the matter to a person; None when neither is coming.

    One that is due may lie in the past, while today's contact window is open. The first text goes at the patient's
    next contact time from `now` on.
    """
    check = contact.check
    if check is None or check.is_given_up:
        return None
    today = local_date(now, contact.zone)
    due = check.due_on()
    if due is not None and due > today:
        return _contact_time(contact, due)
    at = _contact_time(contact, today)
    _, closes = window_bounds(today, contact.zone, contact.window)
    has_passed = due is None and at < now
    return _contact_time(contact, today + timedelta(days=1)) if has_passed or now >= closes else at


def ask_if_due(contact: Contact, now: datetime) -> tuple[Contact, PlannedMessage | TaskOpened | None]:
    """The patient after what is due at `now` (UTC), and what that is."""
    check = contact.check
    if check is None or check.is_given_up:
        return contact, None
    today = local_date(now, contact.zone)
    if (check.due_on() or today) > today:
        return contact, None
    _, closes = window_bounds(today, contact.zone, contact.window)
    if not _contact_time(contact, today) <= now < closes:
        return contact, None
    after = check.after(today)
    asked = replace(contact, check=after)
    if after.is_given_up:
        return asked, TaskOpened(ServiceTask.CONFIRM_NUMBER, SERVICE_MESSAGES)
    return asked, _question(contact, now)


def _question(contact: Contact, now: datetime) -> PlannedMessage:
    send_from, send_until = sendable(contact, MessageKind.NOTICE, now)
    return PlannedMessage(
        enrolment_id=None,
        kind=MessageKind.NOTICE,
        channel=Channel.SMS,
        pathway=SERVICE_MESSAGES,
        step=CONFIRM_NUMBER,
        cycle=0,
        fired=0,
        template=CONFIRM_NUMBER,
        due_date=local_date(send_from, contact.zone),
        send_from=send_from,
        send_until=send_until,
    )


def _contact_time(contact: Contact, day: date) -> datetime:
    return contact_instant(next_date(day, contact.zone), contact.contact_time, contact.zone, contact.window)
