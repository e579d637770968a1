"""The daily digest: when it goes, what is in it, and that there is one a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.domain.staff_mail import StaffMailStatus
from scheduler.services.deliver import never
from scheduler.services.digest import plan_digests
from tests.support.fake_email import FakeEmail
from tests.support.office import (
    DUTY,
    TEAM,
    TUESDAY,
    URL,
    WEDNESDAY,
    beside,
    change,
    deliver,
    mails,
    open_tasks,
    received,
)
from tests.support.worlds import MONDAY, World, new_york, world_at


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """Monday, 13:00; the digest goes at 08:00."""
    with world_at(MONDAY, database_url=database_url, folder=tmp_path, settings={"BONEWISE_PUBLIC_URL": URL}) as made:
        change(made, digest_to=TEAM, duty_email=DUTY)
        yield made


def test_the_digest_goes_on_a_working_day_at_its_local_time_and_has_counts_and_links_only(world: World) -> None:
    world.enrol_sms("P1", name="Zoe Quackenbush")
    world.receive("P1", "my knee hurts")
    open_tasks(world, "x", "y")
    world.run_until(TUESDAY - timedelta(minutes=1))
    world.tick_at(TUESDAY - timedelta(seconds=1))
    assert mails(world) == []
    assert world.tick_at(TUESDAY).staff_mails == 1
    ((subject, text),) = received(world)
    assert subject == "3 tasks are open"
    assert text.splitlines()[:3] == ["3 tasks are open at Harbor Clinic:", "", "  1 due today"]
    assert f"All open tasks: {URL}/worklist" in text
    for secret in ("P1", "Zoe", "Quackenbush", "knee", "scan", "bone"):
        assert secret not in f"{subject}{text}"


def test_the_digest_tells_of_overdue_tasks_and_leads_to_them(world: World) -> None:
    open_tasks(world, "x", kind="unclear_reply")
    world.tick_at(WEDNESDAY)
    ((subject, text),) = received(world)
    assert subject == "1 task is open, 1 overdue"
    assert "  1 overdue\n  1 urgent\n" in text
    assert f"Those that are overdue: {URL}/worklist?due=overdue" in text


def test_a_clinic_that_speaks_spanish_has_its_digest_in_spanish(world: World) -> None:
    world.change_clinic(world.clinic, language="es")
    open_tasks(world, "x")
    world.tick_at(TUESDAY)
    ((subject, text),) = received(world)
    assert subject == "1 tarea abierta"
    assert text.startswith("Hay 1 tarea abierta en Harbor Clinic:")


def test_where_nothing_is_open_nothing_is_sent(world: World) -> None:
    world.tick_at(TUESDAY)
    open_tasks(world, "x")
    world.tick_at(TUESDAY + timedelta(hours=1))
    assert mails(world) == []
    world.tick_at(WEDNESDAY)
    assert len(received(world)) == 1


def test_one_digest_goes_a_day_whatever_is_restarted(world: World) -> None:
    open_tasks(world, "x")
    for minutes in range(0, 600, 60):
        other = world.second_process()
        other.tick_at(TUESDAY + timedelta(minutes=minutes))
        other.app.close()
    assert [one.cause for one in mails(world)] == ["digest:2026-03-03"]


def test_no_digest_goes_on_weekends_and_holidays_nor_is_one_made_up_for(world: World) -> None:
    change(world, closed=("2026-03-06",))
    open_tasks(world, "x")
    for day in range(3, 11):
        for hour in (7, 8, 17):
            world.tick_at(new_york(3, day, hour, 0))
    assert [one.cause[-5:] for one in mails(world)] == ["03-03", "03-04", "03-05", "03-09", "03-10"]


def test_after_an_outage_of_days_one_digest_goes_and_only_after_its_time(world: World) -> None:
    open_tasks(world, "x")
    world.tick_at(new_york(3, 5, 7, 59))
    assert mails(world) == []
    world.tick_at(new_york(3, 6, 15, 0))
    assert [one.cause for one in mails(world)] == ["digest:2026-03-06"]


def test_a_digest_can_be_moved_and_ended(world: World) -> None:
    open_tasks(world, "x")
    change(world, digest_at="09:30")
    world.tick_at(new_york(3, 3, 9, 29))
    assert mails(world) == []
    world.tick_at(new_york(3, 3, 9, 30))
    assert len(mails(world)) == 1
    change(world, digest_to="none")
    world.tick_at(WEDNESDAY + timedelta(hours=4))
    assert len(mails(world)) == 1


def test_workers_beside_each_other_plan_and_send_one_digest(world: World) -> None:
    open_tasks(world, "x")
    world.clock.at = TUESDAY
    email = FakeEmail()

    def work(one: World) -> int:
        planned = plan_digests(one.store, one.rules, one.clock.at, public_url=URL, stopping=never)
        deliver(one, email)
        return planned

    assert sum(beside(world, work)) == 1
    assert len(email.taken) == 1
    assert [one.status for one in mails(world)] == [StaffMailStatus.SENT]


def test_only_the_clinic_whose_time_has_come_has_a_digest(world: World) -> None:
    open_tasks(world, "x")
    ours = world.clinic
    theirs = world.add_clinic("theirs", timezone="America/Los_Angeles")
    change(world, digest_to="west@harbor.example")
    open_tasks(world, "x")
    world.tick_at(TUESDAY)
    assert len(received(world)) == 1
    assert received(world, "west@harbor.example") == []
    world.tick_at(TUESDAY + timedelta(hours=3))
    assert len(received(world, "west@harbor.example")) == 1
    with world.store.reading() as unit:
        assert [len(unit.staff_mail.entries(one.id)) for one in (ours, theirs)] == [1, 1]
