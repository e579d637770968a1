"""A patient who is erased is nowhere any more, and what has to stay does not say who it was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from scheduler.domain.accounts import Role
from scheduler.ports.browsing import PatientLine
from scheduler.services.care import CareError, Deciding
from scheduler.services.care_plan import add_note
from scheduler.services.erasing import erase
from scheduler.services.facts import ResultKind, add_result
from scheduler.services.importing import ImportReport
from scheduler.services.situations import UnknownPatientError
from scheduler.store.browsing import Browsing
from scheduler.store.engine import reading, writing
from scheduler.store.rotation import sealed_columns
from scheduler.store.tables import audit, consents, messages, metadata, patients
from tests.support.own_page import opened
from tests.support.staff import post, signed_in
from tests.support.worlds import MONDAY, World, new_york, world_at

STAY = {"patients", "audit", "consents", "carers", "carer_consents", "report_rounds"}
SECRETS = ("Ruth Adler", "+16175550143", "ruth@patients.example", "magnesium", "fell on the stairs", "Bea Adler")


def about(world: World, mrn: str = "P1") -> Deciding:
    return Deciding(clinic=world.clinic, mrn=mrn, by="command line", now=world.clock.at)


def live(
    world: World, mrn: str, *, supplement: str = "magnesium", note: str = "fell on the stairs", **cells: str
) -> None:
    """Somebody of whom there is a bit of everything."""
    given = {"phone": "+16175550143", "email": "ruth@patients.example", "sms_consent": "yes", "email_consent": "yes"}
    report: ImportReport = world.enrol(mrn, birth_date="1975-04-12", **(given | cells))
    assert report.created == 1
    world.run_until(world.clock.at + timedelta(days=1))
    for words in (f"SUPP {supplement}", "What does it cost?"):
        world.receive(mrn, words)
        world.tick()
    add_note(world.store, about(world, mrn), note)
    add_result(
        world.store,
        world.rules,
        world.clinic,
        mrn=mrn,
        kind=ResultKind.VITAMIN_D,
        taken_on=date(2026, 3, 1),
        value="22",
        unit="ng/mL",
        next_months=None,
        by="x",
        now=world.clock.at,
    )
    opened(world, mrn)


def on_the_page(world: World) -> None:
    """What only the pages leave behind: a written message, a carer, a change for many."""
    client = signed_in(world, Role.COORDINATOR)
    here = "/patients/P1"
    once = {"once": "a mark that is long enough", "channel": "sms", "words": "Please call Bea Adler"}
    post(client, f"{here}/message/send", once | {"certain": "yes"}, page=here)
    carer = {"name": "Bea Adler", "mode": "beside", "channel": "sms", "address": "+16175550188", "agreed": "yes"}
    assert post(client, f"{here}/carer", carer, page=f"{here}/carer").status_code == 303
    chosen = post(client, "/patients/chosen", {"chosen:P1": "yes", "action": "pause"}, page="/patients")
    assert chosen.status_code == 303


def rows_about(world: World, patient_id: object) -> dict[str, int]:
    found: dict[str, int] = {}
    with reading(world.app.engine) as connection:
        for table in metadata.tables.values():
            if "patient_id" in table.c:
                query = select(table.c.patient_id).where(table.c.patient_id == patient_id)
                found[table.name] = len(connection.execute(query).all())
    return {name: count for name, count in found.items() if count}


def everything_opened(world: World) -> list[str]:
    """Every text that is sealed anywhere, and every other cell."""
    found: list[Any] = []
    with reading(world.app.engine) as connection:
        for table in metadata.tables.values():
            sealed = set(sealed_columns(table))
            for row in connection.execute(select(table)).mappings():
                for name, value in row.items():
                    found.append(world.app.vault.open(f"{table.name}.{name}", value) if name in sealed else value)
    return [str(value) for value in found if value is not None]


def test_nothing_about_them_is_left_and_another_patient_keeps_everything(database_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        live(world, "P1", name="Ruth Adler")
        on_the_page(world)
        world.tick()
        cells = {"name": "Ann Baum", "phone": "+16175550177", "email": "ann@patients.example"}
        live(world, "P2", supplement="zinc", note="likes mornings", **cells)
        other, theirs = world.patient("P2"), world.patient("P1").id
        before = rows_about(world, other.id)
        left_behind = {"bulk_members", "written_messages", "patient_pages", "patient_notes", "carers"}
        assert left_behind <= set(rows_about(world, theirs))
        gone = erase(world.store, about(world))
        assert gone["messages"] > 0
        assert set(rows_about(world, theirs)) <= STAY
        assert rows_about(world, other.id) == before
        assert world.patient("P2") == other
        kept = everything_opened(world)
        assert [value for value in kept if value == "P1" or any(secret in value for secret in SECRETS)] == []


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Any:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


def test_the_trail_and_the_record_of_consent_stay_and_nothing_is_ever_sent(world: World) -> None:
    live(world, "P1", name="Ruth Adler")
    patient_id = world.patient("P1").id
    erase(world.store, about(world))
    with reading(world.app.engine) as connection:
        kept = connection.execute(select(consents).where(consents.c.patient_id == patient_id)).all()
        actions = list(connection.scalars(select(audit.c.action).where(audit.c.patient_id == patient_id)))
        row = connection.execute(select(patients).where(patients.c.id == patient_id)).one()
    assert len(kept) == 2
    assert "patient erased" in actions
    assert (row.status, row.next_contact_at, row.phone_index, row.page_key) == ("discharged", None, None, None)
    world.run_until(new_york(4, 1, 12))
    with reading(world.app.engine) as connection:
        assert connection.execute(select(messages)).all() == []


def test_nobody_is_erased_while_a_message_is_on_its_way(world: World) -> None:
    live(world, "P1")
    with writing(world.app.engine) as connection:
        connection.execute(update(messages).values(status="sending"))
    with pytest.raises(CareError, match="on its way just now"):
        erase(world.store, about(world))
    assert world.patient("P1").phone == "+16175550143"


def test_somebody_of_another_clinic_is_not_erased(world: World) -> None:
    live(world, "P1")
    ours, theirs = world.clinic, world.add_clinic("theirs")
    with pytest.raises(UnknownPatientError, match="clinic theirs has no patient with MRN P1"):
        erase(world.store, about(world))
    assert theirs != ours
    assert world.patient("P1", clinic=ours).phone == "+16175550143"


def test_a_process_that_has_searched_forgets_their_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    live(world, "P1", name="Ruth Adler")
    world.enrol("P2", name="Ann Adler", phone="+16175550177", sms_consent="yes")
    by_name: list[list[str]] = []
    patients_of = Browsing.patients_of

    def noted(browsing: Browsing, clinic_id: int, mrns: Sequence[str]) -> list[PatientLine]:
        by_name.append(sorted(mrn for mrn in mrns if mrn != "Adler"))  # words might be an MRN too
        return patients_of(browsing, clinic_id, mrns)

    monkeypatch.setattr(Browsing, "patients_of", noted)
    world.app.finder.find(world.clinic, "Adler", now=world.clock.at)
    erase(world.store, about(world))
    world.app.finder.find(world.clinic, "Adler", now=world.clock.at)
    assert by_name == [["P1", "P2"], ["P2"]]


def test_their_number_and_their_mrn_may_be_somebody_elses_then(world: World) -> None:
    live(world, "P1", name="Ruth Adler")
    erased = world.patient("P1").id
    erase(world.store, about(world))
    assert world.enrol("P1", name="Ann Baum", phone="+16175550143", sms_consent="yes").created == 1
    assert world.patient("P1").id != erased
