"""Where things are kept, and the time they are kept by."""

from __future__ import annotations

import base64
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from scheduler.bootstrap.content import Content
from scheduler.clock import ShiftedClock, SystemClock
from scheduler.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from scheduler.ports import Clock
    from scheduler.store.simulated_inbox import StoredInbox
    from scheduler.store.unit import Store
    from scheduler.store.vault import Vault

CLOCK_OFFSET = "clock_offset_seconds"  # note of a simulated installation: how far a visitor has moved the clock


class Storage(Content):
    """The database, its keys, and the clock."""

    def __init__(self, settings: Settings, *, is_worker: bool = False) -> None:
        super().__init__(settings)
        self._is_worker = is_worker

    @cached_property
    def engine(self) -> Engine:
        from scheduler.store.engine import make_engine

        return make_engine(self.settings.database_url, worker=self._is_worker)

    @cached_property
    def vault(self) -> Vault:
        from scheduler.store.vault import KeyRing, Vault, load

        keys = self.settings.secret_keys
        return Vault(KeyRing.parse(keys) if keys else load(self.settings.keys_file))

    @cached_property
    def store(self) -> Store:
        """The store. Raises when the database is not there or not of this version."""
        from scheduler.store.key_check import require_fitting_keys
        from scheduler.store.migrate import require_current
        from scheduler.store.unit import Store

        require_current(self.engine)
        store = Store(self.engine, self.vault)
        source = "BONEWISE_SECRET_KEYS" if self.settings.secret_keys else str(self.settings.keys_file)
        require_fitting_keys(store, self.vault, source=source)
        return store

    def initialise(self) -> bool:
        """Create or migrate the database, and make keys where there are none. True when the database changed."""
        from scheduler.store import engine_schema
        from scheduler.store.key_check import note_keys
        from scheduler.store.migrate import current, upgrade
        from scheduler.store.vault import load_or_create

        is_new = current(self.engine) is None
        if not self.settings.secret_keys and is_new:
            load_or_create(self.settings.keys_file)
        _ = self.vault  # an old database without its keys is a fault to name now, not at the first patient
        has_changed = upgrade(self.engine)
        has_changed |= engine_schema.install(self.engine)
        store = self.store  # an old database with the keys of another is refused here
        if is_new:
            note_keys(store, self.vault)
        return has_changed

    def rotate_keys(self, on_progress: Callable[[int], None]) -> int:
        """Make a new key and seal everything again under it; returns the number of rows changed.

        With keys from the environment the newest of those is used, and making one is up to the operator.
        """
        from scheduler.store.key_check import note_keys
        from scheduler.store.rotation import reseal
        from scheduler.store.vault import Vault, load, save

        _ = self.store  # the database has to be there and of this version before a key is made for it
        if not self.settings.secret_keys:
            save(self.settings.keys_file, load(self.settings.keys_file).with_new_key())
            self.vault = Vault(load(self.settings.keys_file))
        changed = reseal(self.engine, self.vault, on_progress=on_progress)
        note_keys(self.store, self.vault)
        return changed

    def seal_note(self, place: str, text: str) -> str:
        """What a browser keeps for us and nobody can read or change. `place` is "cookie.name"."""
        return base64.urlsafe_b64encode(self.vault.seal(place, text) or b"").decode()

    def open_note(self, place: str, sealed: str) -> str | None:
        """The text of a note that `seal_note` made for this place; None for anything else."""
        from scheduler.store.vault import VaultFault

        try:
            return self.vault.open(place, base64.b64decode(sealed, altchars=b"-_", validate=True))
        except (VaultFault, ValueError):
            return None

    @property
    def has_job_queue(self) -> bool:
        """Whether many workers can share the work: the database keeps a queue of jobs for them."""
        from scheduler.store.engine_schema import is_available

        return is_available(self.engine)

    def job_queue(self) -> tuple[dict[str, Any], str]:
        """How the queue is reached: arguments of `psycopg.connect`, and the schema. Raises when it is not there."""
        from scheduler.store.engine_schema import SCHEMA, connection_settings, require

        require(self.engine)
        return connection_settings(self.engine), SCHEMA

    def database_fault(self) -> str | None:
        """Why the database cannot be read, in one sentence; None when it can."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self.store.reading() as unit:
                unit.installation.note(CLOCK_OFFSET)
        except (self.store_unavailable, SQLAlchemyError) as error:
            return str(error)
        return None

    @property
    def store_unavailable(self) -> type[Exception]:
        """What all work with the store raises where the database cannot be reached; its text is for the operator."""
        from scheduler.store.unavailable import StoreUnavailable

        return StoreUnavailable

    @cached_property
    def simulated_inbox(self) -> StoredInbox:
        from scheduler.store.simulated_inbox import StoredInbox

        return StoredInbox(self.engine, self.vault)

    @cached_property
    def clock(self) -> Clock:
        return self._shifted_clock if self.settings.is_simulated else SystemClock()

    @cached_property
    def _shifted_clock(self) -> ShiftedClock:
        return ShiftedClock(self._clock_offset)

    def _clock_offset(self) -> timedelta:
        with self.store.reading() as unit:
            return timedelta(seconds=float(unit.installation.note(CLOCK_OFFSET) or 0))
