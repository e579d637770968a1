"""The life of one outbound message: its statuses, the moves between them, and why one did not go."""

from __future__ import annotations

from enum import StrEnum


class Direction(StrEnum):
    OUTBOUND = "outbound"
    INBOUND = "inbound"


class MessageKind(StrEnum):
    """Why a message exists, which decides when it may go."""

    REMINDER = "reminder"  # the service speaks first: daily budget, contact window
    NOTICE = "notice"  # the clinic's news on what the patient asked: no budget, waits for the contact window
    COPY = "copy"  # a reminder once more, for a carer beside the patient: no budget, the same day and window
    REPLY = "reply"  # an answer to something the patient just sent: no budget, goes at once


class MessageStatus(StrEnum):
    """Where an outbound message stands. See `TRANSITIONS` for the moves that are allowed."""

    PLANNED = "planned"  # in the ledger, not yet handed to a provider
    SENDING = "sending"  # an attempt is committed; the provider may or may not have it
    SENT = "sent"  # the provider accepted it
    DELIVERED = "delivered"  # the carrier or mailbox confirmed it
    UNDELIVERED = "undelivered"  # the carrier refused it after the provider accepted it
    FAILED = "failed"  # the provider refused it; never reached the patient
    UNKNOWN = "unknown"  # handed over, but no readable answer came back; never sent again blindly
    NOT_SENT = "not_sent"  # was unknown, and proven never to have left
    SKIPPED = "skipped"  # deliberately not sent; the reason is recorded
    EXPIRED = "expired"  # its contact window passed before it could go


TRANSITIONS: dict[MessageStatus, frozenset[MessageStatus]] = {
    MessageStatus.PLANNED: frozenset(
        {
            MessageStatus.SENDING,
            MessageStatus.SKIPPED,
            MessageStatus.EXPIRED,
            # News of an earlier attempt that we believed had never left. It must stop the next one.
            MessageStatus.SENT,
            MessageStatus.DELIVERED,
            MessageStatus.UNKNOWN,
        }
    ),
    MessageStatus.SENDING: frozenset(
        {
            MessageStatus.SENT,
            MessageStatus.DELIVERED,  # a receipt may overtake the provider's own answer
            MessageStatus.UNDELIVERED,
            MessageStatus.FAILED,
            MessageStatus.UNKNOWN,
            MessageStatus.PLANNED,  # provably never handed over: released for another attempt
        }
    ),
    MessageStatus.UNKNOWN: frozenset(
        {MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.UNDELIVERED, MessageStatus.NOT_SENT}
    ),
    MessageStatus.SENT: frozenset({MessageStatus.DELIVERED, MessageStatus.UNDELIVERED}),
    MessageStatus.UNDELIVERED: frozenset({MessageStatus.DELIVERED}),  # a late receipt that says delivered wins
    MessageStatus.DELIVERED: frozenset(),
    MessageStatus.FAILED: frozenset(),
    MessageStatus.NOT_SENT: frozenset(),
    MessageStatus.SKIPPED: frozenset(),
    MessageStatus.EXPIRED: frozenset(),
}


def sources_of(target: MessageStatus) -> frozenset[MessageStatus]:
    """The statuses from which a message may move to `target`; SQL updates carry them in their WHERE."""
    return frozenset(source for source, targets in TRANSITIONS.items() if target in targets)


class SkipReason(StrEnum):
    """Why a reminder was deliberately not sent; shown to staff as it stands in the ledger."""

    NO_CONSENT = "no_consent"  # no recorded consent for any channel we could use
    NO_CHANNEL = "no_channel"  # no usable phone number or e-mail address
    UNCONFIRMED = "unconfirmed"  # nobody at the number has agreed yet to be texted there
    OUTSIDE_WINDOW = "outside_window"  # the patient's local time is outside the contact window
    BUDGET = "budget"  # another reminder had this day
    PAUSED = "paused"  # the patient or the staff paused reminders
    INACTIVE = "inactive"  # stopped, discharged, deceased or unreachable
    TOO_LATE = "too_late"  # its day or window passed before the service could send it
    STOPPED = "stopped"  # the patient said STOP while it was on its way
    WRONG_NUMBER = "wrong_number"  # whoever has the number or address said, while it was on its way, who they are not
    WITHDRAWN = "withdrawn"  # whoever wrote it at the clinic took it back before it went
    SUPERSEDED = "superseded"  # an answer, a result or a changed plan made it pointless
