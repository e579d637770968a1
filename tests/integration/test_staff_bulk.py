"""The list of patients narrowed down, and one change for many of them with a way back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from scheduler.domain.accounts import Role
from scheduler.domain.people import Channel, PatientStatus
from scheduler.ports.choosing import PatientFilter
from scheduler.services import bulk_changing
from scheduler.services.intake.draft import Exclusion
from scheduler.store.tables import bulk_changes
from tests.support.staff import address_of, post, signed_in
from tests.support.worlds import MONDAY, World, new_york, world_at


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


@pytest.fixture
def client(world: World) -> TestClient:
    return signed_in(world, Role.COORDINATOR)


def chosen(client: TestClient, *mrns: str, **fields: str) -> Any:
    ticked = {f"chosen:{mrn}": "yes" for mrn in mrns}
    return post(client, "/patients/chosen", {**ticked, **fields}, page="/patients")


def noted(client: TestClient, *mrns: str, **fields: str) -> str:
    """The address of a change that waits to be confirmed."""
    answer = chosen(client, *mrns, **fields)
    assert answer.status_code == 303, unescape(answer.text)
    location: str = answer.headers["location"]
    return location


def done(client: TestClient, *mrns: str, **fields: str) -> str:
    here = noted(client, *mrns, **fields)
    assert post(client, f"{here}/do", {}, page=here).status_code == 303
    return here


def undone(client: TestClient, here: str) -> str:
    assert post(client, f"{here}/undo", {}, page=here).status_code == 303
    return unescape(client.get(here).text)


def state(world: World, *mrns: str) -> list[Any]:
    """All that a change may touch of these patients."""
    found = []
    for mrn in mrns:
        patient = world.patient(mrn)
        with world.store.reading() as unit:
            found.append((patient, unit.patients.enrolments([patient.id])))
    return found


# Filters


def everybody(world: World) -> None:
    world.enrol_sms("P1", pathways="vitamin_d")
    world.enrol_sms("P2", pathways="exercise", language="es")
    world.enrol_email("P3", pathways="exercise", language="es-MX")
    world.enrol("P4", phone="+16175550199")
    world.enrol_sms("P5")
    world.exclude("P5", Exclusion.DECEASED)
    world.enrol_sms("X1", world.add_clinic("theirs"), pathways="exercise")


@pytest.mark.parametrize(
    ("which", "finds"),
    [
        (PatientFilter(), ["P1", "P2", "P3", "P4", "P5"]),
        (PatientFilter(status=PatientStatus.DECEASED), ["P5"]),
        (PatientFilter(pathway="exercise"), ["P2", "P3", "P4", "P5"]),
        (PatientFilter(pathway="exercise", step="nowhere"), []),
        (PatientFilter(language="es"), ["P2", "P3"]),
        (PatientFilter(language="es-MX"), ["P3"]),
        (PatientFilter(language="e%"), []),
        (PatientFilter(channel=Channel.EMAIL), ["P3"]),
        (PatientFilter(unreachable=True), ["P4"]),
        (PatientFilter(pathway="exercise", language="es", channel=Channel.SMS), ["P2"]),
    ],
)
def test_patients_are_found_by_what_they_have_in_common(world: World, which: PatientFilter, finds: list[str]) -> None:
    ours = world.clinic
    everybody(world)
    with world.store.reading() as unit:
        assert unit.choosing.mrns(ours.id, which, limit=50) == finds
        assert [one.mrn for one in unit.choosing.lines(ours.id, which, limit=50)] == finds
        assert unit.choosing.count(ours.id, which, most=50) == len(finds)
        assert unit.choosing.count(ours.id, which, most=2) == min(len(finds), 2)


def test_the_page_shows_those_who_match_and_goes_on_with_the_same_filter(world: World, client: TestClient) -> None:
    for number in range(60):
        world.enrol_sms(f"P{number:03}", name=f"Pat {number:03}", language="es" if number else "en")
    page = client.get("/patients?language=es").text
    assert "59 patients match" in page
    assert "Pat 000" not in page
    assert 'href="/patients?language=es&amp;after=P050"' in page
    assert client.get("/patients?language=es&after=P050").text.count('<th scope="row">') == 9


def test_whom_a_pathway_was_taken_from_is_not_on_it(world: World, client: TestClient) -> None:
    world.enrol_sms("P1")
    done(client, "P1", action="leave", to_pathway="exercise")
    with world.store.reading() as unit:
        assert unit.choosing.mrns(world.clinic.id, PatientFilter(pathway="exercise"), limit=5) == []


# Choosing


def test_nothing_changes_before_it_is_confirmed(world: World, client: TestClient) -> None:
    world.enrol_sms("P1", name="Ruth Adler")
    world.enrol_sms("P2", name="Hugo Baum")
    before = state(world, "P1", "P2")
    page = unescape(client.get(noted(client, "P1", "P2", action="pause", until="2026-03-10")).text)
    assert "Pause all reminders of 2 patients until Tuesday 10 March 2026?" in page
    assert "Ruth Adler" in page
    assert state(world, "P1", "P2") == before


def test_everybody_who_matches_is_chosen_without_ticking_anybody(world: World, client: TestClient) -> None:
    for number in range(70):
        world.enrol_sms(f"P{number:03}", language="es" if number % 2 else "en")
    page = client.get("/patients?language=en").text
    assert "35 patients match" in page
    here = done(client, action="pause", everybody="yes", language="en")
    assert "Reminders of 35 patients are paused" in client.get(here).text
    assert world.patient("P000").status is PatientStatus.PAUSED
    assert world.patient("P001").status is PatientStatus.ACTIVE


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"action": "pause"}, "Nobody was chosen"),
        ({"chosen:P1": "yes"}, "Choose what is to be done"),
        ({"chosen:P1": "yes", "action": "erase"}, "Choose what is to be done"),
        ({"chosen:P1": "yes", "action": "join"}, "Choose the pathway"),
        ({"chosen:P1": "yes", "action": "leave", "to_pathway": "nowhere"}, "Choose the pathway"),
        ({"chosen:P1": "yes", "action": "pause", "until": "soon"}, "YYYY-MM-DD"),
        (
            {"chosen:P1": "yes", "action": "pause", "until": "2026-03-02"},
            'id="until-wrong">A pause ends on a day after',
        ),
        ({"chosen:P1": "yes", "action": "pause", "until": "2028-03-02"}, 'href="#until">A pause ends on a day after'),
    ],
)
def test_what_cannot_be_is_refused_with_the_ticks_kept(
    world: World, client: TestClient, fields: dict[str, str], says: str
) -> None:
    world.enrol_sms("P1")
    answer = post(client, "/patients/chosen", fields, page="/patients")
    assert answer.status_code == 422
    assert says in unescape(answer.text)
    assert ('name="chosen:P1" value="yes" checked' in answer.text) == ("chosen:P1" in fields)


def test_more_than_a_page_of_the_clinic_at_once_is_bounded(
    world: World, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("scheduler.services.bulk_changing", "scheduler.web.staff.bulk", "scheduler.web.staff.patients"):
        monkeypatch.setattr(f"{module}.MOST", 3)
    for number in range(4):
        world.enrol_sms(f"P{number}")
    assert 'name="everybody"' not in client.get("/patients").text
    answer = chosen(client, action="pause", everybody="yes")
    assert "more than 3 patients" in answer.text


def test_those_it_does_not_fit_are_left_alone_by_name(world: World, client: TestClient) -> None:
    world.enrol_sms("P1")
    world.enrol_sms("P2", name="Hugo Baum")
    world.exclude("P2", Exclusion.DECEASED)
    here = noted(client, "P1", "P2", action="pause")
    page = unescape(client.get(here).text)
    assert "1 patient is left alone" in page
    assert re.search(r"Hugo Baum</a> <span class=\"muted\">P2: deceased", page)
    post(client, f"{here}/do", {}, page=here)
    assert world.patient("P2").status is PatientStatus.DECEASED


# Doing, and undoing


def test_a_pause_for_many_holds_their_reminders(world: World, client: TestClient) -> None:
    world.enrol_sms("P1", pathways="exercise")
    world.enrol_sms("P2", pathways="exercise")
    done(client, "P1", "P2", action="pause", until="2026-03-05")
    world.run_until(new_york(3, 6, 12))
    assert {str(row.due_date) for row in world.ledger() if row.sent_at} == {"2026-03-05", "2026-03-06"}
    with world.store.reading() as unit:
        entries = [one for one in unit.installation.audit_entries(world.clinic.id) if one[2] == "reminders changed"]
    assert {one[4] for one in entries} == {"paused until 2026-03-05, with 1 others"}
    assert {one[1] for one in entries} == {address_of(Role.COORDINATOR, world.clinic)}


@pytest.mark.parametrize(
    "fields",
    [
        {"action": "pause", "until": "2026-03-10"},
        {"action": "pause"},
        {"action": "leave", "to_pathway": "exercise"},
        {"action": "join", "to_pathway": "falls"},
    ],
)
def test_an_undo_gives_back_exactly_what_each_had(world: World, client: TestClient, fields: dict[str, str]) -> None:
    world.enrol_sms("P1")
    world.enrol_sms("P2", exercise_days="mon;wed")
    world.run_until(new_york(3, 4, 12))
    before = state(world, "P1", "P2")
    here = done(client, "P1", "P2", **fields)
    assert state(world, "P1", "P2") != before
    assert "2 patients are again as before" in undone(client, here)
    assert state(world, "P1", "P2") == before


def test_an_undone_resume_is_a_pause_again(world: World, client: TestClient) -> None:
    world.enrol_sms("P1")
    done(client, "P1", action="pause", until="2026-04-01")
    before = state(world, "P1")
    here = done(client, "P1", action="resume")
    assert world.patient("P1").status is PatientStatus.ACTIVE
    undone(client, here)
    assert state(world, "P1") == before


def test_who_has_changed_since_is_left_alone_and_named(world: World, client: TestClient) -> None:
    world.enrol_sms("P1", name="Ruth Adler")
    world.enrol_sms("P2", name="Hugo Baum")
    here = done(client, "P1", "P2", action="pause", until="2026-03-10")
    post(client, "/patients/P2/resume", {}, page="/patients/P2")
    since = state(world, "P2")
    page = undone(client, here)
    assert "1 patient has changed since, and was left alone" in page
    kept = page.partition("Changed since, left alone")[2].partition("</section>")[0]
    assert "Hugo Baum" in kept
    assert "Ruth Adler" not in kept
    assert state(world, "P2") == since
    assert world.patient("P1").status is PatientStatus.ACTIVE


def test_an_undo_does_not_bring_back_who_has_said_stop_since(world: World, client: TestClient) -> None:
    world.enrol_sms("P1")
    here = done(client, "P1", action="leave", to_pathway="exercise")
    world.receive("P1", "STOP")
    world.tick()
    undone(client, here)
    assert world.patient("P1").status is PatientStatus.STOPPED
    assert world.enrolment("exercise", "P1").is_paused


def test_a_reminder_that_a_change_held_back_goes_after_the_undo(world: World, client: TestClient) -> None:
    world.enrol_sms("P1", pathways="exercise")
    world.clock.at = new_york(3, 3, 9, 30)
    world.app.ticker.plan_all(stopping=lambda: False)
    assert [row.status.value for row in world.ledger()] == ["planned"]
    here = done(client, "P1", action="leave", to_pathway="exercise")
    assert [row.status.value for row in world.ledger()] == ["skipped"]
    undone(client, here)
    world.run_until(new_york(3, 3, 20))
    assert [row.due_date for row in world.ledger() if row.sent_at] == [date(2026, 3, 3)]


def test_nothing_is_done_twice(world: World, client: TestClient) -> None:
    world.enrol_sms("P1")
    here = done(client, "P1", action="pause")
    undone(client, here)
    before = state(world, "P1")
    assert post(client, f"{here}/do", {}, page="/patients").status_code == 303
    again = post(client, f"{here}/undo", {}, page="/patients")
    assert again.status_code == 422
    assert "can no longer be undone" in again.text
    assert state(world, "P1") == before


def test_after_ten_minutes_it_cannot_be_undone(world: World, client: TestClient) -> None:
    world.enrol_sms("P1")
    here = done(client, "P1", action="pause")
    assert 'href="/patients/bulk/' in client.get("/patients").text
    late = datetime.now(UTC) - bulk_changing.UNDO_FOR - timedelta(seconds=1)
    with world.app.engine.begin() as connection:
        connection.execute(update(bulk_changes).values(done_at=late))
    assert "Undo</button>" not in client.get(here).text
    assert 'href="/patients/bulk/' not in client.get("/patients").text
    assert post(client, f"{here}/undo", {}, page="/patients").status_code == 422
    assert world.patient("P1").status is PatientStatus.PAUSED


def test_who_stopped_a_pathway_is_not_put_on_it_again(world: World, client: TestClient) -> None:
    world.change_clinic(world.clinic, stop_scope="topic")
    world.enrol_sms("P1")
    world.receive("P1", "stop the exercise texts")
    world.tick()
    assert world.enrolment("exercise", "P1").is_stopped
    page = unescape(client.get(noted(client, "P1", action="join", to_pathway="exercise")).text)
    assert "said stop to it" in page


def test_a_pathway_goes_on_where_it_stood(world: World, client: TestClient) -> None:
    world.enrol_sms("P1")
    world.run_until(new_york(3, 6, 12))
    stood = world.enrolment("vitamin_d", "P1")
    done(client, "P1", action="leave", to_pathway="vitamin_d")
    done(client, "P1", action="join", to_pathway="vitamin_d")
    assert world.enrolment("vitamin_d", "P1") == stood


def test_nobody_changes_patients_of_another_clinic(world: World, client: TestClient) -> None:
    ours = world.clinic
    world.enrol_sms("P1")
    here = noted(client, "P1", action="pause")
    theirs = world.add_clinic("theirs")
    before = world.enrol_sms("X1", theirs)
    stranger = signed_in(world, Role.ADMIN, theirs)
    assert stranger.get(here).status_code == 404
    for act in ("do", "undo"):
        assert post(stranger, f"{here}/{act}", {}, page="/patients").status_code == 404
    page = unescape(client.get(noted(client, "X1", action="pause")).text)
    assert "nobody to do it for" in page
    assert world.patient("X1", clinic=theirs) == before
    assert world.patient("P1", clinic=ours).status is PatientStatus.ACTIVE


def test_a_thousand_are_changed_and_changed_back(world: World, client: TestClient) -> None:
    drafts = [
        world.draft(f"P{number:04}", {"phone": f"+1617555{number:04}", "sms_consent": "yes"})
        for number in range(bulk_changing.MOST)
    ]
    world.import_drafts(drafts)
    here = done(client, action="pause", everybody="yes", until="2026-03-10")
    assert "Reminders of 1,000 patients are paused" in client.get(here).text
    assert "1,000 patients are again as before" in undone(client, here)


def test_hostile_filters_and_choices_do_nothing(world: World, client: TestClient) -> None:
    world.enrol_sms("P1")
    for words in ("<script>alert(1)</script>", "{{ 7 * 7 }}", "'; DROP TABLE patients; --", "\u202e", "x" * 5000):
        names = ("status", "pathway", "step", "language", "channel", "unreachable", "after", "q")
        page = client.get("/patients", params=dict.fromkeys(names, words[:60]))
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        fields = {"action": words, "until": words, "to_pathway": words, "language": words, "pathway": words}
        assert chosen(client, words, **fields).status_code == 422
        fields = {"action": "join", "to_pathway": "exercise", f"chosen:{words}": "yes"}
        assert post(client, "/patients/chosen", fields, page="/patients").status_code == 303
