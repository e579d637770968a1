"""Signing in to the staff pages, the second factor, links, sessions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import text
from starlette.testclient import TestClient

from scheduler.domain.accounts import IDLE, LinkKind, Role
from scheduler.services.accounts.codes import code_at
from scheduler.services.accounts.staffing import make_link
from scheduler.services.clinics import add_staff
from tests.support.staff import PASSWORD, add, post, secret_on, signed_in
from tests.support.web import SMTP, TWILIO, browser, form_token
from tests.support.worlds import MONDAY, World, world_at


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


@pytest.fixture
def client(world: World) -> TestClient:
    return browser(world.app)


def enter(client: TestClient, email: str, password: str = PASSWORD, **more: str):  # type: ignore[no-untyped-def]
    return post(client, "/sign-in", {"email": email, "password": password, **more})


def audit(world: World) -> list[str]:
    with world.app.engine.connect() as connection:
        return list(connection.execute(text("SELECT action FROM audit ORDER BY id")).scalars())


def test_a_coordinator_needs_a_password_and_sees_the_clinics_day(world: World, client: TestClient) -> None:
    email = add(world, Role.COORDINATOR)
    answer = enter(client, email.upper())
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    page = client.get("/").text
    assert "Needs a person" in page
    assert email in page
    assert "signed in" in audit(world)


def test_a_wrong_password_says_no_more_than_that(world: World, client: TestClient) -> None:
    email = add(world, Role.VIEWER)
    wrong, nobody = enter(client, email, "not the password"), enter(client, "nobody@x.example", "not the password")
    assert wrong.status_code == nobody.status_code == 401
    same = [answer.text.replace(email, "?").replace("nobody@x.example", "?") for answer in (wrong, nobody)]
    assert same[0].partition("<form")[0] == same[1].partition("<form")[0]


def test_after_wrong_tries_even_the_right_password_waits(world: World, client: TestClient) -> None:
    email = add(world, Role.COORDINATOR)
    with time_machine.travel(datetime(2026, 5, 1, 12, tzinfo=UTC), tick=False) as now:
        for _ in range(5):
            assert enter(client, email, "wrong wrong wrong").status_code == 401
        assert enter(client, email).status_code == 401
        now.shift(timedelta(seconds=31))
        assert enter(client, email).status_code == 303
    assert "account locked" in audit(world)


def test_a_clinician_sets_up_a_second_factor_and_then_needs_it(world: World, client: TestClient) -> None:
    email = add(world, Role.CLINICIAN)
    with time_machine.travel(datetime(2026, 5, 1, 12, tzinfo=UTC), tick=False) as now:
        assert enter(client, email).headers["location"] == "/sign-in/code"
        assert client.get("/worklist").headers["location"].startswith("/sign-in"), "a password alone opens nothing"
        page = client.get("/sign-in/code").text
        secret = secret_on(page)
        assert "<svg" in page
        assert post(client, "/sign-in/code", {"code": "000000"}).status_code == 401
        code = code_at(secret, datetime.now(UTC))
        assert post(client, "/sign-in/code", {"code": code}).headers["location"] == "/"
        assert client.get("/worklist").status_code == 200

        other = browser(world.app)
        assert enter(other, email).headers["location"] == "/sign-in/code"
        assert "<svg" not in other.get("/sign-in/code").text, "the secret is shown once only"
        assert post(other, "/sign-in/code", {"code": code}).status_code == 401, "a code is good for once"
        now.shift(timedelta(seconds=60))
        later = code_at(secret, datetime.now(UTC))
        assert post(other, "/sign-in/code", {"code": later}).status_code == 303


def test_a_session_ends_when_nothing_happens_and_leads_back_to_where_one_was(
    world: World, client: TestClient
) -> None:
    email = add(world, Role.COORDINATOR)
    with time_machine.travel(datetime(2026, 5, 1, 12, tzinfo=UTC), tick=False) as now:
        enter(client, email)
        now.shift(IDLE - timedelta(seconds=1))
        assert client.get("/patients?status=active").status_code == 200
        now.shift(IDLE)
        answer = client.get("/patients?status=active")
        assert answer.headers["location"] == "/sign-in?next=%2Fpatients%3Fstatus%3Dactive"
        back = enter(client, email, next="/patients?status=active")
        assert back.headers["location"] == "/patients?status=active"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"])
def test_a_link_cannot_lead_elsewhere_after_signing_in(world: World, client: TestClient, target: str) -> None:
    assert enter(client, add(world, Role.VIEWER), next=target).headers["location"] == "/"


def test_signing_out_everywhere_ends_the_other_browser_too(world: World, client: TestClient) -> None:
    email, other = add(world, Role.COORDINATOR), browser(world.app)
    enter(client, email)
    enter(other, email)
    assert post(client, "/sign-out", {"everywhere": "yes"}, page="/worklist").headers["location"] == "/sign-in"
    assert other.get("/worklist").status_code == 303


def test_signing_out_here_leaves_the_other_browser_in(world: World, client: TestClient) -> None:
    email, other = add(world, Role.COORDINATOR), browser(world.app)
    enter(client, email)
    enter(other, email)
    post(client, "/sign-out", {}, page="/worklist")
    assert client.get("/worklist").status_code == 303
    assert other.get("/worklist").status_code == 200


def test_a_form_without_its_token_is_refused(world: World) -> None:
    client = signed_in(world, Role.COORDINATOR)
    assert client.post("/sign-out", data={"everywhere": "yes"}).status_code == 403
    assert client.get("/worklist").status_code == 200


def test_an_invitation_lets_somebody_choose_a_password_once(world: World, client: TestClient) -> None:
    token = add_staff(world.store, world.clinic, email="new@main.example", role="coordinator", now=datetime.now(UTC))
    path = f"/invitation/{token}"
    assert "new@main.example" in client.get(path).text
    refused = post(client, path, {"password": "short"})
    assert refused.status_code == 422
    assert "at least 12" in refused.text
    named = post(client, path, {"password": "HarborClinic2026"})
    assert named.status_code == 422
    assert "other than the name of your clinic" in named.text
    assert post(client, path, {"password": PASSWORD}).headers["location"] == "/sign-in"
    assert client.get(path).status_code == 404
    assert enter(client, "new@main.example").status_code == 303


def test_a_reset_link_ends_sessions_and_runs_out(world: World, client: TestClient) -> None:
    at_work = signed_in(world, Role.COORDINATOR)
    with world.store.writing() as unit:
        (account,) = unit.accounts.of_clinic(world.clinic.id)
        token = make_link(unit, account, LinkKind.RESET, by="test", now=datetime.now(UTC))
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1), tick=False):
        assert client.get(f"/reset/{token}").status_code == 404
    assert client.get(f"/invitation/{token}").status_code == 404, "a link is for one thing"
    assert post(client, f"/reset/{token}", {"password": "another four words"}).status_code == 303
    assert at_work.get("/worklist").status_code == 303
    assert enter(client, account.email).status_code == 401
    assert enter(client, account.email, "another four words").status_code == 303


def test_a_forgotten_password_is_written_about_once_and_nobody_learns_who_works_here(
    world: World, client: TestClient
) -> None:
    email = add(world, Role.VIEWER)
    said = [post(client, "/forgot", {"email": one}).text for one in (email, email, "nobody@x.example")]
    assert len({page.partition("Look in your mailbox")[2] for page in said}) == 1
    world.tick()
    mails = [one for one in world.app.simulated_inbox.received() if one.address == email]
    assert len(mails) == 1
    token = mails[0].body.partition("/reset/")[2].split()[0]
    assert post(client, f"/reset/{token}", {"password": "another four words"}).status_code == 303


def test_whoever_has_left_is_out_at_once(world: World) -> None:
    admin, other = signed_in(world, Role.ADMIN), signed_in(world, Role.COORDINATOR)
    with world.store.reading() as unit:
        (gone,) = [one for one in unit.accounts.of_clinic(world.clinic.id) if one.role is Role.COORDINATOR]
    assert "no longer has a way in" in post(admin, f"/staff/{gone.id}/leave", {}, page="/staff").text
    assert other.get("/worklist").status_code == 303
    assert enter(browser(world.app), gone.email).status_code == 401


def test_a_clinic_keeps_an_admin(world: World) -> None:
    admin = signed_in(world, Role.ADMIN)
    with world.store.reading() as unit:
        (only,) = unit.accounts.of_clinic(world.clinic.id)
    for path, fields in ((f"/staff/{only.id}/leave", {}), (f"/staff/{only.id}/role", {"role": "viewer"})):
        answer = post(admin, path, fields, page="/staff")
        assert answer.status_code == 422
        assert "only admin" in answer.text


def test_an_admin_invites_somebody_by_a_link(world: World) -> None:
    admin = signed_in(world, Role.ADMIN)
    page = post(admin, "/staff", {"email": "nurse@main.example", "role": "coordinator"}).text
    assert "/invitation/" in page
    again = post(admin, "/staff", {"email": "nurse@main.example", "role": "coordinator"})
    assert again.status_code == 422
    assert "belongs to clinic main already" in again.text


def test_the_sample_clinics_doors_are_shut_in_a_real_installation(sqlite_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path, settings={**TWILIO, **SMTP}) as world:
        client = browser(world.app)
        client.base_url = "https://reminders.clinic.example"
        page = client.get("/sign-in").text
        assert "/sign-in/sample" not in page
        answer = client.post("/sign-in/sample", data={"role": "admin", "form_token": form_token(page)})
        assert answer.status_code == 404
        email = add(world, Role.VIEWER)
        cookie = enter(client, email).headers["set-cookie"]
        assert cookie.startswith("__Host-bonewise_session=")
        assert "Secure" in cookie
