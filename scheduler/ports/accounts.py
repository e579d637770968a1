"""Who may sign in at a clinic, their one-time links, and their sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from scheduler.domain.accounts import LinkKind, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """A member of staff to add. `email` is in lower case."""

    clinic_id: int
    email: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A member of staff as they sign in. Instants are UTC.

    `password` is a hash in the PHC string format; without one the account has only been invited. `second_factor` is
    the secret of the one-time codes (RFC 6238) in base32, and `code_step` the time step of the last code that was
    taken: none is taken twice.
    """

    id: int
    clinic_id: int
    email: str
    role: Role
    created_at: datetime
    password: str | None = None
    second_factor: str | None = None
    code_step: int = 0
    failures: int = 0  # wrong passwords or codes in a row
    locked_until: datetime | None = None
    left_at: datetime | None = None  # since when they may not sign in any more
    identity: str | None = None  # issuer and subject at the provider they have signed in by


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffLink:
    """A one-time link to choose a password, known by the SHA-256 of its token."""

    digest: bytes
    clinic_id: int
    staff_id: int
    kind: LinkKind
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody signed in on one browser, known by the SHA-256 of its token. Instants are UTC.

    While not `is_whole`, the password was right and the code of the second factor is still asked for.
    """

    digest: bytes
    clinic_id: int
    staff_id: int
    started_at: datetime
    seen_at: datetime
    is_whole: bool


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
