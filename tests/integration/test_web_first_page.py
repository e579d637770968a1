"""The first page, what every answer carries, and who is let in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from scheduler.bootstrap import App
from scheduler.settings import load_settings
from scheduler.web.access import ACCESS
from scheduler.web.api.access import is_for_programs
from scheduler.web.app import ROUTERS, create_app
from scheduler.web.staff.session import is_staff
from tests.support.cli import ROOT
from tests.support.web import HERE, SMTP, TWILIO, browser, form_token
from tests.support.worlds import MONDAY, World, new_york, world_at

PAGES = ("/", "/phones", "/phones/wall", "/healthz", "/readyz", "/metrics", "/nowhere", "/u/nobody")


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


@pytest.fixture
def real_world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path, settings={**TWILIO, **SMTP}) as world:
        yield world


@pytest.fixture
def client(world: World) -> TestClient:
    return browser(world.app)


def test_it_shows_what_went_today_and_what_is_still_to_come(world: World, client: TestClient) -> None:
    world.enrol_sms("P1", name="Ruth Adler")
    world.enrol_sms("P2", name="Dale Hutchins", contact_time="15:00")
    world.run_until(new_york(3, 3, 12))
    page = client.get("/").text
    went, coming = page.split("Still to come today")
    assert "Tuesday 3 March 2026, 12:30" in went
    assert "Ruth Adler" in went
    assert "Have you had your vitamin D checked" in went
    assert "Dale Hutchins" in coming.split("The coming days")[0]


def test_it_says_why_a_reminder_did_not_go(world: World, client: TestClient) -> None:
    world.enrol("P1", name="Walter Nowak", phone="+16175550129")
    world.run_until(new_york(3, 3, 12))
    page = client.get("/").text
    assert "no consent on record" in page
    assert "Nothing has gone today" in page


def test_days_ahead_are_those_of_the_simulator(world: World, client: TestClient) -> None:
    world.enrol_sms("P1", pathways="dexa")
    page = client.get("/").text
    assert "Thursday 5 March" in page
    assert "Bone-density scan" in page
    assert "Wednesday 4 March" not in page


def test_an_installation_without_a_clinic_says_how_to_get_one(sqlite_url: str, tmp_path: Path) -> None:
    app = App(load_settings({"BONEWISE_DATABASE_URL": sqlite_url, "BONEWISE_DATA_DIR": str(tmp_path / "var")}))
    app.initialise()
    client = browser(app)
    page = client.get("/").text
    assert "No patient has a number" in client.get("/phones").text
    app.close()
    assert "No clinic yet" in page
    assert "bonewise sample load" in page


def test_a_large_clinic_is_counted_but_not_walked_through(world: World, client: TestClient) -> None:
    world.import_drafts([world.draft(f"P{number:03}", {}) for number in range(61)])
    page = client.get("/").text
    assert "With 61 patients the list is long" in page
    assert "bonewise simulate --clinic main" in page


def test_what_patients_are_called_cannot_become_markup(world: World, client: TestClient) -> None:
    world.enrol_sms("P1", name="<script>alert(1)</script>")
    page = client.get("/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_real_installation_shows_no_patient_and_no_clock(real_world: World) -> None:
    real_world.enrol_sms("P1", name="Ruth Adler")
    client = browser(real_world.app)
    page = client.get("/").text
    assert "Bonewise is running" in page
    assert "1 patient of 1 clinic" in page
    assert "Ruth" not in page
    assert "<form" not in page
    assert "<code>bonewise status</code>" in page
    for path in ("/phones", "/phones/wall"):
        assert client.get(path).status_code == 404
    for path in ("/phones/reply", "/clock"):
        assert client.post(path, data={"form_token": "x"}).status_code == 404


def test_a_real_installation_says_on_its_page_what_is_wrong(real_world: World) -> None:
    class Dead:
        def fault(self) -> str:
            return "the scheduler's thread has ended"

    page = browser(real_world.app, scheduler=Dead()).get("/").text
    assert "Bonewise is not ready" in page
    assert "the scheduler&#39;s thread has ended" in page


def test_an_installation_with_message_templates_of_its_own_needs_no_pages(sqlite_url: str, tmp_path: Path) -> None:
    own = tmp_path / "templates"
    shutil.copytree(ROOT / "templates" / "messages", own / "messages")
    shutil.copytree(ROOT / "templates" / "layouts", own / "layouts")
    settings = {"BONEWISE_TEMPLATES_DIR": str(own)}
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path, settings=settings) as world:
        assert browser(world.app).get("/").status_code == 200
        (own / "web").mkdir()
        (own / "web" / "problem.html").write_text("our own words: {{ title }}")
        assert "our own words" in browser(world.app).get("/nowhere").text


@pytest.mark.parametrize("path", PAGES)
def test_every_answer_forbids_what_a_page_does_not_need(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "camera=()" in headers["permissions-policy"]
    assert "strict-transport-security" not in headers


def test_over_https_browsers_are_told_to_stay_there(real_world: World) -> None:
    assert "max-age=" in browser(real_world.app).get("/").headers["strict-transport-security"]


@pytest.mark.parametrize("path", ["/", "/phones"])
def test_a_page_has_no_inline_code_and_asks_nobody_else(world: World, client: TestClient, path: str) -> None:
    world.enrol_sms("P1")
    page = client.get(path).text
    assert "style=" not in page
    assert "<style" not in page
    assert " on" + "click" not in page
    assert all("src=" in tag for tag in page.split("<script")[1:])
    assert "//" not in page.replace(f"{HERE}/u/", "").replace("<!doctype html>", "")


def test_style_and_script_may_be_kept_as_their_address_names_their_content(client: TestClient) -> None:
    page = client.get("/phones").text
    addresses = [part.split('"')[0] for part in page.split('="/static/')[1:]]
    assert {address.partition("?")[0] for address in addresses} == {"bonewise.css", "phones.js", "mark.svg"}
    for address in addresses:
        answer = client.get(f"/static/{address}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]


def test_every_route_says_who_may_use_it(world: World) -> None:
    routes = [route for router in ROUTERS for route in router.routes]
    assert len(routes) > len(ROUTERS)
    for route in routes:
        assert isinstance(route, APIRoute), f"{route} is not declared like the others"
        calls = [one.call for one in route.dependant.dependencies]
        named = [one for one in calls if one in ACCESS or is_staff(one) or is_for_programs(one)]
        assert len(named) == 1, f"{route.path} names {len(named)} of those who may use it"
    beside = [route for route in create_app(world.app).routes if isinstance(route, Route | Mount)]
    assert [(type(route), route.path) for route in beside] == [(Mount, "/static")]


@pytest.mark.parametrize("path", ["/", "/phones", "/phones/wall"])
def test_a_page_elsewhere_cannot_read_ours_by_a_name_of_its_own(client: TestClient, path: str) -> None:
    assert client.get(path, headers={"host": "rebound.attacker.example"}).status_code == 421
    for own in ("localhost:8000", "127.0.0.1", "[::1]:8000", "192.168.1.7:8000"):
        assert client.get(path, headers={"host": own}).status_code == 200


def test_health_is_answered_under_any_name(client: TestClient) -> None:
    assert client.get("/healthz", headers={"host": "web:8000"}).status_code == 200


def test_an_unknown_address_gets_a_page_with_a_way_back(client: TestClient) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text
    assert 'href="/"' in answer.text


def test_a_fault_of_ours_shows_a_page_and_no_traceback(world: World, client: TestClient) -> None:
    with world.app.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE clinics SET timezone = 'No/Where'")
    answer = client.get("/")
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text
    assert "Traceback" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_no_module_is_loaded_by_a_request(world: World, client: TestClient) -> None:
    import sys

    world.enrol_sms("P1")
    world.enrol_email("E1")
    token = form_token(client.get("/phones").text)
    before = set(sys.modules)
    for path in PAGES:
        client.get(path)
    client.post("/phones/reply", data={"form_token": token, "channel": "sms", "address": "x", "body": "1"})
    new = {name for name in set(sys.modules) - before if name.partition(".")[0] not in sys.stdlib_module_names}
    assert new == set()


def test_yesterday_is_there_when_the_clock_was_moved_a_day(world: World, client: TestClient) -> None:
    world.enrol_sms("P1", name="Ruth Adler", pathways="dexa")
    world.run_until(MONDAY + timedelta(days=4))
    page = client.get("/").text
    assert "Yesterday" in page
    assert "Ask your clinician if a bone-density scan" in page
