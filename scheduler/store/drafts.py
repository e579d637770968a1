"""What somebody sent when their session had ended: sealed, theirs alone, and gone after a while."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from scheduler.ports.drafts import Draft
from scheduler.store import rows
from scheduler.store.tables import staff_drafts
from scheduler.store.vault import Vault

_FORM = "staff_drafts.form"


class Drafts:
    """Drafts, inside one transaction."""

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault

    def keep(self, draft: Draft) -> None:
        """Store a draft."""
        form = json.dumps({"action": draft.action, "page": draft.page, "fields": draft.fields})
        values = {
            "id": draft.id,
            "clinic_id": draft.clinic_id,
            "staff_id": draft.staff_id,
            "form": self._vault.seal(_FORM, form),
            "expires_at": draft.expires_at,
        }
        self._connection.execute(insert(staff_drafts).values(**values))

    def of(self, clinic_id: int, staff_id: int, *, now: datetime) -> list[Draft]:
        """The drafts of one person that have not expired, the latest first."""
        query = select(staff_drafts).where(
            staff_drafts.c.clinic_id == clinic_id,
            staff_drafts.c.staff_id == staff_id,
            staff_drafts.c.expires_at > now,
        )
        found = self._connection.execute(query.order_by(staff_drafts.c.expires_at.desc()))
        return [self._draft(row) for row in found]

    def drop(self, clinic_id: int, staff_id: int, draft_id: UUID | None = None) -> None:
        """Remove one draft of a person; None: all."""
        own = (staff_drafts.c.clinic_id == clinic_id) & (staff_drafts.c.staff_id == staff_id)
        query = delete(staff_drafts).where(own)
        self._connection.execute(query if draft_id is None else query.where(staff_drafts.c.id == draft_id))

    def forget(self, now: datetime) -> None:
        """Remove what has expired, of everybody."""
        self._connection.execute(delete(staff_drafts).where(staff_drafts.c.expires_at <= now))

    def _draft(self, row: rows.AnyRow) -> Draft:
        form = json.loads(self._vault.open(_FORM, row.form) or "{}")
        return Draft(
            id=row.id,
            clinic_id=row.clinic_id,
            staff_id=row.staff_id,
            action=form["action"],
            page=form["page"],
            fields=tuple((name, value) for name, value in form["fields"]),
            expires_at=row.expires_at,
        )
