"""What does not prove who somebody is: forged and foreign tokens, other browsers, and a provider that is down."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from starlette.testclient import TestClient

from scheduler.domain.accounts import Role
from scheduler.identity import provider as provider_module
from scheduler.web.app import create_app
from tests.support.openid_provider import (
    CLIENT_ID,
    SECRET,
    Provider,
    SigningKey,
    ec_key,
    provider_running,
    rsa_key,
)
from tests.support.staff import PASSWORD, add, post
from tests.support.web import HERE, browser
from tests.support.worlds import MONDAY, World, world_at

START = "/sign-in/openid"
BACK = "/sign-in/openid/back"
LONG_AGO, FAR_OFF = 1_000_000_000, 9_999_999_999  # 2001 and 2286, in seconds since 1970
Sign = Callable[[dict[str, Any]], str]


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return rsa_key()


@pytest.fixture(scope="module")
def running(key: SigningKey) -> Iterator[Provider]:
    with provider_running(key) as provider:
        yield provider


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, running: Provider) -> Iterator[World]:
    """One installation for all: what is refused leaves nothing behind."""
    folder = tmp_path_factory.mktemp("forged")
    settings = {**running.settings, "BONEWISE_PROVIDER_TIMEOUT": "1"}
    with world_at(MONDAY, database_url=f"sqlite:///{folder / 'b.db'}", folder=folder, settings=settings) as world:
        add(world, Role.COORDINATOR)
        yield world


@pytest.fixture(scope="module")
def pages(world: World) -> FastAPI:
    return create_app(world.app)


@pytest.fixture
def provider(running: Provider, world: World, key: SigningKey) -> Provider:
    """An honest provider, of whom the installation knows nothing yet."""
    running.__dict__.update(Provider(key, port=running.port).__dict__)
    world.app.__dict__.pop("openid", None)
    return running


@pytest.fixture
def client(pages: FastAPI, provider: Provider) -> TestClient:
    return beside(pages)


def beside(pages: FastAPI) -> TestClient:
    """One more browser."""
    return TestClient(pages, base_url=HERE, follow_redirects=False, raise_server_exceptions=False)


def left(client: TestClient) -> str:
    """The path that the provider sends this browser back to."""
    sent = httpx2.get(client.get(START).headers["location"])
    parts = urlsplit(sent.headers["location"])
    return f"{parts.path}?{parts.query}"


def come(client: TestClient) -> Any:
    return client.get(left(client))


def is_out(client: TestClient) -> bool:
    return client.get("/worklist").status_code == 303


def refused(client: TestClient, caplog: pytest.LogCaptureFixture) -> str:
    """What the log says about a sign-in that is refused; the browser stays out and sees the password's form."""
    with caplog.at_level(logging.WARNING):
        answer = come(client)
    assert answer.status_code == 401, answer.text
    assert "did not prove who you are" in answer.text
    assert 'id="password"' in answer.text
    assert is_out(client)
    said = caplog.messages[-1]
    for secret in ("coordinator@", "person-1", SECRET):
        assert secret not in caplog.text
    return said


# Forged and foreign tokens


def encoded(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def unsigned(claims: dict[str, Any]) -> str:
    return f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(claims)}."


def with_public_key_as_secret(key: SigningKey) -> Sign:
    """The classic confusion: the public key, which everybody knows, as the secret of an HMAC."""

    def sign(claims: dict[str, Any]) -> str:
        head = f"{encoded({'alg': 'HS256', 'kid': key.name})}.{encoded(claims)}"
        mac = hmac.new(key.public_pem, head.encode(), hashlib.sha256).digest()
        return f"{head}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    return sign


def changed_afterwards(key: SigningKey) -> Sign:
    def sign(claims: dict[str, Any]) -> str:
        head, _, signature = key.sign({**claims, "email": "other@main.example"}).split(".")
        return f"{head}.{encoded(claims)}.{signature}"

    return sign


def with_headers(key: SigningKey, algorithm: str, **headers: Any) -> Sign:
    return lambda claims: jwt.encode(claims, key.private, algorithm, headers={"kid": key.name, **headers})


