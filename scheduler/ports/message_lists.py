"""Messages and answers of a day, by the page and by the hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from scheduler.domain.messages import MessageStatus
from scheduler.records import AnswerLine, DayCount, DueLine, MessageLine

Key = tuple[datetime, UUID]
"""Where a page ended: the instant and the id of its last line."""


class MessageLists(Protocol):
    """Reading for pages, always of one clinic. Instants are UTC; `until` is exclusive; pages go on after a key."""

    def messages(
        self,
        clinic_id: int,
        *,
        since: datetime,
        until: datetime,
        statuses: Sequence[MessageStatus],
        after: Key | None,
        limit: int,
    ) -> list[MessageLine]:
        """Messages planned within that time that stand so, the newest first."""
        ...

    def due(self, clinic_id: int, *, until: datetime, after: Key | None, limit: int) -> list[DueLine]:
        """Patients whose next contact is before `until`, the earliest first."""
        ...

    def answers(
        self, clinic_id: int, *, since: datetime, until: datetime, after: Key | None, limit: int
    ) -> list[AnswerLine]:
        """What came from patients within that time, the newest first."""
        ...

    def counts(self, clinic_id: int, *, since: datetime, until: datetime) -> list[DayCount]:
        """How many messages planned within that time go or went when; answers to patients are left out."""
        ...

    def due_counts(self, clinic_id: int, *, until: datetime) -> list[DayCount]:
        """How many patients have their next contact when, before `until`."""
        ...
