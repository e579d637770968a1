"""What the store keeps of the batches that workers have in hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from scheduler.records import Batch


class Batches(Protocol):
    """Batches of all clinics, each from its claim until what came of it is on record. Instants are UTC.

    What answers False has found that others have taken the batch over, and has written nothing.
    """

    def begin(self, batch: Batch, *, lease_until: datetime) -> None:
        """The worker takes these messages in hand; nobody else touches them before `lease_until`."""
        ...

    def reach(self, batch_id: UUID, *, handed: int, lease_until: datetime) -> bool:
        """From now on the first `handed` messages may be with the provider."""
        ...

    def renew(self, batch_ids: Sequence[UUID], *, lease_until: datetime) -> set[UUID]:
        """Give these batches a new lease; returns those that others have not taken over."""
        ...

    def end(self, batch_id: UUID) -> bool:
        """The worker lets go of what it had in hand."""
        ...

    def keep(self, batch_id: UUID, message_ids: Iterable[UUID]) -> bool:
        """Only these are left of the batch, all of them handed over."""
        ...

    def take_over(self, now: datetime) -> Batch | None:
        """A batch whose worker's lease has run out, the longest left first. It is nobody's batch any more."""
        ...
