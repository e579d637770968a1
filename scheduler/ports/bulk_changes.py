"""Changes made for many patients at once, and what each had before: so that they can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from scheduler.domain.bulk import BulkWish, MemberFate
from scheduler.domain.enrolment import NotSent


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkChange:
    """A change for many. Instants are the real time, in UTC. `id` is 0 until stored."""

    id: int = 0
    clinic_id: int
    wish: BulkWish
    made_by: str
    made_at: datetime
    done_at: datetime | None = None
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of those who were chosen. `before` is JSON, `after` a digest of what the change left."""

    patient_id: UUID
    mrn: str
    name: str
    fate: MemberFate
    why: str | None
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A planned message, and for a reminder what takes its planning back."""

    message_id: UUID
    enrolment_id: UUID
    event: NotSent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What a change came to for one patient."""

    patient_id: UUID
    fate: MemberFate
    why: str | None = None
    before: str | None = None
    after: str | None = None


class BulkChanges(Protocol):
    """Changes for many, of one clinic."""

    def add(self, change: BulkChange, mrns: Sequence[str]) -> int:
        """Store it with the clinic's patients among `mrns`; returns its number."""
        ...

    def get(self, clinic_id: int, bulk_id: int) -> BulkChange | None: ...

    def members(self, clinic_id: int, bulk_id: int) -> list[Member]:
        """Who was chosen, by MRN."""
        ...

    def latest_done(self, clinic_id: int, by: str, *, since: datetime) -> BulkChange | None:
        """The latest change of somebody that was done since then and has not been undone."""
        ...

    def begin(self, clinic_id: int, bulk_id: int, *, now: datetime) -> bool:
        """It is done at `now`; False when it was done before. Others wait for the end of this transaction."""
        ...

    def begin_undo(self, clinic_id: int, bulk_id: int, *, done_since: datetime, now: datetime) -> bool:
        """It is undone at `now`; False when it was undone, was not done, or was done before `done_since`."""
        ...

    def note(self, clinic_id: int, bulk_id: int, came: Sequence[Came]) -> None:
        """Write what it came to for each."""
        ...

    def waiting(self, clinic_id: int, enrolment_ids: Sequence[UUID]) -> list[Waiting]:
        """The messages planned for these enrolments that wait to be sent."""
        ...

    def revive(self, clinic_id: int, message_ids: Sequence[UUID], *, now: datetime) -> set[UUID]:
        """Messages that a change made pointless wait again, where their window is open; returns those that do."""
        ...

    def remove_enrolments(self, clinic_id: int, enrolment_ids: Sequence[UUID]) -> None:
        """Take away enrolments that a change began and nothing has come of."""
        ...

    def forget(self, clinic_id: int, *, made_before: datetime) -> None:
        """Nothing is kept that nobody can do or undo any more: who was chosen in vain, what there was before."""
        ...
