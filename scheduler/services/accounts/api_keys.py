"""Keys by which other programs reach a clinic's data: made once, shown once, revoked when no longer needed."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from scheduler.domain.api_keys import Scope
from scheduler.ports import Store
from scheduler.ports.api_keys import ApiKey
from scheduler.records import Clinic

MARK = "bw_"  # what every key begins with, so that one left lying about is recognised
LONGEST_NAME = 60  # characters
MOST_KEYS = 50  # that a clinic has at once
_PREFIX = 10  # characters of a key that lists show
_LONGEST_KEY = 100


class ApiKeyError(ValueError):
    """A key cannot be made as wanted. The text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that has shown a valid key, and the clinic whose key it is."""

    key: ApiKey
    clinic: Clinic

    @property
    def actor(self) -> str:
        """Its name in the audit trail."""
        return f"API key {self.key.prefix}… ({self.key.name})"


def make_key(
    store: Store, clinic: Clinic, *, name: str, scopes: Collection[str], by: str, now: datetime
) -> tuple[ApiKey, str]:
    """Make a key: how it is listed, and the key itself, which can never be shown again. Raises `ApiKeyError`."""
    called = " ".join(name.split())
    if not called or len(called) > LONGEST_NAME or not called.isprintable():
        raise ApiKeyError(f"Give the key a name of 1 to {LONGEST_NAME} characters: what will use it.")
    wanted = [scope for scope in Scope if scope in scopes]
    if not wanted or len(wanted) != len(set(scopes)):
        raise ApiKeyError(f"Choose what the key may do: {', '.join(Scope)}.")
    key = MARK + secrets.token_urlsafe(32)
    with store.writing() as unit:
        if sum(one.revoked_at is None for one in unit.api_keys.of_clinic(clinic.id)) >= MOST_KEYS:
            raise ApiKeyError(f"The clinic has {MOST_KEYS} keys, which is the most. Revoke one that is not used.")
        made = unit.api_keys.add(clinic.id, key=key, name=called, prefix=key[:_PREFIX], scopes=wanted, by=by, now=now)
        detail = f"{made.prefix}…: {', '.join(wanted)}"
        unit.installation.audit([(clinic.id, "API key made", None, detail)], actor=by, now=now)
    return made, key


def revoke_key(store: Store, clinic: Clinic, key_id: int, *, by: str, now: datetime) -> ApiKey | None:
    """End a key of the clinic, at once; None when the clinic has no such key."""
    with store.writing() as unit:
        found = unit.api_keys.get(clinic.id, key_id)
        if found is None:
            return None
        if unit.api_keys.revoke(clinic.id, key_id, now=now):
            unit.installation.audit([(clinic.id, "API key revoked", None, f"{found.prefix}…")], actor=by, now=now)
    return found


def program_of(store: Store, key: str, *, now: datetime) -> Program | None:
    """Who shows this key at `now` (UTC); None for a key that was never made, or is revoked."""
    if not key.startswith(MARK) or len(key) > _LONGEST_KEY:
        return None
    with store.reading() as unit:
        found = unit.api_keys.by_key(key)
        clinic = None if found is None else unit.installation.clinics().get(found.clinic_id)
    if found is None or clinic is None or found.revoked_at is not None:
        return None
    if found.used_on != now.date():
        with store.writing() as unit:
            unit.api_keys.used(clinic.id, found.id, now.date())
    return Program(found, clinic)
