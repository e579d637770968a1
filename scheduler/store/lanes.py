"""The accounts and senders: who serves them, from when on, and whether they are refused."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from scheduler.domain.breaker import Breaker
from scheduler.records import Lane
from scheduler.store.rows import AnyRow
from scheduler.store.tables import lanes
from scheduler.store.upsert import insert_into


class Lanes:
    """Lanes, inside one transaction. One that was never written is as it is by default."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> dict[str, Lane]:
        """Every lane of which something is stored, by key."""
        return {row.key: _lane(row) for row in self._connection.execute(select(lanes)).all()}

    def hold(self, keys: Sequence[str]) -> dict[str, Lane]:
        """These lanes, held until the transaction ends."""
        for key in sorted(keys):
            new = insert_into(self._connection, lanes).values(key=key, probes=0)
            self._connection.execute(new.on_conflict_do_nothing(index_elements=[lanes.c.key]))
        query = select(lanes).where(lanes.c.key.in_(keys)).order_by(lanes.c.key).with_for_update()
        return {row.key: _lane(row) for row in self._connection.execute(query).all()}

    def write(self, lane: Lane) -> None:
        """Store a lane that is held."""
        breaker = lane.breaker
        self._connection.execute(
            lanes.update()
            .where(lanes.c.key == lane.key)
            .values(
                holder=lane.holder,
                held_until=lane.held_until,
                quiet_until=lane.quiet_until,
                open_since=breaker.open_since,
                code=breaker.code,
                probe_at=breaker.probe_at,
                probes=breaker.probes,
            )
        )


def _lane(row: AnyRow) -> Lane:
    return Lane(
        key=row.key,
        holder=row.holder,
        held_until=row.held_until,
        quiet_until=row.quiet_until,
        breaker=Breaker(open_since=row.open_since, code=row.code, probe_at=row.probe_at, probes=row.probes),
    )
