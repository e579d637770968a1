"""The outbox of mail to a clinic's own people."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, case, func, literal_column, or_, select, update

from scheduler.domain.staff_mail import TRANSITIONS, StaffMailKind, StaffMailStatus
from scheduler.ids import new_id
from scheduler.records import StaffMail, StaffMailEntry
from scheduler.store import rows
from scheduler.store.tables import staff_mail
from scheduler.store.upsert import insert_into
from scheduler.store.vault import Vault


def _is(status: StaffMailStatus) -> ColumnElement[bool]:
    """A literal: with a parameter in its place a prepared statement could not use the partial indexes."""
    return staff_mail.c.status == literal_column(f"'{status.value}'")


_PLANNED = _is(StaffMailStatus.PLANNED)
_SENDING = _is(StaffMailStatus.SENDING)
_PRESSING = case({kind.value: kind.rank for kind in StaffMailKind}, value=staff_mail.c.kind)
_TROUBLE = (StaffMailStatus.FAILED.value, StaffMailStatus.UNKNOWN.value, StaffMailStatus.EXPIRED.value)


class StaffMails:
    """Mails to staff, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def plan(
        self,
        clinic_id: int,
        *,
        kind: StaffMailKind,
        to: str,
        subject: str,
        text: str,
        cause: str,
        now: datetime,
        until: datetime | None = None,
    ) -> bool:
        """Put a mail into the outbox; False when the clinic has had one of this cause before."""
        added = (
            insert_into(self._connection, staff_mail)
            .values(
                id=new_id(),
                clinic_id=clinic_id,
                kind=kind.value,
                cause=cause,
                address=self._vault.seal("staff_mail.address", to),
                subject=self._vault.seal("staff_mail.subject", subject),
                body=self._vault.seal("staff_mail.body", text),
                status=StaffMailStatus.PLANNED.value,
                planned_at=now,
                send_from=now,
                send_until=until,
                attempts=0,
                is_again=False,
            )
            .on_conflict_do_nothing(index_elements=[staff_mail.c.clinic_id, staff_mail.c.cause])
            .returning(staff_mail.c.id)
        )
        return self._connection.execute(added).first() is not None

    # Of all clinics

    def next_ready(self) -> datetime | None:
        """The earliest instant at which a mail may go; it may have passed."""
        earliest: datetime | None = self._connection.scalar(select(func.min(staff_mail.c.send_from)).where(_PLANNED))
        return earliest

    def expire(self, now: datetime) -> int:
        """Give up what could not go in its time; returns how many."""
        late = _PLANNED & (staff_mail.c.send_from <= now) & (staff_mail.c.send_until <= now)
        given_up = update(staff_mail).where(late).values(status=StaffMailStatus.EXPIRED.value)
        return self._connection.execute(given_up).rowcount

    def claim(self, now: datetime, *, limit: int, lease_until: datetime, worker: str) -> list[StaffMail]:
        """Up to `limit` mails to send now, the most pressing first, each with a new attempt on record."""
        in_time = or_(staff_mail.c.send_until.is_(None), staff_mail.c.send_until > now)
        query = (
            select(staff_mail)
            .where(_PLANNED, staff_mail.c.send_from <= now, in_time)
            .order_by(_PRESSING, staff_mail.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        claimed = []
        for row in self._connection.execute(query).all():
            mail = self._mail(row, attempt_id=new_id(), attempts=row.attempts + 1)
            self._connection.execute(
                update(staff_mail)
                .where(staff_mail.c.id == mail.id, staff_mail.c.clinic_id == mail.clinic_id)
                .values(
                    status=StaffMailStatus.SENDING.value,
                    attempt_id=mail.attempt_id,
                    attempts=mail.attempts,
                    lease_until=lease_until,
                    worker=worker,
                )
            )
            claimed.append(mail)
        return claimed

    def abandoned(self, now: datetime, *, limit: int) -> list[StaffMail]:
        """Up to `limit` mails whose worker's lease has run out, locked."""
        query = select(staff_mail).where(_SENDING, staff_mail.c.lease_until <= now).order_by(staff_mail.c.id)
        held = self._connection.execute(query.limit(limit).with_for_update(skip_locked=True))
        return [self._mail(row, attempt_id=row.attempt_id, attempts=row.attempts) for row in held]

    def end(
        self,
        mail: StaffMail,
        status: StaffMailStatus,
        *,
        now: datetime,
        again_at: datetime | None = None,
        is_again: bool = False,
        provider_id: str | None = None,
        code: str | None = None,
    ) -> bool:
        """Record what this attempt came to; False when it is no longer the mail's own."""
        if status not in TRANSITIONS[StaffMailStatus.SENDING]:
            raise ValueError(f"an attempt does not end with {status.value}")
        ended = (
            update(staff_mail)
            .where(
                staff_mail.c.id == mail.id,
                staff_mail.c.clinic_id == mail.clinic_id,
                staff_mail.c.attempt_id == mail.attempt_id,
                _SENDING,
            )
            .values(
                status=status.value,
                is_again=mail.is_again or is_again,
                sent_at=now if status is StaffMailStatus.SENT else None,
                provider_id=provider_id,
                code=code,
                lease_until=None,
                worker=None,
            )
        )
        if again_at is not None:
            ended = ended.values(send_from=again_at)
        return self._connection.execute(ended).rowcount == 1

    def failed(self, since: datetime) -> dict[tuple[int, StaffMailKind], int]:
        """How many mails planned since then did not go, or nobody knows whether they did, by clinic and kind."""
        whose = (staff_mail.c.clinic_id, staff_mail.c.kind)
        query = (
            select(*whose, func.count())
            .where(staff_mail.c.status.in_(_TROUBLE), staff_mail.c.planned_at >= since)
            .group_by(*whose)
        )
        found = self._connection.execute(query)
        return {(clinic_id, StaffMailKind(kind)): count for clinic_id, kind, count in found}

    # Of one clinic

    def entries(self, clinic_id: int) -> list[StaffMailEntry]:
        """What the clinic's people were sent, or were to be sent, oldest first."""
        query = select(staff_mail).where(staff_mail.c.clinic_id == clinic_id).order_by(staff_mail.c.id)
        return [
            StaffMailEntry(
                id=row.id,
                kind=StaffMailKind(row.kind),
                cause=row.cause,
                status=StaffMailStatus(row.status),
                attempts=row.attempts,
                planned_at=row.planned_at,
                sent_at=row.sent_at,
                code=row.code,
            )
            for row in self._connection.execute(query)
        ]

    def _mail(self, row: rows.AnyRow, *, attempt_id: UUID, attempts: int) -> StaffMail:
        return StaffMail(
            id=row.id,
            clinic_id=row.clinic_id,
            kind=StaffMailKind(row.kind),
            to=self._vault.open("staff_mail.address", row.address) or "",
            subject=self._vault.open("staff_mail.subject", row.subject) or "",
            text=self._vault.open("staff_mail.body", row.body) or "",
            attempt_id=attempt_id,
            attempts=attempts,
            is_again=row.is_again,
        )
