"""Task kinds as written in tasks.yaml, and the working days that their due dates count in."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.catalogue.task_kinds import load_task_kinds
from scheduler.domain.tasks import ServiceTask, TaskKind, TaskPriority, TaskRole, add_working_days
from tests.support.config_folder import SHIPPED, ConfigFolder, config_folder

KIND = "falls_check:\n  title: Check for falls\n  for: clinician\n  priority: urgent\n  due: 2\n"
FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)


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


@pytest.mark.parametrize(
    ("day", "n", "due"),
    [
        (MONDAY, 0, MONDAY),
        (MONDAY, 1, MONDAY + timedelta(days=1)),
        (FRIDAY, 1, MONDAY),
        (FRIDAY, 3, date(2026, 11, 25)),
        (FRIDAY + timedelta(days=1), 0, MONDAY),
        (FRIDAY + timedelta(days=1), 1, MONDAY),
        (FRIDAY + timedelta(days=2), 1, MONDAY),
        (MONDAY, 5, MONDAY + timedelta(days=7)),
    ],
)
def test_working_days_pass_over_the_weekend(day: date, n: int, due: date) -> None:
    assert add_working_days(day, n) == due


def test_working_days_pass_over_holidays() -> None:
    thanksgiving = frozenset({date(2026, 11, 26), date(2026, 11, 27)})
    assert add_working_days(date(2026, 11, 25), 1, thanksgiving) == date(2026, 11, 30)
    assert add_working_days(date(2026, 11, 26), 0, thanksgiving) == date(2026, 11, 30)


def test_working_days_do_not_count_backwards() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        add_working_days(MONDAY, -1)


@given(
    st.dates(date(2026, 1, 1), date(2032, 12, 31)),
    st.integers(0, 30),
    st.frozensets(st.dates(date(2026, 1, 1), date(2033, 12, 31)), max_size=20),
)
def test_exactly_n_working_days_lie_after_the_day_up_to_the_due_date(
    day: date, n: int, holidays: frozenset[date]
) -> None:
    def works(each: date) -> bool:
        return each.isoweekday() <= 5 and each not in holidays

    due = add_working_days(day, n, holidays)
    assert works(due)
    between = [day + timedelta(days=offset) for offset in range(1, (due - day).days + 1)]
    expected = n if n or works(day) else 1
    assert sum(map(works, between)) == expected


def test_priorities_are_ranked_from_the_most_pressing() -> None:
    assert sorted(TaskPriority, key=lambda priority: priority.rank) == [
        TaskPriority.URGENT,
        TaskPriority.NORMAL,
        TaskPriority.LOW,
    ]
