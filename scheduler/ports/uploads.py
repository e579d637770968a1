"""Lists of patients sent to the clinic's pages, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from scheduler.domain.uploads import UploadState


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What an import did, or would do, in rows."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    excluded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A list that was sent. Instants are the real time, in UTC. `id` is 0 until stored.

    `file` is its name in the folder of uploads, `name` what the sender calls it, `options` and `problems` are JSON.
    """

    id: int = 0
    clinic_id: int
    file: str
    name: str
    kind: str
    size: int  # bytes
    sent_by: str
    sent_at: datetime
    state: UploadState = UploadState.NEW
    options: str | None = None
    lines: int = 0
    done: int = 0  # rows, while it is at work
    counts: Counts = Counts()
    problems: str | None = None
    fault: str | None = None
    worker: str | None = None
    beat_at: datetime | None = None
    ended_at: datetime | None = None


class Uploads(Protocol):
    """Lists that were sent, of one clinic unless said otherwise."""

    def add(self, upload: Upload) -> int:
        """Store it; returns its number."""
        ...

    def get(self, clinic_id: int, upload_id: int) -> Upload | None: ...

    def of_clinic(self, clinic_id: int, *, limit: int) -> list[Upload]:
        """The latest first."""
        ...

    def at_work(self, clinic_id: int) -> list[Upload]:
        """Those that a process reads now."""
        ...

    def move(self, upload: Upload, *, seen_beat: datetime | None = None) -> bool:
        """Write `upload`, if it is in a state that its new one may follow; False when it is not.

        With `seen_beat` only if nobody has worked on it since.
        """
        ...

    def beat(self, clinic_id: int, upload_id: int, *, done: int, lines: int, now: datetime) -> bool:
        """Note how far it is; False when it is at work no more, because somebody cancelled it."""
        ...

    def forget(self, *, sent_before: datetime) -> None:
        """Of all clinics: nothing personal is kept about lists sent before; those at rest expire."""
        ...

    def headings(self, clinic_id: int) -> Mapping[str, str]:
        """What the clinic's lists called our columns before: column by heading; empty for one that is left out."""
        ...

    def keep_headings(self, clinic_id: int, headings: Mapping[str, str]) -> None: ...
