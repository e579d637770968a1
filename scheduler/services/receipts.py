"""Receipts: what a provider reports about a message after it has taken it. Statuses only move forward.

A receipt may come at any time, in any order, more than once, and before the provider's own answer has been recorded.
The first one that moves a message decides what follows; a repeated one finds nothing left to do.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from scheduler.domain.messages import MessageStatus, sources_of
from scheduler.domain.people import Addressee, Channel
from scheduler.ports import ErrorClass, Store, Unit
from scheduler.ports.settling import Attempted, Tracked
from scheduler.services.aftermath import Aftermath, Again, Fallen
from scheduler.services.outcomes import FollowUp
from scheduler.services.rules import Rules
from scheduler.services.settled_messages import close_doubt, close_for_what_arrived

RETRY_AFTER = timedelta(hours=1)  # a phone that was off may be on again
FREQUENT = 3  # a number that cannot be reached so often ...
FREQUENT_WITHIN = timedelta(days=30)  # ... within this is for staff to check

_NEVER_WENT = frozenset({MessageStatus.SKIPPED, MessageStatus.EXPIRED, MessageStatus.FAILED, MessageStatus.NOT_SENT})
_PROOF_THAT_IT_WENT = frozenset({MessageStatus.SENT, MessageStatus.DELIVERED})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One report about one attempt.

    `attempt_id` is ours, from the address the report came to; `provider_id` is the provider's. `code` is the
    provider's reason and `error_class` what the error table makes of it, when `target` is undelivered.
    """

    attempt_id: UUID | None
    provider_id: str
    target: MessageStatus
    code: str | None = None
    error_class: ErrorClass | None = None


class Taken(StrEnum):
    """What became of a receipt."""

    MOVED = "moved"  # the message moved
    KEPT = "kept"  # late or repeated: nothing changed, save that the provider's id may now be on record
    CONFLICT = "conflict"  # it gives an attempt an id that is not the one on record: refused
    STRANGER = "stranger"  # about no message of ours


class ReceiptBook:
    """Takes receipts in. One object serves one process."""

    def __init__(self, store: Store, rules: Rules) -> None:
        self._store = store
        self._aftermath = Aftermath(rules)

    def record(self, receipt: Receipt, *, now: datetime) -> Taken:
        """Take in one receipt at `now` (UTC), in one transaction."""
        with self._store.writing() as unit:
            return self.take(unit, receipt, now=now)

    def take(self, unit: Unit, receipt: Receipt, *, now: datetime) -> Taken:
        """Take in one receipt inside a transaction that is open."""
        tracked = unit.receipts.find(receipt.attempt_id, receipt.provider_id)
        if tracked is None:
            _log.warning("a receipt for %r is about no message of ours", receipt.provider_id[:64])
            return Taken.STRANGER
        if not _links(unit, tracked, receipt.provider_id):
            return Taken.CONFLICT
        if not _may_move(tracked, receipt.target):
            _look_for_contradiction(tracked, receipt)
            return Taken.KEPT
        moved = unit.receipts.move(
            tracked, receipt.target, provider_id=receipt.provider_id, code=receipt.code, now=now
        )
        if not moved:
            return Taken.KEPT
        self._follow(unit, tracked, receipt, now)
        return Taken.MOVED

    def _follow(self, unit: Unit, tracked: Tracked, receipt: Receipt, now: datetime) -> None:
        match tracked.status:
            case MessageStatus.UNKNOWN:
                words = f"the provider says: {receipt.target.value}"
                close_doubt(unit, [(tracked.clinic_id, tracked.message_id)], words=words, now=now)
            case MessageStatus.UNDELIVERED:
                unit.receipts.drop_second_tries(tracked)
            case MessageStatus.PLANNED:
                _log.error(
                    "attempt %s went, although it was held to have failed; no other is made", tracked.attempt_id
                )
            case _:
                pass
        if receipt.target is MessageStatus.DELIVERED:
            close_for_what_arrived(unit, tracked, now=now)
        if receipt.target is MessageStatus.UNDELIVERED:
            fallen = _fallen(unit, unit.receipts.attempted(tracked), receipt, now)
            if fallen is not None:
                self._aftermath.settle(unit, [fallen], now=now)


