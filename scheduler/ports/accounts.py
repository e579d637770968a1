"""Who may sign in at a clinic, their one-time links, and their sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from scheduler.domain.accounts import LinkKind
from scheduler.records import Account, NewAccount, Session, StaffLink


class Accounts(Protocol):
    """Accounts, links and sessions. Links and sessions are known by the digest of their token. Instants are UTC."""

    def add(self, new: NewAccount, *, now: datetime) -> int:
        """Store an account; returns its number."""
        ...

    def by_email(self, email: str) -> list[Account]:
        """The accounts with this address, in all clinics, those that have left included."""
        ...

    def of_clinic(self, clinic_id: int) -> list[Account]:
        """Everybody who works at the clinic or did, by address."""
        ...

    def get(self, clinic_id: int, staff_id: int, *, lock: bool = False) -> Account | None:
        """One account of the clinic; with `lock`, held until the transaction ends."""
        ...

    def change(self, account: Account) -> None:
        """Write what may change of a stored account: all but its clinic and address."""
        ...

    def add_link(self, link: StaffLink) -> None: ...

    def link(self, digest: bytes, kind: LinkKind) -> StaffLink | None: ...

    def end_links(self, clinic_id: int, staff_id: int) -> None:
        """No link of this account can be used any more."""
        ...

    def start_session(self, session: Session) -> None: ...

    def session(self, digest: bytes) -> tuple[Session, Account] | None:
        """A stored session and whose it is; it may be over."""
        ...

    def seen(self, digest: bytes, at: datetime) -> None:
        """Note when a session was last used."""
        ...

    def end_session(self, digest: bytes) -> None: ...

    def end_sessions(self, clinic_id: int, staff_id: int) -> None:
        """Sign somebody out everywhere."""
        ...

    def forget(self, *, seen_before: datetime, expired_at: datetime) -> None:
        """Remove the sessions and links of all clinics that nobody can use any more."""
        ...
