"""The keys of other programs: a keyed hash of each, so that whoever reads the database can use none."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from scheduler.ports.api_keys import ApiKey
from scheduler.store import rows
from scheduler.store.tables import api_keys
from scheduler.store.vault import Vault

_PLACE = "api_keys.digest"


class ApiKeys:
    """Keys, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def add(
        self, clinic_id: int, *, key: str, name: str, prefix: str, scopes: Collection[str], by: str, now: datetime
    ) -> ApiKey:
        """Store a new key."""
        values = {
            "clinic_id": clinic_id,
            "name": name,
            "prefix": prefix,
            "digest": self._vault.index(_PLACE, key),
            "scopes": ";".join(scopes),
            "created_at": now,
            "created_by": by,
        }
        added = self._connection.execute(insert(api_keys).values(**values))
        (key_id,) = added.inserted_primary_key or (0,)
        return ApiKey(
            id=int(key_id),
            clinic_id=clinic_id,
            name=name,
            prefix=prefix,
            scopes=tuple(scopes),
            created_at=now,
            created_by=by,
        )

    def of_clinic(self, clinic_id: int) -> list[ApiKey]:
        """All keys of a clinic, the newest first, revoked ones included."""
        query = select(api_keys).where(api_keys.c.clinic_id == clinic_id).order_by(api_keys.c.id.desc())
        return [_key(row) for row in self._connection.execute(query)]

    def get(self, clinic_id: int, key_id: int) -> ApiKey | None:
        """One key of the clinic."""
        query = select(api_keys).where(api_keys.c.clinic_id == clinic_id, api_keys.c.id == key_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _key(row)

    def by_key(self, key: str) -> ApiKey | None:
        """The key as stored, of whichever clinic; it may have been revoked."""
        query = select(api_keys).where(api_keys.c.digest.in_(self._vault.indexes(_PLACE, key)))
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _key(row)

    def used(self, clinic_id: int, key_id: int, on: date) -> None:
        """Note the last day on which a key was used."""
        self._connection.execute(update(api_keys).where(*_own(clinic_id, key_id)).values(used_on=on))

    def revoke(self, clinic_id: int, key_id: int, *, now: datetime) -> bool:
        """End a key; False when it has ended already."""
        still = (*_own(clinic_id, key_id), api_keys.c.revoked_at.is_(None))
        return self._connection.execute(update(api_keys).where(*still).values(revoked_at=now)).rowcount == 1


def _own(clinic_id: int, key_id: int) -> tuple[Any, Any]:
    return api_keys.c.clinic_id == clinic_id, api_keys.c.id == key_id


def _key(row: rows.AnyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        clinic_id=row.clinic_id,
        name=row.name,
        prefix=row.prefix,
        scopes=tuple(row.scopes.split(";")),
        created_at=row.created_at,
        created_by=row.created_by,
        used_on=row.used_on,
        revoked_at=row.revoked_at,
    )
