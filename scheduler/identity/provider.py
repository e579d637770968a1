"""The provider: where the browser is sent, and who comes back."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from jwt import PyJWK

from scheduler.identity.discovery import Endpoints, discover
from scheduler.identity.fetching import Fetcher
from scheduler.identity.tokens import Header, read_header, usable_keys, verified
from scheduler.ports.identity import Attempt, Identity, IdentityRefused, IdentityUnavailable

SCOPES = "openid email"
KEPT_FOR = 3600.0  # seconds that addresses and keys are believed without asking again
LEFT_ALONE_FOR = 5.0  # seconds, after it did not answer
ABREAST = 3  # requests that ask it at once; the others of the process's threads go on serving pages
WAIT = 2.0  # seconds for one's turn
LONGEST_SUBJECT = 255  # characters; Core, section 2
_FOUND = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who we are at the provider. `contexts` are the `acr` values that are asked for, the best first."""

    issuer: str
    client_id: str
    secret: str = field(repr=False)
    contexts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Known:
    endpoints: Endpoints
    keys: tuple[PyJWK, ...]
    until: float


class OpenIdProvider:
    """One provider, for all threads of a process. `clock` counts seconds."""

    def __init__(self, client: Client, fetcher: Fetcher, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._fetcher = fetcher
        self._clock = clock
        self._known: _Known | None = None
        self._left_alone: tuple[float, str] = (float("-inf"), "")
        self._learning = Lock()
        self._turns = BoundedSemaphore(ABREAST)

    def address(self, attempt: Attempt, *, back_to: str) -> str:
        """Where to send the browser; it comes back to `back_to`. Raises `IdentityUnavailable`."""
        with self._sparing() if self._fresh() else self._asking():
            endpoint = self._learn().endpoints.authorization
        digest = hashlib.sha256(attempt.verifier.encode()).digest()
        fields = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": back_to,
            "scope": SCOPES,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        if self._client.contexts:
            fields["acr_values"] = " ".join(self._client.contexts)
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(fields)}"

    def identify(self, attempt: Attempt, *, code: str, issuer: str | None, back_to: str) -> Identity:
        """Who came back with this code. Raises `IdentityRefused` or `IdentityUnavailable`."""
        with self._asking():
            endpoints = self._learn().endpoints
            if issuer != self._client.issuer and (issuer is not None or endpoints.names_itself):
                raise IdentityRefused("the browser was sent back by another provider (iss)")
            tokens = self._redeem(endpoints, attempt, code=code, back_to=back_to)
            claims = self._claims(tokens, nonce=attempt.nonce)
            return _identity(claims, self._with_email(endpoints, tokens, claims))

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """One's turn to ask."""
        if not self._turns.acquire(timeout=WAIT):
            raise IdentityUnavailable("the provider keeps others waiting already")
        try:
            with self._sparing():
                yield
        finally:
            self._turns.release()

    @contextmanager
    def _sparing(self) -> Iterator[None]:
        """Leave a provider that did not answer alone for a while, so that nobody waits in vain."""
        until, why = self._left_alone
        if self._clock() < until:
            raise IdentityUnavailable(why)
        try:
            yield
        except IdentityUnavailable as error:
            if self._clock() >= self._left_alone[0]:
                self._left_alone = (self._clock() + LEFT_ALONE_FOR, str(error))
            raise

    def _fresh(self) -> _Known | None:
        known = self._known
        return known if known is not None and self._clock() < known.until else None

    def _learn(self, *, again_after: _Known | None = None) -> _Known:
        """Addresses and keys, asked for where they are not known, too old, or those that did not do."""
        with self._learning:
            known = self._fresh()
            if known is not None and known is not again_after:
                return known
            with self._sparing():  # again: who waited for the lock need not find out for themselves
                endpoints = discover(self._fetcher, self._client.issuer)
                answer = self._fetcher.get(endpoints.keys)
                keys = usable_keys(answer.said) if answer.status == _FOUND else []
                if not keys:
                    raise IdentityUnavailable("the provider shows no key for RS256 or ES256")
            self._known = _Known(endpoints, tuple(keys), self._clock() + KEPT_FOR)
            return self._known

    def _redeem(self, endpoints: Endpoints, attempt: Attempt, *, code: str, back_to: str) -> Mapping[str, Any]:
        """The tokens that the code is worth, once."""
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back_to,
            "code_verifier": attempt.verifier,
        }
        client_id, secret = self._client.client_id, self._client.secret
        headers = []
        if endpoints.takes_secret_in_form:
            fields |= {"client_id": client_id, "client_secret": secret}
        else:  # RFC 6749, section 2.3.1: both are encoded as in a form first
            pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
            headers.append(f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}")
        answer = self._fetcher.post(endpoints.token, fields, headers=headers)
        if answer.status == _FOUND:
            return answer.said
        error = answer.said.get("error")
        if error == "invalid_grant":
            raise IdentityRefused("the provider does not know the code, or it has been used")
        if error in ("invalid_client", "unauthorized_client") or answer.status == 401:
            raise IdentityUnavailable(
                "the provider does not know us: check BONEWISE_OIDC_CLIENT_ID and BONEWISE_OIDC_CLIENT_SECRET"
            )
        raise IdentityRefused(f"the provider answers {answer.status} to the code")

    def _claims(self, tokens: Mapping[str, Any], *, nonce: str) -> dict[str, Any]:
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise IdentityRefused("the provider gave no ID token")
        key = self._key_of(read_header(token))
        return verified(token, key, issuer=self._client.issuer, client_id=self._client.client_id, nonce=nonce)

    def _key_of(self, header: Header) -> PyJWK:
        """The key that a token names; keys change, so one that is not known is looked for once more."""
        known = self._learn()
        found = _fitting(known.keys, header) or _fitting(self._learn(again_after=known).keys, header)
        if found is None:
            raise IdentityRefused("the token is signed with a key that the provider does not show")
        return found

    def _with_email(
        self, endpoints: Endpoints, tokens: Mapping[str, Any], claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """What says the e-mail address: the token, else the provider's page about the user (Core, section 5.3)."""
        access = tokens.get("access_token")
        is_said = "email" in claims and "email_verified" in claims
        if is_said or endpoints.userinfo is None or not isinstance(access, str):
            return claims
        if not (access.isascii() and access.isprintable()):  # it goes into a header
            return claims
        answer = self._fetcher.get(endpoints.userinfo, headers=[f"Authorization: Bearer {access}"])
        if answer.status != _FOUND:
            return claims
        if answer.said.get("sub") != claims["sub"]:  # section 5.3.2: it may be about somebody else
            raise IdentityRefused("what the provider says about the user is about another one (sub)")
        return answer.said


def _fitting(keys: tuple[PyJWK, ...], header: Header) -> PyJWK | None:
    fitting = [one for one in keys if one.algorithm_name == header.algorithm]
    if header.key_id is None:  # allowed where there is no choice (Core, section 10.1)
        return fitting[0] if len(fitting) == 1 else None
    return next((one for one in fitting if one.key_id == header.key_id), None)


def _identity(claims: Mapping[str, Any], about: Mapping[str, Any]) -> Identity:
    subject, email = claims["sub"], about.get("email")
    said, context = claims.get("amr"), claims.get("acr")
    methods = said if isinstance(said, list) else []
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise IdentityRefused("the token names nobody (sub)")
    return Identity(
        issuer=claims["iss"],
        subject=subject,
        email=email if isinstance(email, str) else "",
        is_email_verified=about.get("email_verified") is True,
        methods=frozenset(one for one in methods if isinstance(one, str)),
        context=context if isinstance(context, str) else "",
    )
