"""Whoever vouches for a member of staff: an OpenID Connect provider, as far as signing in cares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


class IdentityUnavailable(Exception):  # noqa: N818 - a state of the provider
    """The provider does not answer, or not as a provider does. The text is for the operator, and names nobody."""


class IdentityRefused(Exception):  # noqa: N818 - an answer
    """What came back proves nothing about anybody. The text is for the operator, and names nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one try at signing in is known by, between leaving for the provider and coming back. All are random.

    `state` comes back in the address, `nonce` in the token; `verifier` (RFC 7636) is shown to the provider alone.
    """

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody as the provider knows them, proved by a token that it signed for this attempt.

    `issuer` and `subject` together never mean anybody else. `email` is as the provider writes it, empty where it
    says none. `methods` and `context` say how they proved themselves there (`amr`, `acr`).
    """

    issuer: str
    subject: str
    email: str
    is_email_verified: bool
    methods: frozenset[str] = frozenset()
    context: str = ""


class IdentityProvider(Protocol):
    """Where people of a clinic sign in who are known there already."""

    def address(self, attempt: Attempt, *, back_to: str) -> str:
        """Where to send the browser; it comes back to the address `back_to`. Raises `IdentityUnavailable`."""
        ...

    def identify(self, attempt: Attempt, *, code: str, issuer: str | None, back_to: str) -> Identity:
        """Who came back with this code. `issuer` is what the address they came back by says, if it does (RFC 9207).

        Raises `IdentityRefused` or `IdentityUnavailable`.
        """
        ...
