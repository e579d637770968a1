"""What the clinic's people do at their own pages: one thing at a time, and the words that they read out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from scheduler.store.tables import clinics, consent_wordings
from scheduler.store.upsert import insert_into


class Desk:
    """The clinic's desk, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def hold(self, clinic_id: int) -> None:
        """Nobody else of the clinic enrols until the transaction ends: a form sent twice enrols once.

        SQLite has one writer anyway. On PostgreSQL rows that refer to the clinic are still written meanwhile.
        """
        own = select(clinics.c.id).where(clinics.c.id == clinic_id)
        self._connection.execute(own.with_for_update(key_share=True)).all()

    def keep_wording(self, clinic_id: int, mark: str, words: str, *, now: datetime) -> None:
        """Keep the words that a consent record names by `mark`, unless they are kept already."""
        new = insert_into(self._connection, consent_wordings).values(
            clinic_id=clinic_id, mark=mark, words=words, first_at=now
        )
        self._connection.execute(new.on_conflict_do_nothing())

    def wording(self, clinic_id: int, mark: str) -> str | None:
        """The words that a consent record names by `mark`."""
        own = (consent_wordings.c.clinic_id == clinic_id) & (consent_wordings.c.mark == mark)
        words: str | None = self._connection.scalar(select(consent_wordings.c.words).where(own))
        return words
