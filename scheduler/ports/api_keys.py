"""The keys of other programs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key by which a program reads or writes a clinic's data. The key itself is not kept, only its digest."""

    id: int
    clinic_id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str
    used_on: date | None = None
    revoked_at: datetime | None = None


class ApiKeys(Protocol):
    """Keys, known by a keyed hash of theirs. Instants are UTC."""

    def add(
        self, clinic_id: int, *, key: str, name: str, prefix: str, scopes: Collection[str], by: str, now: datetime
    ) -> ApiKey: ...

    def of_clinic(self, clinic_id: int) -> list[ApiKey]:
        """All keys of a clinic, the newest first, revoked ones included."""
        ...

    def get(self, clinic_id: int, key_id: int) -> ApiKey | None: ...

    def by_key(self, key: str) -> ApiKey | None:
        """The key as stored; it may have been revoked."""
        ...

    def used(self, clinic_id: int, key_id: int, on: date) -> None: ...

    def revoke(self, clinic_id: int, key_id: int, *, now: datetime) -> bool:
        """End a key; False when it has ended already."""
        ...
