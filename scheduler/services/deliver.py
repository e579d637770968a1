"""Delivery: claim what is due, commit the attempt, call the channel, record what it answered.

No transaction is open while a provider is called. Between the two commits a message is `sending`, with its attempt
and a lease on record: whatever happens in between, it is never sent again blindly.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from typing import cast

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.ports import (
    Clock,
    EmailChannel,
    OutboundEmail,
    OutboundSms,
    SendResult,
    SmsChannel,
    Store,
)
from scheduler.records import AttemptEnd
from scheduler.services.aftermath import Aftermath, Fallen
from scheduler.services.claiming import Claiming
from scheduler.services.composing import Composed, Composer
from scheduler.services.outcomes import FollowUp, settle
from scheduler.services.rules import Rules

BATCH = 200  # messages between two commits: what a crash leaves to be settled

_NEEDS_AFTERMATH = frozenset({MessageStatus.FAILED, MessageStatus.UNKNOWN})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many messages one round of delivery moved where."""

    claimed: int = 0
    sent: int = 0
    failed: int = 0
    unknown: int = 0
    skipped: int = 0
    expired: int = 0
    retried: int = 0

    def __add__(self, other: Delivered) -> Delivered:
        return Delivered(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Delivered)))


@dataclass(frozen=True, slots=True)
class _Ended:
    """What an attempt came to, for the ledger and for what follows."""

    end: AttemptEnd
    fallen: Fallen


class Delivery:
    """Hands planned messages to their channels. One object serves one process."""

    def __init__(
        self,
        *,
        store: Store,
        rules: Rules,
        composer: Composer,
        sms: SmsChannel,
        email: EmailChannel,
        clock: Clock,
        worker: str,
    ) -> None:
        self._store = store
        self._sms = sms
        self._email = email
        self._clock = clock
        self._aftermath = Aftermath(rules)
        self._claiming = Claiming(store=store, composer=composer, aftermath=self._aftermath, worker=worker)

    def deliver_all(self, channel: Channel, *, stopping: Callable[[], bool] = lambda: False) -> Delivered:
        """Deliver everything that is due on `channel`, batch after batch, until done or `stopping`."""
        total = Delivered()
        while not stopping() and (batch := self.deliver(channel)).claimed:
            total += batch
        return total

    def deliver(self, channel: Channel, *, limit: int = BATCH) -> Delivered:
        """Deliver up to `limit` messages that are due on `channel`."""
        batch = self._claiming.claim(channel, self._clock.now(), limit=limit)
        counts = Delivered(
            claimed=batch.touched,
            skipped=sum(one.status is MessageStatus.SKIPPED for one in batch.fallen),
            expired=sum(one.status is MessageStatus.EXPIRED for one in batch.fallen),
        )
        if not batch.composed:
            return counts
        waiting = {one.attempt.id: one for one in batch.composed}
        ended: list[_Ended] = []
        try:
            for result in self._call(channel, batch.composed):
                ended.append(self._end(waiting.pop(result.attempt_id), result))
        finally:
            # What the channel said nothing about keeps its lease, and is settled when that runs out.
            self._record(ended)
        return counts + _count(ended)

    def close(self) -> None:
        """Close the channels."""
        self._sms.close()
        self._email.close()

    def rescue(self) -> int:
        """Settle what workers that died left behind. It may have reached the provider, so it is never sent again."""
        total = 0
        while rescued := self._rescue_batch():
            total += rescued
        return total

    def _rescue_batch(self) -> int:
        now = self._clock.now()
        with self._store.writing() as unit:
            left = unit.ledger.claim_abandoned(now, limit=BATCH)
            fallen = [Fallen(message, MessageStatus.UNKNOWN, "interrupted", FollowUp.UNSETTLED) for message in left]
            unit.ledger.move(
                MessageStatus.UNKNOWN,
                [(one.message.id, one.message.patient.clinic_id, one.reason) for one in fallen],
            )
            self._aftermath.settle(unit, fallen, now=now)
        return len(left)

    # The call

    def _call(self, channel: Channel, batch: Iterable[Composed]) -> Iterator[SendResult]:
        outbound = [one.outbound for one in batch]
        if channel is Channel.SMS:
            return self._sms.send(cast("list[OutboundSms]", outbound))
        return self._email.send(cast("list[OutboundEmail]", outbound))

    # After the call

    def _end(self, composed: Composed, result: SendResult) -> _Ended:
        attempt = composed.attempt
        settled = settle(result, tries=attempt.number, now=self._clock.now())
        if settled.follow_up is FollowUp.OPERATOR:
            _log.error(
                "%s refused a message: code %s, %s; check the account and the sender of clinic %s",
                attempt.channel.value,
                result.code,
                result.detail,
                attempt.clinic_id,
            )
        end = AttemptEnd(
            attempt_id=attempt.id,
            message_id=attempt.message_id,
            clinic_id=attempt.clinic_id,
            status=settled.status,
            outcome=result.outcome.value,
            provider_id=result.provider_id,
            code=result.code,
            detail=result.detail,
            retry_at=settled.retry_at,
        )
        return _Ended(end, Fallen(composed.message, settled.status, result.code, settled.follow_up))

    def _record(self, ended: list[_Ended]) -> None:
        if not ended:
            return
        now = self._clock.now()
        with self._store.writing() as unit:
            unit.ledger.end_attempts([one.end for one in ended], now=now)
            fallen = [one.fallen for one in ended if one.fallen.status in _NEEDS_AFTERMATH]
            self._aftermath.settle(unit, fallen, now=now)


def _count(ended: Iterable[_Ended]) -> Delivered:
    statuses = [one.end.status for one in ended]
    return Delivered(
        sent=statuses.count(MessageStatus.SENT),
        failed=statuses.count(MessageStatus.FAILED),
        unknown=statuses.count(MessageStatus.UNKNOWN),
        retried=statuses.count(MessageStatus.PLANNED),
    )
