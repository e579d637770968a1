"""Importing lists in the pages: what is taken, what is said before anything happens, and what stays afterwards."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from scheduler.domain.accounts import Role
from scheduler.domain.uploads import COMES_FROM, UploadState
from scheduler.services.uploads.sweeping import KEPT_FOR
from scheduler.services.uploads.work import SILENT_FOR
from scheduler.web.receiving import MOST_BYTES
from tests.support.staff import address_of, post, signed_in
from tests.support.web import browser, form_token
from tests.support.worlds import MONDAY, World, world_at

IMPORT = "/patients/import"
OURS = b"mrn,name,phone,sms_consent\nA1,Ruth Adler,+16175550144,yes\nA2,Hugo Baum,12,yes\nA3,Ana Ruiz,,\n"
THEIRS = (
    'Patient No.;Full name;Cell;Notes\r\nA1;Ruth Adler;+16175550144;likes tea\r\nA2;"Baum; Hugo";617 555 0145;\r\n'
).encode("utf-8-sig")
PATIENT = {
    "resourceType": "Patient",
    "id": "F1",
    "name": [{"family": "Adler", "given": ["Ruth"]}],
    "telecom": [{"system": "phone", "value": "+16175550144"}],
}


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


@pytest.fixture
def client(world: World) -> TestClient:
    return signed_in(world, Role.COORDINATOR)


def send(client: TestClient, content: bytes, name: str = "list.csv") -> Any:
    token = form_token(client.get(IMPORT).text)
    return client.post(IMPORT, data={"form_token": token}, files={"file": (name, content)})


def sent(client: TestClient, content: bytes, name: str = "list.csv") -> str:
    """The address of a list that was taken."""
    answer = send(client, content, name)
    assert answer.status_code == 303, unescape(answer.text)
    location: str = answer.headers["location"]
    return location


def chosen_on(page: str) -> dict[str, str]:
    """The columns as the page proposes them."""
    chosen = {}
    for name, options in re.findall(r'<select id="[^"]+" name="(column:[a-z_]+)">(.*?)</select>', page, re.DOTALL):
        found = re.search(r'<option value="(\d*)" selected', options)
        chosen[name] = found[1] if found else ""
    return chosen


def checked(world: World, client: TestClient, content: bytes, name: str = "list.csv", **fields: str) -> str:
    """The address of a list that was sent and looked at."""
    here = sent(client, content, name)
    proposed = chosen_on(client.get(here).text)
    assert post(client, f"{here}/check", {**proposed, **fields}, page=here).status_code == 303
    world.app.uploads.work.wait()
    return here


def imported(world: World, client: TestClient, content: bytes, name: str = "list.csv", **fields: str) -> str:
    here = checked(world, client, content, name, **fields)
    assert post(client, f"{here}/run", {}, page=here).status_code == 303
    world.app.uploads.work.wait()
    return here


def folder(world: World) -> list[Path]:
    return sorted((world.app.settings.data_dir / "uploads").glob("*"))


def upload_of(world: World, here: str) -> Any:
    found = world.app.uploads.find(world.clinic, int(here.rpartition("/")[2]))
    assert found is not None
    return found


# The way through


def test_a_list_is_checked_first_and_changes_nothing(world: World, client: TestClient) -> None:
    here = checked(world, client, OURS)
    page = unescape(client.get(here).text)
    assert "Import 2 patients" in page
    assert re.search(r"<dt>rejected</dt><dd>1</dd>", page)
    assert "the phone number is too short" in page
    assert re.search(r'<span class="small-only">Line </span>3</th>', page)
    with world.store.reading() as unit:
        assert unit.patients.count(world.clinic.id) == 0


def test_a_list_is_imported_and_the_file_deleted(world: World, client: TestClient) -> None:
    here = imported(world, client, OURS)
    page = unescape(client.get(here).text)
    assert "What was imported" in page
    assert world.patient("A1").name == "Ruth Adler"
    assert world.patient("A1").sms_consent
    assert [path.suffix for path in folder(world)] == [".rejected"]
    history = unescape(client.get(IMPORT).text)
    assert address_of(Role.COORDINATOR, world.clinic) in history
    assert "2 new, 0 changed, 1 rejected" in history
    with world.store.reading() as unit:
        said = [(one[1], one[2], one[4]) for one in unit.installation.audit_entries(world.clinic.id)]
    by = address_of(Role.COORDINATOR, world.clinic)
    assert (by, "list imported", f"list {here.rpartition('/')[2]}: 2 created, 1 rejected") in said
    assert (by, "patient enrolled", "") in said


def test_the_same_list_again_changes_nothing(world: World, client: TestClient) -> None:
    imported(world, client, OURS)
    before = world.patient("A1")
    page = unescape(client.get(checked(world, client, OURS)).text)
    assert "Nothing in this list is new." in page
    assert "/run" not in page
    assert world.patient("A1") == before


def test_columns_by_other_names_are_proposed_and_what_was_chosen_is_remembered(
    world: World, client: TestClient
) -> None:
    here = sent(client, THEIRS)
    page = client.get(here).text
    assert "likes tea" in page
    proposed = chosen_on(page)
    assert (proposed["column:name"], proposed["column:phone"]) == ("1", "2")
    missing = post(client, f"{here}/check", {**proposed, "column:mrn": ""}, page=here)
    assert missing.status_code == 422
    assert "record number" in missing.text
    post(client, f"{here}/check", {**proposed, "column:mrn": "0"}, page=here)
    world.app.uploads.work.wait()
    post(client, f"{here}/run", {}, page=here)
    world.app.uploads.work.wait()
    assert world.patient("A2").name == "Baum; Hugo"
    assert world.patient("A2").phone == "+16175550145"
    again = chosen_on(client.get(sent(client, THEIRS)).text)
    assert (again["column:mrn"], again["column:name"], again["column:phone"]) == ("0", "1", "2")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"column:mrn": "0", "column:name": "0"}, "cannot be both"),
        ({"column:mrn": "0", "column:name": "99"}, "fewer columns"),
        ({"column:mrn": "0", "column:name": "one"}, "not one of this file"),
        ({"column:mrn": "0", "column:name": "-1"}, "not one of this file"),
        ({}, "every patient needs it"),
    ],
)
def test_columns_that_cannot_be_are_refused(
    world: World, client: TestClient, fields: dict[str, str], says: str
) -> None:
    here = sent(client, THEIRS)
    answer = post(client, f"{here}/check", fields, page=here)
    assert answer.status_code == 422
    assert says in unescape(answer.text)
    assert upload_of(world, here).state is UploadState.NEW


def test_fhir_comes_without_consent_unless_the_clinic_says_it_holds_it(world: World, client: TestClient) -> None:
    lines = "\n".join(json.dumps(one) for one in (PATIENT, {"resourceType": "Observation", "id": "O1"}))
    page = unescape(client.get(checked(world, client, lines.encode(), "export.ndjson")).text)
    assert "1 × Observation" in page
    imported(world, client, lines.encode(), "export.ndjson")
    assert not world.patient("F1").sms_consent
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT | {"id": "F2"}}]}
    imported(world, client, json.dumps(bundle).encode(), "bundle.json", grant_consent="yes")
    assert world.patient("F2").sms_consent


# Rejected rows


def test_rejected_rows_come_back_with_reasons_harmless_and_can_be_sent_again(
    world: World, client: TestClient
) -> None:
    rows = b'mrn,name,phone,email\n=1+1,"@SUM(1)",12,\nA2,"=cmd|\'/c calc\'!A1",,\nA3,Ana Ruiz,,-a@b.example\n'
    here = checked(world, client, rows)
    answer = client.get(f"{here}/rejected")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    table = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert table[0] == ["mrn", "name", "phone", "email", "error"]
    assert len(table) == 4
    assert not [cell for row in table for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert "begins like a spreadsheet formula" in table[2][4]
    corrected = answer.content.replace(b"'-a@b.example", b"ana@b.example")
    imported(world, client, corrected, "rejected.csv")
    assert world.patient("A3").email == "ana@b.example"


def test_the_first_two_hundred_faults_are_shown_and_all_can_be_downloaded(world: World, client: TestClient) -> None:
    rows = "mrn,name,phone\n" + "".join(f"R{n},Pat R,1\n" for n in range(300))
    here = checked(world, client, rows.encode())
    page = client.get(here).text
    assert "The first 200 of 300 faults." in page
    assert page.count('data-title="Wrong"') == 200
    assert client.get(f"{here}/rejected").text.count("too short") == 300


# What is not taken


REFUSED = {
    "empty": (b"", "is empty"),
    "zip": (b"PK\x03\x04" + b"\0" * 50, "Excel workbook or a zip file"),
    "binary": (bytes(range(256)) * 8, "not"),
    "utf-16": ("mrn,name\nA1,Ruth\n".encode("utf-16"), "UTF-16"),
    "latin-1": ("mrn,name\nA1,José Muñoz\n".encode("latin-1"), "not UTF-8"),
    "one long line": (b"mrn,name\nA1," + b"x" * 1_100_000 + b"\n", "longer than"),
    "pdf": (b"%PDF-1.7\n", "PDF"),
}


@pytest.mark.parametrize(("content", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_list_is_refused_by_name_and_not_kept(
    world: World, client: TestClient, content: bytes, says: str
) -> None:
    answer = send(client, content, "<b>list</b>.csv")
    assert answer.status_code == 422
    said = unescape(answer.text)
    assert says in said
    assert str(world.app.settings.data_dir) not in said
    assert "<b>list" not in answer.text
    assert folder(world) == []


def test_a_megabyte_in_a_cell_is_rejected_with_its_row_alone(world: World, client: TestClient) -> None:
    rows = b"mrn,name\nA1," + b"x" * 900_000 + b"\nA2,Ana Ruiz\n"
    here = imported(world, client, rows)
    page = client.get(here).text
    assert len(page) < 50_000
    assert "longer than 200 characters" in page
    assert world.patient("A2").name == "Ana Ruiz"


def test_quotes_marks_and_line_breaks_in_cells_are_understood(world: World, client: TestClient) -> None:
    rows = '\ufeffsep=;\r\nmrn;name;risk_factors\r\n"A1";"Ruth ""Ruthie"" Adler";"falls;steroids"\r\n'
    imported(world, client, rows.encode())
    assert world.patient("A1").name == 'Ruth "Ruthie" Adler'


def test_a_request_that_claims_a_gigabyte_is_refused_before_it_is_read(world: World, client: TestClient) -> None:
    token = form_token(client.get(IMPORT).text)
    head = b'--x\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n' + token.encode() + b"\r\n--x--\r\n"
    answer = client.post(
        IMPORT,
        content=head,
        headers={"content-type": "multipart/form-data; boundary=x", "content-length": str(10**9)},
    )
    assert answer.status_code == 413
    assert f"{MOST_BYTES // 1_000_000} MB" in answer.text
    assert folder(world) == []


def test_a_file_that_is_larger_than_it_says_is_cut_off_and_not_kept(
    world: World, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.web.receiving.MOST_BYTES", 1000)
    token = form_token(client.get(IMPORT).text)

    def parts() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n' + token.encode()
        yield b'\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        for _ in range(100):
            yield b"y" * 100

    answer = client.post(IMPORT, content=parts(), headers={"content-type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 413
    assert folder(world) == []


@pytest.mark.parametrize("token", ["", "AAAA"])
def test_a_form_that_is_not_ours_leaves_nothing(world: World, client: TestClient, token: str) -> None:
    answer = client.post(IMPORT, data={"form_token": token}, files={"file": ("a.csv", OURS)})
    assert answer.status_code == 403
    assert folder(world) == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=x", b"--y broken"),
        ("multipart/form-data", b""),
        ("text/plain", b"mrn,name"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nno file\r\n--x--\r\n',
        ),
    ],
)
def test_a_form_without_a_file_asks_for_one(world: World, client: TestClient, kind: str, body: bytes) -> None:
    answer = client.post(IMPORT, content=body, headers={"content-type": kind})
    assert answer.status_code == 422
    assert "Choose a file." in answer.text
    assert folder(world) == []


# What is kept, and for how long


def test_only_the_service_can_read_what_was_sent_and_it_lies_with_the_data(world: World, client: TestClient) -> None:
    checked(world, client, OURS)
    files = folder(world)
    assert len(files) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700


def test_a_cancelled_list_is_deleted_and_cannot_be_imported(world: World, client: TestClient) -> None:
    here = checked(world, client, OURS)
    token_page = client.get(here).text
    assert post(client, f"{here}/cancel", {}, page=here).status_code == 303
    assert folder(world) == []
    assert "cancelled" in client.get(here).text
    assert "had been imported" not in client.get(here).text
    refused = client.post(f"{here}/run", data={"form_token": form_token(token_page)})
    assert refused.status_code == 422
    assert client.get(f"{here}/rejected").status_code == 404


def test_after_a_day_nothing_of_a_list_is_kept_but_that_it_was_sent(world: World, client: TestClient) -> None:
    waiting, done = sent(client, OURS), imported(world, client, OURS)
    for path in folder(world):
        old = time.time() - KEPT_FOR.total_seconds() - 60
        os.utime(path, (old, old))
    _age(world, KEPT_FOR + timedelta(minutes=1))
    world.app.uploads.sweeper.sweep()
    assert folder(world) == []
    assert upload_of(world, waiting).state is UploadState.EXPIRED
    assert upload_of(world, done).problems is None
    assert "deleted" in client.get(waiting).text
    assert "too short" not in client.get(done).text


def _age(world: World, by: timedelta) -> None:
    from sqlalchemy import update

    from scheduler.store.tables import uploads

    with world.app.engine.begin() as connection:
        connection.execute(update(uploads).values(sent_at=datetime.now(UTC) - by))


# Restarts, and two at once


def left_at_work(world: World, here: str, *, worker: str, silent: timedelta) -> None:
    """As a process leaves a list that was killed at work."""
    upload = upload_of(world, here)
    with world.store.writing() as unit:
        beat = datetime.now(UTC) - silent
        begun = replace(upload, state=UploadState.RUNNING, worker=worker, beat_at=beat, done=1)
        assert unit.uploads.move(begun)


def test_a_list_whose_process_is_gone_is_broken_off_and_can_be_begun_again(world: World, client: TestClient) -> None:
    here = checked(world, client, OURS)
    left_at_work(world, here, worker="another:1", silent=SILENT_FOR + timedelta(seconds=1))
    page = client.get(here).text
    assert "nothing is done twice" in page
    assert upload_of(world, here).state is UploadState.BROKEN_OFF
    proposed = chosen_on(client.get(f"{here}?columns=yes").text)
    post(client, f"{here}/check", proposed, page=f"{here}?columns=yes")
    world.app.uploads.work.wait()
    post(client, f"{here}/run", {}, page=here)
    world.app.uploads.work.wait()
    assert upload_of(world, here).state is UploadState.DONE


def test_a_list_that_this_very_process_does_not_work_on_is_broken_off_at_once(
    world: World, client: TestClient
) -> None:
    here = checked(world, client, OURS)
    left_at_work(world, here, worker=world.app.worker_name, silent=timedelta())
    assert upload_of(world, here).state is UploadState.BROKEN_OFF


def test_while_another_process_works_the_page_shows_how_far_and_nobody_else_begins(
    world: World, client: TestClient
) -> None:
    here, other = checked(world, client, OURS), checked(world, client, OURS)
    left_at_work(world, here, worker="another:1", silent=timedelta())
    page = client.get(here).text
    assert "<progress" in page
    assert "1 row done" in page
    assert '<meta http-equiv="refresh"' in page
    refused = post(client, f"{other}/run", {}, page=other)
    assert refused.status_code == 422
    assert "is being worked on" in refused.text


def test_a_list_that_is_cancelled_while_it_is_imported_stops(world: World, client: TestClient) -> None:
    here = checked(world, client, OURS)
    upload = upload_of(world, here)
    with world.store.writing() as unit:
        running = replace(upload, state=UploadState.RUNNING, worker="another:1", beat_at=datetime.now(UTC))
        assert unit.uploads.move(running)
    post(client, f"{here}/cancel", {}, page=here)
    with world.store.writing() as unit:
        assert not unit.uploads.beat(world.clinic.id, upload.id, done=1, lines=4, now=datetime.now(UTC))


def test_closing_the_service_leaves_a_list_broken_off(world: World, client: TestClient) -> None:
    here = checked(world, client, OURS)
    desk = world.app.uploads
    desk.close()
    refused = post(client, f"{here}/run", {}, page=here)
    assert refused.status_code == 422
    assert upload_of(world, here).state is UploadState.CHECKED


def test_the_same_press_twice_imports_once(world: World, client: TestClient) -> None:
    here = imported(world, client, OURS)
    again = client.post(f"{here}/run", data={"form_token": form_token(client.get(IMPORT).text)})
    assert (again.status_code, again.headers["location"]) == (303, here)
    assert upload_of(world, here).counts.created == 2


def test_a_second_press_while_it_is_imported_leads_to_how_far_it_is(world: World, client: TestClient) -> None:
    here = checked(world, client, OURS)
    upload = upload_of(world, here)
    with world.store.writing() as unit:
        running = replace(upload, state=UploadState.RUNNING, worker="another:1", beat_at=datetime.now(UTC))
        assert unit.uploads.move(running)
    again = client.post(f"{here}/run", data={"form_token": form_token(client.get(IMPORT).text)})
    assert (again.status_code, again.headers["location"]) == (303, here)


def test_every_state_but_the_first_is_reached_from_another() -> None:
    assert set(COMES_FROM) == set(UploadState) - {UploadState.NEW}
    ends = {UploadState.DONE, UploadState.FAILED, UploadState.CANCELLED, UploadState.EXPIRED}
    assert not ends & {before for befores in COMES_FROM.values() for before in befores}


# Who


def test_nobody_reaches_the_list_of_another_clinic(world: World, client: TestClient) -> None:
    here = checked(world, client, OURS)
    theirs = signed_in(world, Role.ADMIN, world.add_clinic("theirs"))
    for path in (here, f"{here}/rejected"):
        assert theirs.get(path).status_code == 404
    assert theirs.get(f"{IMPORT}/99999999999").status_code == 404
    assert "list.csv" not in theirs.get(IMPORT).text


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.VIEWER])
def test_only_admins_and_coordinators_import(world: World, role: Role) -> None:
    client = signed_in(world, role)
    assert client.get(IMPORT).status_code == 403
    assert IMPORT not in client.get("/patients").text


def test_nobody_who_is_not_signed_in_sends_anything(world: World) -> None:
    client = browser(world.app)
    assert client.post(IMPORT, files={"file": ("a.csv", OURS)}).status_code == 303
    assert folder(world) == []
