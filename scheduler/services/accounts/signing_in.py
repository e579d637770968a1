"""Signing in: the password first, then, for those who need it, a code of the second factor.

A try counts before it is judged: of many that come at once, none gets past the lock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from scheduler.domain.accounts import locked_for
from scheduler.ports import Store, Unit
from scheduler.ports.accounts import Account
from scheduler.services.accounts import sessions
from scheduler.services.accounts.codes import new_secret, step_of
from scheduler.services.accounts.passwords import is_right
from scheduler.services.accounts.sessions import SignedIn

MOST_CLINICS = 5  # that one address may have accounts in; the password tells which is meant


@dataclass(frozen=True, slots=True)
class Entered:
    """A session has begun. Until `is_whole`, it opens nothing but the page for the code."""

    token: str
    is_whole: bool


def sign_in(store: Store, *, email: str, password: str, now: datetime) -> Entered | None:
    """Begin a session of the account with this address and password.

    None says no more than that they do not fit: not whether there is such an account, or that it is locked.
    """
    with store.reading() as unit:
        accounts = [one for one in unit.accounts.by_email(email.strip().lower()) if one.left_at is None]
    for account in accounts[:MOST_CLINICS]:
        tried = _try(store, account, now)
        if is_right(password, tried.password if tried else None) and tried is not None:
            with store.writing() as unit:
                return _enter(unit, tried, is_whole=not tried.role.needs_second_factor, now=now)
    if not accounts:
        is_right(password, None)
    return None


def sign_in_without_password(store: Store, account: Account, *, now: datetime) -> Entered:
    """Begin a whole session of an account of the sample clinic, whose doors stand open."""
    with store.writing() as unit:
        return _enter(unit, account, is_whole=True, now=now)


def second_factor_to_set_up(store: Store, signed_in: SignedIn) -> str | None:
    """The secret that this account's authenticator app has yet to be given; None when it has proved to have it."""
    account = signed_in.account
    if account.second_factor is not None:
        return account.second_factor if account.code_step == 0 else None
    with store.writing() as unit:
        held = unit.accounts.get(account.clinic_id, account.id, lock=True) or account
        if held.second_factor is None:
            held = replace(held, second_factor=new_secret(), code_step=0)
            unit.accounts.change(held)
    return held.second_factor if held.code_step == 0 else None


def confirm(store: Store, signed_in: SignedIn, code: str, *, now: datetime) -> Entered | None:
    """Make the session whole by a code of the second factor, under a new token; None when the code does not fit."""
    account = signed_in.account
    if not is_code_right(store, account, code, now=now):
        return None
    with store.writing() as unit:
        unit.accounts.end_session(signed_in.session.digest)
        held = unit.accounts.get(account.clinic_id, account.id, lock=True) or account
        return _enter(unit, held, is_whole=True, now=now)


def is_code_right(store: Store, account: Account, code: str, *, now: datetime) -> bool:
    """Whether this is a code of the account's second factor that has not been used; afterwards it has."""
    tried = _try(store, account, now)
    if tried is None or tried.second_factor is None:
        return False
    step = step_of(tried.second_factor, code, now=now, after=tried.code_step)
    if step is None:
        return False
    with store.writing() as unit:
        held = unit.accounts.get(account.clinic_id, account.id, lock=True)
        if held is None or held.code_step >= step:  # the same code came twice at once
            return False
        unit.accounts.change(replace(held, code_step=step, failures=0, locked_until=None))
    return True


def is_password_right(store: Store, account: Account, password: str, *, now: datetime) -> bool:
    """Whether this is the account's password, asked again before something is signed."""
    tried = _try(store, account, now)
    if not is_right(password, tried.password if tried else None) or tried is None:
        return False
    with store.writing() as unit:
        held = unit.accounts.get(account.clinic_id, account.id, lock=True) or tried
        unit.accounts.change(replace(held, failures=0, locked_until=None))
    return True


def _try(store: Store, account: Account, now: datetime) -> Account | None:
    """Count a try as failed until it has succeeded; None while the account is locked."""
    with store.writing() as unit:
        held = unit.accounts.get(account.clinic_id, account.id, lock=True)
        if held is None or (held.locked_until is not None and now < held.locked_until):
            return None
        failures = held.failures + 1
        lock = locked_for(failures)
        counted = replace(held, failures=failures, locked_until=now + lock if lock else None)
        unit.accounts.change(counted)
        if lock:
            _audit(unit, held, "account locked", f"{failures} wrong tries in a row", now)
    return counted


def _enter(unit: Unit, account: Account, *, is_whole: bool, now: datetime) -> Entered:
    held = unit.accounts.get(account.clinic_id, account.id, lock=True) or account
    # A password that is right was no failure. Wrong codes before it stay counted: else one could guess without end.
    failures = 0 if is_whole else max(0, held.failures - 1)
    unit.accounts.change(replace(held, failures=failures, locked_until=None))
    token = sessions.begin(unit, held, is_whole=is_whole, now=now)
    _audit(unit, held, "signed in" if is_whole else "password accepted", held.role.value, now)
    return Entered(token, is_whole)


def _audit(unit: Unit, account: Account, action: str, detail: str, now: datetime) -> None:
    unit.installation.audit([(account.clinic_id, action, None, detail)], actor=account.email, now=now)
