"""Why the ledger has a second try at a message, in words."""

from __future__ import annotations

from collections.abc import Callable

from scheduler.domain.messages import MessageStatus, SkipReason
from scheduler.domain.people import Channel
from scheduler.records import LedgerEntry

Meaning = Callable[[Channel, str], str | None]
"""What a provider's code means, in words; None for one that nothing is known of."""

_NAMES = {Channel.SMS: "text", Channel.EMAIL: "e-mail"}
_FATES = {
    MessageStatus.UNDELIVERED: "did not arrive",
    MessageStatus.FAILED: "was refused",
    MessageStatus.SKIPPED: "could not go",
    MessageStatus.DELIVERED: "was thought not to have arrived",  # its receipt came late
}
_NO_NUMBER = "there was no number or address that may be used"
_REASONS = {
    SkipReason.WRONG_NUMBER: "the number is somebody else's",
    SkipReason.NO_CHANNEL: _NO_NUMBER,
    SkipReason.NO_CONSENT: _NO_NUMBER,
    SkipReason.INACTIVE: _NO_NUMBER,
    SkipReason.UNCONFIRMED: "nobody at the number has agreed yet to be texted there",
}


def no_meaning(_: Channel, __: str) -> str | None:
    """Nothing is known of any code."""
    return None


def why_again(first: LedgerEntry, *, meaning: Meaning = no_meaning) -> str:
    """Why another message stands in for `first`: `in place of a text that did not arrive: 30005, the number ...`."""
    fate = _FATES.get(first.status, f"is {first.status.value}")
    said = f"in place of a{'n' if first.channel is Channel.EMAIL else ''} {_NAMES[first.channel]} that {fate}"
    if not first.reason:
        return said
    if first.status is MessageStatus.SKIPPED:
        return f"{said}: {_REASONS.get(SkipReason(first.reason), first.reason)}"
    return f"{said}: {', '.join(part for part in (first.reason, meaning(first.channel, first.reason)) if part)}"