def _links(unit: Unit, tracked: Tracked, provider_id: str) -> bool:
    """Whether attempt and provider's id belong together; puts it on record when the attempt has none yet."""
    if tracked.provider_id == provider_id:
        return True
    if tracked.provider_id is None and not unit.receipts.belongs_elsewhere(provider_id, tracked):
        unit.receipts.link(tracked, provider_id)
        return True
    _log.error(
        "a receipt for attempt %s was refused: it names message %r of the provider, but %s is on record",
        tracked.attempt_id,
        provider_id[:64],
        f"{tracked.provider_id!r}" if tracked.provider_id else "that one, for another attempt,",
    )
    return False


def _may_move(tracked: Tracked, target: MessageStatus) -> bool:
    """Bad news of an earlier attempt does not touch the one after it; news that it went stops what is planned."""
    if tracked.status not in sources_of(target):
        return False
    if tracked.is_latest or target is MessageStatus.DELIVERED:
        return True
    return tracked.status is MessageStatus.PLANNED and target in _PROOF_THAT_IT_WENT


def _look_for_contradiction(tracked: Tracked, receipt: Receipt) -> None:
    if tracked.status in _NEVER_WENT and receipt.target in _PROOF_THAT_IT_WENT:
        _log.error(
            "a receipt says %s of attempt %s, whose message is on record as %s",
            receipt.target.value,
            tracked.attempt_id,
            tracked.status.value,
        )


# What a message that did not arrive asks for, by what the error table makes of its code


def _fallen(unit: Unit, one: Attempted, receipt: Receipt, now: datetime) -> Fallen | None:
    def fallen(
        follow_up: FollowUp, again: Again, *, wait: timedelta = timedelta(), check_number: bool = False
    ) -> Fallen:
        return Fallen(
            one.message,
            MessageStatus.UNDELIVERED,
            receipt.code,
            follow_up,
            again,
            wait=wait,
            check_number=check_number,
        )

    match receipt.error_class:
        case ErrorClass.PERMANENT:
            # The number may have been corrected since; then it is the old one that is bad.
            is_current = one.address == _present_address(unit, one)
            return fallen(FollowUp.BAD_ADDRESS if is_current else FollowUp.NONE, Again.TODAY)
        case ErrorClass.STOPPED:
            return fallen(FollowUp.OPTED_OUT, Again.NEXT_DAY)
        case ErrorClass.CONFIGURATION:
            return fallen(FollowUp.OPERATOR, Again.NEVER)
        case ErrorClass.TRANSIENT if _is_frequent(unit, one, receipt.code, now):
            return fallen(FollowUp.NONE, Again.NEVER, check_number=True)
        case ErrorClass.TRANSIENT:
            return fallen(FollowUp.NONE, Again.NEVER if one.is_second_try else Again.TODAY, wait=RETRY_AFTER)
        case _:
            return None


def _is_frequent(unit: Unit, one: Attempted, code: str | None, now: datetime) -> bool:
    since = now - FREQUENT_WITHIN
    return code is not None and unit.receipts.undelivered(one.message, code=code, since=since) >= FREQUENT


def _present_address(unit: Unit, one: Attempted) -> str | None:
    if one.message.to is Addressee.CARER:
        carer = unit.carers.of([(one.clinic_id, one.message.patient_id)]).get(one.message.patient_id)
        return carer.address if carer is not None and carer.channel is one.message.channel else None
    patient = unit.patients.get(one.clinic_id, one.message.patient_id)
    if patient is None:
        return None
    return patient.phone if one.message.channel is Channel.SMS else patient.email
