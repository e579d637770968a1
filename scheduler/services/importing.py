"""Importing a file of patients: good rows load, bad ones are reported with line, column and reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

from scheduler.ports import Rehearsed, Store, Unit
from scheduler.records import Clinic
from scheduler.services.enrol import Enroller, Fate
from scheduler.services.intake.ahead import can_work_ahead, work_ahead
from scheduler.services.intake.batches import Batch, batches, rehearsed
from scheduler.services.intake.draft import PatientDraft, Rejected, Row, RowError
from scheduler.services.rules import Rules

BATCH = 1000  # rows per transaction
WORTH_REHEARSING = 2 * BATCH  # rows; a process for fewer costs more than it saves


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
    expected: int = 0,
    on_rejected: Callable[[Rejected], None] = lambda _: None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> ImportReport:
    """Enrol the patients of `rows`, batch by batch; each batch becomes true at once or not at all.

    With many `expected`, two other processes read and prepare them ahead: what `rows` notes about itself while it is
    read is then not seen here. `on_rejected` gets every row that did not load, `on_progress` the number of rows of
    each finished batch. Raises what the reader of `rows` raises; the batches before it stay, and importing again
    changes nothing in them.
    """
    report = ImportReport()
    enroller = Enroller(rules, clinic, now=now, by=by)

    def rehearse(drafts: list[PatientDraft]) -> Rehearsed:
        return store.rehearse(lambda unit: enroller.enrol(unit, drafts))

    with ExitStack() as open_until_done:
        coming = batches(iter(rows), size=BATCH)
        if expected >= WORTH_REHEARSING and not dry_run and can_work_ahead() and store.can_rehearse:
            read = open_until_done.enter_context(work_ahead(coming))
            coming = open_until_done.enter_context(work_ahead(rehearsed(read, rehearse)))
        for batch in coming:
            report.count(_look_at(store, enroller, batch) if dry_run else _store(store, enroller, batch))
            report.excluded += len(batch.excluded)
            report.warnings.extend(batch.warnings)
            for row in batch.rejected:
                report.rejected += 1
                report.errors.extend(row.errors)
                on_rejected(row)
            on_progress(batch.size)
    return report


def _look_at(store: Store, enroller: Enroller, batch: Batch) -> Counter[Fate]:
    with store.reading() as unit:
        return enroller.enrol(unit, batch.drafts.unpacked(), write=False)


def _store(store: Store, enroller: Enroller, batch: Batch) -> Counter[Fate]:
    with store.writing() as unit:
        fates = _store_drafts(unit, enroller, batch)
        enroller.take_off(unit, batch.excluded)
    return fates


def _store_drafts(unit: Unit, enroller: Enroller, batch: Batch) -> Counter[Fate]:
    """As it was rehearsed, when nobody in the batch is on file; else as it turns out now."""
    if batch.rehearsed is None or unit.patients.any_of(enroller.clinic_id, batch.mrns):
        return enroller.enrol(unit, batch.drafts.unpacked())
    unit.perform(batch.rehearsed)
    return Counter({Fate.CREATED: len(batch.mrns)})
