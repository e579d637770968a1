"""The folder in which sent lists wait: readable by the service alone, and emptied in time."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from typing import IO

REJECTED = ".rejected"


class UploadFolder:
    """Files of lists that were sent. They hold what the list holds, so none of them stays."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits there."""
        return not self._path.is_dir() or next(self._path.iterdir(), None) is None

    def create(self) -> tuple[str, IO[bytes]]:
        """A new file, open for writing, and its name; nobody else may read it."""
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = secrets.token_hex(16)
        descriptor = os.open(self._path / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        return name, os.fdopen(descriptor, "wb")

    def path_of(self, name: str) -> Path:
        """Where the file is, if it is there still."""
        return self._path / name

    def rejected_of(self, name: str) -> Path:
        """Where the rows of it that were rejected are."""
        return self._path / f"{name}{REJECTED}"

    def remove(self, name: str, *, with_rejected: bool) -> None:
        """Delete the file, and with it the rejected rows if that is wanted."""
        self.path_of(name).unlink(missing_ok=True)
        if with_rejected:
            self.rejected_of(name).unlink(missing_ok=True)

    def sweep(self, *, older_than: float) -> int:
        """Delete what was written more than so many seconds ago; returns how many files are left."""
        if not self._path.is_dir():
            return 0
        oldest, left = time.time() - older_than, 0
        for path in self._path.iterdir():
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)
            else:
                left += 1
        return left
