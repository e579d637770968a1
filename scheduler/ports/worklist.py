"""What waits for people: tasks and their history, supplement cases, results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from scheduler.domain.tasks import Resolution
from scheduler.records import Clearance, NewTask, OpenTasks, Result, Task, TaskEvent

SERVICE = "service"  # the actor of what no person did


class Tasks(Protocol):
    """A clinic's worklist. Whatever changes a task is written into its history. Instants are UTC."""

    def open(self, new: Iterable[NewTask], *, now: datetime) -> None:
        """Open tasks. One whose cause already has an open task in the clinic changes nothing."""
        ...

    def add_words(self, clinic_id: int, cause: str, words: str, *, now: datetime) -> bool:
        """Write `words` under the note of the open task with this cause; False when there is none."""
        ...

    def is_open(self, clinic_id: int, cause: str) -> bool:
        """Whether a task with this cause is open."""
        ...

    def close(
        self, clinic_id: int, causes: Sequence[str], *, now: datetime, by: str = SERVICE, words: str = ""
    ) -> None:
        """Close the open tasks with these causes: what they asked for has come about, as `words` say."""
        ...

    def close_all_of(self, clinic_id: int, patient_id: UUID, *, now: datetime, words: str) -> None:
        """Close all open tasks about a patient, with the reason in `words`."""
        ...

    def escalate(self, clinic_id: int, causes: Sequence[str], *, now: datetime) -> None:
        """Make the open tasks with these causes urgent."""
        ...

    # Overdue, in all clinics

    def escalate_overdue(self, now: datetime, *, limit: int) -> int:
        """Make up to `limit` overdue tasks urgent, each once whoever else does so; returns how many."""
        ...

    def next_overdue(self) -> datetime | None:
        """The earliest instant at which a task becomes overdue; it may have passed."""
        ...

    # One task, by its number

    def task(self, clinic_id: int, task_id: int, *, lock: bool = False) -> Task | None:
        """One task of the clinic; with `lock`, held until the transaction ends."""
        ...

    def history(self, clinic_id: int, task_id: int) -> list[TaskEvent]:
        """All that happened to a task, oldest first."""
        ...

    def note(self, clinic_id: int, task_id: int, words: str, *, by: str, now: datetime) -> None: ...

    def assign(self, clinic_id: int, task_id: int, assignee: str | None, *, by: str, now: datetime) -> None: ...

    def resolve(
        self, clinic_id: int, task_id: int, resolution: Resolution, words: str, *, by: str, now: datetime
    ) -> bool:
        """End an open task; False when it is not open."""
        ...

    def successor(self, clinic_id: int, task_id: int) -> int | None:
        """The open task that has the same cause as this closed one."""
        ...

    def reopen(
        self, clinic_id: int, task_id: int, words: str, *, due: date, overdue_at: datetime, by: str, now: datetime
    ) -> bool:
        """Open a closed task again; False when it is open."""
        ...

    # Many tasks

    def tasks(self, clinic_id: int, *, mrn: str | None = None, only_open: bool = False) -> list[Task]:
        """The clinic's tasks, oldest first."""
        ...

    def open_counts(self, clinic_id: int) -> list[OpenTasks]:
        """How many tasks are open, by what a digest tells of them."""
        ...

    def open_dues(self, clinic_id: int) -> list[date]:
        """The dates on which open tasks that are not overdue are due."""
        ...

    def set_overdue(self, clinic_id: int, instants: Iterable[tuple[date, datetime]]) -> None:
        """Write when open tasks become overdue, by the date on which they are due."""
        ...


class Worklist(Tasks, Protocol):
    """Tasks, supplement cases and results."""

    def open_clearance(self, clinic_id: int, patient_id: UUID, *, named: str, now: datetime) -> None: ...

    def clearances(
        self, clinic_id: int | None = None, *, case: int | None = None, patient_id: UUID | None = None
    ) -> list[Clearance]:
        """The supplement cases of a clinic, or of one patient, or the one with this number in any, oldest first."""
        ...

    def decide_clearance(
        self,
        case: Clearance,
        *,
        decision: str,
        by: str,
        now: datetime,
        signed_with: str | None = None,
        shown: str | None = None,
    ) -> bool:
        """Record a decision on an open case; False when somebody else has decided it meanwhile.

        `signed_with`: what whoever decides has proved themselves by. `shown`: what they had before them.
        """
        ...

    def add_result(self, result: Result, *, now: datetime) -> None: ...
