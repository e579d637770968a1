"""Lists of patients sent to the clinic's pages. What is personal about them is sealed, and forgotten in time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from scheduler.domain.uploads import COMES_FROM, UploadState
from scheduler.ports.uploads import Counts, Upload
from scheduler.store import rows
from scheduler.store.tables import upload_columns, uploads
from scheduler.store.upsert import insert_into
from scheduler.store.vault import Vault

_SEALED = ("name", "options", "problems", "fault")
_COUNTS = ("created", "updated", "unchanged", "rejected", "excluded")
_AT_WORK = [state.value for state in UploadState if state.is_at_work]


class Uploads:
    """Lists that were sent, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def add(self, upload: Upload) -> int:
        """Store it; returns its number."""
        added = self._connection.execute(insert(uploads).values(**self._values(upload)))
        (upload_id,) = added.inserted_primary_key or (0,)
        return int(upload_id)

    def get(self, clinic_id: int, upload_id: int) -> Upload | None:
        """One of the clinic's."""
        own = (uploads.c.clinic_id == clinic_id) & (uploads.c.id == upload_id)
        row = self._connection.execute(select(uploads).where(own)).one_or_none()
        return None if row is None else self._upload(row)

    def of_clinic(self, clinic_id: int, *, limit: int) -> list[Upload]:
        """The latest first."""
        query = select(uploads).where(uploads.c.clinic_id == clinic_id)
        latest = query.order_by(uploads.c.sent_at.desc(), uploads.c.id.desc()).limit(limit)
        return [self._upload(row) for row in self._connection.execute(latest)]

    def at_work(self, clinic_id: int) -> list[Upload]:
        """Those that a process reads now."""
        query = select(uploads).where(uploads.c.clinic_id == clinic_id, uploads.c.state.in_(_AT_WORK))
        return [self._upload(row) for row in self._connection.execute(query)]

    def move(self, upload: Upload, *, seen_beat: datetime | None = None) -> bool:
        """Write `upload`, if it is in a state that its new one may follow; False when it is not."""
        before = [state.value for state in COMES_FROM[upload.state]]
        own = (uploads.c.clinic_id == upload.clinic_id) & (uploads.c.id == upload.id) & uploads.c.state.in_(before)
        if seen_beat is not None:
            own &= uploads.c.beat_at == seen_beat
        return self._connection.execute(update(uploads).where(own).values(**self._values(upload))).rowcount == 1

    def beat(self, clinic_id: int, upload_id: int, *, done: int, lines: int, now: datetime) -> bool:
        """Note how far it is; False when it is at work no more, because somebody cancelled it."""
        own = (uploads.c.clinic_id == clinic_id) & (uploads.c.id == upload_id) & uploads.c.state.in_(_AT_WORK)
        values = {"done": done, "lines": lines, "beat_at": now}
        return self._connection.execute(update(uploads).where(own).values(**values)).rowcount == 1

    def forget(self, *, sent_before: datetime) -> None:
        """Of all clinics: nothing personal is kept about lists sent before; those at rest expire."""
        old = uploads.c.sent_at < sent_before
        at_rest = [state.value for state in COMES_FROM[UploadState.EXPIRED]]
        expired = update(uploads).where(old, uploads.c.state.in_(at_rest))
        self._connection.execute(expired.values(state=UploadState.EXPIRED.value))
        kept = or_(uploads.c.problems.is_not(None), uploads.c.options.is_not(None))
        personal = update(uploads).where(old, kept, uploads.c.state.not_in(_AT_WORK))
        self._connection.execute(personal.values(problems=None, options=None))

    def headings(self, clinic_id: int) -> Mapping[str, str]:
        """What the clinic's lists called our columns before: column by heading; empty for one that is left out."""
        query = select(upload_columns.c.headings).where(upload_columns.c.clinic_id == clinic_id)
        kept = self._vault.open("upload_columns.headings", self._connection.scalar(query))
        known: dict[str, str] = json.loads(kept) if kept else {}
        return known

    def keep_headings(self, clinic_id: int, headings: Mapping[str, str]) -> None:
        """Remember them for the next list."""
        sealed = self._vault.seal("upload_columns.headings", json.dumps(dict(headings)))
        new = insert_into(self._connection, upload_columns).values(clinic_id=clinic_id, headings=sealed)
        self._connection.execute(
            new.on_conflict_do_update(
                index_elements=[upload_columns.c.clinic_id], set_={"headings": new.excluded.headings}
            )
        )

    def _values(self, upload: Upload) -> rows.Values:
        values: dict[str, Any] = {
            "clinic_id": upload.clinic_id,
            "file": upload.file,
            "kind": upload.kind,
            "size": upload.size,
            "sent_by": upload.sent_by,
            "sent_at": upload.sent_at,
            "state": upload.state.value,
            "lines": upload.lines,
            "done": upload.done,
            "worker": upload.worker,
            "beat_at": upload.beat_at,
            "ended_at": upload.ended_at,
        }
        sealed = {name: self._vault.seal(f"uploads.{name}", getattr(upload, name)) for name in _SEALED}
        return values | asdict(upload.counts) | sealed

    def _upload(self, row: rows.AnyRow) -> Upload:
        opened = {name: self._vault.open(f"uploads.{name}", getattr(row, name)) for name in _SEALED}
        return Upload(
            id=row.id,
            clinic_id=row.clinic_id,
            file=row.file,
            name=opened["name"] or "",
            kind=row.kind,
            size=row.size,
            sent_by=row.sent_by,
            sent_at=row.sent_at,
            state=UploadState(row.state),
            options=opened["options"],
            lines=row.lines,
            done=row.done,
            counts=Counts(**{name: getattr(row, name) for name in _COUNTS}),
            problems=opened["problems"],
            fault=opened["fault"],
            worker=row.worker,
            beat_at=row.beat_at,
            ended_at=row.ended_at,
        )
