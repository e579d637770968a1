"""Takes lists of patients that are sent to the clinic's pages, looks into them, and imports them.

The work goes on in a thread of this process, one list at a time. How far it is stands in the database, so that any
page of any process shows it; when this process ends on the way, the list is found broken off and can be checked and
imported again, which repeats nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO

from scheduler.domain.uploads import UploadState
from scheduler.ports import Clock, Store
from scheduler.ports.uploads import Counts, Upload
from scheduler.records import Clinic
from scheduler.services.intake.csv_header import likely_places
from scheduler.services.intake.draft import UnreadableFile
from scheduler.services.intake.fields import REQUIRED
from scheduler.services.intake.form import form_of
from scheduler.services.rules import Rules
from scheduler.services.uploads.folder import UploadFolder
from scheduler.services.uploads.reading import (
    Options,
    UploadError,
    as_json,
    beginning_of,
    header_of,
    options_of,
    said_of,
)
from scheduler.services.uploads.sweeping import Sweeper
from scheduler.services.uploads.work import UploadWork

MOST_KEPT = 30  # lists that the history shows
LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Headings:
    """The headings of a CSV file with the value of each in its first row, and where our columns probably stand."""

    names: tuple[str, ...]
    examples: tuple[str, ...]
    places: Mapping[str, int]


class UploadDesk:
    """The lists of all clinics that come to this process. One object serves one process."""

    def __init__(
        self,
        *,
        store: Store,
        rules: Rules,
        folder: Path,
        worker: str,
        clock: Clock,
        wall: Callable[[], datetime],
    ) -> None:
        """`clock` is the service's, by which patients are enrolled; `wall` the real time, by which files age."""
        self._store = store
        self._folder = UploadFolder(folder)
        self._wall = wall
        self.work = UploadWork(store=store, rules=rules, folder=self._folder, worker=worker, clock=clock, wall=wall)
        self.sweeper = Sweeper(store, self._folder, wall=wall)
        if not self._folder.is_empty:
            self.sweeper.start()

    # What comes in

    def create(self) -> tuple[str, IO[bytes]]:
        """A file to write what is being sent into, and its name."""
        return self._folder.create()

    def discard(self, file: str) -> None:
        """Delete what did not come whole."""
        self._folder.remove(file, with_rejected=True)

    def take_in(self, clinic: Clinic, *, file: str, name: str, by: str) -> Upload:
        """Keep a file that has come. Raises `UploadError` for one that is no list, and deletes it."""
        path, shown = self._folder.path_of(file), name[-LONGEST_NAME:]
        now = self._wall()
        try:
            size = path.stat().st_size
            if size == 0:
                raise UnreadableFile(f"{path} is empty")
            kind = form_of(path, name=shown)
            if kind == "csv":
                header_of(path)
        except UnreadableFile as error:
            self.discard(file)
            raise UploadError(said_of(error, path, shown)) from error
        upload = Upload(clinic_id=clinic.id, file=file, name=shown, kind=kind, size=size, sent_by=by, sent_at=now)
        with self._store.writing() as unit:
            upload = replace(upload, id=unit.uploads.add(upload))
            unit.installation.audit([(clinic.id, "list sent", None, f"list {upload.id}, {kind}")], actor=by, now=now)
        self.sweeper.start()
        return upload

    def headings(self, clinic: Clinic, upload: Upload) -> Headings:
        """What the columns of a CSV file are called. Raises `UploadError` when the file is gone."""
        path = self._present(upload)
        try:
            header, first = beginning_of(path)
        except UnreadableFile as error:
            raise UploadError(said_of(error, path, upload.name)) from error
        with self._store.reading() as unit:
            remembered = unit.uploads.headings(clinic.id)
        chosen = options_of(upload).places
        width = len(header.columns)
        examples = (*first, *[""] * width)[:width]
        places = likely_places(header, remembered) if chosen is None else chosen
        return Headings(tuple(cell.strip() for cell in header.cells[:width]), examples, places)

    # Looking, and what is wanted of it

    def find(self, clinic: Clinic, upload_id: int) -> Upload | None:
        """One of the clinic's lists as it stands: one whose process is gone is found broken off."""
        with self._store.reading() as unit:
            found = unit.uploads.get(clinic.id, upload_id) if 0 < upload_id < 2**31 else None
        return None if found is None else self._settled(found)

    def history(self, clinic: Clinic) -> list[Upload]:
        """The clinic's lists, the latest first."""
        with self._store.reading() as unit:
            found = unit.uploads.of_clinic(clinic.id, limit=MOST_KEPT)
        return [self._settled(one) for one in found]

    def rejected_file(self, upload: Upload) -> Path | None:
        """The rows that were rejected, with the reasons; None when there are none or they are no longer kept."""
        path = self._folder.rejected_of(upload.file)
        return path if path.is_file() else None

    def is_there(self, upload: Upload) -> bool:
        """Whether what was sent is still kept, on this machine."""
        return self._folder.path_of(upload.file).is_file()

    def check(self, clinic: Clinic, upload: Upload, options: Options) -> None:
        """Begin to look at what importing the list would do. Raises `UploadError`; nothing is changed then."""
        if upload.kind == "csv":
            self._remember(clinic, upload, options)
        self._present(upload)
        asked = replace(upload, options=as_json(options), counts=Counts(), problems=None, fault=None)
        self.work.begin(clinic, asked, UploadState.CHECKING, by=upload.sent_by)

    def run(self, clinic: Clinic, upload: Upload, *, by: str) -> None:
        """Begin to import the list as it was checked; again changes nothing. Raises `UploadError`."""
        with self._store.reading() as unit:
            latest = unit.uploads.get(clinic.id, upload.id) or upload
        if latest.state in (UploadState.RUNNING, UploadState.DONE):
            return
        self._present(upload)
        self.work.begin(clinic, upload, UploadState.RUNNING, by=by)

    def cancel(self, clinic: Clinic, upload: Upload, *, by: str) -> None:
        """Delete the list; what has been imported of it stays. Raises `UploadError`."""
        now = self._wall()
        with self._store.writing() as unit:
            latest = unit.uploads.get(clinic.id, upload.id) or upload
            # What was only checked has imported nothing.
            done = 0 if latest.state in (UploadState.CHECKING, UploadState.CHECKED) else latest.done
            cancelled = replace(latest, state=UploadState.CANCELLED, ended_at=now, problems=None, done=done)
            if not unit.uploads.move(cancelled):
                raise UploadError("This list has ended already.")
            unit.installation.audit([(clinic.id, "list cancelled", None, f"list {upload.id}")], actor=by, now=now)
        if not upload.state.is_at_work:  # else whoever is at it notices, and deletes the file
            self._folder.remove(upload.file, with_rejected=True)

    def close(self) -> None:
        """End after the batch in hand; the list is then found broken off."""
        self.work.close()
        self.sweeper.close()

    # Small steps

    def _remember(self, clinic: Clinic, upload: Upload, options: Options) -> None:
        places = options.places or {}
        if any(name not in places for name in REQUIRED):
            raise UploadError("Say which columns hold the record number and the name.")
        header, _ = beginning_of(self._present(upload))
        if any(not 0 <= place < len(header.columns) for place in places.values()):
            raise UploadError("This file has fewer columns than that. Choose again.")
        chosen = {place: column for column, place in places.items()}
        words = {name: chosen.get(place, "") for place, name in enumerate(header.columns) if name}
        with self._store.writing() as unit:
            known = {
                name: column for name, column in unit.uploads.headings(clinic.id).items() if column not in places
            }
            unit.uploads.keep_headings(clinic.id, dict(list((known | words).items())[-200:]))

    def _present(self, upload: Upload) -> Path:
        if not self.is_there(upload):
            raise UploadError("The file is no longer here. Send it again.")
        return self._folder.path_of(upload.file)

    def _settled(self, upload: Upload) -> Upload:
        if not upload.state.is_at_work or not self.work.is_dead(upload):
            return upload
        broken = replace(
            upload,
            state=UploadState.BROKEN_OFF,
            fault="The service was stopped on the way.",
            ended_at=self._wall(),
        )
        with self._store.writing() as unit:
            unit.uploads.move(broken, seen_beat=upload.beat_at)
            return unit.uploads.get(upload.clinic_id, upload.id) or broken
