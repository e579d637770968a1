"""What somebody sent when their session had ended: kept for them alone, and offered again when they are back.

A browser that runs our script keeps drafts itself, and never sends one to a session that is over without a copy.
This is for the others: the form arrived, was refused, and must not be lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from scheduler.ids import new_id
from scheduler.ports import Store
from scheduler.ports.drafts import Draft
from scheduler.services.accounts.sessions import SignedIn, digest_of

KEPT_FOR = timedelta(hours=2)
MOST = 5  # drafts of one person
LONGEST = 16_000  # characters of all fields together
SECRETS = frozenset({"password", "signature", "code"})  # a form with one of these is not kept


def keep(
    store: Store, token: str, *, action: str, page: str, fields: Mapping[str, str], now: datetime
) -> Draft | None:
    """Keep a form that was sent with the token of a session that is over; None when there is nothing to keep.

    The session says whose it is. Without it nobody can be told, and nothing is kept.
    """
    if SECRETS & fields.keys() or not any(value.strip() for value in fields.values()):
        return None
    if sum(len(name) + len(value) for name, value in fields.items()) > LONGEST:
        return None
    with store.writing() as unit:
        found = unit.accounts.session(digest_of(token))
        if found is None or found[1].left_at is not None:
            return None
        session, account = found
        if not session.is_whole:
            return None
        unit.drafts.forget(now)
        held = unit.drafts.of(account.clinic_id, account.id, now=now)
        for old in held[MOST - 1 :]:
            unit.drafts.drop(account.clinic_id, account.id, old.id)
        draft = Draft(
            id=new_id(),
            clinic_id=account.clinic_id,
            staff_id=account.id,
            action=action,
            page=page,
            fields=tuple(fields.items()),
            expires_at=now + KEPT_FOR,
        )
        unit.drafts.keep(draft)
    return draft


def drafts_of(store: Store, who: SignedIn, *, now: datetime) -> list[Draft]:
    """What waits to be sent by this person, the latest first."""
    with store.reading() as unit:
        return unit.drafts.of(who.account.clinic_id, who.account.id, now=now)


def take(store: Store, who: SignedIn, draft_id: UUID, *, now: datetime) -> Draft | None:
    """Take a draft of this person's out; None when they have no such draft."""
    with store.writing() as unit:
        held = unit.drafts.of(who.account.clinic_id, who.account.id, now=now)
        found = next((one for one in held if one.id == draft_id), None)
        if found is not None:
            unit.drafts.drop(who.account.clinic_id, who.account.id, draft_id)
    return found
