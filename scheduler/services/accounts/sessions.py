"""Sessions of staff: begun by signing in, found again by the token in the browser's cookie."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from scheduler.domain.accounts import LONGEST, SEEN_EVERY, ends_at
from scheduler.ports import Store, Unit
from scheduler.ports.accounts import Account, Session
from scheduler.records import Clinic


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is behind a request, where, and in which session."""

    account: Account
    clinic: Clinic
    session: Session


def new_token() -> str:
    """A token for a cookie or a link. Only its digest is stored."""
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> bytes:
    """What is stored of a token: it is random, so that a plain hash hides it."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def begin(unit: Unit, account: Account, *, is_whole: bool, now: datetime) -> str:
    """Start a session; returns its token."""
    token = new_token()
    # One that is over opens nothing, but still says whose a form is that was sent with it.
    unit.accounts.forget(seen_before=now - LONGEST, expired_at=now)
    unit.accounts.start_session(
        Session(
            digest=digest_of(token),
            clinic_id=account.clinic_id,
            staff_id=account.id,
            started_at=now,
            seen_at=now,
            is_whole=is_whole,
        )
    )
    return token


def find(store: Store, token: str, *, now: datetime) -> SignedIn | None:
    """Who holds this token; None when its session is over, or the account may not sign in any more."""
    digest = digest_of(token)
    with store.reading() as unit:
        found = unit.accounts.session(digest)
        clinic = None if found is None else unit.installation.clinics().get(found[1].clinic_id)
    if found is None or clinic is None:
        return None
    session, account = found
    if account.left_at is not None or now >= ends_at(started_at=session.started_at, seen_at=session.seen_at):
        return None
    if now - session.seen_at >= SEEN_EVERY:
        with store.writing() as unit:
            unit.accounts.seen(digest, now)
    return SignedIn(account, clinic, session)


def sign_out(store: Store, signed_in: SignedIn, *, everywhere: bool, now: datetime) -> None:
    """End this session, or all of this person's."""
    account = signed_in.account
    with store.writing() as unit:
        if everywhere:
            unit.accounts.end_sessions(account.clinic_id, account.id)
        else:
            unit.accounts.end_session(signed_in.session.digest)
        unit.drafts.drop(account.clinic_id, account.id)
        said = "signed out everywhere" if everywhere else "signed out"
        unit.installation.audit([(account.clinic_id, said, None, "")], actor=account.email, now=now)
