"""Mail to a clinic's own people: what is planned, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from scheduler.domain.staff_mail import StaffMailKind, StaffMailStatus
from scheduler.records import StaffMail, StaffMailEntry


class StaffMails(Protocol):
    """The outbox of mail to staff. Instants are UTC."""

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
        ...

    def next_ready(self) -> datetime | None:
        """The earliest instant at which a mail may go; it may have passed."""
        ...

    def abandoned(self, now: datetime, *, limit: int) -> list[StaffMail]:
        """Up to `limit` mails whose worker's lease has run out, locked."""
        ...

    def expire(self, now: datetime) -> int:
        """Give up what could not go in its time; returns how many."""
        ...

    def claim(self, now: datetime, *, limit: int, lease_until: datetime, worker: str) -> list[StaffMail]:
        """Up to `limit` mails to send now, the most pressing first, each with a new attempt on record."""
        ...

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
        ...

    def entries(self, clinic_id: int) -> list[StaffMailEntry]:
        """What the clinic's people were sent, or were to be sent, oldest first."""
        ...

    def failed(self, since: datetime) -> dict[tuple[int, StaffMailKind], int]:
        """How many mails planned since then did not go, or nobody knows whether they did, by clinic and kind."""
        ...
