"""Importing a file of patients: good rows load, bad ones are reported with line, column and reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from scheduler.ports import Store
from scheduler.records import Clinic
from scheduler.services.enrol import Enroller, Fate
from scheduler.services.intake.draft import Excluded, PatientDraft, Rejected, Row, RowError
from scheduler.services.rules import Rules

BATCH = 1000  # rows per transaction


@dataclass(slots=True)
class ImportReport:
    """What an import did, or in a dry run would do."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    excluded: int = 0
    errors: list[RowError] = field(default_factory=list)
    warnings: list[RowError] = field(default_factory=list)

    def count(self, fates: Counter[Fate]) -> None:
        self.created += fates[Fate.CREATED]
        self.updated += fates[Fate.UPDATED]
        self.unchanged += fates[Fate.UNCHANGED]


def import_rows(
    store: Store,
    rules: Rules,
    clinic: Clinic,
    rows: Iterable[Row],
    *,
    now: datetime,
    by: str,
    dry_run: bool = False,
    on_rejected: Callable[[Rejected], None] = lambda _: None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> ImportReport:
    """Enrol the patients of `rows`, batch by batch; each batch becomes true at once or not at all.

    `on_rejected` gets every row that did not load, `on_progress` the number of rows of each finished batch. Raises
    what the reader of `rows` raises; the batches before it stay, and importing again changes nothing in them.
    """
    report = ImportReport()
    enroller = Enroller(rules, clinic, now=now, by=by)
    for batch in _batches(iter(rows)):
        drafts = [row for row in batch if isinstance(row, PatientDraft)]
        excluded = [row for row in batch if isinstance(row, Excluded)]
        if dry_run:
            with store.reading() as unit:
                report.count(enroller.enrol(unit, drafts, write=False))
        else:
            with store.writing() as unit:
                report.count(enroller.enrol(unit, drafts))
                enroller.take_off(unit, excluded)
        report.excluded += len(excluded)
        for draft in drafts:
            report.warnings.extend(draft.warnings)
        for row in batch:
            if isinstance(row, Rejected):
                report.rejected += 1
                report.errors.extend(row.errors)
                on_rejected(row)
        on_progress(len(batch))
    return report


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch
