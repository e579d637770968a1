"""Rows in batches, each ready to be stored."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from scheduler.ports import Rehearsed
from scheduler.services.intake.draft import Excluded, PatientDraft, Rejected, Row, RowError

Rehearse = Callable[[list[PatientDraft]], Rehearsed]


class Drafts:
    """Drafts that come through a pipe still packed, and are unpacked when somebody wants them."""

    def __init__(self, drafts: list[PatientDraft] | None, packed: bytes = b"") -> None:
        self._drafts = drafts
        self._packed = packed

    def __reduce__(self) -> tuple[Any, ...]:
        return Drafts, (None, self._packed or pickle.dumps(self._drafts, pickle.HIGHEST_PROTOCOL))

    def unpacked(self) -> list[PatientDraft]:
        """The drafts themselves."""
        if self._drafts is None:
            self._drafts = pickle.loads(self._packed)  # noqa: S301 - packed by this program a moment ago
        return self._drafts


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows for one transaction. `rehearsed` is what storing its drafts comes to when none of `mrns` is on file."""

    size: int
    mrns: Sequence[str]
    drafts: Drafts
    warnings: Sequence[RowError]
    rejected: Sequence[Rejected]
    excluded: Sequence[Excluded]
    rehearsed: Rehearsed | None = None


def batches(rows: Iterator[Row], *, size: int) -> Iterator[Batch]:
    """The rows in batches of `size`."""
    while batch := list(islice(rows, size)):
        drafts = [row for row in batch if isinstance(row, PatientDraft)]
        yield Batch(
            size=len(batch),
            mrns=[draft.mrn for draft in drafts],
            drafts=Drafts(drafts),
            warnings=[warning for draft in drafts for warning in draft.warnings],
            rejected=[row for row in batch if isinstance(row, Rejected)],
            excluded=[row for row in batch if isinstance(row, Excluded)],
        )


def rehearsed(read: Iterator[Batch], rehearse: Rehearse) -> Iterator[Batch]:
    """The batches, with what storing each comes to."""
    for batch in read:
        yield replace(batch, rehearsed=rehearse(batch.drafts.unpacked()))
