"""The leases on what this process has in hand, renewed for as long as the process lives."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Lock, Thread
from uuid import UUID

from scheduler.ports import Clock, Store

LEASE = timedelta(seconds=45)  # after which a worker that gives no sign of life is taken for dead
RENEWED = LEASE / 3

_log = logging.getLogger(__name__)


class Leases:
    """Renews the leases of batches from a thread of its own, which lives while there is something to renew.

    So a provider that hangs, or a long wait for the pace of a sender, does not look like a death.
    """

    def __init__(self, store: Store, clock: Clock, *, every: timedelta = RENEWED) -> None:
        self._store = store
        self._clock = clock
        self._every = every.total_seconds()
        self._held: dict[UUID, Callable[[], None]] = {}
        self._lock = Lock()
        self._is_closed = Event()
        self._thread: Thread | None = None

    @contextmanager
    def kept(self, batch_id: UUID, *, when_lost: Callable[[], None]) -> Iterator[None]:
        """Renew the lease of a batch meanwhile. `when_lost` is called once others have taken it over."""
        with self._lock:
            self._held[batch_id] = when_lost
            if self._thread is None:
                self._thread = Thread(target=self._keep, name="leases", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._held.pop(batch_id, None)

    def close(self) -> None:
        """Renew no more."""
        self._is_closed.set()

    def renew(self) -> None:
        """Renew all leases, once."""
        with self._lock:
            held = dict(self._held)
        with self._store.writing() as unit:
            ours = unit.batches.renew(list(held), lease_until=self._clock.now() + LEASE)
        for batch_id in held.keys() - ours:
            held[batch_id]()

    def _keep(self) -> None:
        while not self._is_closed.wait(self._every):
            with self._lock:
                if not self._held:
                    self._thread = None
                    return
            try:
                self.renew()
            except Exception:  # noqa: BLE001 - the thread must outlive any fault; a lease that runs out is no harm
                _log.exception("leases could not be renewed; trying again in %s s", self._every)
