"""Messages and answers of a day, by the page and by the hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel

Key = tuple[datetime, UUID]
"""Where a page ended: the instant and the id of its last line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLine:
    """A message as a list shows it. `at` is when it went, or may go; instants are UTC."""

    id: UUID
    planned_at: datetime
    at: datetime
    mrn: str
    name: str
    channel: Channel
    pathway: str
    status: MessageStatus
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DueLine:
    """A patient who is looked at again at `at` (UTC). `id` is theirs."""

    id: UUID
    at: datetime
    mrn: str
    name: str
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLine:
    """What a patient sent, as a list shows it. `mrn` is None while nobody knows whose it is."""

    id: UUID
    at: datetime
    mrn: str | None
    name: str | None
    channel: Channel
    text: str
    meaning: str | None


@dataclass(frozen=True, slots=True)
class DayCount:
    """So many messages of one channel at one instant (UTC); `status` None: patients who are due then."""

    channel: Channel
    at: datetime
    status: MessageStatus | None
    number: int


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
        """How many messages planned within that time go or went when."""
        ...

    def due_counts(self, clinic_id: int, *, now: datetime, until: datetime) -> list[DayCount]:
        """How many patients have their next contact when, before `until`; who is late at `now` is due then."""
        ...
