"""What the simulated phones and mailboxes received."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Engine, insert, select

from scheduler.domain.people import Channel
from scheduler.ports import SimulatedDelivery
from scheduler.store.engine import reading, writing
from scheduler.store.tables import replies, simulated_inbox
from scheduler.store.vault import Vault


class StoredInbox:
    """Keeps simulated deliveries in the database, so that every process sees the same phones."""

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._engine = engine
        self._vault = vault

    def keep(self, deliveries: Iterable[SimulatedDelivery]) -> None:
        seal = self._vault.seal
        values = [
            {
                "channel": delivery.channel.value,
                "address": seal("simulated_inbox.address", delivery.address),
                "sender": delivery.sender,
                "subject": seal("simulated_inbox.subject", delivery.subject),
                "body": seal("simulated_inbox.body", delivery.body),
                "html": seal("simulated_inbox.html", delivery.html),
                "at": delivery.at,
            }
            for delivery in deliveries
        ]
        if values:
            with writing(self._engine) as connection:
                connection.execute(insert(simulated_inbox), values)

    def mark(self) -> str:
        """Changes whenever something comes in or somebody answers: cheap enough to ask for all the time."""
        latest = (
            select(table.c.id).order_by(table.c.id.desc()).limit(1).scalar_subquery()
            for table in (simulated_inbox, replies)
        )
        with reading(self._engine) as connection:
            return "-".join(str(value) for value in connection.execute(select(*latest)).one())

    def received(self, *, limit: int = 500) -> list[SimulatedDelivery]:
        """The latest deliveries, oldest first."""
        unseal = self._vault.open
        with reading(self._engine) as connection:
            found = connection.execute(
                select(simulated_inbox).order_by(simulated_inbox.c.id.desc()).limit(limit)
            ).all()
        return [
            SimulatedDelivery(
                channel=Channel(row.channel),
                address=unseal("simulated_inbox.address", row.address) or "",
                sender=row.sender,
                subject=unseal("simulated_inbox.subject", row.subject),
                body=unseal("simulated_inbox.body", row.body) or "",
                html=unseal("simulated_inbox.html", row.html),
                at=row.at,
                number=row.id,
            )
            for row in reversed(found)
        ]
