"""Reading an ID token: nothing in it is believed before its signature, issuer, audience and times are right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK

from scheduler.ports.identity import IdentityRefused

# A kind of key has one algorithm: the header of a token never chooses how its signature is checked (RFC 8725, 3.1).
_ALGORITHMS = {"RSA": "RS256", "EC": "ES256"}
ALGORITHMS = frozenset(_ALGORITHMS.values())
LEEWAY = 30  # seconds that the provider's clock may be off
LONGEST_TOKEN = 64 * 1024  # characters
_SHORTEST_RSA = 2048  # bits; NIST SP 800-131A
_CURVE = "P-256"
_REQUIRED = ("iss", "sub", "aud", "exp", "iat", "nonce")


@dataclass(frozen=True, slots=True)
class Header:
    """What a token says about its signature, not to be believed yet. `key_id` is None where it names no key."""

    algorithm: str
    key_id: str | None


def read_header(token: str) -> Header:
    """The header of a token. Raises `IdentityRefused`, also for an algorithm that is not taken."""
    if len(token) > LONGEST_TOKEN:
        raise IdentityRefused("the token is too long")
    try:
        said = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, ValueError):
        raise IdentityRefused("the token cannot be read") from None
    algorithm, key_id = said.get("alg"), said.get("kid")
    if algorithm not in ALGORITHMS:
        raise IdentityRefused(f"the token is signed with {str(algorithm)[:20]!r}; only RS256 and ES256 are taken")
    return Header(algorithm, key_id if isinstance(key_id, str) else None)


def usable_keys(said: Mapping[str, Any]) -> list[PyJWK]:
    """The keys of a JWK set (RFC 7517) that a token may be signed with; others are left out."""
    listed = said.get("keys")
    found = [_key(one) for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [one for one in found if one is not None]


def _key(jwk: dict[str, Any]) -> PyJWK | None:
    algorithm = _ALGORITHMS.get(str(jwk.get("kty")))
    if algorithm is None or jwk.get("use", "sig") != "sig" or jwk.get("alg", algorithm) != algorithm:
        return None
    if algorithm == "ES256" and jwk.get("crv") != _CURVE:
        return None
    try:
        made = PyJWK(jwk, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if not isinstance(made.key, RSAPublicKey | EllipticCurvePublicKey):
        return None  # a private key that is shown to everybody proves nothing
    is_short = isinstance(made.key, RSAPublicKey) and made.key.key_size < _SHORTEST_RSA
    return None if is_short else made


def verified(token: str, key: PyJWK, *, issuer: str, client_id: str, nonce: str) -> dict[str, Any]:
    """The claims of a token that `key` signed, for us and this attempt (Core, section 3.1.3.7).

    Raises `IdentityRefused`.
    """
    try:
        claims = jwt.decode(
            token,
            key=key.key,
            algorithms=[key.algorithm_name],
            issuer=issuer,
            audience=client_id,
            leeway=LEEWAY,
            options={"require": list(_REQUIRED)},
        )
    except jwt.InvalidTokenError as error:
        raise IdentityRefused(f"the token is not valid: {_why(error)}") from None
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise IdentityRefused("the token cannot be read") from None
    if claims["aud"] not in (client_id, [client_id]) or claims.get("azp", client_id) != client_id:
        raise IdentityRefused("the token is for somebody else as well")
    if not isinstance(claims["nonce"], str) or not compare_digest(claims["nonce"].encode(), nonce.encode()):
        raise IdentityRefused("the token is from another attempt (nonce)")
    return claims


def _why(error: jwt.InvalidTokenError) -> str:
    """The kind of fault. Its own words may repeat what stands in the token."""
    return type(error).__name__.removesuffix("Error")
