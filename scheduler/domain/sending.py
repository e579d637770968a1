"""The last look at a message before it goes: consent, window, pause and budget, as they are at that moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from scheduler.domain.contact import Contact
from scheduler.domain.effects import sendable
from scheduler.domain.messages import MessageKind, SkipReason
from scheduler.domain.people import Channel, PatientStatus
from scheduler.domain.when import is_inside_window, local_date, next_date, window_bounds

SERVICE_MESSAGES = "service"  # the pathway name of messages that belong to none
CONFIRM_NUMBER = "confirm_number"  # the service message: may we text you on this number?
FROM_STAFF = "from_staff"  # the service message whose words a member of staff wrote

_NEVER = frozenset({PatientStatus.DECEASED, PatientStatus.DISCHARGED})


@dataclass(frozen=True, slots=True)
class Go:
    """Send it now."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Do not send it, for this reason."""

    reason: SkipReason


@dataclass(frozen=True, slots=True)
class Expire:
    """Its window has passed."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now, but within this new window (UTC; `until` exclusive)."""

    send_from: datetime
    send_until: datetime


@dataclass(frozen=True, slots=True)
class Reroute:
    """The patient is now reached another way."""

    channel: Channel


Verdict = Go | Skip | Expire | Wait | Reroute


class Written(Protocol):
    """A message, planned just now or as the ledger has it."""

    @property
    def kind(self) -> MessageKind: ...
    @property
    def channel(self) -> Channel: ...
    @property
    def pathway(self) -> str: ...
    @property
    def due_date(self) -> date: ...
    @property
    def send_until(self) -> datetime: ...
    @property
    def template(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What the last look needs to know of a message."""

    kind: MessageKind
    channel: Channel
    pathway: str
    due_date: date
    send_until: datetime
    template: str = ""

    @classmethod
    def of(cls, message: Written) -> Pending:
        """What it needs to know of this one."""
        return cls(
            kind=message.kind,
            channel=message.channel,
            pathway=message.pathway,
            due_date=message.due_date,
            send_until=message.send_until,
            template=message.template,
        )

    @property
    def asks_for_number(self) -> bool:
        """Whether it asks if the number may be texted, so that it can go to that number alone."""
        return (self.pathway, self.template) == (SERVICE_MESSAGES, CONFIRM_NUMBER)

    @property
    def is_written(self) -> bool:
        """Whether a member of staff wrote it, for the channel that it is on."""
        return is_written(self.pathway, self.template)

    def way(self, contact: Contact) -> Channel | None:
        """The channel by which it may go to the patient now."""
        if self.is_written:
            return self.channel if contact.reach.has(self.channel) else None
        return contact.reach.choose(contact.channel)


def is_written(pathway: str, template: str) -> bool:
    """Whether it is a message whose words a member of staff wrote."""
    return (pathway, template) == (SERVICE_MESSAGES, FROM_STAFF)


def last_look(message: Pending, contact: Contact, now: datetime) -> Verdict:
    """Whether `message` may go to the patient at `now` (UTC)."""
    if contact.status in _NEVER:
        return Skip(SkipReason.INACTIVE)
    if message.kind is MessageKind.REPLY:
        return _look_at_reply(message, contact, now)
    if contact.status is PatientStatus.PAUSED:
        held = _look_while_paused(message, contact, now)
        if held is not None:
            return held
    elif contact.status is not PatientStatus.ACTIVE:
        return Skip(SkipReason.INACTIVE)
    if message.kind is MessageKind.COPY:
        return _look_at_copy(message, contact, now)
    return _look_at_news(message, contact, now)


def _look_at_copy(message: Pending, contact: Contact, now: datetime) -> Verdict:
    """A carer's copy goes in the reminder's own window or not at all. `contact` has the carer's reach."""
    if not contact.reach.has(message.channel):
        return Skip(SkipReason.NO_CONSENT)
    is_inside = is_inside_window(now, contact.zone, contact.window)
    return Go() if now < message.send_until and is_inside else Expire()


def why_not_reached(contact: Contact) -> SkipReason:
    """Why no way to the patient is open."""
    if contact.check is not None:
        return SkipReason.UNCONFIRMED
    return SkipReason.NO_CONSENT if contact.has_address else SkipReason.NO_CHANNEL


def _look_at_question(message: Pending, contact: Contact, now: datetime) -> Verdict:
    """Not about a number that is confirmed meanwhile, nor about another one than was to be asked about."""
    check = contact.check
    if check is None or not check.is_asked or check.is_given_up:
        return Skip(SkipReason.SUPERSEDED)
    if now >= message.send_until or not is_inside_window(now, contact.zone, contact.window):
        return _another_time(message, contact, now)
    return Go()


def _look_at_news(message: Pending, contact: Contact, now: datetime) -> Verdict:
    if message.asks_for_number:
        return _look_at_question(message, contact, now)
    channel = message.way(contact)
    if channel is None:
        return Skip(why_not_reached(contact))
    if message.kind is MessageKind.REMINDER and _over_budget(message, contact):
        return Skip(SkipReason.BUDGET)
    # A patient who moved east may have reached the next day, which has a reminder of its own.
    late = now >= message.send_until or (
        message.kind is MessageKind.REMINDER and local_date(now, contact.zone) > message.due_date
    )
    if late or not is_inside_window(now, contact.zone, contact.window):
        return _another_time(message, contact, now)
    return Go() if channel is message.channel else Reroute(channel)


def _look_at_reply(message: Pending, contact: Contact, now: datetime) -> Verdict:
    """An answer to the patient's own message goes at any hour; the confirmation of a STOP goes without consent."""
    if now >= message.send_until:
        return Expire()
    if message.pathway != SERVICE_MESSAGES and not contact.reach.has(message.channel):
        return Skip(SkipReason.NO_CONSENT if contact.check is None else SkipReason.UNCONFIRMED)
    return Go()


def _look_while_paused(message: Pending, contact: Contact, now: datetime) -> Verdict | None:
    """A reminder is planned anew after the pause; the clinic's news would be lost, so it waits for the end, if known.

    None when the pause is over and nobody has noted that yet.
    """
    if message.kind is MessageKind.REMINDER or contact.paused_until is None:
        return Skip(SkipReason.PAUSED)
    if contact.paused_until <= local_date(now, contact.zone):
        return None
    ends = next_date(contact.paused_until, contact.zone)
    return Wait(*window_bounds(ends, contact.zone, contact.window))


def _over_budget(message: Pending, contact: Contact) -> bool:
    """Whether the day has more reminders than the budget now allows; the message itself is among those counted."""
    return contact.contacted_on == message.due_date and contact.contacts_that_day > contact.daily_budget


def _another_time(message: Pending, contact: Contact, now: datetime) -> Verdict:
    opens, closes = sendable(contact, message.kind, now)
    if message.kind is MessageKind.NOTICE:
        return Wait(opens, closes)
    # The day is still the same when a clock or zone change has only moved its window.
    is_same_day = now < opens < message.send_until and local_date(opens, contact.zone) <= message.due_date
    return Wait(opens, message.send_until) if is_same_day else Expire()
