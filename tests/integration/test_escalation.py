"""Overdue tasks become urgent, once each, however many workers look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.domain.tasks import TaskPriority
from scheduler.services.deliver import never
from scheduler.services.escalation import escalate_overdue
from tests.support.office import DUTY, TEAM, URL, beside, change, escalations, open_tasks
from tests.support.worlds import MONDAY, World, new_york, world_at


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """Monday, 13:00; the digest goes at 08:00."""
    with world_at(MONDAY, database_url=database_url, folder=tmp_path, settings={"BONEWISE_PUBLIC_URL": URL}) as made:
        change(made, digest_to=TEAM, duty_email=DUTY)
        yield made


def test_a_task_becomes_urgent_when_the_working_day_after_its_due_date_begins(world: World) -> None:
    change(world, closed=("2026-03-05",))
    open_tasks(world, "x", kind="delivery_unknown")  # due in 2 working days, on Wednesday; Thursday is closed
    world.tick_at(new_york(3, 5, 23, 59))
    assert [task.priority for task in world.tasks()] == [TaskPriority.NORMAL.value]
    assert world.tick_at(new_york(3, 6, 0, 0)).escalated == 1
    assert [task.priority for task in world.tasks()] == [TaskPriority.URGENT.value]
    assert escalations(world) == ["was due 2026-03-04"]


def test_an_overdue_task_is_made_urgent_once(world: World) -> None:
    open_tasks(world, "x")
    for day in (10, 11, 12):
        world.tick_at(new_york(3, day, 0, 5))
    assert len(escalations(world)) == 1


def test_a_task_that_was_urgent_from_the_beginning_says_too_that_it_is_overdue(world: World) -> None:
    open_tasks(world, "x", kind="safety")
    world.tick_at(new_york(3, 3, 0, 0))
    assert escalations(world) == ["was due 2026-03-02"]


def test_a_closed_task_is_never_overdue(world: World) -> None:
    open_tasks(world, "x")
    with world.store.writing() as unit:
        unit.worklist.close(world.clinic.id, ["x"], now=world.clock.at)
    world.tick_at(new_york(3, 20, 9, 0))
    assert escalations(world) == []


def test_a_day_that_is_closed_later_on_puts_off_what_is_overdue_and_not_what_is_due(world: World) -> None:
    open_tasks(world, "x", kind="unclear_reply")  # due on Tuesday
    change(world, closed=("2026-03-04",))
    assert world.tick_at(new_york(3, 4, 12, 0)).escalated == 0
    assert world.tick_at(new_york(3, 5, 0, 0)).escalated == 1
    assert f"{world.tasks()[0].due}" == "2026-03-03"


def test_workers_beside_each_other_make_each_task_urgent_once(world: World) -> None:
    causes = [f"c{number}" for number in range(60)]
    open_tasks(world, *causes)
    world.clock.at = new_york(3, 10, 0, 0)
    counts = beside(world, lambda one: escalate_overdue(one.store, one.clock.at, stopping=never))
    assert sum(counts) == 60
    assert {len(escalations(world, task.id)) for task in world.tasks()} == {1}