FORGERIES: dict[str, tuple[Callable[[SigningKey], Sign], str]] = {
    "another key": (lambda key: SigningKey(rsa_key().private, key.name).sign, "InvalidSignature"),
    "changed afterwards": (changed_afterwards, "InvalidSignature"),
    "no algorithm": (lambda _: unsigned, "'none'"),
    "HMAC by the public key": (with_public_key_as_secret, "'HS256'"),
    "another algorithm": (lambda key: with_headers(key, "RS512"), "'RS512'"),
    "another kind of key by its name": (lambda key: SigningKey(ec_key().private, key.name).sign, "does not show"),
    "a key of its own in the header": (
        lambda _: with_headers(rsa_key("mine"), "RS256", jwk=rsa_key("mine").jwk()),
        "does not show",
    ),
    "unknown critical header": (lambda key: with_headers(key, "RS256", crit=["odd"], odd=1), "token"),
    "no token": (lambda _: lambda _: "", "cannot be read"),
    "garbage": (lambda _: lambda _: "a.b.c", "cannot be read"),
    "letters": (lambda _: lambda _: "ü" * 5000, "cannot be read"),
    "a megabyte": (lambda _: lambda _: "x" * 100_000, "too long"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_lets_nobody_in(
    client: TestClient, provider: Provider, caplog: pytest.LogCaptureFixture, forgery: str
) -> None:
    forge, says = FORGERIES[forgery]
    provider.sign = forge(provider.key)
    assert says in refused(client, caplog)
    provider.sign = None
    assert come(client).status_code == 303, "the next one is judged by itself"


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"iss": "https://id.example"}, "InvalidIssuer"),
        ({"iss": None}, "MissingRequiredClaim"),
        ({"aud": "another program"}, "InvalidAudience"),
        ({"aud": [CLIENT_ID, "another program"]}, "somebody else as well"),
        ({"aud": []}, "InvalidAudience"),
        ({"aud": None}, "MissingRequiredClaim"),
        ({"azp": "another program"}, "somebody else as well"),
        ({"nonce": "of another attempt"}, "another attempt"),
        ({"nonce": None}, "MissingRequiredClaim"),
        ({"nonce": 7}, "another attempt"),
        ({"exp": LONG_AGO}, "ExpiredSignature"),
        ({"exp": None}, "MissingRequiredClaim"),
        ({"exp": "soon"}, "Decode"),
        ({"iat": FAR_OFF}, "ImmatureSignature"),
        ({"nbf": FAR_OFF}, "ImmatureSignature"),
        ({"sub": None}, "MissingRequiredClaim"),
        ({"sub": 12}, "InvalidSubject"),
        ({"sub": ""}, "names nobody"),
        ({"sub": "x" * 256}, "names nobody"),
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_lets_nobody_in(
    client: TestClient, provider: Provider, caplog: pytest.LogCaptureFixture, claims: dict[str, Any], says: str
) -> None:
    provider.claims |= claims
    said = refused(client, caplog)
    assert says in said or "MissingRequiredClaim" in said


def test_a_clock_that_is_some_seconds_off_does_no_harm(client: TestClient, provider: Provider) -> None:
    now = int(time.time())
    provider.claims |= {"iat": now + 15, "nbf": now + 15, "exp": now - 15}
    assert come(client).status_code == 303


def test_an_audience_may_be_a_list_of_us_alone(client: TestClient, provider: Provider) -> None:
    provider.claims |= {"aud": [CLIENT_ID], "azp": CLIENT_ID}
    assert come(client).status_code == 303


# Keys


def test_a_key_that_the_provider_has_changed_to_is_found(client: TestClient, provider: Provider) -> None:
    assert come(client).status_code == 303
    old = provider.key
    provider.key = rsa_key("second")
    assert come(client).status_code == 303
    assert provider.asked.count("/keys") == 2
    assert come(client).status_code == 303
    assert provider.asked.count("/keys") == 2, "a key that is known is not asked for"
    provider.sign = old.sign
    assert come(client).status_code == 401, "the old one is no longer shown"


