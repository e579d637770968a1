"""The latest attempt at a message, read with the message in one row."""

from __future__ import annotations

from sqlalchemy import select

from scheduler.domain.messages import MessageKind
from scheduler.domain.people import Addressee, Channel
from scheduler.ports.settling import Attempted
from scheduler.records import LedgerMessage
from scheduler.store import rows
from scheduler.store.tables import attempts, messages
from scheduler.store.vault import Vault

ATTEMPTED = select(
    messages,
    attempts.c.id.label("attempt_id"),
    attempts.c.address.label("attempt_address"),
    attempts.c.started_at.label("attempt_started_at"),
).join(attempts, (attempts.c.message_id == messages.c.id) & (attempts.c.number == messages.c.attempts))

_COUNT_AT = list(messages.c).index(messages.c.count)  # a row, being a tuple, has a method of that name


def attempted_from(row: rows.AnyRow, vault: Vault) -> Attempted:
    """A row of `ATTEMPTED`, in plain form."""
    return Attempted(
        message=message_from(row),
        attempt_id=row.attempt_id,
        address=vault.open("attempts.address", row.attempt_address) or "",
        body=vault.open("messages.body", row.body) or "",
        started_at=row.attempt_started_at,
        is_second_try=row.retry_of is not None,
        asks=row.asks or 0,
    )


def message_from(row: rows.AnyRow) -> LedgerMessage:
    """A row that begins with all columns of `messages`."""
    return LedgerMessage(
        id=row.id,
        clinic_id=row.clinic_id,
        patient_id=row.patient_id,
        kind=MessageKind(row.kind),
        channel=Channel(row.channel),
        enrolment_id=row.enrolment_id,
        pathway=row.pathway,
        step=row.step,
        cycle=row.cycle,
        fired=row.fired,
        template=row.template,
        turn=row.activity_turn,
        count=row[_COUNT_AT],
        stop_line=row.stop_line,
        due_date=row.due_date,
        send_from=row.send_from,
        send_until=row.send_until,
        attempts=row.attempts,
        to=Addressee(row.recipient),
    )
