"""Texts to a number of no clinic, from nobody we know. They are the operator's, not a clinic's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select

from scheduler.records import OrphanText
from scheduler.store.tables import orphan_texts
from scheduler.store.upsert import insert_into
from scheduler.store.vault import Vault


class Orphans:
    """Orphan texts, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def keep(self, texts: Sequence[OrphanText]) -> None:
        """Keep texts; one that is kept already is not kept again."""
        if not texts:
            return
        statement = insert_into(self._connection, orphan_texts).on_conflict_do_nothing(
            index_elements=[orphan_texts.c.provider_id]
        )
        values = [
            {
                "id": text.id,
                "received_at": text.received_at,
                "sender": self._vault.seal("orphan_texts.sender", text.sender),
                "recipient": text.recipient,
                "body": self._vault.seal("orphan_texts.body", text.body),
                "media": text.media,
                "provider_id": text.provider_id,
            }
            for text in texts
        ]
        self._connection.execute(statement, values)

    def latest(self, *, limit: int, since: datetime | None = None) -> tuple[int, list[OrphanText]]:
        """How many have come since then, and the newest of them, the newest first."""
        lately = [orphan_texts.c.received_at >= since] if since is not None else []
        count = self._connection.execute(select(func.count()).select_from(orphan_texts).where(*lately)).scalar_one()
        query = select(orphan_texts).where(*lately).order_by(orphan_texts.c.id.desc()).limit(limit)
        found = [
            OrphanText(
                id=row.id,
                received_at=row.received_at,
                sender=self._vault.open("orphan_texts.sender", row.sender) or "",
                recipient=row.recipient,
                body=self._vault.open("orphan_texts.body", row.body) or "",
                provider_id=row.provider_id,
                media=row.media,
            )
            for row in self._connection.execute(query)
        ]
        return count, found
