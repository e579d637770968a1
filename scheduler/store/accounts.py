"""Who may sign in: accounts, one-time links, sessions. Tokens are stored as digests, passwords as hashes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from scheduler.domain.accounts import LinkKind, Role
from scheduler.ports.accounts import Account, NewAccount, Session, StaffLink
from scheduler.store import rows
from scheduler.store.tables import staff, staff_links, staff_sessions
from scheduler.store.vault import Vault

_SECOND_FACTOR = "staff.second_factor"
_IDENTITY = "staff.identity"


class Accounts:
    """Accounts, links and sessions, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    # Accounts

    def add(self, new: NewAccount, *, now: datetime) -> int:
        """Store an account; returns its number."""
        values = {"clinic_id": new.clinic_id, "email": new.email, "role": new.role.value}
        added = self._connection.execute(insert(staff).values(**values, code_step=0, failures=0, created_at=now))
        (staff_id,) = added.inserted_primary_key or (0,)
        return int(staff_id)

    def by_email(self, email: str) -> list[Account]:
        """The accounts with this address, in all clinics, those that have left included."""
        query = select(staff).where(staff.c.email == email).order_by(staff.c.id)
        return [self._account(row) for row in self._connection.execute(query)]

    def of_clinic(self, clinic_id: int) -> list[Account]:
        """Everybody who works at the clinic or did, by address."""
        query = select(staff).where(staff.c.clinic_id == clinic_id).order_by(staff.c.email)
        return [self._account(row) for row in self._connection.execute(query)]

    def get(self, clinic_id: int, staff_id: int, *, lock: bool = False) -> Account | None:
        """One account of the clinic; with `lock`, held until the transaction ends."""
        query = select(staff).where(staff.c.clinic_id == clinic_id, staff.c.id == staff_id)
        row = self._connection.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else self._account(row)

    def change(self, account: Account) -> None:
        """Write what may change of a stored account: all but its clinic and address."""
        own = (staff.c.clinic_id == account.clinic_id) & (staff.c.id == account.id)
        values = {
            "role": account.role.value,
            "password": account.password,
            "second_factor": self._vault.seal(_SECOND_FACTOR, account.second_factor),
            "code_step": account.code_step,
            "failures": account.failures,
            "locked_until": account.locked_until,
            "left_at": account.left_at,
            "identity": self._vault.seal(_IDENTITY, account.identity),
        }
        self._connection.execute(update(staff).where(own).values(**values))

    def _account(self, row: rows.AnyRow) -> Account:
        return Account(
            id=row.id,
            clinic_id=row.clinic_id,
            email=row.email,
            role=Role(row.role),
            created_at=row.created_at,
            password=row.password,
            second_factor=self._vault.open(_SECOND_FACTOR, row.second_factor),
            code_step=row.code_step,
            failures=row.failures,
            locked_until=row.locked_until,
            left_at=row.left_at,
            identity=self._vault.open(_IDENTITY, row.identity),
        )

    # One-time links

    def add_link(self, link: StaffLink) -> None:
        values = {
            "digest": link.digest,
            "clinic_id": link.clinic_id,
            "staff_id": link.staff_id,
            "kind": link.kind.value,
            "expires_at": link.expires_at,
        }
        self._connection.execute(insert(staff_links).values(**values))

    def link(self, digest: bytes, kind: LinkKind) -> StaffLink | None:
        query = select(staff_links).where(staff_links.c.digest == digest, staff_links.c.kind == kind.value)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        return StaffLink(
            digest=row.digest,
            clinic_id=row.clinic_id,
            staff_id=row.staff_id,
            kind=LinkKind(row.kind),
            expires_at=row.expires_at,
        )

    def end_links(self, clinic_id: int, staff_id: int) -> None:
        """No link of this account can be used any more."""
        self._connection.execute(delete(staff_links).where(*_of(staff_links, clinic_id, staff_id)))

    # Sessions

    def start_session(self, session: Session) -> None:
        values = {
            "digest": session.digest,
            "clinic_id": session.clinic_id,
            "staff_id": session.staff_id,
            "started_at": session.started_at,
            "seen_at": session.seen_at,
            "is_whole": session.is_whole,
        }
        self._connection.execute(insert(staff_sessions).values(**values))

    def session(self, digest: bytes) -> tuple[Session, Account] | None:
        """A stored session and whose it is; it may be over."""
        query = select(staff_sessions).where(staff_sessions.c.digest == digest)
        row = self._connection.execute(query).one_or_none()
        account = None if row is None else self.get(row.clinic_id, row.staff_id)
        if row is None or account is None:
            return None
        session = Session(
            digest=row.digest,
            clinic_id=row.clinic_id,
            staff_id=row.staff_id,
            started_at=row.started_at,
            seen_at=row.seen_at,
            is_whole=row.is_whole,
        )
        return session, account

    def seen(self, digest: bytes, at: datetime) -> None:
        """Note when a session was last used."""
        self._connection.execute(update(staff_sessions).where(staff_sessions.c.digest == digest).values(seen_at=at))

    def end_session(self, digest: bytes) -> None:
        self._connection.execute(delete(staff_sessions).where(staff_sessions.c.digest == digest))

    def end_sessions(self, clinic_id: int, staff_id: int) -> None:
        """Sign somebody out everywhere."""
        self._connection.execute(delete(staff_sessions).where(*_of(staff_sessions, clinic_id, staff_id)))

    def forget(self, *, seen_before: datetime, expired_at: datetime) -> None:
        """Remove the sessions and links of all clinics that nobody can use any more."""
        self._connection.execute(delete(staff_sessions).where(staff_sessions.c.seen_at < seen_before))
        self._connection.execute(delete(staff_links).where(staff_links.c.expires_at <= expired_at))


def _of(table: Any, clinic_id: int, staff_id: int) -> tuple[Any, Any]:
    return table.c.clinic_id == clinic_id, table.c.staff_id == staff_id
