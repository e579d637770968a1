"""What somebody sent when their session had ended, kept for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody sent when their session had ended. `action` is the path it was for."""

    id: UUID
    clinic_id: int
    staff_id: int
    action: str
    page: str
    fields: tuple[tuple[str, str], ...]
    expires_at: datetime


class Drafts(Protocol):
    """Drafts, always of one person. Instants are UTC."""

    def keep(self, draft: Draft) -> None:
        """Store a draft; those of all clinics that nobody may see any more go."""
        ...

    def of(self, clinic_id: int, staff_id: int, *, now: datetime) -> list[Draft]:
        """The drafts of one person that have not expired, the latest first."""
        ...

    def drop(self, clinic_id: int, staff_id: int, draft_id: UUID | None = None) -> None:
        """Remove one draft of a person; None: all."""
        ...

    def forget(self, now: datetime) -> None:
        """Remove what has expired, of everybody."""
        ...
