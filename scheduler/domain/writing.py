"""A message whose words a member of staff writes: whether it may go, when, and with what behind it. Pure.

It is a notice: outside the day's budget, inside the contact window, held by a pause. Unlike the service's own notices
it goes by the channel that it was written for, or not at all.
"""

from __future__ import annotations

from datetime import datetime

from scheduler.domain.contact import Contact, PlannedMessage
from scheduler.domain.effects import needs_stop_line, sendable
from scheduler.domain.messages import MessageKind, SkipReason
from scheduler.domain.people import Channel
from scheduler.domain.sending import FROM_STAFF, SERVICE_MESSAGES, Pending, Skip, Wait, last_look
from scheduler.domain.when import local_date


def written(contact: Contact, channel: Channel, now: datetime) -> PlannedMessage | SkipReason:
    """The ledger's row for a message written at `now` (UTC), or why it may not go to this patient.

    The last look before it goes decides about it in the same way.
    """
    send_from, send_until = sendable(contact, MessageKind.NOTICE, now)
    pending = Pending(
        kind=MessageKind.NOTICE,
        channel=channel,
        pathway=SERVICE_MESSAGES,
        due_date=local_date(send_from, contact.zone),
        send_until=send_until,
        template=FROM_STAFF,
    )
    match last_look(pending, contact, now):
        case Skip(reason):
            return reason
        case Wait(opens, closes):
            send_from, send_until = opens, closes
        case _:
            pass
    day = local_date(send_from, contact.zone)
    return PlannedMessage(
        enrolment_id=None,
        kind=MessageKind.NOTICE,
        channel=channel,
        pathway=SERVICE_MESSAGES,
        step=FROM_STAFF,
        cycle=0,
        fired=0,
        template=FROM_STAFF,
        due_date=day,
        send_from=send_from,
        send_until=send_until,
        stop_line=needs_stop_line(contact, channel, day),
        to=contact.addressee,
    )
