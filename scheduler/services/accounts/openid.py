"""Signing in by an OpenID Connect provider: it says who somebody is; whether and as what they come in stays ours.

Nobody is added by it. The first sign-in binds the account to the provider's own name for that person, for an address
can be given to somebody else later.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from scheduler.domain.factors import has_many_factors
from scheduler.ports import Store, Unit
from scheduler.ports.accounts import Account
from scheduler.ports.identity import Attempt, Identity, IdentityProvider
from scheduler.records import Clinic
from scheduler.services.accounts import sessions
from scheduler.services.accounts.signing_in import MOST_CLINICS, Entered

BACK = "/sign-in/openid/back"


class NotLetInError(Exception):
    """Somebody proved who they are, and does not come in. The text is for them, and says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the operator has decided about the provider.

    `clinics` are the codes of those whose people may sign in by it; none: all. With `always_asks` admins and
    clinicians type our code whatever the provider proves; else not where it proves more than one factor, which a
    context of `contexts` (`acr`) does.
    """

    clinics: frozenset[str] = frozenset()
    always_asks: bool = False
    contexts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIdDoor:
    """The way in by a provider. `label` is the words of its button, `public_url` our own address."""

    store: Store
    provider: IdentityProvider
    policy: Policy
    label: str
    public_url: str

    @property
    def back_to(self) -> str:
        """Where the provider sends people back to; it has to be registered there."""
        return self.public_url.rstrip("/") + BACK

    def begin(self) -> tuple[Attempt, str]:
        """A new attempt, and where the browser goes. Raises `IdentityUnavailable`."""
        attempt = Attempt(
            state=secrets.token_urlsafe(32), nonce=secrets.token_urlsafe(32), verifier=secrets.token_urlsafe(48)
        )
        return attempt, self.provider.address(attempt, back_to=self.back_to)

    def identify(self, attempt: Attempt, *, code: str, issuer: str | None) -> Identity:
        """Who came back. Raises `IdentityRefused` or `IdentityUnavailable`."""
        return self.provider.identify(attempt, code=code, issuer=issuer, back_to=self.back_to)

    def accounts_of(self, identity: Identity) -> list[tuple[Account, Clinic]]:
        """The accounts that this person may sign in to, one for each clinic. Raises `NotLetInError`."""
        if not identity.email:
            raise NotLetInError("Your provider did not say your e-mail address. Ask those who run it.")
        if not identity.is_email_verified:
            raise NotLetInError(
                f"Your provider has not checked that {identity.email} is yours. Confirm the address there first."
            )
        with self.store.reading() as unit:
            clinics = unit.installation.clinics()
            found = [(one, clinics[one.clinic_id]) for one in unit.accounts.by_email(_plain(identity.email))]
        usable = [(account, clinic) for account, clinic in found if account.left_at is None and self._is_for(clinic)]
        if not usable:
            raise NotLetInError(
                f"Nobody signs in here as {identity.email}. Ask an admin of your clinic to invite that address."
            )
        return usable[:MOST_CLINICS]

    def enter(self, identity: Identity, account: Account, *, now: datetime) -> Entered:
        """Begin a session of one of `accounts_of(identity)`. Raises `NotLetInError`."""
        with self.store.writing() as unit:
            held = unit.accounts.get(account.clinic_id, account.id, lock=True)
            why = "They no longer work here." if held is None else _objection(unit, held, identity, now)
            if held is not None and why is None:
                return self._enter(unit, held, identity, now)
            if held is not None:
                _audit(unit, held, "sign-in refused", "by OpenID Connect", now)
        raise NotLetInError(why or "")

    def _enter(self, unit: Unit, held: Account, identity: Identity, now: datetime) -> Entered:
        is_proven = has_many_factors(identity.methods, identity.context, accepted=self.policy.contexts)
        is_whole = not held.role.needs_second_factor or (is_proven and not self.policy.always_asks)
        account = replace(held, identity=_name(identity))
        if is_whole:  # else wrong codes go on counting
            account = replace(account, failures=0, locked_until=None)
        unit.accounts.change(account)
        if held.identity is None:
            _audit(unit, held, "identity bound", "", now)
        token = sessions.begin(unit, account, is_whole=is_whole, now=now)
        detail = f"{held.role.value}, by OpenID Connect"
        _audit(unit, held, "signed in" if is_whole else "identity accepted", detail, now)
        return Entered(token, is_whole)

    def _is_for(self, clinic: Clinic) -> bool:
        return not self.policy.clinics or clinic.code in self.policy.clinics


def _objection(unit: Unit, account: Account, identity: Identity, now: datetime) -> str | None:
    """Why this person does not come in to this account; None where nothing is against it."""
    if account.left_at is not None:
        return f"Nobody signs in here as {identity.email}. Ask an admin of your clinic to invite that address."
    if account.locked_until is not None and now < account.locked_until:
        return "There were too many wrong tries. Wait some minutes, then sign in again."
    if account.identity is not None and account.identity != _name(identity):
        return (
            f"{identity.email} has signed in here by another account of your provider. If you have a new one, ask an "
            "admin of your clinic to let go of the old one, under “Who works here”."
        )
    if _is_somebody_else(unit.accounts.of_clinic(account.clinic_id), account, _name(identity)):
        return (
            "Your account at the provider signs in here under another address already. Ask an admin of your clinic, "
            "under “Who works here”."
        )
    return None


def _is_somebody_else(everybody: Sequence[Account], account: Account, name: str) -> bool:
    return any(one.identity == name and one.id != account.id and one.left_at is None for one in everybody)


def _name(identity: Identity) -> str:
    """What an account is bound to. No issuer holds a line break."""
    return f"{identity.issuer}\n{identity.subject}"


def _plain(email: str) -> str:
    """As addresses are stored. Outside ASCII, lower case makes different letters one (K and the Kelvin sign)."""
    return email.lower() if email.isascii() else email


def _audit(unit: Unit, account: Account, action: str, detail: str, now: datetime) -> None:
    unit.installation.audit([(account.clinic_id, action, None, detail)], actor=account.email, now=now)
