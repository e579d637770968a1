"""Discreet wording, chosen in a list or by the command that enrols one patient."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.services.intake.assemble import draft_from_cells
from scheduler.services.intake.draft import IntakeDefaults, PhoneCheck, Rejected
from scheduler.services.patient_page.linking import set_discreet
from tests.support.own_page import BORN, deciding, opened
from tests.support.worlds import MONDAY, World, new_york, world_at


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


def test_a_list_chooses_discreet_wording_and_the_first_text_leads_to_the_page(world: World) -> None:
    world.enrol_sms("P1", birth_date=BORN, discreet="yes", pathways="vitamin_d")
    world.run_until(new_york(3, 3, 12))
    (text,) = [row.body for row in world.ledger("P1") if row.sent_at]
    assert text is not None
    assert "vitamin" not in text.lower()
    assert "/p/" in text
    assert opened(world).get().status_code == 200


def test_a_list_that_is_read_again_does_not_undo_what_was_chosen_since(world: World) -> None:
    cells = {"phone": "+16175550143", "sms_consent": "yes", "birth_date": BORN, "discreet": "yes"}
    world.enrol("P1", **cells)
    set_discreet(world.store, deciding(world), discreet=False)
    assert world.enrol("P1", **cells).unchanged == 1
    assert not world.patient().is_discreet
    assert world.enrol("P1", **(cells | {"discreet": "no"})).updated == 1
    assert world.enrol("P1", **cells).updated == 1
    assert world.patient().is_discreet


def test_an_empty_cell_changes_nothing(world: World) -> None:
    cells = {"phone": "+16175550143", "sms_consent": "yes", "birth_date": BORN}
    world.enrol("P1", **cells, discreet="yes")
    key = world.patient().page_key
    assert key is not None
    world.enrol("P1", **cells, discreet="")
    assert world.patient().is_discreet
    assert world.patient().page_key == key


@pytest.mark.parametrize(
    ("cells", "column", "says"),
    [
        ({"discreet": "perhaps", "birth_date": BORN}, "discreet", "write yes or no"),
        ({"discreet": "yes"}, "discreet", "add the birth_date"),
    ],
)
def test_what_cannot_be_is_refused_by_its_column(cells: dict[str, str], column: str, says: str) -> None:
    defaults = IntakeDefaults(
        country="US", phone_check=PhoneCheck.POSSIBLE, pathway_names=frozenset(), today=MONDAY.date()
    )
    row = draft_from_cells({"mrn": "P1", "name": "Ruth Adler", **cells}, defaults=defaults)
    assert isinstance(row, Rejected)
    (error,) = row.errors
    assert error.column == column
    assert says in error.reason