def test_a_key_that_the_provider_never_showed_is_none(
    client: TestClient, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.sign = rsa_key("third").sign
    assert "does not show" in refused(client, caplog)


def test_keys_on_a_curve_do_as_well(client: TestClient, provider: Provider) -> None:
    provider.key = ec_key()
    assert come(client).status_code == 303


def nameless(key: SigningKey) -> Sign:
    return lambda claims: jwt.encode(claims, key.private, "RS256")


def test_a_token_may_leave_the_key_s_name_out_where_there_is_one_only(client: TestClient, provider: Provider) -> None:
    provider.sign = nameless(provider.key)
    assert come(client).status_code == 303


def test_a_token_names_its_key_where_there_are_several(client: TestClient, provider: Provider) -> None:
    provider.shown = [rsa_key("other").jwk(), provider.key.jwk()]
    provider.sign = nameless(provider.key)
    assert come(client).status_code == 401
    provider.sign = None
    assert come(client).status_code == 303


@pytest.mark.parametrize(
    "shown",
    [
        [],
        [{"kty": "oct", "k": "c2VjcmV0", "kid": "first"}],
        [{"kty": "RSA", "n": "AQAB", "kid": "first"}],
        [{**ec_key("first").jwk(), "use": "enc"}],
        [{**ec_key("first").jwk(), "crv": "P-384"}],
        [SigningKey(ec.generate_private_key(ec.SECP384R1()), "first").jwk()],
        [rsa_key(bits=1024).jwk()],
        ["first", None, 7],
        {"kid": "first"},
    ],
    ids=["none", "shared", "half", "to encrypt", "odd curve", "long curve", "short", "no keys", "no list"],
)
def test_without_a_key_to_trust_nobody_comes_in(client: TestClient, provider: Provider, shown: Any) -> None:
    provider.shown = shown
    answer = client.get(START)
    assert answer.status_code == 503
    assert 'id="password"' in answer.text


# State: the browser that left is the one that comes back, once


def test_what_came_back_once_is_good_for_nothing_more(pages: FastAPI, client: TestClient, provider: Provider) -> None:
    back = left(client)
    assert client.get(back).status_code == 303
    again = beside(pages)
    for replayer in (client, again):
        answer = replayer.get(back)
        assert answer.status_code == 401
        assert "was finished already" in answer.text
    assert is_out(again)
    assert provider.asked.count("/token") == 1


def test_even_with_the_cookie_a_code_is_good_once(pages: FastAPI, client: TestClient) -> None:
    back = left(client)
    kept = client.cookies["bonewise_openid_attempt"]
    assert client.get(back).status_code == 303
    thief = beside(pages)
    thief.cookies.set("bonewise_openid_attempt", kept)
    assert thief.get(back).status_code == 401
    assert is_out(thief)


def test_what_another_browser_left_with_is_refused(pages: FastAPI, client: TestClient, provider: Provider) -> None:
    victim = beside(pages)
    left(victim)
    answer = victim.get(left(client))
    assert answer.status_code == 401
    assert "begun in another browser" in answer.text
    assert is_out(victim)
    assert "/token" not in provider.asked


@pytest.mark.parametrize("kept", ["", "x", "QUJD", "A" * 4000, "é", "{}"])
def test_a_cookie_that_is_not_ours_opens_nothing(client: TestClient, kept: str) -> None:
    cookie = [(b"cookie", f"bonewise_openid_attempt={kept}".encode())]
    answer = client.get(f"{BACK}?{urlencode({'state': '', 'code': 'x'})}", headers=cookie)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("query", "status"),
    [({}, 401), ({"state": "<script>"}, 401), ({"state": "x" * 9000}, 404), ({"code": "\x00", "state": "é"}, 401)],
)
def test_whoever_comes_by_a_made_up_address_is_asked_to_begin(
    client: TestClient, query: dict[str, str], status: int
) -> None:
    client.get(START)
    answer = client.get(BACK, params=query)
    assert answer.status_code == status
    assert "<script>" not in answer.text.partition("</head>")[2]


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        ("access_denied", 401, "You were not signed in"),
        ("<b>", 401, "You were not signed in"),
        ("temporarily_unavailable", 503, "does not answer just now"),
    ],
)
def test_a_no_of_the_provider_leads_back_to_the_password(
    client: TestClient, error: str, status: int, says: str
) -> None:
    state = parse_qs(urlsplit(client.get(f"{START}?next=/patients").headers["location"]).query)["state"][0]
    answer = client.get(BACK, params={"error": error, "state": state, "error_description": "<script>"})
    assert answer.status_code == status
    assert says in answer.text
    assert 'name="next" value="/patients"' in answer.text


