"""What workers that died left behind: what may be with the provider is looked into, the rest is sent by others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from scheduler.domain.messages import MessageStatus
from scheduler.ports import Clock, Store
from scheduler.records import AttemptEnd, LedgerMessage
from scheduler.services.aftermath import Aftermath, Fallen

RELEASED = "released"  # the outcome of an attempt that was never handed over


@dataclass(frozen=True, slots=True)
class Rescued:
    """How many messages were taken over: of `unknown` fate, and `released` into the queue again."""

    unknown: int = 0
    released: int = 0

    def __add__(self, other: Rescued) -> Rescued:
        return Rescued(self.unknown + other.unknown, self.released + other.released)

    @property
    def messages(self) -> int:
        return self.unknown + self.released


def rescue(store: Store, aftermath: Aftermath, clock: Clock) -> Rescued:
    """Settle every batch whose worker's lease has run out."""
    total = Rescued()
    while (one := _rescue_batch(store, aftermath, clock)) is not None:
        total += one
    return total


def _rescue_batch(store: Store, aftermath: Aftermath, clock: Clock) -> Rescued | None:
    now = clock.now()
    with store.writing() as unit:
        batch = unit.batches.take_over(now)
        if batch is None:
            return None
        handed = unit.ledger.still_sending(batch.message_ids[: batch.handed])
        never_went = unit.ledger.still_sending(batch.message_ids[batch.handed :])
        unit.ledger.end_attempts(releases(never_went), now=now)
        fallen = [Fallen(message, MessageStatus.UNKNOWN, "interrupted") for message, _ in handed]
        unit.ledger.move(
            MessageStatus.UNKNOWN, [(one.message.id, one.message.clinic_id, one.reason) for one in fallen]
        )
        aftermath.settle(unit, fallen, now=now)
        return Rescued(unknown=len(fallen), released=len(never_went))


def releases(never_went: Sequence[tuple[LedgerMessage, UUID]]) -> list[AttemptEnd]:
    """Messages go back to their places in the queue: (message, its attempt), which was never handed over."""
    return [
        AttemptEnd(
            attempt_id=attempt_id,
            message_id=message.id,
            clinic_id=message.clinic_id,
            status=MessageStatus.PLANNED,
            outcome=RELEASED,
            retry_at=message.send_from,
        )
        for message, attempt_id in never_went
    ]
