"""Settings and API keys: what an admin changes, what is refused beside its field, and what goes on record."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from scheduler.domain.accounts import Role
from scheduler.domain.people import StopScope
from scheduler.records import Clinic
from scheduler.services.accounts.api_keys import make_key
from tests.support.staff import address_of, post, signed_in
from tests.support.web import browser
from tests.support.worlds import MONDAY, World, new_york, world_at


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


@pytest.fixture
def admin(world: World) -> TestClient:
    return signed_in(world, Role.ADMIN)


def save(client: TestClient, section: str, **fields: str) -> Any:
    return post(client, f"/settings/{section}", fields, page="/settings")


def stored(world: World, clinic: Clinic | None = None) -> Clinic:
    with world.store.reading() as unit:
        found = unit.installation.clinic((clinic or world.clinic).code)
    assert found is not None
    return found


def on_record(world: World, action: str) -> list[tuple[str, str]]:
    with world.store.reading() as unit:
        entries = unit.installation.audit_entries(world.clinic.id)
    return [(one[1], one[4]) for one in entries if one[2] == action]


MESSAGES = {"window_start": "10:00", "window_end": "18:00", "contact_time": "11:15", "stop_scope": "topic"}


def test_a_change_is_kept_and_on_record_as_it_was_and_as_it_is(world: World, admin: TestClient) -> None:
    answer = save(admin, "clinic", name="Harbor MS Clinic", timezone="Europe/Madrid", phone="")
    assert answer.status_code == 303
    found = stored(world)
    assert (found.name, found.timezone, found.phone) == ("Harbor MS Clinic", "Europe/Madrid", None)
    by = address_of(Role.ADMIN, world.clinic)
    assert on_record(world, "clinic changed") == [
        (by, "name: Harbor Clinic → Harbor MS Clinic"),
        (by, "timezone: America/New_York → Europe/Madrid"),
    ]
    assert "Saved." in admin.get(answer.headers["location"]).text


def test_other_hours_plan_the_patients_anew(world: World, admin: TestClient) -> None:
    world.enrol_sms("P1", pathways="exercise")
    assert save(admin, "messages", **MESSAGES).status_code == 303
    found = stored(world)
    assert (str(found.window), f"{found.contact_time:%H:%M}") == ("10:00-18:00", "11:15")
    assert found.stop_scope is StopScope.TOPIC
    world.tick()
    assert world.patient().next_contact_at == new_york(3, 3, 11, 15)


def test_what_is_not_ticked_is_off(world: World, admin: TestClient) -> None:
    save(admin, "messages", **MESSAGES, confirm_numbers="yes", name_on_shared="yes")
    assert (stored(world).confirm_numbers, stored(world).name_on_shared) == (True, True)
    save(admin, "messages", **MESSAGES)
    assert (stored(world).confirm_numbers, stored(world).name_on_shared) == (False, False)


def test_the_days_that_the_clinic_is_closed_are_those_in_the_field(world: World, admin: TestClient) -> None:
    given = {"holidays": "US-NY", "digest_to": "team@x.example", "digest_at": "07:30", "duty_email": ""}
    save(admin, "office", **given, closed="2026-12-24..2026-12-26\n2026-07-06")
    assert len(stored(world).closed_days) == 4
    save(admin, "office", **given, closed="2026-07-06")
    found = stored(world)
    assert [str(day) for day in found.closed_days] == ["2026-07-06"]
    assert (found.holidays, found.digest_to, f"{found.digest_at:%H:%M}") == ("US-NY", "team@x.example", "07:30")


def test_new_patients_begin_the_pathways_that_are_on(world: World, admin: TestClient) -> None:
    assert save(admin, "pathways", **{"pathway:falls": "yes", "pathway:dexa": "yes"}).status_code == 303
    world.clinic = stored(world)
    patient = world.enrol_sms("P1")
    with world.store.reading() as unit:
        enrolled = unit.patients.enrolments([patient.id])[patient.id]
    assert {one.state.pathway for one in enrolled} == {"falls", "dexa"}


REFUSED = [
    ("clinic", {"name": ""}, "name", ""),
    ("clinic", {"timezone": "Mars/Base"}, "timezone", "Mars/Base"),
    ("clinic", {"phone": "call us"}, "phone", "call us"),
    ("clinic", {"message_name": "x" * 41}, "message_name", "x" * 41),
    ("clinic", {"message_name": "MS Bone Clinic"}, "message_name", "names a diagnosis"),
    ("clinic", {"message_name": "Clínica de la esclerosis"}, "message_name", "esclerosis"),
    ("clinic", {"message_name": "Lake {name}"}, "message_name", "nothing is filled in there"),
    ("clinic", {"message_name": "Lake {{ 7 * 7 }}"}, "message_name", "nothing is filled in there"),
    ("clinic", {"message_name": "Lake {% raise %}"}, "message_name", "nothing is filled in there"),
    ("messages", {**MESSAGES, "window_start": "07:00"}, "window_start", "07:00"),
    ("messages", {**MESSAGES, "window_start": "19:00"}, "window_start", "19:00"),
    ("messages", {**MESSAGES, "contact_time": "09:00"}, "contact_time", "09:00"),
    ("messages", {**MESSAGES, "stop_scope": "nothing"}, "stop_scope", ""),
    ("office", {"closed": "Christmas"}, "closed", "Christmas"),
    ("office", {"holidays": "Atlantis"}, "holidays", ""),
    ("office", {"digest_to": "<script>alert(1)</script>"}, "digest_to", "&lt;script&gt;"),
    ("senders", {"sms_from": "+1 (555)"}, "sms_from", "+1 (555)"),
    ("senders", {"messaging_service": "MG1"}, "messaging_service", "MG1"),
    ("senders", {"messaging_service": "MG" + "0" * 32}, "messaging_service", "MG000"),
    ("senders", {"mps": "fast"}, "mps", "fast"),
    ("pathways", {"pathway:astrology": "yes"}, "pathways", ""),
]


@pytest.mark.parametrize(("section", "fields", "field", "typed"), REFUSED)
def test_what_cannot_be_is_refused_beside_its_field_and_changes_nothing(
    world: World, admin: TestClient, section: str, fields: dict[str, str], field: str, typed: str
) -> None:
    before = stored(world)
    answer = save(admin, section, **fields)
    assert answer.status_code == 422, answer.text
    assert f'id="wrong-{field}"' in answer.text
    assert typed in answer.text
    assert "<script>alert" not in answer.text
    assert "--" not in answer.text.partition(f'id="wrong-{field}"')[2].partition("</p>")[0]
    assert stored(world) == before
    assert on_record(world, "clinic changed") == []


def test_a_name_of_messages_that_is_there_already_does_not_keep_the_rest_from_being_saved(
    world: World, admin: TestClient
) -> None:
    world.change_clinic(world.clinic, message_name="Harbor Bone Health")
    answer = save(admin, "clinic", message_name="Harbor Bone Health", timezone="Europe/Madrid")
    assert answer.status_code == 303
    assert (stored(world).message_name, stored(world).timezone) == ("Harbor Bone Health", "Europe/Madrid")


def test_there_are_no_other_settings(admin: TestClient) -> None:
    assert save(admin, "prices", name="x").status_code == 404


def test_a_test_mail_goes_to_whoever_asks_and_once_a_minute(world: World, admin: TestClient) -> None:
    email = address_of(Role.ADMIN, world.clinic)
    assert "on its way" in save(admin, "test-mail").text
    assert "within the last minute" in save(admin, "test-mail").text
    world.tick()
    received = [one for one in world.app.simulated_inbox.received() if one.address == email]
    assert [one.subject for one in received] == ["Test from Harbor Clinic"]


# Keys of other programs


def shown_key(page: str) -> str:
    return page.partition('class="key">')[2].partition("<")[0]


def call(world: World, key: str, path: str = "/api/v1/patients/P1") -> Any:
    return browser(world.app).get(path, headers={"Authorization": f"Bearer {key}"})


def test_a_key_is_shown_once_reads_a_patient_and_ends(world: World, admin: TestClient) -> None:
    world.enrol_sms("P1", name="Ruth Adler", pathways="dexa")
    page = save(admin, "keys", name="Reporting <b>", **{"scope:read": "yes"}).text
    key = shown_key(page)
    assert key.startswith("bw_")
    assert "Reporting &lt;b&gt;" in page
    assert key not in admin.get("/settings").text
    answer = call(world, key)
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["pathways"][0]["pathway"]) == ("Ruth Adler", "dexa")
    with world.app.engine.connect() as connection:
        assert key.encode() not in b"".join(
            bytes(row.digest) + row.prefix.encode() for row in connection.execute(text("SELECT * FROM api_keys"))
        )
    assert [who for who, _ in on_record(world, "patient viewed")] == [f"API key {key[:10]}… (Reporting <b>)"]
    assert "last used" in admin.get("/settings").text
    save(admin, "keys/1/revoke")
    assert call(world, key).status_code == 401
    assert len(on_record(world, "API key made")) == len(on_record(world, "API key revoked")) == 1


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "", "scope:read": "yes"}, "Give the key a name"),
        ({"name": "x" * 61, "scope:read": "yes"}, "Give the key a name"),
        ({"name": "x"}, "Choose what the key may do"),
    ],
)
def test_a_key_without_a_name_or_a_use_is_not_made(
    world: World, admin: TestClient, fields: dict[str, str], says: str
) -> None:
    answer = save(admin, "keys", **fields)
    assert answer.status_code == 422
    assert says in answer.text
    with world.store.reading() as unit:
        assert unit.api_keys.of_clinic(world.clinic.id) == []


def test_a_key_opens_its_own_clinic_and_for_what_it_is_for(world: World) -> None:
    theirs = world.clinic
    world.enrol_sms("P1", theirs)
    ours = world.add_clinic("ours")
    _, reading = make_key(world.store, ours, name="x", scopes=["read"], by="x", now=MONDAY)
    _, hooked = make_key(world.store, theirs, name="x", scopes=["hooks"], by="x", now=MONDAY)
    assert call(world, reading).status_code == 404
    refused = call(world, hooked)
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "This key may not read: make one with that scope.",
    )
    assert "insufficient_scope" in refused.headers["www-authenticate"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer bw_x", "Basic YTpi", "Bearer " + "x" * 5000])
def test_without_a_valid_key_nothing_is_told(world: World, header: str) -> None:
    world.enrol_sms("P1")
    answer = browser(world.app).get("/api/v1/patients/P1", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "detail" in answer.json()


def test_the_interface_describes_itself(world: World) -> None:
    described = browser(world.app).get("/api/v1/openapi.json").json()
    assert list(described["paths"]) == ["/api/v1/patients/{mrn}"]
    assert described["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
