"""However long the audit trail is, a page of it is read by an index, whatever somebody filters by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, text

from scheduler.ports.auditing import Place, Which
from scheduler.store.engine import writing
from scheduler.store.tables import audit
from tests.support.explaining import catching, explained
from tests.support.worlds import MONDAY, World, world_at

ENTRIES = 40_000  # of which most are alike: the plans for a million were the same
PAGE = 51
RARE = "dr@main.example"


@dataclass(frozen=True, slots=True)
class Trail:
    """A long trail, and somebody who is in it now and then."""

    world: World
    patient_id: UUID
    filters: dict[str, tuple[Which, str]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def trail(lasting_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trail]:
    folder = tmp_path_factory.mktemp("trail")
    with ExitStack() as stack:
        made = stack.enter_context(world_at(MONDAY, database_url=lasting_database_url, folder=folder))
        worker = made.second_process()  # its connections plan as those of a busy service do
        stack.callback(worker.app.close)
        yield Trail(worker, _fill(worker))


def _fill(world: World) -> UUID:
    world.enrol_sms("P1")
    patient_id, ours = world.patient("P1").id, world.clinic.id
    theirs = world.add_clinic("theirs").id
    rows = []
    for number in range(ENTRIES):
        is_rare = number % 997 == 0
        rows.append(
            {
                "clinic_id": ours if number % 10 else theirs,
                "at": MONDAY + timedelta(seconds=number),
                "actor": RARE if is_rare else "desk@main.example",
                "action": "result voided" if is_rare else "patient viewed",
                "patient_id": patient_id if is_rare else None,
                "detail": "",
            }
        )
    with writing(world.app.engine) as connection:
        connection.execute(insert(audit), rows)
    with writing(world.app.engine) as connection:
        connection.execute(text("ANALYZE"))
    with world.store.reading() as unit:
        main = unit.installation.clinic("main")
    assert main is not None
    world.clinic = main
    return patient_id


def which(patient_id: UUID) -> dict[str, tuple[Which, str]]:
    """Each filter, and the index that is made for it."""
    since, until = MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=2)
    return {
        "everything": (Which(), "ix_audit_clinic_id_at"),
        "who": (Which(actor=RARE), "ix_audit_clinic_id_actor_at"),
        "action": (Which(action="result voided"), "ix_audit_clinic_id_action_at"),
        "MRN": (Which(patient_id=patient_id), "ix_audit_clinic_id_patient_id_at"),
        "days": (Which(since=since, until=until), "ix_audit_clinic_id_at"),
        "who in some days": (Which(actor=RARE, since=since, until=until), "ix_audit_clinic_id_actor_at"),
    }


def look(trail: Trail, wanted: Which, before: Place | None) -> tuple[list[str], list[datetime]]:
    """How the page is found, and the instants on it."""
    world = trail.world
    with catching(world.app.engine) as caught, world.store.reading() as unit:
        found = unit.auditing.page(world.clinic.id, wanted, before=before, limit=PAGE)
    return explained(world.app.engine, caught, "SELECT audit"), [one.at for one in found]


@pytest.mark.parametrize("page", ["the first page", "a later page"])
@pytest.mark.parametrize("name", ["everything", "who", "action", "MRN", "days", "who in some days"])
def test_each_filter_has_an_index_that_gives_its_entries_in_order(trail: Trail, name: str, page: str) -> None:
    wanted, index = which(trail.patient_id)[name]
    before = None if page == "the first page" else Place(MONDAY + timedelta(hours=1, minutes=50), 2**30)
    (plan,), instants = look(trail, wanted, before)
    assert instants == sorted(instants, reverse=True)
    assert instants
    if trail.world.app.engine.dialect.name == "sqlite":
        assert f"SEARCH audit USING INDEX {index} (" in plan, plan
        assert "SCAN" not in plan, plan
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan.replace("LAST TERM OF ", ""), plan
    else:
        assert f"Index Scan Backward using {index} on audit" in plan, plan
        assert "Seq Scan on audit" not in plan, plan
        assert "Sort" not in plan.replace("Incremental Sort", "").replace("Sort Key", ""), plan
