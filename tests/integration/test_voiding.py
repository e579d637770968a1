"""A result that was recorded by mistake: void, on file, and as if it had not been there wherever that can be told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from scheduler.domain.accounts import Role
from scheduler.domain.reporting import Period
from scheduler.domain.tasks import Resolution
from scheduler.ports.patient_file import RecordedResult
from scheduler.services.care import Deciding
from scheduler.services.counting import count_clinic
from scheduler.services.facts import ResultError, ResultKind, add_result
from scheduler.services.voiding import UnknownResultError, Voided, void_result, void_result_of
from tests.support.staff import address_of, post, signed_in
from tests.support.worlds import MONDAY, World, new_york, world_at

TAKEN = date(2026, 3, 1)
TITLE = "Vitamin D check"


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    """Somebody who was asked on 3 March, at noon of that day."""
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        world.enrol_sms(pathways="vitamin_d;dexa")
        world.run_until(new_york(3, 3, 12, 0))
        yield world


def record(world: World, taken_on: date = TAKEN, *, value: str | None = "22", months: int | None = None) -> bool:
    return add_result(
        world.store,
        world.rules,
        world.clinic,
        mrn="P1",
        kind=ResultKind.VITAMIN_D,
        taken_on=taken_on,
        value=value,
        unit=None,
        next_months=months,
        by="dr@main.example",
        now=world.clock.at,
    )


def void(world: World, taken_on: date = TAKEN, *, reason: str = "Somebody else's") -> Voided:
    about = Deciding(clinic=world.clinic, mrn="P1", by="dr@main.example", now=world.clock.at)
    return void_result_of(
        world.store, world.rules, about, kind=ResultKind.VITAMIN_D, taken_on=taken_on, reason=reason
    )


def on_file(world: World) -> list[RecordedResult]:
    with world.store.reading() as unit:
        return unit.patient_file.results(world.clinic.id, world.patient().id)


def sent(world: World) -> list[str]:
    return [row.template for row in world.ledger("P1") if row.sent_at and row.pathway == "vitamin_d"]


# The pathway


def test_the_pathway_goes_on_as_if_the_result_had_not_been_recorded(database_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        world.enrol_sms(pathways="vitamin_d;dexa")
        world.run_until(new_york(3, 3, 12, 0))
        before = world.enrolment("vitamin_d"), world.enrolment("dexa")
        assert record(world)
        world.clock.at += timedelta(hours=1)
        assert void(world) == Voided(put_back=(TITLE,))
        assert (world.enrolment("vitamin_d"), world.enrolment("dexa")) == before
        (kept,) = on_file(world)
        assert (kept.stands, kept.voided_by, kept.void_reason) == (False, "dr@main.example", "Somebody else's")
        assert (kept.voided_at, kept.value) == (world.clock.at, "22")
        world.run_until(new_york(3, 10, 12, 0))
        assert sent(world) == ["ask", "again"]  # on the day on which it would have gone


def test_what_fell_due_while_the_mistake_stood_goes_the_next_day(world: World) -> None:
    record(world)
    world.run_until(new_york(3, 20, 12, 0))
    void(world)
    world.run_until(new_york(3, 21, 12, 0))
    assert sent(world) == ["ask", "again"]


def test_a_reminder_that_waited_and_was_dropped_is_sent_after_all(world: World) -> None:
    world.change_clinic(world.clinic, messages_per_second=None)
    world.enrol_sms("P2", pathways="vitamin_d")
    world.clock.at = new_york(3, 4, 9, 30)
    world.app.ticker.plan_all()  # planned, and not sent yet
    with world.store.reading() as unit:
        (waiting,) = [row for row in unit.ledger.entries(world.clinic.id, mrn="P2") if row.status == "planned"]
    assert waiting.template == "ask"
    about = Deciding(clinic=world.clinic, mrn="P2", by="dr@main.example", now=world.clock.at)
    given = {"kind": ResultKind.VITAMIN_D, "taken_on": TAKEN}
    add_result(
        world.store,
        world.rules,
        world.clinic,
        mrn="P2",
        **given,  # type: ignore[arg-type]
        value=None,
        unit=None,
        next_months=None,
        by="x",
        now=world.clock.at,
    )
    void_result_of(world.store, world.rules, about, **given, reason="wrong person")  # type: ignore[arg-type]
    world.run_until(new_york(3, 5, 12, 0))
    assert [(row.template, str(row.due_date)) for row in world.ledger("P2") if row.sent_at] == [("ask", "2026-03-05")]


def test_a_pathway_on_which_something_else_has_happened_since_stays_where_it_is(world: World) -> None:
    record(world, months=1)
    world.run_until(new_york(4, 3, 12, 0))
    state = world.enrolment("vitamin_d")
    assert state.cycle == 2
    assert void(world) == Voided(left=(TITLE,))
    assert world.enrolment("vitamin_d") == state


def test_another_result_that_stands_goes_on_settling_the_pathway(world: World) -> None:
    record(world, months=3)
    world.clock.at += timedelta(hours=1)
    record(world, date(2026, 3, 2))
    world.clock.at += timedelta(hours=1)
    assert void(world) == Voided(put_back=(TITLE,))
    state = world.enrolment("vitamin_d")
    assert (state.step, state.timer_on, state.rest_months) == ("settled", date(2027, 3, 2), None)
    assert "review_result" in world.open_tasks("P1")
    void(world, date(2026, 3, 2))
    assert world.enrolment("vitamin_d").step == "ask"
    assert "review_result" not in world.open_tasks("P1")


# Tasks


def test_nobody_has_to_review_it_and_what_it_had_settled_is_open_again(world: World) -> None:
    world.receive("P1", "1")
    world.run_until(new_york(3, 25, 12, 0))
    assert "result_not_in" in world.open_tasks("P1")
    record(world, date(2026, 3, 20))
    assert "result_not_in" not in world.open_tasks("P1")
    world.clock.at += timedelta(minutes=5)
    void(world, date(2026, 3, 20))
    assert "review_result" not in world.open_tasks("P1")
    assert "result_not_in" in world.open_tasks("P1")


def test_a_task_that_a_person_has_closed_stays_closed(world: World) -> None:
    record(world)
    with world.store.writing() as unit:
        (task,) = [one for one in unit.worklist.tasks(world.clinic.id, mrn="P1") if one.kind == "review_result"]
        assert unit.worklist.resolve(
            world.clinic.id, task.id, Resolution.DONE, "", by="dr@main.example", now=world.clock.at
        )
    void(world)
    assert [one.status for one in world.tasks("P1") if one.kind == "review_result"] == ["done"]


# Reports


def settled(world: World) -> tuple[int, list[int]]:
    """How many rounds are settled, and after how many days results came."""
    count_clinic(world.store, world.rules, world.clinic, since=new_york(3, 2, 0, 0), now=world.clock.at)
    with world.store.reading() as unit:
        counts = unit.reports.total(world.clinic.id, Period(date(2026, 3, 1), date(2026, 3, 31)))
    rounds = sum(one.count for one in counts if one.measure == "settled" and one.about == "vitamin_d")
    return rounds, sorted(int(one.key) for one in counts if one.measure == "result" and one.about == "vitamin_d")


def test_reports_do_not_count_it(world: World) -> None:
    world.clock.at = new_york(3, 5, 12, 0)
    record(world)
    assert settled(world) == (1, [2])
    world.clock.at = new_york(3, 6, 12, 0)
    void(world)
    assert settled(world) == (0, [])


def test_reports_count_the_result_that_stands_in_its_place(world: World) -> None:
    world.clock.at = new_york(3, 5, 12, 0)
    record(world)
    world.clock.at = new_york(3, 8, 12, 0)
    record(world, date(2026, 3, 6))
    assert settled(world) == (1, [2])
    void(world)
    assert settled(world) == (1, [5])


# Once


def test_the_same_result_twice_is_recorded_once(database_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        world.enrol_sms()
        assert record(world)
        state = world.enrolment("vitamin_d")
        assert not record(world)
        assert len(on_file(world)) == 1
        assert world.enrolment("vitamin_d") == state


def test_another_value_of_the_same_day_is_refused_until_the_wrong_one_is_void(world: World) -> None:
    record(world)
    with pytest.raises(ResultError, match="on file already, and says something else"):
        record(world, value="32")
    void(world)
    assert record(world, value="32")
    assert {(one.value, one.stands) for one in on_file(world)} == {("32", True), ("22", False)}


def test_a_result_is_voided_once(world: World) -> None:
    record(world)
    void(world)
    with pytest.raises(ResultError, match="voided already, by dr@main"):
        void(world, reason="again")
    assert [one.void_reason for one in on_file(world)] == ["Somebody else's"]


@pytest.mark.parametrize(("reason", "says"), [("  ", "say why"), ("x" * 501, "at most 500")])
def test_a_void_needs_a_reason_of_some_length(world: World, reason: str, says: str) -> None:
    record(world)
    with pytest.raises(ResultError, match=says):
        void(world, reason=reason)
    assert on_file(world)[0].stands


def test_what_is_not_there_is_named(world: World) -> None:
    with pytest.raises(ResultError, match="no vitamin_d result of 2026-03-01 for P1"):
        void(world)
    about = Deciding(clinic=world.clinic, mrn="P1", by="x", now=world.clock.at)
    with pytest.raises(UnknownResultError):
        void_result(world.store, world.rules, about, result_id=UUID(int=1), reason="x")


# On the page


def test_staff_void_a_result_on_the_patients_page(world: World) -> None:
    client = signed_in(world, Role.COORDINATOR)
    given = {"kind": "vitamin_d", "taken_on": "2026-03-01", "value": "22", "unit": "ng/mL"}
    recorded = post(client, "/patients/P1/result", given, page="/patients/P1")
    assert "The result is recorded." in client.get(recorded.headers["location"]).text
    again = post(client, "/patients/P1/result", given, page="/patients/P1")
    assert "on file already" in client.get(again.headers["location"]).text
    (result,) = on_file(world)
    where = f"/patients/P1/result/{result.id}/void"
    refused = post(client, where, {"reason": " "}, page="/patients/P1")
    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.text
    voided = post(client, where, {"reason": "Of <b>another</b> patient"}, page="/patients/P1")
    page = client.get(voided.headers["location"]).text
    assert "as if it had not been recorded" in page
    assert "Of &lt;b&gt;another&lt;/b&gt; patient" in page
    assert f"voided by {address_of(Role.COORDINATOR, world.clinic)}" in page
    with world.store.reading() as unit:
        entries = [one[2:5] for one in unit.installation.audit_entries(world.clinic.id) if one[2] == "result voided"]
    assert entries == [("result voided", world.patient().id, "vitamin_d of 2026-03-01")]


def test_a_result_of_another_patient_or_clinic_is_not_there(world: World) -> None:
    record(world)
    (result,) = on_file(world)
    world.enrol_sms("P2")
    client = signed_in(world, Role.COORDINATOR)
    another = post(client, f"/patients/P2/result/{result.id}/void", {"reason": "x"}, page="/patients/P2")
    assert another.status_code == 404
    ours = world.clinic
    theirs = world.add_clinic("theirs")
    world.enrol_sms("P1", theirs)
    stranger = signed_in(world, Role.COORDINATOR, theirs)
    there = post(stranger, f"/patients/P1/result/{result.id}/void", {"reason": "x"}, page="/patients/P1")
    assert there.status_code == 404
    world.clinic = ours
    assert on_file(world)[0].stands