@pytest.mark.parametrize(("said", "status"), [(None, 401), ("https://id.example", 401), ("", 401), ("right", 303)])
def test_where_the_provider_names_itself_another_one_is_refused(
    client: TestClient, provider: Provider, said: str | None, status: int
) -> None:
    provider.metadata["authorization_response_iss_parameter_supported"] = True
    back = left(client)
    if said is not None:
        back += "&" + urlencode({"iss": provider.issuer if said == "right" else said})
    assert client.get(back).status_code == status


# The user's page


def test_an_address_that_is_not_in_the_token_is_asked_for(client: TestClient, provider: Provider) -> None:
    provider.claims |= {"email": None, "email_verified": None}
    provider.userinfo = {"sub": "person-1", "email": "coordinator@main.example", "email_verified": True}
    assert come(client).status_code == 303


def test_an_address_of_somebody_else_is_not_taken(
    client: TestClient, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.claims |= {"email": None, "email_verified": None}
    provider.userinfo = {"sub": "person-2", "email": "coordinator@main.example", "email_verified": True}
    assert "another one (sub)" in refused(client, caplog)


# A provider that does not answer, or nonsense


def calm(answer: Any) -> None:
    assert answer.status_code == 503
    assert "does not answer just now" in answer.text
    assert 'id="password"' in answer.text


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
@pytest.mark.parametrize(
    "said",
    [(500, b"{}"), (429, b"{}"), (200, b"<html>"), (200, b"[1]"), (200, b"\xff\xfe"), (200, b'{"a":' * 100_000)],
    ids=["broken", "busy", "a page", "a list", "no text", "endless"],
)
def test_a_provider_that_answers_nonsense_is_as_one_that_is_down(
    world: World, client: TestClient, provider: Provider, path: str, said: tuple[int, bytes]
) -> None:
    provider.answers[path] = said
    calm(come(client) if path == "/token" else client.get(START))
    fields = {"email": "coordinator@main.example", "password": PASSWORD}
    assert post(client, "/sign-in", fields).headers["location"] == "/"


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://id.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": "ftp://id.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://[bad"},
        {"jwks_uri": ["x"]},
        {"userinfo_endpoint": "file:///etc/passwd"},
    ],
    ids=str,
)
def test_a_provider_that_says_odd_things_about_itself_is_not_used(
    client: TestClient, provider: Provider, caplog: pytest.LogCaptureFixture, metadata: dict[str, Any]
) -> None:
    provider.metadata |= metadata
    calm(client.get(START))
    assert "nobody can sign in by OpenID Connect" in caplog.text


def test_a_wrong_secret_is_named_in_the_log(
    sqlite_url: str, tmp_path: Path, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {**provider.settings, "BONEWISE_OIDC_CLIENT_SECRET": "not-it"}
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path, settings=settings) as world:
        calm(come(browser(world.app)))
    assert "BONEWISE_OIDC_CLIENT_SECRET" in caplog.text
    assert "not-it" not in caplog.text


def test_a_provider_that_wants_the_secret_in_the_form_gets_it_there(client: TestClient, provider: Provider) -> None:
    provider.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    assert come(client).status_code == 303


def test_a_provider_that_hangs_keeps_nobody_waiting_for_long_and_is_then_left_alone(
    client: TestClient, provider: Provider
) -> None:
    provider.hanging = threading.Event()
    begun = time.monotonic()
    calm(client.get(START))
    assert time.monotonic() - begun < 5
    asked = len(provider.asked)
    calm(client.get(START))
    assert len(provider.asked) == asked, "it is left alone for some seconds"


def test_a_provider_that_is_back_is_asked_again(
    client: TestClient, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "LEFT_ALONE_FOR", 0.0)
    provider.answers["/keys"] = (503, b"{}")
    calm(client.get(START))
    provider.answers.clear()
    assert come(client).status_code == 303


def test_a_provider_that_is_not_there_keeps_nothing_from_starting(sqlite_url: str, tmp_path: Path) -> None:
    settings = {
        "BONEWISE_OIDC_ISSUER": "http://127.0.0.1:9",
        "BONEWISE_OIDC_CLIENT_ID": "x",
        "BONEWISE_OIDC_CLIENT_SECRET": "y",
    }
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path, settings=settings) as world:
        client = browser(world.app)
        assert client.get("/sign-in").status_code == 200
        calm(client.get(START))
