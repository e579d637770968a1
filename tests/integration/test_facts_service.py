"""What people record about a patient: results, and decisions on supplement cases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from scheduler.services.care import CareError, Deciding
from scheduler.services.care_plan import open_case as ask_clinician
from scheduler.services.clearing import Decision
from scheduler.services.clinics import add_staff
from scheduler.services.facts import CaseError, ResultKind, add_result, decide_clearance
from scheduler.services.situations import UnknownPatientError
from tests.support.worlds import MONDAY, World, new_york, world_at

CLINICIAN = "dr@harbor.example"


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        world.enrol_sms()
        world.run_until(new_york(3, 3, 12, 0))
        yield world


def record(
    world: World,
    kind: ResultKind = ResultKind.VITAMIN_D,
    *,
    mrn: str = "P1",
    taken_on: date = date(2026, 3, 1),
    next_months: int | None = None,
) -> None:
    add_result(
        world.store,
        world.rules,
        world.clinic,
        mrn=mrn,
        kind=kind,
        taken_on=taken_on,
        value="22",
        unit="ng/mL",
        next_months=next_months,
        by="command line",
        now=world.clock.at,
    )


def test_a_result_ends_the_cycle_opens_its_review_and_the_next_cycle_is_in_a_year(world: World) -> None:
    record(world)
    state = world.enrolment("vitamin_d")
    assert (state.step, state.timer_on) == ("settled", date(2027, 3, 1))  # from the day it was taken
    assert world.open_tasks("P1") == {"review_result"}
    world.run_until(new_york(4, 15, 12, 0))
    assert [row.template for row in world.ledger("P1") if row.pathway == "vitamin_d" and row.sent_at] == ["ask"]


def test_the_clinicians_own_number_of_months_counts(world: World) -> None:
    record(world, next_months=3)
    assert world.enrolment("vitamin_d").timer_on == date(2026, 6, 1)
    world.run_until(new_york(6, 2, 12, 0))
    state = world.enrolment("vitamin_d")
    assert (state.cycle, state.rest_months) == (2, None)


def test_a_result_closes_the_task_that_waited_for_it(world: World) -> None:
    world.receive("P1", "1")
    world.run_until(new_york(3, 25, 12, 0))
    assert "result_not_in" in world.open_tasks("P1")
    record(world, taken_on=date(2026, 3, 20))
    assert "result_not_in" not in world.open_tasks("P1")
    assert "review_result" in world.open_tasks("P1")


def test_a_scan_report_settles_the_scan_and_leaves_vitamin_d_alone(world: World) -> None:
    record(world, ResultKind.DEXA)
    assert world.enrolment("dexa").step == "settled"
    assert world.enrolment("dexa").timer_on == date(2028, 3, 1)
    assert world.enrolment("vitamin_d").step == "ask"


def test_a_result_from_the_future_is_refused_and_nothing_changes(world: World) -> None:
    with pytest.raises(ValueError, match="2026-03-04, is in the future"):
        record(world, taken_on=date(2026, 3, 4))
    assert world.enrolment("vitamin_d").step == "ask"
    assert world.tasks() == []


def test_an_unknown_patient_is_named_with_the_remedy(world: World) -> None:
    with pytest.raises(UnknownPatientError, match="clinic main has no patient with MRN P9; `bonewise patients`"):
        record(world, mrn="P9")


def test_what_was_recorded_is_in_the_audit_without_the_value(world: World) -> None:
    record(world)
    with world.store.reading() as unit:
        entries = unit.installation.audit_entries(world.clinic.id)
    recorded = next(entry for entry in entries if entry[2] == "result recorded")
    assert recorded[1] == "command line"
    assert recorded[4] == "vitamin_d"


# Supplements


@pytest.fixture
def case(world: World) -> int:
    return open_case(world)


def open_case(world: World) -> int:
    """An open case, and a clinician who may decide it."""
    add_staff(world.store, world.clinic, email=CLINICIAN, role="clinician", now=world.clock.at)
    world.receive("P1", "SUPP magnesium")
    world.tick()
    with world.store.reading() as unit:
        (found,) = unit.worklist.clearances(world.clinic.id)
    return found.id


def decide(world: World, case: int, decision: Decision = Decision.CLEARED, by: str = CLINICIAN) -> None:
    decide_clearance(world.store, world.rules, case=case, decision=decision, by=by, now=world.clock.at)


@pytest.mark.parametrize("decision", list(Decision))
def test_the_patient_gets_the_wording_of_the_decision_and_the_task_is_done(
    world: World, case: int, decision: Decision
) -> None:
    decide(world, case, decision)
    world.tick()
    assert world.ledger("P1")[-1].template == decision.value
    assert world.ledger("P1")[-1].sent_at is not None
    assert world.open_tasks("P1") == set()
    assert world.enrolment("supplement").step == "resting"


def test_news_from_the_clinic_waits_for_the_morning(world: World, case: int) -> None:
    world.run_until(new_york(3, 3, 22, 0))
    decide(world, case)
    assert world.tick().sent == 0
    world.run_until(new_york(3, 4, 9, 1))
    assert world.ledger("P1")[-1].template == "cleared"
    assert world.ledger("P1")[-1].sent_at == new_york(3, 4, 9, 0)


def test_only_a_clinician_of_the_clinic_decides(world: World, case: int) -> None:
    add_staff(world.store, world.clinic, email="desk@harbor.example", role="coordinator", now=world.clock.at)
    for somebody in ("desk@harbor.example", "nobody@harbor.example"):
        with pytest.raises(CaseError, match="is not a clinician of clinic main"):
            decide(world, case, by=somebody)
    assert "supplement_clearance" in world.open_tasks("P1")


def test_a_case_is_decided_once(world: World, case: int) -> None:
    decide(world, case)
    with pytest.raises(CaseError, match=r"already decided: cleared by dr@harbor\.example"):
        decide(world, case, Decision.NOT_CLEARED)


def test_a_case_that_does_not_exist_is_named(world: World) -> None:
    with pytest.raises(CaseError, match="no supplement case 99"):
        decide(world, 99)


def test_an_undecided_case_becomes_urgent_and_the_patient_hears_that_it_waits(world: World, case: int) -> None:
    world.run_until(new_york(3, 8, 12, 0))
    (task,) = [task for task in world.tasks("P1") if task.kind == "supplement_clearance"]
    assert task.priority == "urgent"
    world.run_until(new_york(3, 11, 12, 0))
    assert "still_waiting" in [row.template for row in world.ledger("P1") if row.sent_at]


# Several supplements of one patient


def ask(world: World, named: str) -> None:
    """Staff ask a clinician about a supplement."""
    about = Deciding(world.clinic, "P1", "desk@harbor.example", world.clock.at)
    ask_clinician(world.store, world.rules, about, named)


def cases(world: World) -> dict[str, int]:
    with world.store.reading() as unit:
        return {one.named: one.id for one in unit.worklist.clearances(world.clinic.id)}


def answers(world: World) -> list[str]:
    """What the patient was told of decisions."""
    return [row.template for row in world.ledger("P1") if row.sent_at and row.template in list(Decision)]


def test_nothing_is_said_and_the_task_stays_until_the_last_case_is_decided(world: World, case: int) -> None:
    world.receive("P1", "SUPP Iron")
    decide(world, case)
    world.tick()
    assert answers(world) == []
    assert world.open_tasks("P1") == {"supplement_clearance"}
    assert world.enrolment("supplement").step == "waiting"
    decide(world, cases(world)["Iron"])
    world.tick()
    assert answers(world) == ["cleared"]
    assert world.open_tasks("P1") == set()
    assert world.enrolment("supplement").step == "resting"


def test_who_waits_for_a_second_decision_hears_that_it_waits(world: World, case: int) -> None:
    world.receive("P1", "SUPP Iron")
    decide(world, case)
    world.run_until(new_york(3, 11, 12, 0))
    assert "still_waiting" in [row.template for row in world.ledger("P1") if row.sent_at]
    (task,) = [task for task in world.tasks("P1") if task.kind == "supplement_clearance"]
    assert (task.status, task.priority) == ("open", "urgent")


def test_one_cleared_and_one_not_is_a_matter_to_come_in_for(world: World, case: int) -> None:
    ask(world, "Iron")
    decide(world, cases(world)["Iron"], Decision.NOT_CLEARED)
    decide(world, case)
    world.tick()
    assert answers(world) == ["come_in"]
    with world.store.reading() as unit:
        signed = [one.decision for one in unit.worklist.clearances(world.clinic.id)]
    assert signed == ["cleared", "not_cleared"]


def test_what_is_asked_after_an_answer_has_an_answer_of_its_own(world: World, case: int) -> None:
    decide(world, case, Decision.NOT_CLEARED)
    world.run_until(new_york(3, 4, 12, 0))
    world.receive("P1", "SUPP Iron")
    decide(world, cases(world)["Iron"])
    world.tick()
    assert answers(world) == ["not_cleared", "cleared"]


def test_an_answer_that_waits_for_the_morning_does_not_go_once_another_is_asked_about(
    world: World, case: int
) -> None:
    world.run_until(new_york(3, 3, 22, 0))
    decide(world, case, Decision.NOT_CLEARED)
    world.run_until(new_york(3, 3, 22, 30))
    ask(world, "Iron")
    world.run_until(new_york(3, 5, 12, 0))
    assert answers(world) == []
    decide(world, cases(world)["Iron"])
    world.tick()
    assert answers(world) == ["come_in"]  # for both
    world.run_until(new_york(3, 5, 13, 0))
    ask(world, "Zinc")
    decide(world, cases(world)["Zinc"])
    world.run_until(new_york(3, 6, 12, 0))
    assert answers(world) == ["come_in", "cleared"]


def test_the_same_supplement_is_asked_about_once_while_it_waits(world: World, case: int) -> None:
    world.receive("P1", "SUPP Magnesium!")
    with pytest.raises(CareError, match="“magnesium” waits for a clinician already"):
        ask(world, "MAGNESIUM")
    assert list(cases(world)) == ["magnesium"]
    assert [row.template for row in world.ledger("P1")].count("clinic_asked") == 2
    decide(world, case)
    assert world.open_tasks("P1") == set()
    ask(world, "Magnesium")  # once decided it can be asked about anew
    assert len(cases(world)) == 2


def test_the_task_closes_for_a_patient_who_is_on_no_pathway_about_it(world: World) -> None:
    world.enrol_sms("P2", pathways="vitamin_d")
    add_staff(world.store, world.clinic, email=CLINICIAN, role="clinician", now=world.clock.at)
    about = Deciding(world.clinic, "P2", "desk@harbor.example", world.clock.at)
    ask_clinician(world.store, world.rules, about, "Zinc")
    assert world.open_tasks("P2") == {"supplement_clearance"}
    decide(world, cases(world)["Zinc"])
    assert world.open_tasks("P2") == set()


def test_results_and_decisions_are_kept_by_postgresql_as_by_sqlite(postgres_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=postgres_url, folder=tmp_path) as world:
        world.enrol_sms()
        world.run_until(new_york(3, 3, 12, 0))
        case = open_case(world)
        decide(world, case)
        with pytest.raises(CaseError, match="already decided"):
            decide(world, case)
        record(world, next_months=3)
        world.tick()
        assert world.open_tasks("P1") == {"review_result"}
        assert world.enrolment("vitamin_d").timer_on == date(2026, 6, 1)
        assert world.ledger("P1")[-1].template == "cleared"
