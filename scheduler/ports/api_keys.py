"""The keys of other programs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Protocol

from scheduler.records import ApiKey


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
