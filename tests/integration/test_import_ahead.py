"""Large imports are prepared ahead by a second process: what is stored is the same as without it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.records import Patient
from scheduler.services.importing import BATCH, WORTH_REHEARSING, ImportReport, import_rows
from scheduler.services.intake.ahead import can_work_ahead
from scheduler.services.intake.draft import Rejected, Row, RowError, UnreadableFile
from tests.support.worlds import MONDAY, World, world_at

SIZE = WORTH_REHEARSING + 10

pytestmark = pytest.mark.skipif(not can_work_ahead(), reason="this machine has no second processor to work ahead on")


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


@pytest.fixture
def other(tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "other"
    folder.mkdir()
    with world_at(MONDAY, database_url=f"sqlite:///{folder}/other.db", folder=folder) as world:
        yield world


def drafts(world: World, count: int, **cells: str) -> Iterator[Row]:
    for number in range(count):
        yield world.draft(f"M{number:05}", {"phone": f"+1617555{number % 10_000:04}", "sms_consent": "yes", **cells})


def load(world: World, rows: Iterator[Row], *, expected: int = SIZE) -> ImportReport:
    return import_rows(
        world.store, world.rules, world.clinic, rows, now=world.clock.now(), by="tests", expected=expected
    )


def on_file(world: World) -> dict[str, tuple[object, ...]]:
    with world.store.reading() as unit:
        patients = unit.patients.of_clinic(world.clinic.id)
        enrolled = unit.patients.enrolments([patient.id for patient in patients])
        audited = len(unit.installation.audit_entries(world.clinic.id))
    known = {patient.mrn: (*_said(patient), {one.state for one in enrolled[patient.id]}) for patient in patients}
    return known | {"audited": (audited,)}


def _said(patient: Patient) -> tuple[object, ...]:
    return patient.name, patient.phone, patient.sms_consent, patient.next_contact_at, patient.source


def test_what_is_stored_is_what_one_process_would_have_stored(world: World, other: World) -> None:
    report = load(world, drafts(world, SIZE))
    assert (report.created, report.rejected) == (SIZE, 0)
    assert load(other, drafts(other, SIZE), expected=0) == report
    assert on_file(world) == on_file(other)


def test_patients_on_file_are_updated_and_the_others_of_their_batch_created(world: World) -> None:
    load(world, drafts(world, 3))
    report = load(world, drafts(world, SIZE, contact_time="11:00"))
    assert (report.created, report.updated, report.unchanged) == (SIZE - 3, 3, 0)
    again = load(world, drafts(world, SIZE, contact_time="11:00"))
    assert (again.created, again.updated, again.unchanged) == (0, 0, SIZE)


def test_rows_that_do_not_load_are_told_of_in_their_order(world: World) -> None:
    def rows() -> Iterator[Row]:
        for number, draft in enumerate(drafts(world, SIZE)):
            yield draft
            if number % BATCH == 0:
                yield Rejected(line=number, errors=(RowError(number, "mrn", "", "no"),), raw=("x",))

    report = load(world, rows())
    assert [error.line for error in report.errors] == list(range(0, SIZE, BATCH))


def test_what_the_reader_raises_is_raised_here_and_the_batches_before_it_stay(world: World) -> None:
    def rows() -> Iterator[Row]:
        yield from drafts(world, BATCH)
        raise UnreadableFile("the file changed while it was read")

    with pytest.raises(UnreadableFile, match="changed while it was read"):
        load(world, rows())
    with world.store.reading() as unit:
        assert unit.patients.count(world.clinic.id) == BATCH


def test_a_reader_that_is_killed_ends_the_import_with_a_clear_error(world: World) -> None:
    def rows() -> Iterator[Row]:
        yield from drafts(world, BATCH)
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(UnreadableFile, match="import the same file again"):
        load(world, rows())
    assert not multiprocessing.active_children()
