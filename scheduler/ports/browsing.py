"""What the pages of staff show of many rows: counts, lists by the page, names to search in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import PatientStatus
from scheduler.records import Named, PatientLine, TaskLine, Trouble


class Browsing(Protocol):
    """Reading for pages, always of one clinic. Instants are UTC."""

    def messages_by_status(self, clinic_id: int, *, since: datetime, until: datetime) -> dict[MessageStatus, int]:
        """How many messages planned within [since, until) stand where."""
        ...

    def due_until(self, clinic_id: int, until: datetime) -> int:
        """How many patients have their next contact before `until`."""
        ...

    def replies_since(self, clinic_id: int, since: datetime) -> int: ...

    def troubles(self, clinic_id: int, *, since: datetime, limit: int) -> list[Trouble]:
        """Messages planned since then that did not arrive, or may not have, the newest first."""
        ...

    def open_tasks(
        self,
        clinic_id: int,
        *,
        kind: str | None = None,
        assignee: str | None = None,
        is_free: bool = False,
        is_urgent: bool = False,
        due_before: date | None = None,
        limit: int,
        offset: int = 0,
    ) -> list[TaskLine]:
        """Open tasks, the most pressing first; `is_free`: nobody has them. `due_before` is a day of the clinic."""
        ...

    def patient_lines(
        self,
        clinic_id: int,
        *,
        status: PatientStatus | None = None,
        at: tuple[str, str] | None = None,
        after: str = "",
        limit: int,
    ) -> list[PatientLine]:
        """Patients by MRN, those after the MRN `after`; with `at`, those who stand there: a pathway and its step."""
        ...

    def patients_of(self, clinic_id: int, mrns: Sequence[str]) -> list[PatientLine]: ...

    def patients_by_status(self, clinic_id: int) -> dict[PatientStatus, int]: ...

    def patients_by_step(self, clinic_id: int) -> dict[tuple[str, str], int]:
        """How many patients stand in each step of each pathway."""
        ...

    def names(self, clinic_id: int, *, changed_since: datetime | None) -> list[Named]:
        """The names of patients whose record has changed since then; None: of all."""
        ...
