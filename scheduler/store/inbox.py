"""What patients sent us. A reply is stored before it is understood."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from scheduler.domain.people import Channel
from scheduler.records import Reply
from scheduler.store import rows
from scheduler.store.tables import patients, replies
from scheduler.store.upsert import insert_into
from scheduler.store.vault import Vault


class Inbox:
    """Inbound messages, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def add(self, reply: Reply) -> bool:
        """Store a reply; False when the provider has delivered this one before."""
        stored = self._connection.execute(
            insert_into(self._connection, replies)
            .values(
                id=reply.id,
                clinic_id=reply.clinic_id,
                patient_id=reply.patient_id,
                received_at=reply.received_at,
                channel=reply.channel.value,
                sender=self._vault.seal("replies.sender", reply.sender),
                sender_index=self._vault.index("replies.sender", reply.sender.lower()),
                body=self._vault.seal("replies.body", reply.body),
                provider_id=reply.provider_id,
            )
            .on_conflict_do_nothing(index_elements=[replies.c.clinic_id, replies.c.provider_id])
            .execution_options(preserve_rowcount=True)  # else an INSERT's is not known on PostgreSQL
        )
        return stored.rowcount == 1

    def understood(self, reply: Reply) -> None:
        """Record what a reply was taken to mean."""
        self._connection.execute(
            update(replies)
            .where(replies.c.id == reply.id, replies.c.clinic_id == reply.clinic_id)
            .values(meaning=reply.meaning, pathway=reply.pathway, answer=reply.answer)
        )

    def replies(self, clinic_id: int, *, mrn: str | None = None, since: datetime | None = None) -> list[Reply]:
        """The clinic's replies, oldest first."""
        query = (
            select(replies, patients.c.mrn)
            .outerjoin(patients, patients.c.id == replies.c.patient_id)
            .where(replies.c.clinic_id == clinic_id)
            .order_by(replies.c.received_at, replies.c.id)
        )
        if mrn is not None:
            query = query.where(patients.c.mrn == mrn)
        if since is not None:
            query = query.where(replies.c.received_at >= since)
        return [self._reply(row) for row in self._connection.execute(query)]

    def _reply(self, row: rows.AnyRow) -> Reply:
        return Reply(
            id=row.id,
            clinic_id=row.clinic_id,
            patient_id=row.patient_id,
            mrn=row.mrn,
            received_at=row.received_at,
            channel=Channel(row.channel),
            sender=self._vault.open("replies.sender", row.sender) or "",
            body=self._vault.open("replies.body", row.body) or "",
            provider_id=row.provider_id,
            meaning=row.meaning,
            pathway=row.pathway,
            answer=row.answer,
        )
