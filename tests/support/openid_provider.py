"""An OpenID Connect provider on the loopback address: it signs with real keys, and lies as it is told to."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

CLIENT_ID = "bonewise at the clinic"  # with a space: both halves of the login are encoded
SECRET = "a/b+c:d e"
LATER = 300  # seconds that a token is good for

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Sign = Callable[[dict[str, Any]], str]


@dataclass(frozen=True)
class SigningKey:
    """A key pair and the name that it has in the provider's set."""

    private: PrivateKey
    name: str

    @property
    def algorithm(self) -> str:
        return "RS256" if isinstance(self.private, rsa.RSAPrivateKey) else "ES256"

    @property
    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def jwk(self) -> dict[str, Any]:
        public = self.private.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            made = RSAAlgorithm.to_jwk(public, as_dict=True)
        else:
            made = ECAlgorithm.to_jwk(public, as_dict=True)
        return {**made, "kid": self.name, "use": "sig"}

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self.private, self.algorithm, headers={"kid": self.name})


def rsa_key(name: str = "first", *, bits: int = 2048) -> SigningKey:
    return SigningKey(rsa.generate_private_key(public_exponent=65537, key_size=bits), name)


def ec_key(name: str = "curve") -> SigningKey:
    return SigningKey(ec.generate_private_key(ec.SECP256R1()), name)


@dataclass
class Provider:
    """What the provider says and does; a test changes it between requests.

    `claims` stand in the next tokens over what belongs there, None leaves one out. `metadata` likewise for what the
    provider says about itself. `answers` is what a path answers instead, as (status, body). `sign` makes the token.
    """

    key: SigningKey
    host: str = "127.0.0.1"
    port: int = 0
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    shown: list[dict[str, Any]] | None = None  # the set of keys, if not that of `key`
    sign: Sign | None = None
    asked: list[str] = field(default_factory=list)  # paths, in order
    hanging: threading.Event | None = None  # answers wait for it
    asks_first: bool = False  # shows a page with a button before it sends the browser back
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        """The settings of an installation whose people sign in here."""
        return {
            "BONEWISE_OIDC_ISSUER": self.issuer,
            "BONEWISE_OIDC_CLIENT_ID": CLIENT_ID,
            "BONEWISE_OIDC_CLIENT_SECRET": SECRET,
        }

    def about_itself(self) -> dict[str, Any]:
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            **({"userinfo_endpoint": f"{self.issuer}/userinfo"} if self.userinfo is not None else {}),
            **self.metadata,
        }
        return {name: value for name, value in said.items() if value is not None}

    def approve(self, query: Mapping[str, str]) -> str:
        """Where the browser is sent back to, with a code."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT_ID
        assert query["code_challenge_method"] == "S256"
        assert query["scope"].split() == ["openid", "email"]
        code = secrets.token_urlsafe(16)
        self._codes[code] = dict(query)
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "person-1",
            "aud": CLIENT_ID,
            "exp": now + LATER,
            "iat": now,
            "nonce": nonce,
            "email": "coordinator@main.example",
            "email_verified": True,
            **self.claims,
        }
        given = {name: value for name, value in claims.items() if value is not None}
        return (self.sign or self.key.sign)(given)

    def redeem(self, form: Mapping[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """What the token endpoint answers: RFC 6749, sections 3.2.1 and 4.1.3, and RFC 7636, section 4.6."""
        client = form.get("client_id", ""), form.get("client_secret", "")
        if authorization:
            pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
            client = tuple(unquote_plus(half) for half in pair.split(":", 1))  # type: ignore[assignment]
        if client != (CLIENT_ID, SECRET):
            return 401, {"error": "invalid_client"}
        asked = self._codes.pop(form.get("code", ""), None)  # good for once
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        fits = asked is not None and asked["redirect_uri"] == form.get("redirect_uri")
        if asked is None or not fits or challenge.rstrip(b"=").decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        said = {"access_token": "for the user's page", "token_type": "Bearer", "id_token": self.token(asked["nonce"])}
        return 200, said


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        provider, parts = self.provider, urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if self._says_otherwise(parts.path):
            return
        if parts.path == "/.well-known/openid-configuration":
            self._json(200, provider.about_itself())
        elif parts.path == "/keys":
            self._json(200, {"keys": [provider.key.jwk()] if provider.shown is None else provider.shown})
        elif parts.path == "/userinfo":
            is_known = self.headers["Authorization"] == "Bearer for the user's page"
            self._json(200 if is_known else 401, provider.userinfo or {})
        elif provider.asks_first:
            page = f'<form method="post" action="/authorize?{escape(parts.query)}"><button>Continue</button></form>'
            self._send(200, page.encode(), "text/html; charset=utf-8")
        else:
            self._redirect(provider.approve(query))

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self._says_otherwise(parts.path):
            return
        if parts.path == "/authorize":
            self._redirect(self.provider.approve({n: v[-1] for n, v in parse_qs(parts.query).items()}))
        else:
            form = {name: values[-1] for name, values in parse_qs(body).items()}
            self._json(*self.provider.redeem(form, self.headers.get("Authorization", "")))

    def _says_otherwise(self, path: str) -> bool:
        self.provider.asked.append(path)
        if self.provider.hanging is not None:
            self.provider.hanging.wait(30)
        said = self.provider.answers.get(path)
        if said is not None:
            self._send(said[0], said[1], "application/json")
        return said is not None

    def _redirect(self, address: str) -> None:
        self.send_response(302)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, status: int, said: Mapping[str, Any]) -> None:
        self._send(status, json.dumps(said).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except ConnectionError:
            self.close_connection = True  # whoever asked has stopped waiting

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
        pass


@contextmanager
def provider_running(key: SigningKey) -> Iterator[Provider]:
    """A provider that answers until the end of the block."""
    provider = Provider(key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": provider}))
    server.daemon_threads = True
    provider.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        if provider.hanging is not None:
            provider.hanging.set()
        server.shutdown()
        server.server_close()
        thread.join()
