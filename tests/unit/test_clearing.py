"""Which supplements a patient hears of together, and what."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from scheduler.domain.clearing import Cleared, answer_to_all, is_same_name, waited_together


def at(day: int) -> datetime:
    return datetime(2026, 3, day, 12, tzinfo=UTC)


def cleared(opened: int, told: int, decision: str = "cleared") -> Cleared:
    return Cleared(at(opened), at(told), decision)


def test_what_the_patient_has_heard_of_is_no_part_of_the_answer() -> None:
    assert waited_together(at(5), [cleared(1, 4)]) == []


def test_one_case_leads_to_the_next() -> None:
    before, first, second = cleared(1, 2), cleared(3, 6), cleared(5, 9)
    assert waited_together(at(8), [before, first, second]) == [second, first]


def test_a_case_opened_at_the_very_instant_of_a_decision_waited_with_it() -> None:
    assert waited_together(at(4), [cleared(1, 4)]) == [cleared(1, 4)]


@pytest.mark.parametrize(
    ("decisions", "answer"),
    [
        (["cleared"], "cleared"),
        (["not_cleared", "not_cleared"], "not_cleared"),
        (["cleared", "not_cleared"], "come_in"),
        (["not_cleared", "come_in"], "come_in"),
        (["cleared", "cleared", "come_in"], "come_in"),
    ],
)
def test_alike_is_said_as_it_is_and_else_the_patient_comes_in(decisions: list[str], answer: str) -> None:
    assert answer_to_all(decisions) == answer


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Zinc", "zinc", True),
        ("Fish-oil", "fish  oil", True),
        ("Té verde", "te verde", True),
        ("calcium 500", "calcium 1000", False),
        ("💊", "💊", True),
        ("💊", "🌿", False),
    ],
)
def test_a_name_is_the_same_however_it_is_written(one: str, other: str, is_same: bool) -> None:
    assert is_same_name(one, other) is is_same
