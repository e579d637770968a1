"""The simulated phones: what came in, answering as the patient, and forms that only our own page can send."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from scheduler.domain.people import PatientStatus
from tests.support.web import SMTP, browser, form_token
from tests.support.worlds import MONDAY, World, new_york, world_at


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


@pytest.fixture
def client(world: World) -> TestClient:
    return browser(world.app)


def answer(client: TestClient, body: str, **fields: str) -> int:
    form = {"form_token": form_token(client.get("/phones").text), "channel": "sms", "body": body, **fields}
    return client.post("/phones/reply", data=form).status_code


def article(page: str, owner: str) -> str:
    """The phone of one owner."""
    return next(part for part in page.split("<article")[1:] if f">{owner}</h2>" in part)


def test_a_phone_shows_each_text_at_its_owners_time(world: World, client: TestClient) -> None:
    world.enrol_sms("P1", name="Dale Hutchins", timezone="America/Denver", contact_time="16:15")
    world.run_until(new_york(3, 4, 1))
    phone = article(client.get("/phones").text, "Dale Hutchins")
    assert "Have you had your vitamin D checked" in phone
    assert ">16:15</time>" in phone
    assert "+16175550100" in phone
    assert "Denver" in phone


def test_a_mailbox_shows_the_text_of_a_mail_and_links_only_to_us(world: World, client: TestClient) -> None:
    world.enrol_email("E1", name="Marcus Webb")
    world.run_until(new_york(3, 3, 12))
    mailbox = article(client.get("/phones").text, "Marcus Webb")
    assert "Hello Marcus" in mailbox
    assert '<a href="/u/' in mailbox
    assert "&lt;html" not in mailbox


def test_a_patient_without_messages_has_an_empty_phone(world: World, client: TestClient) -> None:
    world.enrol_sms("P1", name="Ruth Adler")
    assert "Nothing has come in yet" in article(client.get("/phones").text, "Ruth Adler")


def test_an_answer_is_understood_and_answered_at_once(world: World, client: TestClient) -> None:
    patient = world.enrol_sms("P1", name="Ruth Adler")
    world.run_until(new_york(3, 3, 12))
    assert patient.phone is not None
    assert answer(client, "1", address=patient.phone) == 303
    phone = article(client.get("/phones").text, "Ruth Adler")
    own = phone.index('class="bubble own"')
    assert "Thank you for telling us" in phone[own:]
    assert world.enrolment("vitamin_d").step == "awaiting_result"


def test_stop_is_obeyed_and_confirmed_once(world: World, client: TestClient) -> None:
    patient = world.enrol_sms("P1")
    assert patient.phone is not None
    answer(client, "STOP", address=patient.phone)
    answer(client, "stop", address=patient.phone)
    assert world.patient("P1").status is PatientStatus.STOPPED
    assert client.get("/phones").text.count("You will get no more texts") == 1


def test_an_answer_by_mail_comes_from_the_mailbox(world: World, client: TestClient) -> None:
    patient = world.enrol_email("E1", name="Marcus Webb")
    world.run_until(new_york(3, 3, 12))
    assert patient.email is not None
    assert answer(client, "2", address=patient.email, channel="email") == 303
    assert "We have noted that it is booked" in article(client.get("/phones").text, "Marcus Webb")


def test_an_empty_answer_changes_nothing(world: World, client: TestClient) -> None:
    patient = world.enrol_sms("P1")
    assert patient.phone is not None
    assert answer(client, "   ", address=patient.phone) == 303
    with world.store.reading() as unit:
        assert unit.inbox.replies(world.clinic.id) == []


@pytest.mark.parametrize("fields", [{"address": "+19995550000"}, {"channel": "pigeon"}, {"channel": ""}])
def test_an_answer_from_nobody_is_refused(world: World, client: TestClient, fields: dict[str, str]) -> None:
    patient = world.enrol_sms("P1")
    assert patient.phone is not None
    assert answer(client, "1", **{"address": patient.phone, **fields}) == 404


def test_the_fragment_has_the_threads_and_no_forms(world: World, client: TestClient) -> None:
    patient = world.enrol_sms("P1", name="Ruth Adler")
    before = article(client.get("/phones/wall").text, "Ruth Adler")
    assert patient.phone is not None
    answer(client, "HELP", address=patient.phone)
    after = article(client.get("/phones/wall").text, "Ruth Adler")
    assert "<form" not in after
    assert version(before) != version(after)
    assert version(after) == version(article(client.get("/phones").text, "Ruth Adler"))


def version(phone: str) -> str:
    return phone.split('data-version="')[1].split('"')[0]


def test_with_real_mail_only_the_phones_are_simulated(sqlite_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path, settings=SMTP) as world:
        world.enrol_sms("P1", name="Ruth Adler")
        world.enrol_email("E1", name="Marcus Webb")
        client = browser(world.app)
        page = client.get("/phones").text
        assert "Ruth Adler" in page
        assert "Marcus Webb" not in page
        assert "Move the clock" not in page
        assert answer(client, "1", address="e1@patients.example", channel="email") == 404


def test_of_many_phones_those_with_the_latest_messages_are_shown(world: World, client: TestClient) -> None:
    for number in range(30):
        world.enrol_sms(
            f"P{number:02}", phone=f"+161755501{number:02}", name=f"Pat Number{number:02}", pathways="dexa"
        )
    world.enrol_sms("Z9", name="Zoe Late", contact_time="15:00")
    world.run_until(new_york(3, 5, 16))
    page = client.get("/phones").text
    assert page.count("<article") == 24
    assert "Zoe Late" in page
    assert "the phones with the latest messages" in page


# Forms


def test_a_form_from_elsewhere_is_refused(world: World, client: TestClient) -> None:
    patient = world.enrol_sms("P1")
    assert patient.phone is not None
    good = {"form_token": form_token(client.get("/phones").text), "channel": "sms", "body": "STOP"}
    good["address"] = patient.phone
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://attacker.example"},
    ):
        assert client.post("/phones/reply", data=good, headers=headers).status_code == 403
    for token in ("", "x", "A" * 24, good["form_token"][:-4] + "AAA="):
        assert client.post("/phones/reply", data={**good, "form_token": token}).status_code == 403
    assert world.patient("P1").status is PatientStatus.ACTIVE
    own = {"sec-fetch-site": "same-origin", "origin": "null"}
    assert client.post("/phones/reply", data=good, headers=own).status_code == 303
    assert world.patient("P1").status is PatientStatus.STOPPED


def test_a_token_is_of_no_use_in_another_browser(world: World, client: TestClient) -> None:
    patient = world.enrol_sms("P1")
    assert patient.phone is not None
    token = form_token(client.get("/phones").text)
    other = browser(world.app)
    other.get("/phones")
    form = {"form_token": token, "channel": "sms", "address": patient.phone, "body": "STOP"}
    assert other.post("/phones/reply", data=form).status_code == 403
    other.cookies.clear()
    assert other.post("/phones/reply", data=form).status_code == 403


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: TestClient) -> None:
    cookie = client.get("/").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "set-cookie" not in client.get("/phones").headers


def test_a_form_has_a_limit_and_one_kind_of_writing(client: TestClient) -> None:
    token = form_token(client.get("/phones").text)
    form = {"form_token": token, "channel": "sms", "address": "x", "body": "1" * 70_000}
    assert client.post("/phones/reply", data=form).status_code == 413
    assert client.post("/phones/reply", json={"form_token": token}).status_code == 415
