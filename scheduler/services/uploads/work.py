"""The work on a sent list: a thread of this process reads it, and notes in the database how far it is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Condition, Event, Thread

from scheduler.domain.uploads import UploadState
from scheduler.ports import Clock, Store
from scheduler.ports.uploads import Upload
from scheduler.records import Clinic
from scheduler.services.desk_enrolment import desk_defaults
from scheduler.services.importing import ImportReport, import_rows
from scheduler.services.intake.csv_rows import CsvRows
from scheduler.services.intake.draft import UnreadableFile
from scheduler.services.intake.errors_file import csv_errors_file, fhir_errors_file
from scheduler.services.rules import Rules
from scheduler.services.uploads.folder import UploadFolder
from scheduler.services.uploads.reading import Rows, UploadError, rows_of, said_of
from scheduler.services.uploads.report import as_json, counts_of, problems_of

SILENT_FOR = timedelta(minutes=5)  # then whoever was at it is taken for dead

_log = logging.getLogger(__name__)


class _Stopped(Exception):  # noqa: N818 - not a fault
    """Somebody cancelled the list, or the process is about to end."""


class UploadWork:
    """Works on one list at a time. One object serves one process."""

    def __init__(
        self,
        *,
        store: Store,
        rules: Rules,
        folder: UploadFolder,
        worker: str,
        clock: Clock,
        wall: Callable[[], datetime],
    ) -> None:
        """`clock` is the service's, by which patients are enrolled; `wall` the real time."""
        self._store = store
        self._rules = rules
        self._folder = folder
        self._worker = worker
        self._clock = clock
        self._wall = wall
        self._changed = Condition()
        self._at_work: int | None = None  # the number of a list
        self._closing = Event()
        self._thread: Thread | None = None

    def begin(self, clinic: Clinic, upload: Upload, state: UploadState, *, by: str) -> None:
        """Begin to check the list, or to import it; while it is at that list, nothing. Raises `UploadError`."""
        now = self._wall()
        with self._changed:
            if self._at_work == upload.id and not self._closing.is_set():
                return  # somebody has pressed twice
            if self._at_work is not None or self._closing.is_set():
                raise UploadError("Another list is being worked on just now. Try again when it is done.")
            self._at_work = upload.id  # before it is written so: who reads that looks here
        begun = replace(upload, state=state, worker=self._worker, beat_at=now, done=0, ended_at=None)
        try:
            self._claim(clinic, begun)
        except BaseException:
            self._rest()
            raise
        self._thread = Thread(target=self._work, args=(clinic, begun), kwargs={"by": by}, name="upload", daemon=True)
        self._thread.start()

    def _claim(self, clinic: Clinic, begun: Upload) -> None:
        with self._store.writing() as unit:
            unit.desk.hold(clinic.id)
            if any(not self.is_dead(one) for one in unit.uploads.at_work(clinic.id)):
                raise UploadError("Another list of this clinic is being worked on. Try again when it is done.")
            if not unit.uploads.move(begun):
                raise UploadError("Somebody has gone on with this list already. Look at where it stands.")

    def _rest(self) -> None:
        with self._changed:
            self._at_work = None
            self._changed.notify_all()

    def wait(self) -> None:
        """Until this process is at no list any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._at_work is None)

    def is_dead(self, upload: Upload) -> bool:
        """Whether nobody is at it any more, though nothing says so."""
        if upload.worker == self._worker:
            return self._at_work != upload.id
        return upload.beat_at is None or self._wall() - upload.beat_at > SILENT_FOR

    def close(self) -> None:
        """End after the batch in hand; the list is then found broken off."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self, clinic: Clinic, upload: Upload, *, by: str) -> None:
        try:
            self._end(upload, self._import(clinic, upload, by=by), by=by)
        except _Stopped:
            _log.info("list %s was stopped", upload.id)
            if not self._closing.is_set():
                self._folder.remove(upload.file, with_rejected=True)
            else:
                self._give_up(upload, UploadState.BROKEN_OFF, "The service was stopped on the way.")
        except UnreadableFile as error:
            said = said_of(error, self._folder.path_of(upload.file), upload.name)
            self._give_up(upload, UploadState.FAILED, said)
            self._folder.remove(upload.file, with_rejected=True)
        except Exception:  # noqa: BLE001 - the page says so, the log says why
            _log.exception("list %s broke off", upload.id)
            self._give_up(upload, UploadState.BROKEN_OFF, "Something went wrong here; the log says what.")
        finally:
            self._rest()

    def _import(self, clinic: Clinic, upload: Upload, *, by: str) -> Upload:
        path, done = self._folder.path_of(upload.file), 0
        rows = rows_of(upload, path, desk_defaults(self._rules, clinic, now=self._clock.now()))
        upload = replace(upload, lines=rows.lines)
        self._beat(upload, 0)

        def progress(count: int) -> None:
            nonlocal done
            done += count
            self._beat(upload, done)

        with ExitStack() as open_files:
            rejected = self._folder.rejected_of(upload.file)
            rejected.unlink(missing_ok=True)
            errors_file = (
                csv_errors_file(rejected, source=path, header=rows.header)
                if isinstance(rows, CsvRows)
                else fhir_errors_file(rejected, source=path)
            )
            keep = open_files.enter_context(errors_file).write
            report = import_rows(
                self._store,
                self._rules,
                clinic,
                rows,
                now=self._clock.now(),
                by=by,
                dry_run=upload.state is UploadState.CHECKING,
                on_rejected=keep,
                on_progress=progress,
            )
        return _with_report(upload, rows, report, done=done)

    def _beat(self, upload: Upload, done: int) -> None:
        if self._closing.is_set():
            raise _Stopped
        with self._store.writing() as unit:
            if not unit.uploads.beat(upload.clinic_id, upload.id, done=done, lines=upload.lines, now=self._wall()):
                raise _Stopped

    def _end(self, upload: Upload, ended: Upload, *, by: str) -> None:
        is_check = upload.state is UploadState.CHECKING
        state, now = (UploadState.CHECKED if is_check else UploadState.DONE), self._wall()
        with self._store.writing() as unit:
            if not unit.uploads.move(replace(ended, state=state, ended_at=now)):
                raise _Stopped
            if not is_check:
                what = ", ".join(f"{count} {name}" for name, count in _named(ended).items())
                unit.installation.audit(
                    [(upload.clinic_id, "list imported", None, f"list {upload.id}: {what}")], actor=by, now=now
                )
        if not is_check:
            self._folder.remove(upload.file, with_rejected=False)

    def _give_up(self, upload: Upload, state: UploadState, why: str) -> None:
        try:
            with self._store.writing() as unit:
                latest = unit.uploads.get(upload.clinic_id, upload.id) or upload
                unit.uploads.move(replace(latest, state=state, fault=why, ended_at=self._wall()))
        except Exception:  # noqa: BLE001 - then the next page finds it silent
            _log.exception("where list %s stands could not be written", upload.id)


def _with_report(upload: Upload, rows: Rows, report: ImportReport, *, done: int) -> Upload:
    problems = problems_of(
        report, ignored=dict(getattr(rows, "ignored", {})), notices=list(getattr(rows, "notices", ()))
    )
    return replace(upload, done=done, counts=counts_of(report), problems=as_json(problems))


def _named(upload: Upload) -> dict[str, int]:
    counts = upload.counts
    named = {name: getattr(counts, name) for name in ("created", "updated", "unchanged", "rejected", "excluded")}
    return {name: count for name, count in named.items() if count} or {"created": 0}
