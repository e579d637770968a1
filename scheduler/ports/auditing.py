"""Reading the audit trail: who saw and changed what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry of the audit trail. `mrn` is that of the patient it is about, if any and still on file."""

    id: int
    at: datetime
    actor: str
    action: str
    mrn: str | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which entries are wanted; None: whatever. Instants are UTC, `until` is exclusive."""

    actor: str | None = None
    action: str | None = None
    patient_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """An entry's place in the trail."""

    at: datetime
    id: int


class Auditing(Protocol):
    """Reading, always of one clinic."""

    def page(self, clinic_id: int, which: Which, *, before: Place | None, limit: int) -> list[AuditEntry]:
        """The newest entries, or the newest before a place."""
        ...
