"""What the pages of staff show of many rows: counts, lists by the page, names to search in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel, PatientStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientLine:
    """A patient as a list shows them."""

    mrn: str
    name: str
    status: PatientStatus
    paused_until: date | None
    channel: Channel
    may_be_reached: bool
    timezone: str
    next_contact_at: datetime | None


@dataclass(frozen=True, slots=True)
class Named:
    """A patient's name, open and as it is sealed in the database."""

    patient_id: UUID
    mrn: str
    name: str
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLine:
    """A task as a list shows it, and whom it is about."""

    id: int
    kind: str
    priority: str
    opened_at: datetime
    due: date
    assignee: str | None
    mrn: str | None
    name: str | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A message that did not arrive, or may not have."""

    planned_at: datetime
    mrn: str
    name: str
    channel: Channel
    pathway: str
    status: MessageStatus
    reason: str | None


class Browsing(Protocol):
    """Reading for pages, always of one clinic. Instants are UTC."""

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

    def names(self, clinic_id: int, *, changed_since: datetime | None, known: Mapping[UUID, bytes]) -> list[Named]:
        """The names of patients whose record has changed since then; None: of all.

        Left out are those that are sealed as they are `known` to be, by id.
        """
        ...
