"""What a provider says about itself (OpenID Connect Discovery 1.0)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from scheduler.identity.fetching import Fetcher
from scheduler.ports.identity import IdentityUnavailable

_PATH = "/.well-known/openid-configuration"
_FOUND = 200
_BASIC, _POST = "client_secret_basic", "client_secret_post"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """The addresses of a provider.

    With `takes_secret_in_form` the client's secret goes into the form and not into a header. With `names_itself` the
    browser comes back with the issuer's name (RFC 9207), and one without it was not sent by this provider.
    """

    authorization: str
    token: str
    keys: str
    userinfo: str | None
    takes_secret_in_form: bool
    names_itself: bool


def discover(fetcher: Fetcher, issuer: str) -> Endpoints:
    """The addresses of the provider with exactly this name. Raises `IdentityUnavailable`."""
    address = issuer.rstrip("/") + _PATH
    answer = fetcher.get(address)
    if answer.status != _FOUND:
        raise IdentityUnavailable(f"{address} answers {answer.status}: is BONEWISE_OIDC_ISSUER right?")
    named = answer.said.get("issuer")
    if named != issuer:  # Discovery, section 4.3: exactly, else a provider could speak for another
        raise IdentityUnavailable(f"the provider names itself {named!r}: write BONEWISE_OIDC_ISSUER exactly so")
    return _read(answer.said, issuer)


def _read(said: Mapping[str, Any], issuer: str) -> Endpoints:
    has_userinfo = said.get("userinfo_endpoint") is not None
    methods = said.get("token_endpoint_auth_methods_supported")
    methods = methods if isinstance(methods, list) else [_BASIC]  # the default, section 3
    return Endpoints(
        authorization=_address(said, "authorization_endpoint", issuer),
        token=_address(said, "token_endpoint", issuer),
        keys=_address(said, "jwks_uri", issuer),
        userinfo=_address(said, "userinfo_endpoint", issuer) if has_userinfo else None,
        takes_secret_in_form=_BASIC not in methods and _POST in methods,
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
    )


def _address(said: Mapping[str, Any], name: str, issuer: str) -> str:
    """One address, as safe as the issuer's own."""
    value = said.get(name)
    try:
        parts = urlsplit(value) if isinstance(value, str) and value.isprintable() else None
        is_sound = parts is not None and bool(parts.hostname) and not parts.username and not parts.fragment
    except ValueError:
        parts, is_sound = None, False
    is_safe = parts is not None and parts.scheme in ("https", urlsplit(issuer).scheme)
    if not (is_sound and is_safe and isinstance(value, str)):
        raise IdentityUnavailable(f"the provider names no usable {name}: it has to be an https address")
    return value
