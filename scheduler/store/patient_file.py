"""One patient's file beside their record: messages that staff wrote, attempts, notes and results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from scheduler.domain.contact import PlannedMessage
from scheduler.domain.messages import MessageStatus, SkipReason
from scheduler.domain.sending import FROM_STAFF, SERVICE_MESSAGES
from scheduler.ports.patient_file import Note, RecordedResult, Try, Written
from scheduler.store import rows
from scheduler.store.ledger import planned_values
from scheduler.store.tables import attempts, messages, patient_notes, results, written_messages
from scheduler.store.vault import Vault

_WORDS = "written_messages.words"
_NOTE = "patient_notes.words"


class PatientFile:
    """A patient's file, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    # Messages that staff wrote

    def write(self, clinic_id: int, written: Written, message: PlannedMessage, *, version: str) -> None:
        """Plan a message with these words."""
        own = {"id": written.message_id, "clinic_id": clinic_id, "patient_id": written.patient_id}
        same = {"planned_at": written.at, "attempts": 0, "status": MessageStatus.PLANNED.value}
        values = planned_values(message) | own | same | {"pathway_version": version}
        self._connection.execute(insert(messages).values(values))
        self._connection.execute(
            insert(written_messages).values(
                message_id=written.message_id,
                clinic_id=clinic_id,
                patient_id=written.patient_id,
                words=self._vault.seal(_WORDS, written.words),
                written_at=written.at,
                written_by=written.by,
                once=written.once,
            )
        )

    def sent_once(self, clinic_id: int, once: str) -> Written | None:
        """What the form with this mark has sent already."""
        query = select(written_messages).where(
            written_messages.c.clinic_id == clinic_id, written_messages.c.once == once
        )
        row = self._connection.execute(query).first()
        return None if row is None else self._written(row)

    def written(self, clinic_id: int, patient_id: UUID) -> dict[UUID, Written]:
        """What staff wrote to the patient, by message."""
        query = select(written_messages).where(
            written_messages.c.clinic_id == clinic_id, written_messages.c.patient_id == patient_id
        )
        return {row.message_id: self._written(row) for row in self._connection.execute(query)}

    def _written(self, row: rows.AnyRow) -> Written:
        return Written(
            message_id=row.message_id,
            patient_id=row.patient_id,
            words=self._vault.open(_WORDS, row.words) or "",
            at=row.written_at,
            by=row.written_by,
            once=row.once,
        )

    def words_of(self, message_ids: Sequence[UUID]) -> dict[UUID, str]:
        """The words of messages that are about to go; a second try has those of the first."""
        found: dict[UUID, str] = {}
        asked = {message_id: message_id for message_id in message_ids}  # by what each stands in for
        while asked:
            query = select(written_messages.c.message_id, written_messages.c.words).where(
                written_messages.c.message_id.in_(list(asked))
            )
            for row in self._connection.execute(query):
                found[asked.pop(row.message_id)] = self._vault.open(_WORDS, row.words) or ""
            if not asked:
                break
            firsts = select(messages.c.id, messages.c.retry_of).where(
                messages.c.id.in_(list(asked)), messages.c.retry_of.is_not(None)
            )
            asked = {row.retry_of: asked[row.id] for row in self._connection.execute(firsts)}
        return found

    def withdraw(self, clinic_id: int, patient_id: UUID, message_id: UUID) -> bool:
        """Void a written message that has not gone; False when it has, or is none of the patient's."""
        voided = self._connection.execute(
            update(messages)
            .where(
                messages.c.id == message_id,
                messages.c.clinic_id == clinic_id,
                messages.c.patient_id == patient_id,
                messages.c.pathway == SERVICE_MESSAGES,
                messages.c.template == FROM_STAFF,
                messages.c.status == MessageStatus.PLANNED.value,
            )
            .values(status=MessageStatus.SKIPPED.value, reason=SkipReason.WITHDRAWN.value)
        )
        return voided.rowcount == 1

    # Why a message did or did not go

    def tries(self, clinic_id: int, message_ids: Sequence[UUID]) -> dict[UUID, tuple[Try, ...]]:
        """The attempts at each of these messages, in order."""
        query = (
            select(attempts)
            .where(attempts.c.clinic_id == clinic_id, attempts.c.message_id.in_(message_ids))
            .order_by(attempts.c.message_id, attempts.c.number)
        )
        found: dict[UUID, list[Try]] = defaultdict(list)
        for row in self._connection.execute(query):
            found[row.message_id].append(
                Try(
                    message_id=row.message_id,
                    number=row.number,
                    started_at=row.started_at,
                    finished_at=row.finished_at,
                    outcome=row.outcome,
                    code=row.code,
                )
            )
        return {message_id: tuple(tries) for message_id, tries in found.items()}

    def planned_for(self, clinic_id: int, message_ids: Sequence[UUID]) -> dict[UUID, tuple[datetime, datetime]]:
        """From when (inclusive) and until when (exclusive) each of these messages may go."""
        query = select(messages.c.id, messages.c.send_from, messages.c.send_until).where(
            messages.c.clinic_id == clinic_id, messages.c.id.in_(message_ids)
        )
        return {row.id: (row.send_from, row.send_until) for row in self._connection.execute(query)}

    # Notes and results

    def add_note(self, clinic_id: int, patient_id: UUID, note: Note) -> None:
        """Add to the notes; nothing ever changes one."""
        self._connection.execute(
            insert(patient_notes).values(
                clinic_id=clinic_id,
                patient_id=patient_id,
                noted_at=note.at,
                noted_by=note.by,
                words=self._vault.seal(_NOTE, note.words),
            )
        )

    def notes(self, clinic_id: int, patient_id: UUID) -> list[Note]:
        """The latest first."""
        query = (
            select(patient_notes)
            .where(patient_notes.c.clinic_id == clinic_id, patient_notes.c.patient_id == patient_id)
            .order_by(patient_notes.c.id.desc())
        )
        return [
            Note(at=row.noted_at, by=row.noted_by, words=self._vault.open(_NOTE, row.words) or "")
            for row in self._connection.execute(query)
        ]

    def results(self, clinic_id: int, patient_id: UUID) -> list[RecordedResult]:
        """The latest first, voided ones among them."""
        query = (
            select(results)
            .where(results.c.clinic_id == clinic_id, results.c.patient_id == patient_id)
            .order_by(results.c.taken_on.desc(), results.c.recorded_at.desc())
        )
        return [
            RecordedResult(
                id=row.id,
                kind=row.kind,
                taken_on=row.taken_on,
                value=self._vault.open("results.value", row.value),
                unit=row.unit,
                next_months=row.next_months,
                recorded_at=row.recorded_at,
                recorded_by=row.recorded_by,
                moved=row.moved,
                voided_at=row.voided_at,
                voided_by=row.voided_by,
                void_reason=self._vault.open("results.void_reason", row.void_reason),
            )
            for row in self._connection.execute(query)
        ]

    def void_result(self, clinic_id: int, result_id: UUID, *, by: str, reason: str, now: datetime) -> bool:
        """Note that a result was recorded by mistake; False when that has been noted."""
        own = (results.c.clinic_id == clinic_id) & (results.c.id == result_id)
        voided = self._connection.execute(
            update(results)
            .where(own, results.c.voided_at.is_(None))
            .values(voided_at=now, voided_by=by, void_reason=self._vault.seal("results.void_reason", reason))
        )
        return voided.rowcount == 1

    def keep_moves(self, clinic_id: int, result_id: UUID, moved: str) -> None:
        """Write anew where a result led the patient's pathways."""
        own = (results.c.clinic_id == clinic_id) & (results.c.id == result_id)
        self._connection.execute(update(results).where(own).values(moved=moved))
