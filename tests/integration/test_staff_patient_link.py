"""What staff do for a patient's own page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scheduler.domain.accounts import Role
from tests.support.own_page import BORN, OwnPage
from tests.support.staff import address_of, post, signed_in
from tests.support.web import browser
from tests.support.worlds import MONDAY, World, world_at


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


def test_staff_make_a_link_end_it_and_choose_wording_and_all_is_on_record(world: World) -> None:
    world.enrol_sms("P1", birth_date=BORN)
    client = signed_in(world, Role.COORDINATOR)
    here = "/patients/P1"
    shown = post(client, f"{here}/page-link", {}, page=here)
    assert shown.status_code == 200
    found = re.search(r'value="(http[^"]+/p/[\w-]{24})"', shown.text)
    assert found is not None
    page = OwnPage(world, urlsplit(found[1]).path)
    assert page.give_year().status_code == 303
    assert found[1] not in client.get(here).text
    assert post(client, f"{here}/page-link/end", {}, page=here).status_code == 303
    assert browser(world.app).get(page.path).status_code == 404
    assert post(client, f"{here}/discreet", {"discreet": "yes"}, page=here).status_code == 303
    assert world.patient().is_discreet
    assert "Messages say only that there is one" in client.get(here).text
    assert post(client, f"{here}/discreet", {"discreet": "no"}, page=here).status_code == 303
    assert post(client, f"{here}/discreet", {"discreet": "maybe"}, page=here).status_code == 422
    with world.store.reading() as unit:
        entries = unit.installation.audit_entries(world.clinic.id)
    mine = [(one[2], one[4]) for one in entries if one[1] == address_of(Role.COORDINATOR, world.clinic)]
    for entry in (("page link made", ""), ("page links ended", ""), ("wording changed", "discreet")):
        assert entry in mine


def test_without_a_date_of_birth_staff_are_told_what_to_do(world: World) -> None:
    world.enrol_sms("P1")
    client = signed_in(world, Role.COORDINATOR)
    for part, fields in (("page-link", {}), ("discreet", {"discreet": "yes"})):
        answer = post(client, f"/patients/P1/{part}", fields, page="/patients/P1")
        assert answer.status_code == 422
        assert "no date of birth" in answer.text
        assert "add the date under “Contact”" in answer.text
        assert "bonewise enrol" not in answer.text
    assert post(client, "/patients/P1/page-link/end", {}, page="/patients/P1").status_code == 422


def test_a_viewer_has_no_button_for_it(world: World) -> None:
    world.enrol_sms("P1", birth_date=BORN)
    assert "Make a link" not in signed_in(world, Role.VIEWER).get("/patients/P1").text
