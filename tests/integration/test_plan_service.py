"""Planning over the store: who is due, in which batches, beside others who plan, and what keeps somebody back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import PatientStatus
from scheduler.domain.planning import plan
from scheduler.services.plan import PARKED, plan_all_due, plan_anew, plan_due
from scheduler.services.tick import TickReport
from tests.support.worlds import MONDAY, World, new_york, world_at

DAY_1 = new_york(3, 3)


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


def reminders(world: World, mrn: str = "P1") -> dict[date, str]:
    """What was sent on which local date."""
    return {row.due_date: f"{row.pathway} {row.template}" for row in world.ledger(mrn) if row.sent_at is not None}


# Who is due


def test_nobody_is_planned_a_second_early_and_everybody_on_time(world: World) -> None:
    world.enrol_sms()
    assert world.tick_at(DAY_1 - timedelta(seconds=1)).planned == 0
    assert world.tick_at(DAY_1).planned == 1


def test_more_patients_than_a_batch_are_planned_in_one_go(database_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        drafts = [world.draft(f"P{n}", {"phone": f"+1617555{n:04d}", "sms_consent": "yes"}) for n in range(23)]
        world.import_drafts(drafts)
        first = plan_due(world.store, world.rules, DAY_1, limit=10)
        assert (first.patients, first.messages) == (10, 10)
        rest = plan_all_due(world.store, world.rules, DAY_1)
        assert (rest.patients, rest.messages) == (13, 13)
        assert plan_all_due(world.store, world.rules, DAY_1).patients == 0


def test_planning_stops_between_batches_when_asked_to(world: World) -> None:
    world.enrol_sms()
    assert plan_all_due(world.store, world.rules, DAY_1, stopping=lambda: True).patients == 0
    assert world.ledger() == []


def test_planning_again_at_the_same_instant_plans_nothing_twice(world: World) -> None:
    world.enrol_sms()
    plan_all_due(world.store, world.rules, DAY_1)
    plan_all_due(world.store, world.rules, DAY_1)
    assert [row.status for row in world.ledger() if row.pathway == "vitamin_d"] == [MessageStatus.PLANNED]


def test_a_patient_who_cannot_be_planned_does_not_hold_up_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world.enrol_sms("P1", timezone="Europe/London", contact_time="14:30")  # the same instant as in New York
    world.enrol_sms("P2")

    def unable(contact: object, *rest: object) -> object:
        if getattr(contact, "zone").key == "Europe/London":  # noqa: B009
            raise ValueError("clocks have gone mad")
        return plan(contact, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("scheduler.services.plan.plan", unable)
    world.tick_at(DAY_1)
    assert reminders(world, "P2") == {date(2026, 3, 3): "vitamin_d ask"}
    assert world.patient("P1").next_contact_at == DAY_1 + PARKED
    assert "clocks have gone mad" in caplog.text
    monkeypatch.setattr("scheduler.services.plan.plan", plan)
    world.tick_at(DAY_1 + PARKED)
    assert reminders(world, "P1") == {date(2026, 3, 3): "vitamin_d ask"}


# What keeps somebody back


def test_two_a_day_go_when_the_clinic_allows_two(world: World) -> None:
    world.change_clinic(world.clinic, daily_budget=2)
    world.enrol_sms()
    world.run_until(new_york(3, 3, 12, 0))
    assert sorted(row.pathway for row in world.ledger() if row.sent_at) == ["exercise", "vitamin_d"]


def test_a_patient_without_any_address_is_said_to_have_none_once(world: World) -> None:
    world.enrol("P1")
    world.run_until(new_york(3, 20, 12, 0))
    assert {(row.status.value, row.reason) for row in world.ledger()} == {("skipped", "no_channel")}
    assert {row.due_date for row in world.ledger()} == {date(2026, 3, 3)}


def test_a_staff_pause_ends_by_itself_on_its_day(world: World) -> None:
    world.enrol_sms(pathways="exercise")
    patient = replace(world.patient(), status=PatientStatus.PAUSED, paused_until=date(2026, 3, 10))
    world.store_patient(patient)
    world.run_until(new_york(3, 12, 12, 0))
    assert list(reminders(world)) == [date(2026, 3, 10), date(2026, 3, 11), date(2026, 3, 12)]
    assert world.patient().status is PatientStatus.ACTIVE


def test_a_staff_pause_without_an_end_lasts(world: World) -> None:
    world.enrol_sms()
    world.store_patient(replace(world.patient(), status=PatientStatus.PAUSED))
    world.run_until(new_york(6, 1, 12, 0))
    assert reminders(world) == {}


# Clocks and windows


def test_the_time_on_the_wall_holds_across_a_clock_change(world: World) -> None:
    world.enrol_sms(pathways="exercise")
    world.run_until(new_york(3, 11, 12, 0))
    sent = [row.sent_at for row in world.ledger() if row.sent_at]
    assert [at.hour for at in sent] == [14, 14, 14, 14, 14, 13, 13, 13, 13]  # UTC


def test_new_zone_data_moves_everybodys_next_contact(world: World) -> None:
    world.enrol_sms()
    world.tick()
    with world.store.writing() as unit:
        unit.patients.set_next_contact(world.clinic.id, world.patient().id, new_york(3, 3, 3, 0))
        unit.installation.set_note("tzdata", "1999z")
    world.tick()
    assert world.patient().next_contact_at == DAY_1


def test_a_changed_clinic_window_moves_everybodys_next_contact(database_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        for number in range(3):
            world.enrol_sms(f"P{number}")
        clinic = world.change_clinic(world.clinic, window_start=time(11))
        with world.store.writing() as unit:
            unit.replanning.ask(clinic.id)
        assert [plan_anew(world.store, world.rules, world.clock.at, limit=2) for _ in range(3)] == [2, 1, 0]
        assert {world.patient(f"P{n}").next_contact_at for n in range(3)} == {new_york(3, 3, 11, 0)}


# Beside others


def test_planners_at_the_same_time_share_the_patients_and_plan_each_once(postgres_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=postgres_url, folder=tmp_path) as world:
        drafts = [world.draft(f"P{n}", {"phone": f"+1617555{n:04d}", "sms_consent": "yes"}) for n in range(120)]
        world.import_drafts(drafts)
        planners = [world.second_process() for _ in range(3)]
        counted: list[int] = []

        def work(planner: World) -> None:
            while (batch := plan_due(planner.store, planner.rules, DAY_1, limit=7)).patients:
                counted.append(batch.messages)

        threads = [threading.Thread(target=work, args=(planner,)) for planner in planners]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sum(counted) == 120
        planned = [row.patient for row in world.ledger() if row.status is MessageStatus.PLANNED]
        assert sorted(planned) == sorted(f"P{n}" for n in range(120))
        for planner in planners:
            planner.app.close()


def test_a_patient_whom_somebody_else_is_deciding_about_is_left_for_the_next_round(
    postgres_url: str, tmp_path: Path
) -> None:
    with world_at(MONDAY, database_url=postgres_url, folder=tmp_path) as world:
        held, free = world.enrol_sms("P1"), world.enrol_sms("P2")
        world.tick()
        with world.store.writing() as unit:
            unit.patients.get(world.clinic.id, held.id, lock=True)
            other = world.second_process()
            assert other.tick_at(DAY_1).planned == 1
        assert reminders(world, "P2") == {date(2026, 3, 3): "vitamin_d ask"}
        assert free.id != held.id
        assert world.tick().planned == 1
        other.app.close()


def test_first_ticks_of_several_processes_at_once_do_not_get_in_each_others_way(
    postgres_url: str, tmp_path: Path
) -> None:
    with world_at(MONDAY, database_url=postgres_url, folder=tmp_path) as world:
        world.enrol_sms()
        world.clock.at = DAY_1
        others = [world.second_process() for _ in range(4)]
        for other in others:
            assert other.app.ticker
        done: list[TickReport] = []
        threads = [threading.Thread(target=lambda one=other: done.append(one.tick())) for other in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(done) == len(others)
        assert sum(report.sent for report in done) == 1
        for other in others:
            other.app.close()
