"""The audit trail: who may see it, what its filters find, its pages and its file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.domain.accounts import Role
from scheduler.ports.auditing import Place, Which
from tests.support.staff import address_of, signed_in
from tests.support.worlds import MONDAY, World, world_at


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


@pytest.fixture
def here(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


def note(world: World, *details: str, minutes: int = 0, actor: str = "a@x.example") -> None:
    entries = [(world.clinic.id, "clinic changed", None, detail) for detail in details]
    with world.store.writing() as unit:
        unit.installation.audit(entries, actor=actor, now=MONDAY + timedelta(days=1, minutes=minutes))


def test_pages_follow_each_other_without_a_gap_or_an_entry_twice(world: World) -> None:
    note(world, *(f"same instant {number}" for number in range(7)))
    note(world, "later", minutes=1)
    seen: list[str] = []
    place: Place | None = None
    with world.store.reading() as unit:
        while found := unit.auditing.page(world.clinic.id, Which(action="clinic changed"), before=place, limit=3):
            seen += [one.detail for one in found]
            place = Place(found[-1].at, found[-1].id)
    assert seen == ["later", *(f"same instant {number}" for number in reversed(range(7)))]


def test_filters_find_a_person_a_patient_and_days_of_this_clinic_alone(world: World) -> None:
    patient = world.enrol_sms("P1")
    note(world, "hers", actor="b@x.example")
    theirs, other = world.clinic, world.add_clinic("second")
    note(world, "foreign", actor="b@x.example")
    day = MONDAY + timedelta(days=1)
    with world.store.reading() as unit:

        def found(**which: object) -> list[str]:
            entries = unit.auditing.page(theirs.id, Which(**which), before=None, limit=50)  # type: ignore[arg-type]
            return [f"{one.action} {one.mrn or ''}{one.detail}" for one in entries]

        assert found(actor="b@x.example") == ["clinic changed hers"]
        assert found(patient_id=patient.id) == ["patient enrolled P1"]
        assert found(since=day, until=day + timedelta(minutes=1)) == ["clinic changed hers"]
        assert found(since=day + timedelta(minutes=1)) == []
        foreign = unit.auditing.page(other.id, Which(patient_id=patient.id), before=None, limit=50)
    assert foreign == []


def test_the_page_says_in_words_who_did_what_and_that_somebody_looked(here: World) -> None:
    here.enrol_sms("P1", name="Ruth Adler")
    signed_in(here, Role.COORDINATOR).get("/patients/P1")
    admin = signed_in(here, Role.ADMIN)
    page = admin.get("/audit?mrn=P1").text
    assert "Looked at a patient" in page
    assert address_of(Role.COORDINATOR, here.clinic) in page
    assert "Ruth Adler" not in page
    assert "Looked at this trail" in admin.get("/audit").text


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.CLINICIAN, Role.VIEWER])
def test_it_is_for_admins(here: World, role: Role) -> None:
    client = signed_in(here, role)
    assert [client.get(path).status_code for path in ("/audit", "/audit/trail.csv")] == [403, 403]


def test_older_entries_are_a_link_away(here: World) -> None:
    note(here, *(f"entry {number}" for number in range(60)))
    admin = signed_in(here, Role.ADMIN)
    first = admin.get("/audit?action=clinic+changed").text
    assert first.count('<th scope="row">') == 50
    older = first.partition('">Older')[0].rpartition('href="')[2].replace("&amp;", "&")
    second = admin.get(older).text
    assert second.count('<th scope="row">') == 10
    assert "Older" not in second


def test_the_file_has_all_that_the_filters_find_and_no_formula(here: World) -> None:
    note(here, *(f"entry {number}" for number in range(1100)), "=1+1")
    admin = signed_in(here, Role.ADMIN)
    answer = admin.get("/audit/trail.csv?action=clinic+changed")
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert len(rows) == 1102
    assert "'=1+1" in {row[4] for row in rows}
    with here.store.reading() as unit:
        assert "audit exported" in {one[2] for one in unit.installation.audit_entries(here.clinic.id)}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("mrn=none", "no patient with that MRN"),
        ("mrn='; DROP TABLE audit; --", "no patient with that MRN"),
        ("from=soon", "YYYY-MM-DD"),
        ("to=9999-12-31", "too far off"),
        ("from=2026-03-02&to=2026-03-01", "earlier day first"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_beside_its_field(here: World, query: str, says: str) -> None:
    admin = signed_in(here, Role.ADMIN)
    for path in ("/audit", "/audit/trail.csv"):
        answer = admin.get(f"{path}?{query}")
        assert answer.status_code == 422
        assert says in answer.text


@pytest.mark.parametrize("before", ["x", "2026-03-02_1", "2026-03-02T00:00:00+00:00_x", "_", "<script>"])
def test_a_place_that_is_none_begins_at_the_newest(here: World, before: str) -> None:
    answer = signed_in(here, Role.ADMIN).get("/audit", params={"before": before, "who": "<script>"})
    assert answer.status_code == 200
    assert "<script>" not in answer.text.replace('<script src="/static', "")
