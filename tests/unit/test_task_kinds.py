"""Task kinds as written in tasks.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from scheduler.catalogue.task_kinds import load_task_kinds
from scheduler.domain.tasks import ServiceTask, TaskKind, TaskPriority, TaskRole
from tests.support.config_folder import SHIPPED, ConfigFolder, config_folder

KIND = "falls_check:\n  title: Check for falls\n  for: clinician\n  priority: urgent\n  due: 2\n"


@pytest.fixture
def folder(tmp_path: Path) -> ConfigFolder:
    return config_folder(tmp_path)


def add_kind(folder: ConfigFolder, text: str) -> list[str]:
    """The faults when `text` precedes the shipped kinds; its first line is line 1."""
    folder.write("tasks.yaml", text + (SHIPPED / "tasks.yaml").read_text(encoding="utf-8"))
    return [str(fault) for fault in load_task_kinds(folder.path).faults]


def test_a_kind_has_a_title_a_role_a_priority_and_a_due_time(folder: ConfigFolder) -> None:
    assert add_kind(folder, KIND) == []
    assert load_task_kinds(folder.path).kinds["falls_check"] == TaskKind(
        name="falls_check",
        title="Check for falls",
        role=TaskRole.CLINICIAN,
        priority=TaskPriority.URGENT,
        due_working_days=2,
    )


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        (
            "for: clinician",
            "for: nurse",
            "3: task kind 'falls_check': for: 'nurse' must be one of coordinator, clin",
        ),
        ("urgent", "urgnt", "did you mean 'urgent'?"),
        (
            "due: 2",
            "due: 2 days",
            "5: task kind 'falls_check': due: '2 days' must be a whole number from 0 to 60",
        ),
        ("due: 2", "due: -1", "must be a whole number from 0 to 60"),
        ("  due: 2\n", "", "2: task kind 'falls_check': 'due' is missing"),
        ("  due: 2", "  dew: 2", "'dew' is not a word of this place; did you mean 'due'?"),
        ("falls_check", "Falls check", "1: task kind 'Falls check' has no proper name"),
    ],
)
def test_a_faulty_kind_is_told_with_its_line(folder: ConfigFolder, was: str, now: str, told: str) -> None:
    faults = add_kind(folder, KIND.replace(was, now))
    assert any(told in fault for fault in faults)
    assert all(fault.startswith("config/tasks.yaml:") for fault in faults)


def test_a_kind_that_stands_twice_is_a_fault(folder: ConfigFolder) -> None:
    assert "'falls_check' stands here twice, first in line 1" in add_kind(folder, KIND + KIND)[0]


@pytest.mark.parametrize("kind", list(ServiceTask))
def test_the_kinds_that_the_service_opens_must_be_there(folder: ConfigFolder, kind: ServiceTask) -> None:
    text = (SHIPPED / "tasks.yaml").read_text(encoding="utf-8").replace(f"\n{kind}:", f"\nno_{kind}:")
    folder.write("tasks.yaml", text)
    (fault,) = load_task_kinds(folder.path).faults
    assert f"task kind '{kind}' is missing" in fault.message


def test_a_missing_file_is_a_fault_and_not_an_error(folder: ConfigFolder) -> None:
    (folder.path / "tasks.yaml").unlink()
    (fault,) = load_task_kinds(folder.path).faults
    assert str(fault).startswith("config/tasks.yaml: cannot be read")


def test_priorities_are_ranked_from_the_most_pressing() -> None:
    assert sorted(TaskPriority, key=lambda priority: priority.rank) == [
        TaskPriority.URGENT,
        TaskPriority.NORMAL,
        TaskPriority.LOW,
    ]
