"""The pages on what patients are sent, and on the pathways with who stands where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
from sqlalchemy import insert, select

from scheduler.domain.accounts import Role
from scheduler.ids import new_ids
from scheduler.store.engine import writing
from scheduler.store.tables import enrolments, patients
from scheduler.store.unit import Store
from tests.support.explaining import catching, explained
from tests.support.staff import signed_in
from tests.support.worlds import MONDAY, World, new_york, world_at

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


@pytest.fixture
def large(database_url: str, tmp_path: Path) -> Iterator[World]:
    """A clinic of many, on either database."""
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        world.enrol_sms("P0", pathways="dexa;vitamin_d")
        fill(world, 3000)
        yield world


def fill(world: World, count: int) -> None:
    """Many more like the one patient there is; a hundredth of them further on."""
    with writing(world.app.engine) as connection:
        one = dict(connection.execute(select(patients)).one()._mapping)
        ids = new_ids(count)
        people = [{**one, "id": id_, "mrn": f"Q{number:06}"} for number, id_ in enumerate(ids)]
        connection.execute(insert(patients), people)
        kinds = [dict(row._mapping) for row in connection.execute(select(enrolments))]
        rows = [
            {**kind, "id": new, "patient_id": id_, "step": "booked" if number % 100 == 0 else kind["step"]}
            for kind in kinds
            for number, (id_, new) in enumerate(zip(ids, new_ids(count), strict=True))
        ]
        connection.execute(insert(enrolments), rows)
    # What the databases learn by themselves after a while: what there is, and on PostgreSQL which pages are settled.
    with world.app.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if world.app.engine.dialect.name == "sqlite" else "VACUUM ANALYZE")


# Pathways


def test_every_pathway_is_drawn_with_who_stands_where(world: World) -> None:
    world.enrol_sms("P1", name="Ruth Adler", pathways="dexa")
    world.enrol_sms("P2", name="Dale Hutchins", pathways="dexa")
    world.run_until(new_york(3, 5, 12))
    world.receive("P1", "2")
    world.run_until(new_york(3, 5, 13))
    client = signed_in(world, Role.VIEWER)
    for name, pathway in world.rules.pathways.items():
        page = client.get(f"/pathways/{name}")
        assert page.status_code == 200
        assert page.text.count('<g class="step') == len(pathway.steps) + bool(pathway.facts)
        for step in pathway.steps:
            assert f'id="step-{step}"' in page.text
    dexa = client.get("/pathways/dexa").text
    assert 'aria-label="1 patient at Booked"' in dexa
    assert 'aria-label="1 patient at Ask"' in dexa
    assert "Opens the task “Call the patient about the bone-density scan”." in dexa


@pytest.mark.parametrize("path", ["/pathways/none", "/pathways/%3Cscript%3E", "/messages/dexa/ask/xx"])
def test_what_is_not_there_is_said_to_be_not_there(world: World, path: str) -> None:
    assert signed_in(world, Role.COORDINATOR).get(path).status_code == 404


def test_each_number_leads_to_its_patients(world: World) -> None:
    world.enrol_sms("P1", name="Ruth Adler", pathways="dexa")
    world.enrol_sms("P2", name="Dale Hutchins", pathways="vitamin_d")
    client = signed_in(world, Role.VIEWER)
    page = client.get("/pathways/dexa").text
    found = re.search(r'<a href="([^"]+)" class="stand"', page)
    assert found is not None
    path = found[1].replace("&amp;", "&")
    assert path == "/patients?pathway=dexa&step=ask"
    listed = client.get(path).text
    assert "Ruth Adler" in listed
    assert "Dale Hutchins" not in listed
    assert "Those who stand at “ask” of the pathway" in listed


def test_the_list_of_those_at_a_step_goes_on_page_by_page(world: World) -> None:
    for number in range(60):
        world.enrol_sms(f"P{number:03}", name=f"Pat {number:03}", pathways="dexa")
    world.enrol_sms("P0001", name="Somebody Else", pathways="vitamin_d")
    client = signed_in(world, Role.VIEWER)
    first = client.get("/patients?pathway=dexa&step=ask").text
    assert first.count('<th scope="row">') == 50
    found = re.search(r'href="([^"]+)">Next<', first)
    assert found is not None
    second = client.get(found[1].replace("&amp;", "&")).text
    assert second.count('<th scope="row">') == 10
    assert "Somebody Else" not in first + second
    assert "From the beginning" in second


def test_nobody_of_another_clinic_is_counted_or_listed(world: World) -> None:
    world.enrol_sms("X1", name="Ruth Adler", pathways="dexa")
    ours = world.add_clinic("ours")
    client = signed_in(world, Role.ADMIN, ours)
    page = client.get("/pathways/dexa").text
    assert 'class="stand"' not in page
    assert "nobody" in page
    assert "Ruth Adler" not in client.get("/patients?pathway=dexa&step=ask").text


@pytest.mark.parametrize(
    "typed", ["'; DROP TABLE enrolments; --", "<script>alert(1)</script>", "{{ 7 * 7 }}", "\u202e👩🏽‍🦽"]
)
def test_hostile_names_of_steps_find_nobody_and_do_nothing(world: World, typed: str) -> None:
    world.enrol_sms("P1", name="Ruth Adler")
    client = signed_in(world, Role.VIEWER)
    for params in ({"pathway": typed, "step": typed}, {"pathway": "dexa", "step": typed}):
        page = client.get("/patients", params=params)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "Ruth Adler" not in page.text
    assert client.get("/messages", params={"pathway": typed, "language": typed}).status_code == 200
    page = client.get("/patients", params={"pathway": "x" * 10_000, "step": "ask"})
    assert page.status_code == 200
    assert "Ruth Adler" not in page.text


def test_who_stands_at_a_step_that_is_gone_is_not_forgotten(world: World) -> None:
    world.enrol_sms("P1", pathways="dexa")
    with writing(world.app.engine) as connection:
        connection.execute(enrolments.update().values(step="long_ago"))
    page = signed_in(world, Role.VIEWER).get("/pathways/dexa").text
    assert "1 patient at “long ago”" in page


def test_counting_and_listing_read_the_index(large: World) -> None:
    engine = large.second_process().app.engine  # as the databases plan for what is asked often
    with Store(engine, large.app.vault).reading() as unit, catching(engine) as caught:
        counts = unit.browsing.patients_by_step(large.clinic.id)
        few = unit.browsing.patient_lines(large.clinic.id, at=("dexa", "booked"), limit=51)
        many = unit.browsing.patient_lines(large.clinic.id, at=("dexa", "ask"), after="Q001000", limit=51)
    assert counts["dexa", "booked"] == 30
    assert counts["dexa", "ask"] == 2971
    assert len(few) == 30
    assert len(many) == 51
    (counting,) = explained(engine, caught, r"SELECT enrolments\.pathway")
    assert "ix_enrolments_clinic_id_pathway_step" in counting
    if engine.dialect.name == "sqlite":  # PostgreSQL rightly reads so small a table whole
        for plan in explained(engine, caught, r"SELECT patients\.mrn"):
            assert not re.search(r"SCAN (patients|enrolments)(?! USING)", plan)


# Messages


def test_every_message_is_shown_in_every_language_with_its_length_and_grade(world: World) -> None:
    client = signed_in(world, Role.VIEWER)
    for name in (*world.rules.pathways, "service"):
        page = client.get(f"/messages?pathway={name}")
        assert page.status_code == 200
        folders = [one for one in (ROOT / "templates" / "messages" / name).iterdir() if one.is_dir()]
        assert page.text.count('class="card message"') == len(folders)
        assert "not written in" not in page.text
        assert page.text.count('class="small-device"') == 2 * len(folders)
        assert "Flesch-Kincaid" in page.text
        assert "GSM-7" in page.text
    dexa = client.get("/messages?pathway=dexa").text
    assert "Ask your clinician if a bone-density scan" in dexa
    assert "Pregunte a su m" in dexa
    assert "frame-src 'self'" in client.get("/messages").headers["content-security-policy"]


def test_one_language_can_be_seen_alone(world: World) -> None:
    page = signed_in(world, Role.VIEWER).get("/messages?pathway=dexa&language=es").text
    assert "Pregunte a su m" in page
    assert "Ask your clinician if" not in page


def test_messages_stand_under_the_step_that_sends_them(world: World) -> None:
    page = signed_in(world, Role.VIEWER).get("/messages?pathway=dexa").text
    order = [page.index(f'id="{name}"') for name in ("ask", "again", "was_it_booked", "was_it_done")]
    assert order == sorted(order)
    assert "Used by step ask" in page


def test_the_drawn_mail_may_do_nothing(world: World) -> None:
    answer = signed_in(world, Role.VIEWER).get("/messages/dexa/ask/en")
    assert "bone-density scan is right for you" in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"


def test_a_language_that_is_not_whole_is_shown_as_missing(sqlite_url: str, tmp_path: Path) -> None:
    templates = tmp_path / "templates"
    copytree(ROOT / "templates", templates)
    (templates / "messages/dexa/ask/es.sms.txt").unlink()
    (templates / "messages/dexa/again/es.email.html").unlink()
    settings = {"BONEWISE_TEMPLATES_DIR": str(templates)}
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path, settings=settings) as world:
        page = signed_in(world, Role.VIEWER).get("/messages?pathway=dexa").text
    assert page.count("The text is not written in Spanish yet") == 1
    assert page.count("The e-mail is not written in Spanish yet") == 1


# On paper


def test_a_page_says_when_and_where_it_was_printed(world: World) -> None:
    page = signed_in(world, Role.COORDINATOR).get("/worklist").text
    assert '<p class="printed">Harbor Clinic, Monday 2 March 2026, 13:00.' in page
