"""Who works at a clinic: inviting people, giving them another role, letting them go, and links to a new password."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from scheduler.domain.accounts import LinkKind, Role
from scheduler.domain.staff_mail import StaffMailKind
from scheduler.ports import Store, Unit
from scheduler.ports.accounts import Account, NewAccount, StaffLink
from scheduler.records import Clinic
from scheduler.services.accounts.passwords import check_password, hashed
from scheduler.services.accounts.sessions import digest_of, new_token
from scheduler.services.staff_mail import plan_staff_mail

_AGAIN = 10 * 60  # seconds within which a forgotten password is written about once


class StaffingError(ValueError):
    """What was asked for cannot be done. The text is for whoever asked."""


def add_account(
    unit: Unit, clinic: Clinic, *, email: str, role: Role, by: str, now: datetime, password: str | None = None
) -> Account:
    """Add a member of staff. `email` is in lower case; `password` is the hash of one, if they have it already.

    Raises `StaffingError` where they work there already.
    """
    known = next((one for one in unit.accounts.of_clinic(clinic.id) if one.email == email), None)
    if known is not None and known.left_at is None:
        raise StaffingError(f"{email} belongs to clinic {clinic.code} already")
    if known is None:
        unit.accounts.add(NewAccount(clinic_id=clinic.id, email=email, role=role), now=now)
    found = next(one for one in unit.accounts.of_clinic(clinic.id) if one.email == email)
    account = replace(found, role=role, password=password, left_at=None)
    if known is not None:  # somebody who comes back begins anew
        account = replace(account, second_factor=None, code_step=0, failures=0, locked_until=None, identity=None)
    unit.accounts.change(account)
    unit.installation.audit([(clinic.id, "staff added", None, role.value)], actor=by, now=now)
    return account


def make_link(unit: Unit, account: Account, kind: LinkKind, *, by: str, now: datetime) -> str:
    """The token of a link by which this person chooses a password, once; earlier ones no longer work."""
    token = new_token()
    unit.accounts.end_links(account.clinic_id, account.id)
    unit.accounts.add_link(
        StaffLink(
            digest=digest_of(token),
            clinic_id=account.clinic_id,
            staff_id=account.id,
            kind=kind,
            expires_at=now + kind.lasts,
        )
    )
    unit.installation.audit([(account.clinic_id, "link made", None, kind.value)], actor=by, now=now)
    return token


def bearer_of(store: Store, token: str, kind: LinkKind, *, now: datetime) -> Account | None:
    """Who may choose a password by this link; None when it is used, old or not ours."""
    with store.reading() as unit:
        return _bearer(unit, token, kind, now=now)


def choose_password(store: Store, token: str, kind: LinkKind, password: str, *, now: datetime) -> Account | None:
    """Set the password of the link's bearer, sign them out everywhere and use the link up; None when it is no good.

    A reset leaves the second factor as it is. Raises `PasswordError`; the link can then be used again.
    """
    with store.reading() as unit:
        account = _bearer(unit, token, kind, now=now)
        if account is None:
            return None
        clinic = unit.installation.clinics()[account.clinic_id]
    check_password(password, email=account.email, clinic=(clinic.name, clinic.message_name, clinic.code))
    phc = hashed(password)
    with store.writing() as unit:
        if _bearer(unit, token, kind, now=now) is None:  # used meanwhile
            return None
        held = unit.accounts.get(account.clinic_id, account.id, lock=True) or account
        changed = replace(held, password=phc, failures=0, locked_until=None)
        unit.accounts.change(changed)
        unit.accounts.end_links(account.clinic_id, account.id)
        unit.accounts.end_sessions(account.clinic_id, account.id)
        unit.installation.audit(
            [(account.clinic_id, "password chosen", None, kind.value)], actor=account.email, now=now
        )
    return changed


def write_about_forgotten_password(
    store: Store, email: str, *, public_url: str, now: datetime, mail_at: datetime
) -> None:
    """Mail a link to a new password to whoever works somewhere under this address. Says nothing of whether it did.

    `now` is the real time, by which links live, and `mail_at` the service's own. Both are UTC.
    """
    with store.writing() as unit:
        clinics = unit.installation.clinics()
        for account in unit.accounts.by_email(email.strip().lower()):
            clinic = clinics[account.clinic_id]
            if account.left_at is None and clinic.email_from is not None:
                _mail_reset(unit, clinic, account, public_url=public_url, now=now, mail_at=mail_at)


def change_role(store: Store, account: Account, role: Role, *, by: str, now: datetime) -> None:
    """Give somebody another role; they sign in anew. Raises `StaffingError` where no admin would be left."""
    with store.writing() as unit:
        held = _held(unit, account)
        _require_another_admin(unit, held)
        unit.accounts.change(replace(held, role=role))
        unit.accounts.end_sessions(held.clinic_id, held.id)
        unit.installation.audit(
            [(held.clinic_id, "staff role changed", None, f"{held.email}: {role.value}")], actor=by, now=now
        )


def let_go(store: Store, account: Account, *, by: str, now: datetime) -> None:
    """Somebody no longer works here: signed out now, and never in again. Their name stays on what they did."""
    with store.writing() as unit:
        held = _held(unit, account)
        _require_another_admin(unit, held)
        unit.accounts.change(
            replace(held, password=None, second_factor=None, code_step=0, left_at=now, identity=None)
        )
        unit.accounts.end_sessions(held.clinic_id, held.id)
        unit.accounts.end_links(held.clinic_id, held.id)
        unit.installation.audit([(held.clinic_id, "staff left", None, held.email)], actor=by, now=now)


def forget_second_factor(store: Store, account: Account, *, by: str, now: datetime) -> None:
    """Somebody lost the phone with their authenticator app: they set up another when they next sign in."""
    with store.writing() as unit:
        held = _held(unit, account)
        unit.accounts.change(replace(held, second_factor=None, code_step=0))
        unit.accounts.end_sessions(held.clinic_id, held.id)
        unit.installation.audit([(held.clinic_id, "second factor removed", None, held.email)], actor=by, now=now)


def forget_identity(store: Store, account: Account, *, by: str, now: datetime) -> None:
    """Somebody has another account at the provider now: the next one that proves their address is theirs."""
    with store.writing() as unit:
        held = _held(unit, account)
        unit.accounts.change(replace(held, identity=None))
        unit.accounts.end_sessions(held.clinic_id, held.id)
        unit.installation.audit([(held.clinic_id, "identity forgotten", None, held.email)], actor=by, now=now)


def _bearer(unit: Unit, token: str, kind: LinkKind, *, now: datetime) -> Account | None:
    link = unit.accounts.link(digest_of(token), kind)
    if link is None or now >= link.expires_at:
        return None
    account = unit.accounts.get(link.clinic_id, link.staff_id)
    return account if account is not None and account.left_at is None else None


def _held(unit: Unit, account: Account) -> Account:
    return unit.accounts.get(account.clinic_id, account.id, lock=True) or account


def _require_another_admin(unit: Unit, account: Account) -> None:
    if account.role is not Role.ADMIN:
        return
    others = (
        one
        for one in unit.accounts.of_clinic(account.clinic_id)
        if one.id != account.id and one.role is Role.ADMIN and one.left_at is None
    )
    if next(others, None) is None:
        raise StaffingError(f"{account.email} is the clinic's only admin; make somebody else one first")


def _mail_reset(
    unit: Unit, clinic: Clinic, account: Account, *, public_url: str, now: datetime, mail_at: datetime
) -> None:
    window = int(now.timestamp()) // _AGAIN
    cause = f"reset:{account.id}:{window}"
    token = new_token()
    is_new = plan_staff_mail(
        unit,
        clinic,
        kind=StaffMailKind.ACCOUNT,
        to=account.email,
        subject="A new password for Bonewise",
        text=(
            "Somebody, probably you, asked for a new password for Bonewise.\n\n"
            f"Choose it here within an hour: {public_url.rstrip('/')}/reset/{token}\n\n"
            "If you did not ask, do nothing: your password stays as it is."
        ),
        cause=cause,
        now=mail_at,
    )
    if is_new:
        unit.accounts.end_links(clinic.id, account.id)
        unit.accounts.add_link(
            StaffLink(
                digest=digest_of(token),
                clinic_id=clinic.id,
                staff_id=account.id,
                kind=LinkKind.RESET,
                expires_at=now + LinkKind.RESET.lasts,
            )
        )
