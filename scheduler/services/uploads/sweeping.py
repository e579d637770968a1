"""Deleting what was sent, and what is kept about it, a day later."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event, Lock, Thread

from scheduler.ports import Store
from scheduler.services.uploads.folder import UploadFolder

KEPT_FOR = timedelta(days=1)  # what was sent, and what was rejected of it
_EVERY = 3600.0  # seconds

_log = logging.getLogger(__name__)


class Sweeper:
    """Sweeps every hour, from when there is something to sweep until this process ends."""

    def __init__(self, store: Store, folder: UploadFolder, *, wall: Callable[[], datetime]) -> None:
        self._store = store
        self._folder = folder
        self._wall = wall
        self._closing = Event()
        self._lock = Lock()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Sweep now, in a thread, and from now on."""
        with self._lock:
            if self._thread is None and not self._closing.is_set():
                self._thread = Thread(target=self._run, name="upload-sweeper", daemon=True)
                self._thread.start()

    def sweep(self) -> None:
        """Delete files that are older than a day, and what is kept about them."""
        self._folder.sweep(older_than=KEPT_FOR.total_seconds())
        with self._store.writing() as unit:
            unit.uploads.forget(sent_before=self._wall() - KEPT_FOR)

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                self.sweep()
            except Exception:  # noqa: BLE001 - the next round tries again
                _log.exception("old lists could not be deleted just now")
            if self._closing.wait(_EVERY):
                return
