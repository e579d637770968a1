"""A clinic's hours change: at once for whoever changes them, batch by batch for its patients, and nothing goes wrong
meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import time, timedelta
from pathlib import Path

import pytest

from scheduler.domain.accounts import Role
from scheduler.domain.people import Channel
from scheduler.services.clinic_settings import OfficeSettings, set_clinic
from scheduler.services.plan import ANEW_AT_ONCE, BATCH, plan_anew, plan_due
from tests.support.explaining import catching
from tests.support.staff import post, signed_in
from tests.support.worlds import MONDAY, NEW_YORK, World, new_york, world_at

DAY_1 = new_york(3, 3)  # when those who were enrolled on Monday are written to first


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


def enrol(world: World, count: int) -> None:
    world.import_drafts(
        [world.draft(f"P{n:04}", {"phone": f"+1617555{n:04}", "sms_consent": "yes"}) for n in range(count)]
    )


def change(world: World, **wanted: str) -> None:
    world.clinic = set_clinic(
        world.store,
        world.rules.holidays,
        world.clinic,
        OfficeSettings(**wanted),  # type: ignore[arg-type]
        now=world.clock.at,
        rules=world.rules,
    )


def next_contacts(world: World) -> set[object]:
    with world.store.reading() as unit:
        return {one.next_contact_at for one in unit.patients.of_clinic(world.clinic.id)}


def sent_at(world: World) -> list[time]:
    return [row.sent_at.astimezone(NEW_YORK).time() for row in world.ledger() if row.sent_at]


def test_whoever_changes_the_hours_touches_no_patient(world: World) -> None:
    enrol(world, 30)
    world.tick()
    with catching(world.app.engine) as caught:
        change(world, window="11:00-19:00", contact_time="11:30")
    assert [each.sql for each in caught if re.search(r"\b(patients|enrolments|messages|replies)\b", each.sql)] == []
    assert next_contacts(world) == {DAY_1}


def test_as_many_statements_are_needed_however_many_tasks_are_open(world: World) -> None:
    def statements() -> int:
        with catching(world.app.engine) as caught:
            change(world, timezone="America/Chicago" if world.clinic.timezone == "America/New_York" else NEW_YORK.key)
        return len(caught)

    def ask(mrn: str) -> None:
        world.enrol_sms(mrn)
        world.receive(mrn, "What does it cost?")
        world.tick()

    ask("P1")
    few = statements()
    for number in range(2, 12):
        ask(f"P{number}")
    assert statements() == few


def test_the_next_tick_plans_everybody_by_the_new_hours(world: World) -> None:
    enrol(world, 3)
    change(world, window="11:00-19:00", contact_time="11:30")
    world.tick()
    assert next_contacts(world) == {new_york(3, 3, 11, 30)}
    with world.store.reading() as unit:
        assert not unit.replanning.is_wanted()


def test_a_batch_goes_on_where_the_one_before_ended_and_another_clinic_is_left_alone(world: World) -> None:
    theirs = world.clinic
    world.enrol_sms("P0001", theirs)
    world.add_clinic("ours")
    enrol(world, 5)
    change(world, window="11:00-19:00", contact_time="11:30")
    assert [plan_anew(world.store, world.rules, world.clock.at, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert next_contacts(world) == {new_york(3, 3, 11, 30)}
    assert world.patient("P0001", clinic=theirs).next_contact_at == DAY_1


def test_hours_that_change_again_midway_are_the_ones_that_count(world: World) -> None:
    enrol(world, 4)
    change(world, window="11:00-19:00", contact_time="11:30")
    plan_anew(world.store, world.rules, world.clock.at, limit=3)
    change(world, window="12:00-19:00", contact_time="12:30")
    world.tick()
    assert next_contacts(world) == {new_york(3, 3, 12, 30)}


def test_a_tick_plans_so_many_anew_and_the_next_one_goes_on(sqlite_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        enrol(world, 12)
        change(world, window="11:00-19:00", contact_time="11:30")
        assert world.app.ticker.look().plan == 1
        assert ANEW_AT_ONCE * BATCH >= 1000
        world.tick()
        assert world.app.ticker.look().plan == 0


# Meanwhile


def test_nobody_who_is_still_planned_for_the_old_hours_is_written_to_outside_the_new_ones(world: World) -> None:
    enrol(world, 6)
    change(world, window="14:00-16:00", contact_time="14:30")
    # Nobody has been planned anew when their old time comes: the planner looks, and sends nothing.
    plan_due(world.store, world.rules, DAY_1)
    world.clock.at = DAY_1
    world.app.ticker.deliver_all(Channel.SMS)
    assert sent_at(world) == []
    world.run_until(new_york(3, 4, 0, 0))
    assert len(sent_at(world)) == 6
    assert all(time(14) <= at < time(16) for at in sent_at(world))


def test_what_was_planned_before_the_hours_changed_waits_for_them(world: World) -> None:
    enrol(world, 6)
    world.clock.at = DAY_1
    plan_due(world.store, world.rules, DAY_1)  # planned, and about to go
    change(world, window="14:00-16:00", contact_time="14:30")
    assert world.app.ticker.deliver_all(Channel.SMS).sent == 0
    assert sent_at(world) == []
    world.run_until(new_york(3, 4, 0, 0))
    assert len(sent_at(world)) == 6
    assert all(time(14) <= at < time(16) for at in sent_at(world))


def test_what_was_planned_for_hours_that_are_over_by_the_new_ones_does_not_go_that_day(world: World) -> None:
    enrol(world, 2)
    world.clock.at = new_york(3, 3, 15, 0)
    plan_due(world.store, world.rules, world.clock.at)
    change(world, window="09:00-12:00", contact_time="09:30")
    world.run_until(new_york(3, 4, 0, 0))
    assert sent_at(world) == []
    world.run_until(new_york(3, 5, 0, 0))
    assert len(sent_at(world)) == 2
    assert all(time(9) <= at < time(12) for at in sent_at(world))


# The page


def test_the_page_says_that_it_takes_a_moment(sqlite_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        enrol(world, 2)
        admin = signed_in(world, Role.ADMIN)
        hours = {"window_start": "11:00", "window_end": "19:00", "contact_time": "11:30", "stop_scope": "all"}
        answer = post(admin, "/settings/messages", hours, page="/settings")
        assert "within minutes" in admin.get(answer.headers["location"]).text
        world.clock.at += timedelta(seconds=1)
        world.tick()
        assert next_contacts(world) == {new_york(3, 3, 11, 30)}
