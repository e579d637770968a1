"""Attempts at messages, begun and ended by hand: what delivery writes before and after it calls a provider."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from scheduler.domain.messages import MessageStatus
from scheduler.ids import new_id
from scheduler.ports import ErrorClass, Unit
from scheduler.records import Attempt, AttemptEnd, Batch, LedgerEntry
from scheduler.services.plan import plan_all_due
from scheduler.services.receipts import Receipt
from scheduler.store.engine import reading
from scheduler.store.tables import attempts, messages
from tests.support.worlds import MONDAY, World, new_york

DAY_1 = new_york(3, 3)  # the first vitamin D question, at 09:30


def sending(world: World, mrn: str = "P1", **cells: str) -> UUID:
    """Enrol a patient whose first reminder is being sent at `DAY_1`; returns its attempt."""
    world.clock.at = MONDAY
    world.enrol_sms(mrn, **{"pathways": "vitamin_d", **cells})
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, world.clock.at)
    return begun(world, mrn)


def begun(world: World, mrn: str = "P1") -> UUID:
    """An attempt at the patient's planned message, as delivery commits it before the call."""
    (message,) = [row for row in world.ledger(mrn) if row.status is MessageStatus.PLANNED]
    attempt_id = new_id()
    attempt = Attempt(
        id=attempt_id,
        message_id=message.id,
        clinic_id=world.clinic.id,
        number=message.attempts + 1,
        channel=message.channel,
        address=str(world.patient(mrn).phone),
        subject=None,
        body="text",
        language="en",
        segments=1,
        template_version="1",
    )
    with world.store.writing() as unit:
        begin_in(unit, world, attempt)
    return attempt_id


def begin_in(unit: Unit, world: World, attempt: Attempt) -> None:
    """Begin an attempt by a worker that is dead a moment later."""
    unit.ledger.begin_attempts([attempt], now=world.clock.at)
    batch = Batch(id=new_id(), worker="w", message_ids=(attempt.message_id,), handed=1)
    unit.batches.begin(batch, lease_until=world.clock.at)


def ended(world: World, attempt_id: UUID, status: MessageStatus, sid: str | None = None) -> None:
    """The provider's own answer to an attempt is recorded."""
    with world.store.writing() as unit:
        end_in(unit, world, message_of(world, attempt_id), attempt_id, status, sid)


def end_in(
    unit: Unit, world: World, message_id: UUID, attempt_id: UUID, status: MessageStatus, sid: str | None
) -> None:
    """As `ended`, inside a transaction."""
    end = AttemptEnd(
        attempt_id=attempt_id,
        message_id=message_id,
        clinic_id=world.clinic.id,
        status=status,
        outcome="accepted" if sid else "unknown" if status is MessageStatus.UNKNOWN else "not_handed_over",
        provider_id=sid,
        retry_at=world.clock.at,
    )
    unit.ledger.end_attempts([end], now=world.clock.at)


def message_of(world: World, attempt_id: UUID) -> UUID:
    """The message that an attempt is about."""
    with reading(world.app.engine) as connection:
        found: UUID = connection.execute(
            select(attempts.c.message_id).where(attempts.c.id == attempt_id)
        ).scalar_one()
    return found


def provider_id_of(world: World, attempt_id: UUID) -> str | None:
    """The provider's id on record for an attempt itself."""
    with reading(world.app.engine) as connection:
        found: str | None = connection.execute(
            select(attempts.c.provider_id).where(attempts.c.id == attempt_id)
        ).scalar_one()
    return found


def entry_of(world: World, message_id: UUID, mrn: str = "P1") -> LedgerEntry:
    """The ledger's row of a message."""
    return next(row for row in world.ledger(mrn) if row.id == message_id)


def second_tries(world: World, message_id: UUID) -> list[tuple[str, str]]:
    """(channel, status) of what took over from a message."""
    query = select(messages.c.channel, messages.c.status).where(messages.c.retry_of == message_id)
    with reading(world.app.engine) as connection:
        return [(row.channel, row.status) for row in connection.execute(query)]


def receipt(
    attempt_id: UUID | None,
    target: MessageStatus,
    *,
    sid: str = "SM5",
    code: str | None = None,
    error_class: ErrorClass | None = None,
) -> Receipt:
    """What the provider reports about an attempt."""
    return Receipt(attempt_id=attempt_id, provider_id=sid, target=target, code=code, error_class=error_class)
