"""What workers have in hand: one row a batch, from its claim until what came of it is on record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from scheduler.records import Batch
from scheduler.store.tables import batches

_WIDTH = 16  # bytes of an id

# Made once: there are many of these a second.
_REACH = (
    update(batches)
    .where(batches.c.id == bindparam("batch"))
    .values(handed=bindparam("reached"), lease_until=bindparam("until"))
)
_END = delete(batches).where(batches.c.id == bindparam("batch"))


class Batches:
    """Batches of all clinics, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, batch: Batch, *, lease_until: datetime) -> None:
        """The worker takes these messages in hand; nobody else touches them before `lease_until`."""
        self._connection.execute(
            insert(batches).values(
                id=batch.id,
                worker=batch.worker,
                lease_until=lease_until,
                message_ids=_joined(batch.message_ids),
                handed=batch.handed,
            )
        )

    def reach(self, batch_id: UUID, *, handed: int, lease_until: datetime) -> bool:
        """From now on the first `handed` messages may be with the provider; False when others have taken over."""
        values = {"batch": batch_id, "reached": handed, "until": lease_until}
        return self._connection.execute(_REACH, values).rowcount == 1

    def renew(self, batch_ids: Sequence[UUID], *, lease_until: datetime) -> set[UUID]:
        """Give these batches a new lease; returns those that others have not taken over."""
        renewed = update(batches).where(batches.c.id.in_(batch_ids)).values(lease_until=lease_until)
        return set(self._connection.scalars(renewed.returning(batches.c.id)))

    def end(self, batch_id: UUID) -> bool:
        """The worker lets go of what it had in hand; False when others have taken over."""
        return self._connection.execute(_END, {"batch": batch_id}).rowcount == 1

    def keep(self, batch_id: UUID, message_ids: Iterable[UUID]) -> bool:
        """Only these are left of the batch, all of them handed over; False when others have taken over."""
        left = tuple(message_ids)
        kept = update(batches).where(batches.c.id == batch_id).values(message_ids=_joined(left), handed=len(left))
        return self._connection.execute(kept).rowcount == 1

    def take_over(self, now: datetime) -> Batch | None:
        """A batch whose worker's lease has run out, the longest left first. It is nobody's batch any more."""
        query = select(batches).where(batches.c.lease_until <= now).order_by(batches.c.lease_until).limit(1)
        row = self._connection.execute(query.with_for_update(skip_locked=True)).first()
        if row is None:
            return None
        self.end(row.id)
        return Batch(id=row.id, worker=row.worker, message_ids=parted(row.message_ids), handed=row.handed)


def _joined(ids: Iterable[UUID]) -> bytes:
    return b"".join(each.bytes for each in ids)


def parted(ids: bytes) -> tuple[UUID, ...]:
    """The ids of a batch, in order."""
    return tuple(UUID(bytes=bytes(ids[at : at + _WIDTH])) for at in range(0, len(ids), _WIDTH))
