"""Tasks: their due dates, what people do with them, and what they remember."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from scheduler.domain.tasks import Resolution, ServiceTask, TaskStep
from scheduler.records import Clinic, Task
from scheduler.services.clearing import Decision
from scheduler.services.clinic_settings import OfficeSettings, set_clinic
from scheduler.services.clinics import add_staff
from scheduler.services.facts import decide_clearance
from scheduler.services.tasks import Act, TaskError, assign, close, note, reopen
from tests.support.office import open_task, steps
from tests.support.worlds import MONDAY, World, new_york, world_at

PAT, SAM, VIEWER, DOCTOR = "pat@harbor.example", "sam@harbor.example", "eye@harbor.example", "doc@harbor.example"


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as made:
        for email, role in ((PAT, "coordinator"), (SAM, "admin"), (VIEWER, "viewer"), (DOCTOR, "clinician")):
            add_staff(made.store, made.clinic, email=email, role=role, now=MONDAY)
        yield made


def act(world: World, task: Task, *, by: str = PAT, clinic: Clinic | None = None) -> Act:
    return Act(clinic or world.clinic, task.id, by, world.clock.at)


# Due dates


def test_a_task_is_due_in_working_days_of_the_clinic_and_its_own_calendar(world: World) -> None:
    world.clinic = set_clinic(
        world.store,
        world.rules.holidays,
        world.clinic,
        OfficeSettings(holidays="us-ma", closed=("2026-04-21",)),
        now=MONDAY,
    )
    # Friday evening; then the weekend, Patriots' Day and a day on which the clinic is closed.
    world.clock.at = new_york(4, 17, 22, 0)
    assert open_task(world, "unclear_reply").due == date(2026, 4, 22)


def test_a_task_about_a_patient_far_away_is_due_by_the_clinics_date(world: World) -> None:
    patient = world.enrol_sms("P1", timezone="Asia/Tokyo")
    world.clock.at = new_york(3, 4, 20, 0)  # Thursday in Tokyo
    assert open_task(world, "safety", patient).due == date(2026, 3, 4)


def test_a_reply_at_night_is_due_by_the_clinics_date_and_not_by_that_of_greenwich(world: World) -> None:
    world.clock.at = new_york(3, 3, 22, 0)
    assert world.clock.at.date() == date(2026, 3, 4)
    assert open_task(world, "unclear_reply").due == date(2026, 3, 4)


# One cause, one open task


def test_of_one_cause_one_task_is_open(world: World) -> None:
    first, again = open_task(world), open_task(world)
    assert first == again
    assert len(world.tasks()) == 1


def test_words_that_come_later_stand_in_the_same_task_in_their_order(world: World) -> None:
    task = open_task(world, "unclear_reply")
    with world.store.writing() as unit:
        assert unit.worklist.add_words(world.clinic.id, "x", "first", now=world.clock.at)
        assert unit.worklist.add_words(world.clinic.id, "x", "second", now=world.clock.at)
        assert not unit.worklist.add_words(world.clinic.id, "y", "lost", now=world.clock.at)
    assert world.tasks()[0].note == "first\nsecond"
    assert [one[3] for one in steps(world, task)[1:]] == ["first", "second"]


# What people do


def test_a_task_is_taken_noted_and_closed_and_remembers_all_of_it(world: World) -> None:
    task = open_task(world)
    assert assign(world.store, act(world, task), to=SAM.upper()).assignee == SAM
    note(world.store, act(world, task, by=SAM), "  left a message  ")
    assert assign(world.store, act(world, task), to=None).assignee is None
    world.clock.at += timedelta(hours=1)
    closed = close(world.store, act(world, task), resolution=Resolution.NOT_REACHED, words="three tries")
    assert (closed.status, closed.resolution, closed.resolution_words) == ("done", "not_reached", "three tries")
    assert (closed.closed_by, closed.closed_at) == (PAT, world.clock.at)
    assert steps(world, task) == [
        (TaskStep.OPENED, "service", None, ""),
        (TaskStep.ASSIGNED, PAT, SAM, ""),
        (TaskStep.NOTED, SAM, None, "left a message"),
        (TaskStep.ASSIGNED, PAT, None, ""),
        (TaskStep.CLOSED, PAT, "not_reached", "three tries"),
    ]


def test_a_task_opened_again_is_due_as_if_it_were_new_and_keeps_its_history(world: World) -> None:
    task = open_task(world)
    close(world.store, act(world, task), resolution=Resolution.DONE)
    world.clock.at += timedelta(days=7)
    again = reopen(world.store, world.rules, act(world, task), words="they called back")
    assert (again.status, again.due, again.resolution, again.closed_by) == (
        "open",
        task.due + timedelta(days=7),
        None,
        None,
    )
    assert [one[0] for one in steps(world, task)] == [TaskStep.OPENED, TaskStep.CLOSED, TaskStep.REOPENED]
    note(world.store, act(world, task), "after that")
    assert len(steps(world, task)) == 4


def test_a_closed_task_takes_notes_too(world: World) -> None:
    task = open_task(world)
    close(world.store, act(world, task), resolution=Resolution.DONE)
    note(world.store, act(world, task), "for the record")
    assert steps(world, task)[-1] == (TaskStep.NOTED, PAT, None, "for the record")


def test_what_cannot_be_done_is_refused_with_the_remedy_and_leaves_no_trace(world: World) -> None:
    task = open_task(world)
    before = steps(world, task)
    with pytest.raises(TaskError, match=r"who@x\.example is not on the staff of clinic main; `bonewise staff add"):
        note(world.store, act(world, task, by="who@x.example"), "hello")
    with pytest.raises(TaskError, match="is a viewer of clinic main, who may look"):
        close(world.store, act(world, task, by=VIEWER), resolution=Resolution.DONE)
    with pytest.raises(TaskError, match=r"who@x\.example is not on the staff"):
        assign(world.store, act(world, task), to="who@x.example")
    with pytest.raises(TaskError, match="say in words how the task ended"):
        close(world.store, act(world, task), resolution=Resolution.OTHER, words=" ")
    with pytest.raises(TaskError, match="'settled' is how a task ends by itself"):
        close(world.store, act(world, task), resolution=Resolution.SETTLED)
    with pytest.raises(TaskError, match="the note is empty"):
        note(world.store, act(world, task), " ")
    with pytest.raises(TaskError, match="have 4001 characters"):
        note(world.store, act(world, task), "x" * 4001)
    with pytest.raises(TaskError, match=f"task {task.id} is open already"):
        reopen(world.store, world.rules, act(world, task))
    assert steps(world, task) == before


def test_a_closed_task_is_neither_closed_nor_given_to_anybody(world: World) -> None:
    task = open_task(world)
    close(world.store, act(world, task), resolution=Resolution.DONE)
    attempts: list[Callable[[], object]] = [
        lambda: close(world.store, act(world, task), resolution=Resolution.DONE),
        lambda: assign(world.store, act(world, task), to=SAM),
    ]
    for do in attempts:
        with pytest.raises(TaskError, match=r"is closed \(done, by pat@harbor\.example\); `bonewise task reopen"):
            do()


def test_a_task_whose_cause_has_another_open_one_stays_closed(world: World) -> None:
    first = open_task(world)
    close(world.store, act(world, first), resolution=Resolution.DONE)
    second = open_task(world)
    with pytest.raises(TaskError, match=f"task {second.id} is open for the same cause"):
        reopen(world.store, world.rules, act(world, first))


def test_another_clinics_task_is_not_found_and_not_touched(world: World) -> None:
    task, ours = open_task(world), world.clinic
    theirs = world.add_clinic("theirs")
    add_staff(world.store, theirs, email=PAT, role="coordinator", now=MONDAY)
    world.clinic = ours
    foreign = act(world, task, clinic=theirs)
    attempts: list[Callable[[], object]] = [
        lambda: note(world.store, foreign, "x"),
        lambda: assign(world.store, foreign, to=PAT),
        lambda: close(world.store, foreign, resolution=Resolution.DONE),
        lambda: reopen(world.store, world.rules, foreign),
    ]
    for do in attempts:
        with pytest.raises(TaskError, match=f"clinic theirs has no task {task.id}; `bonewise tasks --clinic theirs`"):
            do()
    with world.store.writing() as unit:
        unit.worklist.assign(theirs.id, task.id, PAT, by=PAT, now=MONDAY)
        assert not unit.worklist.resolve(theirs.id, task.id, Resolution.DONE, "", by=PAT, now=MONDAY)
        assert unit.worklist.history(theirs.id, task.id) == []
        assert unit.worklist.open_counts(theirs.id) == []
    assert world.tasks() == [task]
    assert len(steps(world, task)) == 1


def test_a_supplement_task_stays_until_its_case_is_decided(world: World) -> None:
    world.enrol_sms("P1")
    with world.store.writing() as unit:
        patient = world.patient("P1")
        unit.worklist.open_clearance(world.clinic.id, patient.id, named="zinc", now=MONDAY)
    task = open_task(world, ServiceTask.SUPPLEMENT_CLEARANCE, world.patient("P1"))
    with pytest.raises(
        TaskError, match="closes by itself when its supplement case is decided: `bonewise clearance dec"
    ):
        close(world.store, act(world, task), resolution=Resolution.DONE)
    decide_clearance(world.store, world.rules, case=1, decision=Decision.COME_IN, by=DOCTOR, now=world.clock.at)
    assert steps(world, task)[-1][:3] == (TaskStep.CLOSED, "service", "settled")


# What only the store can say


def test_numbers_of_open_tasks_are_counted_by_what_is_alike(world: World) -> None:
    for cause in ("a", "b", "c"):
        open_task(world, cause=cause)
    assign(world.store, act(world, world.tasks()[0]), to=SAM)
    close(world.store, act(world, world.tasks()[1]), resolution=Resolution.DONE)
    with world.store.reading() as unit:
        counts = unit.worklist.open_counts(world.clinic.id)
        assert [task.id for task in unit.worklist.tasks(world.clinic.id, only_open=True)] == [1, 3]
    assert sorted((one.kind, one.is_assigned, one.count) for one in counts) == [
        ("call_patient", False, 1),
        ("call_patient", True, 1),
    ]


def test_a_pathways_wish_makes_a_task_urgent_once(world: World) -> None:
    task = open_task(world)
    with world.store.writing() as unit:
        for _ in range(2):
            unit.worklist.escalate(world.clinic.id, ["x"], now=world.clock.at)
    assert world.tasks()[0].priority == "urgent"
    assert [one[0] for one in steps(world, task)] == [TaskStep.OPENED, TaskStep.ESCALATED]
