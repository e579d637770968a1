"""What stands in one patient's file beside their record: messages that staff wrote, attempts, notes, results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from scheduler.domain.contact import PlannedMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a member of staff wrote to a patient. `by` is their e-mail address; `at` is UTC."""

    message_id: UUID
    patient_id: UUID
    words: str
    at: datetime
    by: str
    once: str  # of the form it came by: that one sends one message


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One attempt at a message, as it is on record. Instants are UTC."""

    message_id: UUID
    number: int
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What somebody of the clinic wrote down about a patient, for their own people."""

    at: datetime
    by: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedResult:
    """A result on file, and who recorded it when (UTC). One that was a mistake is voided, and stays on file."""

    id: UUID
    kind: str
    taken_on: date
    value: str | None
    unit: str | None
    next_months: int | None
    recorded_at: datetime
    recorded_by: str
    moved: str | None = None  # where it led the patient's pathways, as JSON
    voided_at: datetime | None = None
    voided_by: str | None = None
    void_reason: str | None = None

    @property
    def stands(self) -> bool:
        return self.voided_at is None


class PatientFile(Protocol):
    """One patient's file, always of one clinic. Instants are UTC."""

    # Messages that staff wrote

    def write(self, clinic_id: int, written: Written, message: PlannedMessage, *, version: str) -> None:
        """Plan a message with these words."""
        ...

    def sent_once(self, clinic_id: int, once: str) -> Written | None:
        """What the form with this mark has sent already."""
        ...

    def written(self, clinic_id: int, patient_id: UUID) -> dict[UUID, Written]:
        """What staff wrote to the patient, by message. A second try (`LedgerEntry.retry_of`) has an id of its own."""
        ...

    def words_of(self, message_ids: Sequence[UUID]) -> dict[UUID, str]:
        """The words of messages that are about to go, of whatever clinic; a second try has those of the first."""
        ...

    def withdraw(self, clinic_id: int, patient_id: UUID, message_id: UUID) -> bool:
        """Void a written message that has not gone; False when it has, or is none of the patient's."""
        ...

    # Why a message did or did not go

    def tries(self, clinic_id: int, message_ids: Sequence[UUID]) -> dict[UUID, tuple[Try, ...]]:
        """The attempts at each of these messages, in order."""
        ...

    def planned_for(self, clinic_id: int, message_ids: Sequence[UUID]) -> dict[UUID, tuple[datetime, datetime]]:
        """From when (inclusive) and until when (exclusive) each of these messages may go."""
        ...

    # Notes and results

    def add_note(self, clinic_id: int, patient_id: UUID, note: Note) -> None: ...

    def notes(self, clinic_id: int, patient_id: UUID) -> list[Note]:
        """The latest first."""
        ...

    def results(self, clinic_id: int, patient_id: UUID) -> list[RecordedResult]:
        """The latest first, voided ones among them."""
        ...

    def void_result(self, clinic_id: int, result_id: UUID, *, by: str, reason: str, now: datetime) -> bool:
        """Note that a result was recorded by mistake; False when that has been noted."""
        ...

    def keep_moves(self, clinic_id: int, result_id: UUID, moved: str) -> None:
        """Write anew where a result led the patient's pathways."""
        ...
