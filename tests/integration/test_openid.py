"""Signing in by an OpenID Connect provider that runs beside the test and signs with a real key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import time_machine
from sqlalchemy import text
from starlette.testclient import TestClient

from scheduler.domain.accounts import LONGEST, Role
from scheduler.records import Clinic
from scheduler.services.accounts.codes import code_at
from scheduler.services.clinics import add_staff
from tests.support.openid_provider import Provider, SigningKey, provider_running, rsa_key
from tests.support.staff import PASSWORD, add, post, secret_on, signed_in
from tests.support.web import browser
from tests.support.worlds import MONDAY, World, world_at

START = "/sign-in/openid"
BACK = "/sign-in/openid/back"


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return rsa_key()


@pytest.fixture
def provider(key: SigningKey) -> Iterator[Provider]:
    with provider_running(key) as running:
        yield running


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path, provider: Provider) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path, settings=provider.settings) as world:
        yield world


@pytest.fixture
def client(world: World) -> TestClient:
    return browser(world.app)


def left(client: TestClient, target: str = "") -> str:
    """Where the provider sends the browser back to after this one has left for it, as a path."""
    answer = client.get(START, params={"next": target} if target else None)
    assert answer.status_code == 303, answer.text
    sent = httpx2.get(answer.headers["location"])
    assert sent.status_code == 302
    parts = urlsplit(sent.headers["location"])
    assert parts.path == BACK
    return f"{parts.path}?{parts.query}"


def come(client: TestClient, target: str = "") -> Any:
    """Leave for the provider and come back."""
    return client.get(left(client, target))


def audit(world: World) -> list[tuple[str, str]]:
    with world.app.engine.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(text("SELECT action, detail FROM audit ORDER BY id"))]


def is_out(client: TestClient) -> bool:
    return client.get("/worklist").status_code == 303


# Coming in


def test_somebody_whom_the_provider_knows_comes_in_without_a_password(
    world: World, client: TestClient, provider: Provider
) -> None:
    add_staff(world.store, world.clinic, email="coordinator@main.example", role="coordinator", now=datetime.now(UTC))
    answer = come(client, "/patients?status=active")
    assert (answer.status_code, answer.headers["location"]) == (303, "/patients?status=active")
    page = client.get("/patients?status=active")
    assert page.status_code == 200
    assert "coordinator@main.example" in page.text
    assert audit(world)[-2:] == [("identity bound", ""), ("signed in", "coordinator, by OpenID Connect")]
    assert provider.asked == ["/.well-known/openid-configuration", "/keys", "/authorize", "/token"]


def test_the_button_is_there_only_where_the_settings_name_a_provider(
    world: World, client: TestClient, sqlite_url: str, tmp_path: Path
) -> None:
    page = client.get("/sign-in?next=/patients").text
    assert 'href="/sign-in/openid?next=/patients"' in page
    assert "Sign in with the clinic’s account" in page
    with world_at(MONDAY, database_url=f"{sqlite_url}2", folder=tmp_path / "other") as without:
        stranger = browser(without.app)
        assert "openid" not in stranger.get("/sign-in").text
        for path in (START, f"{BACK}?state=x&code=y"):
            assert stranger.get(path).status_code == 404


def test_the_provider_is_asked_in_the_way_that_nobody_else_can_use_the_answer_of(
    world: World, client: TestClient, provider: Provider
) -> None:
    first, second = (parse_qs(urlsplit(client.get(START).headers["location"]).query) for _ in range(2))
    assert first["redirect_uri"] == [f"http://127.0.0.1:8000{BACK}"]
    assert first["code_challenge_method"] == ["S256"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 43
        assert first[name] != second[name]


def test_what_the_browser_keeps_on_the_way_can_be_read_by_nobody_and_is_for_that_path_alone(
    world: World, client: TestClient
) -> None:
    answer = client.get(START)
    kept = answer.headers["set-cookie"]
    assert kept.startswith("bonewise_openid_attempt=")
    for part in ("HttpOnly", "SameSite=lax", "Path=/sign-in/openid", "Max-Age=600"):
        assert part in kept
    assert parse_qs(urlsplit(answer.headers["location"]).query)["state"][0] not in kept


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "/" + "x" * 1500])
def test_nobody_is_led_elsewhere_after_signing_in(world: World, client: TestClient, target: str) -> None:
    add(world, Role.COORDINATOR)
    assert come(client, target).headers["location"] == "/"


def test_addresses_are_compared_as_they_are_stored_and_never_further(
    world: World, client: TestClient, provider: Provider
) -> None:
    add_staff(world.store, world.clinic, email="kim@main.example", role="viewer", now=datetime.now(UTC))
    provider.claims["email"] = "\u212aim@main.example"  # the Kelvin sign, which is a k in lower case
    assert come(client).status_code == 403
    provider.claims["email"] = "Kim@Main.Example"
    assert come(client).status_code == 303


def test_the_session_is_one_like_any_other(world: World, client: TestClient) -> None:
    add(world, Role.COORDINATOR)
    with time_machine.travel(datetime.now(UTC), tick=False) as now:
        assert come(client).status_code == 303
        other = browser(world.app)
        assert come(other).status_code == 303
        assert post(client, "/sign-out", {"everywhere": "yes"}, page="/worklist").status_code == 303
        assert is_out(client)
        assert is_out(other)
        assert come(client).status_code == 303
        now.shift(LONGEST + timedelta(seconds=1))
        assert is_out(client)


def test_the_password_goes_on_working_beside_it(world: World, client: TestClient) -> None:
    email = add(world, Role.COORDINATOR)
    assert come(client).status_code == 303
    other = browser(world.app)
    assert post(other, "/sign-in", {"email": email, "password": PASSWORD}).headers["location"] == "/"


# The second factor


def as_clinician(world: World, provider: Provider, **claims: Any) -> None:
    add_staff(world.store, world.clinic, email="doctor@main.example", role="clinician", now=datetime.now(UTC))
    provider.claims |= {"email": "doctor@main.example", **claims}


@pytest.mark.parametrize("claims", [{}, {"amr": ["pwd"]}, {"amr": ["otp", "sms"]}, {"amr": "mfa"}, {"acr": "gold"}])
def test_a_clinician_types_our_code_unless_more_than_one_factor_is_proved(
    world: World, client: TestClient, provider: Provider, claims: dict[str, Any]
) -> None:
    as_clinician(world, provider, **claims)
    answer = come(client, "/supplements")
    assert answer.headers["location"] == "/sign-in/code?next=%2Fsupplements"
    assert is_out(client)
    assert audit(world)[-1] == ("identity accepted", "clinician, by OpenID Connect")
    secret = secret_on(client.get("/sign-in/code").text)
    code = {"code": code_at(secret, datetime.now(UTC)), "next": "/supplements"}
    assert post(client, "/sign-in/code", code).headers["location"] == "/supplements"
    assert not is_out(client)


@pytest.mark.parametrize("claims", [{"amr": ["mfa"]}, {"amr": ["pwd", "otp"]}, {"amr": ["hwk", "pin", "user"]}])
def test_more_than_one_factor_at_the_provider_is_enough(
    world: World, client: TestClient, provider: Provider, claims: dict[str, Any]
) -> None:
    as_clinician(world, provider, **claims)
    assert come(client).headers["location"] == "/"
    assert not is_out(client)


@pytest.mark.parametrize(
    ("more", "claims", "leads_to"),
    [
        ({"BONEWISE_OIDC_SECOND_FACTOR": "always"}, {"amr": ["mfa"]}, "/sign-in/code"),
        ({"BONEWISE_OIDC_ACR": "silver, gold"}, {"acr": "gold"}, "/"),
        ({"BONEWISE_OIDC_ACR": "silver, gold"}, {"acr": "bronze"}, "/sign-in/code"),
    ],
)
def test_an_operator_decides_what_counts_as_two_factors(
    sqlite_url: str, tmp_path: Path, provider: Provider, more: dict[str, str], claims: dict[str, Any], leads_to: str
) -> None:
    settings = {**provider.settings, **more}
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path, settings=settings) as world:
        as_clinician(world, provider, **claims)
        client = browser(world.app)
        asked = parse_qs(urlsplit(client.get(START).headers["location"]).query)
        assert asked.get("acr_values") == (["silver gold"] if "BONEWISE_OIDC_ACR" in more else None)
        assert come(client).headers["location"] == leads_to


def test_wrong_codes_lock_the_provider_s_way_in_as_well(world: World, client: TestClient, provider: Provider) -> None:
    as_clinician(world, provider)
    with time_machine.travel(datetime.now(UTC), tick=False) as now:
        come(client)
        for _ in range(5):
            assert post(client, "/sign-in/code", {"code": "000000"}).status_code == 401
            come(client)  # signing in there again does not give more tries
        answer = come(client)
        assert answer.status_code == 403
        assert "too many wrong tries" in answer.text
        now.shift(timedelta(seconds=31))
        assert come(client).headers["location"] == "/sign-in/code"


# Who does not come in


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"email_verified": False}, "has not checked that coordinator@main.example is yours"),
        ({"email_verified": None}, "has not checked"),
        ({"email_verified": "true"}, "has not checked"),
        ({"email": None}, "did not say your e-mail address"),
        ({"email": ["coordinator@main.example"]}, "did not say your e-mail address"),
        ({"email": "nobody@main.example"}, "Nobody signs in here as nobody@main.example"),
        ({"email": "<script>alert(1)</script>"}, "Nobody signs in here as &lt;script&gt;"),
        ({"email": "coordinator@main.example' OR 1=1 --"}, "Nobody signs in here as"),
        ({"email": "\u202e" + "x" * 10_000}, "Nobody signs in here as"),
    ],
    ids=["not verified", "nothing said", "a word", "no address", "a list", "unknown", "script", "sql", "long"],
)
def test_who_is_not_known_by_a_verified_address_is_told_so_and_stays_out(
    world: World, client: TestClient, provider: Provider, claims: dict[str, Any], says: str
) -> None:
    add(world, Role.COORDINATOR)
    provider.claims |= claims
    answer = come(client)
    assert answer.status_code == 403
    assert says in answer.text
    assert 'id="password"' in answer.text
    assert "<script>alert" not in answer.text
    assert is_out(client)


def test_nobody_is_added_by_signing_in(world: World, client: TestClient) -> None:
    assert come(client).status_code == 403
    with world.store.reading() as unit:
        assert unit.accounts.of_clinic(world.clinic.id) == []


def test_whoever_has_left_stays_out(world: World, client: TestClient) -> None:
    admin = signed_in(world, Role.ADMIN)
    add(world, Role.COORDINATOR)
    come(client)
    post(admin, f"/staff/{account(world).id}/leave", {}, page="/staff")
    assert is_out(client)
    answer = come(client)
    assert answer.status_code == 403
    assert "Nobody signs in here as" in answer.text


def account(world: World, email: str = "coordinator@main.example", clinic: Clinic | None = None) -> Any:
    at = clinic or world.clinic
    with world.store.reading() as unit:
        return next(one for one in unit.accounts.of_clinic(at.id) if one.email == email)


def test_the_address_alone_does_not_let_another_person_in_later(
    world: World, client: TestClient, provider: Provider
) -> None:
    add(world, Role.COORDINATOR)
    assert come(client).status_code == 303
    stranger = browser(world.app)
    provider.claims["sub"] = "person-2"
    answer = come(stranger)
    assert answer.status_code == 403
    assert "by another account of your provider" in answer.text
    assert is_out(stranger)
    assert audit(world)[-1] == ("sign-in refused", "by OpenID Connect")
    assert not is_out(client), "whoever is in already is not put out by it"


def test_one_account_at_the_provider_is_one_person_here(world: World, client: TestClient, provider: Provider) -> None:
    add(world, Role.COORDINATOR)
    as_clinician(world, provider, email="coordinator@main.example")
    assert come(client).status_code == 303
    provider.claims |= {"email": "doctor@main.example", "amr": ["mfa"]}
    answer = come(browser(world.app))
    assert answer.status_code == 403
    assert "under another address already" in answer.text


def test_an_admin_lets_somebody_come_by_a_new_account_of_theirs(
    world: World, client: TestClient, provider: Provider
) -> None:
    admin = signed_in(world, Role.ADMIN)
    add(world, Role.COORDINATOR)
    come(client)
    page = admin.get("/staff").text
    assert "signs in by the clinic’s sign-in" in page
    said = post(admin, f"/staff/{account(world).id}/identity", {}, page="/staff").text
    assert "may sign in by another account" in said
    assert is_out(client)
    provider.claims["sub"] = "person-2"
    assert come(client).status_code == 303
    assert ("identity forgotten", "coordinator@main.example") in audit(world)


# Several clinics


def test_who_works_at_two_clinics_says_which(world: World, client: TestClient) -> None:
    email = "coordinator@main.example"
    main = world.clinic
    add(world, Role.COORDINATOR)
    lake = world.add_clinic("lake")
    add_staff(world.store, lake, email=email, role="viewer", now=datetime.now(UTC))
    world.enrol_sms("L1", lake, name="Lena Lake")
    world.enrol_sms("M1", main, name="Mona Main")
    page = come(client, "/patients")
    assert page.status_code == 200
    assert "At which clinic?" in page.text
    assert is_out(client)
    token = page.text.partition('name="form_token" value="')[2].partition('"')[0]
    nowhere = client.post(f"{START}/clinic", data={"form_token": token, "clinic": "none"})
    assert "At which clinic?" in nowhere.text
    answer = client.post(f"{START}/clinic", data={"form_token": token, "clinic": "lake"})
    assert answer.headers["location"] == "/patients"
    page = client.get("/patients")
    assert "Lena Lake" in page.text
    assert "Mona Main" not in page.text
    again = client.post(f"{START}/clinic", data={"form_token": token, "clinic": "main"})
    assert again.status_code == 401, "what was proved is good for one sign-in"


def test_only_the_clinics_that_the_operator_names_are_reached(
    sqlite_url: str, tmp_path: Path, provider: Provider
) -> None:
    settings = {**provider.settings, "BONEWISE_OIDC_CLINICS": "lake"}
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path, settings=settings) as world:
        add(world, Role.COORDINATOR)
        client = browser(world.app)
        assert come(client).status_code == 403
        lake = world.add_clinic("lake")
        add_staff(world.store, lake, email="coordinator@main.example", role="viewer", now=datetime.now(UTC))
        assert come(client).status_code == 303
        assert "signed in as viewer" in client.get("/").text


# Signing a decision


def test_a_clinician_without_a_password_sets_up_codes_and_signs_with_one(
    world: World, client: TestClient, provider: Provider
) -> None:
    world.enrol_sms("P1", name="Ruth Adler")
    world.receive("P1", "SUPP magnesium")
    with world.store.reading() as unit:
        (case,) = unit.worklist.clearances(world.clinic.id)
    as_clinician(world, provider, amr=["mfa"])
    with time_machine.travel(datetime.now(UTC), tick=False) as now:
        come(client)
        page = client.get("/supplements").text
        assert "You have no password here" in page
        decided = {"decision": "cleared", "signature": PASSWORD}
        refused = post(client, f"/supplements/{case.id}/decide", decided, page="/supplements")
        assert refused.status_code == 422
        assert "so sign with a code" in refused.text
        secret = secret_on(client.get("/second-factor?next=/supplements").text)
        assert post(client, "/second-factor", {"code": "000000"}).status_code == 422
        fields = {"code": code_at(secret, datetime.now(UTC)), "next": "/supplements"}
        assert post(client, "/second-factor", fields).headers["location"] == "/supplements"
        assert ("second factor set up", "") in audit(world)
        assert "set up an app already" in client.get("/second-factor").text
        assert "Sign with a code from your app" in client.get("/supplements").text
        now.shift(timedelta(seconds=60))
        decided["signature"] = code_at(secret, datetime.now(UTC))
        answer = post(client, f"/supplements/{case.id}/decide", decided, page="/supplements")
        assert answer.status_code == 303
    with world.store.reading() as unit:
        (signed,) = unit.worklist.clearances(world.clinic.id)
    assert (signed.decision, signed.signed_with) == ("cleared", "code")


def test_codes_are_set_up_only_shortly_after_signing_in(world: World, client: TestClient, provider: Provider) -> None:
    as_clinician(world, provider, amr=["mfa"])
    with time_machine.travel(datetime.now(UTC), tick=False) as now:
        come(client)
        secret = secret_on(client.get("/second-factor").text)
        now.shift(timedelta(minutes=11))
        page = client.get("/second-factor").text
        assert "within 10 minutes" in page
        assert secret[:4] not in page
        late = post(client, "/second-factor", {"code": code_at(secret, datetime.now(UTC))})
        assert late.status_code == 422
    assert account(world, "doctor@main.example").code_step == 0
