"""Twilio's words for where a message stands, as statuses of ours."""

from __future__ import annotations

from scheduler.domain.messages import MessageStatus

# https://www.twilio.com/docs/messaging/api/message-resource#message-status-values
# `failed` and `canceled` come after Twilio had accepted the message, which is what we call undelivered; the words
# before `sent` only prove that it has it.
_STATUSES = {
    "accepted": MessageStatus.SENT,
    "scheduled": MessageStatus.SENT,
    "queued": MessageStatus.SENT,
    "sending": MessageStatus.SENT,
    "sent": MessageStatus.SENT,
    "delivered": MessageStatus.DELIVERED,
    "read": MessageStatus.DELIVERED,
    "partially_delivered": MessageStatus.DELIVERED,
    "undelivered": MessageStatus.UNDELIVERED,
    "failed": MessageStatus.UNDELIVERED,
    "canceled": MessageStatus.UNDELIVERED,
}


def status_of(word: str) -> MessageStatus | None:
    """The status of a message for which Twilio says `word`; None for words of inbound messages and new ones."""
    return _STATUSES.get(word)
