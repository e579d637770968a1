"""The unsubscribe link of an e-mail, as RFC 8058 wants it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel, PatientStatus
from scheduler.records import Patient
from scheduler.store.engine import reading
from scheduler.store.tables import consents
from tests.support.web import browser
from tests.support.worlds import MONDAY, World, new_york, world_at

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
BUTTON = {**ONE_CLICK, "by": "page"}


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


@pytest.fixture
def client(world: World) -> TestClient:
    return browser(world.app)


def link(world: World, patient: Patient) -> str:
    return urlsplit(world.app.links.unsubscribe(world.clinic.id, patient.id)).path


def recorded(world: World) -> list[tuple[bool, str, str | None]]:
    """The consent record for e-mail, without what enrolment wrote: whether granted, how, and by which wording."""
    columns = consents.c.granted, consents.c.source, consents.c.wording
    with reading(world.app.engine) as connection:
        rows = connection.execute(select(*columns).where(consents.c.channel == "email").order_by(consents.c.id)).all()
    return [(row.granted, row.source, row.wording) for row in rows][1:]


def undo_of(page: str) -> dict[str, str]:
    """What the button posts that takes a press back."""
    match = re.search(r'name="keep" value="([^"]+)"', page)
    assert match is not None
    return {"keep": match[1]}


def test_looking_changes_nothing(world: World, client: TestClient) -> None:
    patient = world.enrol_email("E1")
    answer = client.get(link(world, patient))
    assert answer.status_code == 200
    assert "Stop the e-mails</button>" in answer.text
    assert client.head(link(world, patient)).status_code == 200
    assert world.patient("E1").email_consent
    assert "set-cookie" not in answer.headers


def test_one_click_by_the_mail_provider_stops_the_mails(world: World, client: TestClient) -> None:
    patient = world.enrol_email("E1")
    answer = client.post(link(world, patient), data=ONE_CLICK)
    assert answer.status_code == 200
    assert "no more e-mails" in answer.text
    after = world.patient("E1")
    assert not after.email_consent
    assert after.status is PatientStatus.STOPPED
    world.run_until(new_york(3, 20))
    assert [entry for entry in world.ledger("E1") if entry.sent_at] == []


def test_a_provider_may_post_it_as_multipart(world: World, client: TestClient) -> None:
    patient = world.enrol_email("E1")
    assert client.post(link(world, patient), files={"List-Unsubscribe": (None, "One-Click")}).status_code == 200
    assert not world.patient("E1").email_consent


def test_a_second_click_is_as_good_as_the_first(world: World, client: TestClient) -> None:
    patient = world.enrol_email("E1")
    for _ in range(2):
        assert client.post(link(world, patient), data=ONE_CLICK).status_code == 200
    with world.store.reading() as unit:
        latest = unit.patients.latest_consents(world.clinic.id, [patient.id])
        entries = unit.installation.audit_entries(world.clinic.id)
    assert latest[patient.id, Channel.EMAIL][0] is False
    assert [entry[2] for entry in entries].count("consent revoked") == 1
    assert "no more e-mails" in client.get(link(world, patient)).text


def test_what_was_planned_for_the_mailbox_falls(world: World, client: TestClient) -> None:
    patient = world.enrol_email("E1", pathways="vitamin_d")
    world.run_until(new_york(3, 3, 12))
    (went,) = world.ledger("E1")
    assert went.status is MessageStatus.SENT
    world.receive("E1", "1")  # the answer to it is planned, and not yet sent
    client.post(link(world, patient), data=ONE_CLICK)
    world.tick()
    assert [entry.status for entry in world.ledger("E1")] == [MessageStatus.SENT, MessageStatus.SKIPPED]


def test_texts_go_on_where_there_is_consent_to_texts(world: World, client: TestClient) -> None:
    patient = world.enrol_email("E1", phone="+16175550142", sms_consent="yes", channel="email", pathways="vitamin_d")
    client.post(link(world, patient), data=ONE_CLICK)
    assert world.patient("E1").status is PatientStatus.ACTIVE
    world.run_until(new_york(3, 3, 12))
    assert [entry.channel for entry in world.ledger("E1")] == [Channel.SMS]


def test_the_page_is_in_the_patients_language(world: World, client: TestClient) -> None:
    patient = world.enrol_email("E1", language="es-MX")
    page = client.get(link(world, patient)).text
    assert '<html lang="es">' in page
    assert "No quiero más correos" in page
    assert "Ya no recibirá correos" in client.post(link(world, patient), data=ONE_CLICK).text


def test_the_page_names_the_clinic_and_nobody_else(world: World, client: TestClient) -> None:
    patient = world.enrol_email("E1", name="Marcus Webb")
    page = client.get(link(world, patient)).text
    assert "Harbor Clinic" in page
    assert "Marcus" not in page
    assert "marcus" not in page
    assert 'href="/phones"' not in page


def test_a_made_up_or_cut_link_is_not_found_and_changes_nothing(world: World, client: TestClient) -> None:
    patient = world.enrol_email("E1")
    good = link(world, patient)
    other = good[:20] + ("A" if good[20] != "A" else "B") + good[21:]
    for bad in ("/u/x", good[:-6], good + "AAAA", other, "/u/" + "A" * 43, "/u/%00", "/u/ñ"):
        assert client.get(bad).status_code == 404, bad
        assert client.post(bad, data=ONE_CLICK).status_code == 404, bad
    assert world.patient("E1").email_consent
    assert "whole link" in client.get("/u/x").text


def test_the_link_works_only_for_the_patient_it_was_made_for(world: World, client: TestClient) -> None:
    first, second = world.enrol_email("E1"), world.enrol_email("E2")
    client.post(link(world, first), data=ONE_CLICK)
    assert not world.patient("E1").email_consent
    assert world.patient("E2").email_consent
    assert second.id != first.id


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"List-Unsubscribe": ""},
        {"List-Unsubscribe": "Two-Click"},
        {"unsubscribe": "One-Click"},
        {"keep": "AAAA"},
    ],
)
def test_a_post_of_something_else_changes_nothing_and_shows_the_button(
    world: World, client: TestClient, body: dict[str, str]
) -> None:
    patient = world.enrol_email("E1")
    answer = client.post(link(world, patient), data=body)
    assert world.patient("E1").email_consent
    assert recorded(world) == []
    if "keep" not in body:
        assert answer.status_code == 400
        assert "Stop the e-mails</button>" in answer.text


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"List-Unsubscribe=One-Click", {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}),
        (b"List-Unsubscribe=One-Click", {}),
        (b"List-Unsubscribe=One-Click\r\n".rstrip(), {"content-type": "text/plain"}),
        (
            b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
            {"content-type": "multipart/form-data; boundary=x"},
        ),
    ],
    ids=["urlencoded", "untyped", "mistyped", "multipart"],
)
def test_providers_may_write_the_one_click_as_they_do(
    world: World, client: TestClient, body: bytes, headers: dict[str, str]
) -> None:
    patient = world.enrol_email("E1")
    answer = client.post(link(world, patient), content=body, headers=headers, follow_redirects=False)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert not world.patient("E1").email_consent


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"--x\r\nnonsense", {"content-type": "multipart/form-data; boundary=x"}, 400),
        (b"x", {"content-type": "multipart/form-data"}, 400),
        (b"\xff\x00=" * 50, {"content-type": "application/x-www-form-urlencoded"}, 400),
        (b"a=b&" * 50_000, {"content-type": "application/x-www-form-urlencoded"}, 413),
    ],
    ids=["cut", "no boundary", "bytes", "long"],
)
def test_a_broken_form_changes_nothing(
    world: World, client: TestClient, body: bytes, headers: dict[str, str], code: int
) -> None:
    patient = world.enrol_email("E1")
    assert client.post(link(world, patient), content=body, headers=headers).status_code == code
    assert world.patient("E1").email_consent


def test_the_record_says_how_and_by_which_words(world: World, client: TestClient) -> None:
    first, second = world.enrol_email("E1"), world.enrol_email("E2", language="es")
    client.post(link(world, first), data=ONE_CLICK)
    client.post(link(world, second), data=BUTTON)
    assert recorded(world)[1:] == [
        (False, "unsubscribe", "RFC 8058 one-click in the mail program"),
        (False, "unsubscribe", "es: No quiero más correos"),
    ]


def test_the_page_says_how_to_begin_again(world: World, client: TestClient) -> None:
    patient = world.enrol_email("E1")
    assert "with the word START" in client.post(link(world, patient), data=BUTTON).text
    assert "with the word START" in client.get(link(world, patient)).text


def test_a_press_by_mistake_can_be_taken_back(world: World, client: TestClient) -> None:
    patient = world.enrol_email("E1", pathways="vitamin_d")
    undo = undo_of(client.post(link(world, patient), data=BUTTON).text)
    world.clock.at += timedelta(minutes=2)
    for _ in range(2):  # again changes nothing
        assert "You will go on getting e-mails" in client.post(link(world, patient), data=undo).text
    after = world.patient("E1")
    assert (after.email_consent, after.status) == (True, PatientStatus.ACTIVE)
    assert recorded(world)[1:] == [(True, "unsubscribe", "en: That was a mistake. Keep the e-mails")]
    world.run_until(new_york(3, 5))
    assert [entry.status for entry in world.ledger("E1")] == [MessageStatus.SENT]


def test_taking_back_ends_after_half_an_hour(world: World, client: TestClient) -> None:
    patient = world.enrol_email("E1")
    undo = undo_of(client.post(link(world, patient), data=BUTTON).text)
    world.clock.at += timedelta(minutes=31)
    assert "You will get no more e-mails" in client.post(link(world, patient), data=undo).text
    assert not world.patient("E1").email_consent


def test_a_stop_that_came_after_the_press_is_not_taken_back_with_it(world: World, client: TestClient) -> None:
    patient = world.enrol_email("E1")
    undo = undo_of(client.post(link(world, patient), data=BUTTON).text)
    world.receive("E1", "STOP")
    client.post(link(world, patient), data=undo)
    assert not world.patient("E1").email_consent


def test_who_finds_the_mails_ended_already_cannot_begin_them(world: World, client: TestClient) -> None:
    patient, other = world.enrol_email("E1"), world.enrol_email("E2")
    stolen = undo_of(client.post(link(world, other), data=BUTTON).text)
    world.receive("E1", "STOP")
    page = client.post(link(world, patient), data=BUTTON).text
    assert 'name="keep"' not in page
    for token in (stolen["keep"], "", "A" * 24, "é", stolen["keep"] + "AAAA"):
        client.post(link(world, patient), data={"keep": token})
    assert not world.patient("E1").email_consent
