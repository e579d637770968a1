"""Tasks that close by themselves: a number corrected, consent given, a result in, a patient who has died."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel, ConsentSource
from scheduler.domain.tasks import ServiceTask, TaskStep
from scheduler.records import Patient
from scheduler.services.consenting import record_consent
from scheduler.services.facts import ResultKind, add_result
from scheduler.services.intake.draft import Exclusion
from scheduler.services.new_tasks import patient_task
from scheduler.services.settled_tasks import settled_by
from tests.support.office import open_task, steps
from tests.support.worlds import MONDAY, World, new_york, world_at

PAT = "pat@harbor.example"


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as made:
        yield made


def test_the_result_of_one_pathway_leaves_what_another_waits_for(world: World) -> None:
    patient = world.enrol_sms("P1")
    with world.store.writing() as unit:
        for pathway in ("dexa", "vitamin_d"):
            kind = "result_not_in"
            new = patient_task(world.rules, kind, world.clinic, patient.id, pathway=pathway, now=world.clock.at)
            unit.worklist.open([new], now=world.clock.at)
    assert len(world.tasks("P1")) == 2
    record(world, ResultKind.VITAMIN_D)
    assert sorted((task.kind, task.status) for task in world.tasks("P1")) == [
        ("result_not_in", "cancelled"),
        ("result_not_in", "open"),
        ("review_result", "open"),
    ]
    record(world, ResultKind.DEXA)
    assert world.open_tasks("P1") == {"review_result"}
    assert sum(task.status == "open" for task in world.tasks("P1")) == 2  # two results to review


def record(world: World, kind: ResultKind) -> None:
    add_result(
        world.store,
        world.rules,
        world.clinic,
        mrn="P1",
        kind=kind,
        taken_on=date(2026, 3, 1),
        value=None,
        unit=None,
        next_months=None,
        by="test",
        now=world.clock.at,
    )


@pytest.mark.parametrize("kind", [ServiceTask.CHECK_NUMBER, ServiceTask.WRONG_NUMBER])
def test_a_corrected_number_closes_what_asked_for_it(world: World, kind: ServiceTask) -> None:
    world.enrol_sms("P1")
    with world.store.writing() as unit:
        unit.patients.mark_bad(world.clinic.id, world.patient("P1").id, Channel.SMS)
    task = open_task(world, kind, world.patient("P1"))
    world.enrol("P1", phone=world.patient("P1").phone or "", sms_consent="yes", contact_time="10:00")
    assert world.open_tasks("P1") == {kind}  # another change corrects nothing
    world.enrol("P1", phone="+16175558888", sms_consent="yes", contact_time="10:00")
    assert world.open_tasks("P1") == set()
    assert steps(world, task)[-1][:3] == (TaskStep.CLOSED, "service", "settled")


def test_a_corrected_mailbox_leaves_a_wrong_number_open(world: World) -> None:
    world.enrol_sms("P1")
    with world.store.writing() as unit:
        unit.patients.mark_bad(world.clinic.id, world.patient("P1").id, Channel.SMS)
    open_task(world, ServiceTask.WRONG_NUMBER, world.patient("P1"))
    world.enrol("P1", phone=world.patient("P1").phone or "", sms_consent="yes", email="new@patients.example")
    assert world.open_tasks("P1") == {ServiceTask.WRONG_NUMBER}


def test_who_cannot_be_reached_at_all_becomes_a_task_until_there_is_a_way(world: World) -> None:
    world.enrol("P1")
    world.run_until(new_york(3, 5, 12, 0))
    assert [row.status for row in world.ledger("P1")][:1] == [MessageStatus.SKIPPED]
    assert world.open_tasks("P1") == {ServiceTask.NO_CHANNEL}
    world.enrol("P1", phone="+16175558888")
    assert world.open_tasks("P1") == {ServiceTask.NO_CHANNEL}  # a number that may not be used yet
    consent(world, granted=True)
    assert world.open_tasks("P1") == set()


def test_whoever_only_lacks_consent_is_no_task(world: World) -> None:
    world.enrol("P1", phone="+16175558888")
    world.run_until(new_york(3, 5, 12, 0))
    assert world.open_tasks("P1") == set()


def consent(world: World, *, granted: bool) -> None:
    with world.store.writing() as unit:
        record_consent(
            unit,
            world.patient("P1"),
            Channel.SMS,
            granted=granted,
            source=ConsentSource.STAFF,
            given_on=date(2026, 3, 5),
            by=PAT,
            now=world.clock.at,
        )


def test_a_revocation_closes_nothing(world: World) -> None:
    patient = world.enrol_sms("P1")
    open_task(world, ServiceTask.NO_CHANNEL, patient)
    consent(world, granted=False)
    assert world.open_tasks("P1") == {ServiceTask.NO_CHANNEL}


def test_nobody_is_asked_to_call_a_patient_who_has_died(world: World) -> None:
    patient = world.enrol_sms("P1")
    other = world.enrol_sms("P2")
    task = open_task(world, "call_patient", patient)
    open_task(world, "call_patient", other)
    world.exclude("P1", Exclusion.DECEASED)
    assert world.open_tasks("P1") == set()
    assert world.open_tasks("P2") == {"call_patient"}
    assert steps(world, task)[-1] == (TaskStep.CLOSED, "service", "settled", "the patient has died")


# The rule alone


@given(
    st.sampled_from([None, "+1", "+2"]),
    st.sampled_from([None, "+1", "+2"]),
    st.booleans(),
    st.booleans(),
)
def test_no_task_about_a_number_closes_while_the_number_is_known_to_be_bad(
    before: str | None, after: str | None, is_bad: bool, agreed: bool
) -> None:
    def patient(phone: str | None, *, bad: bool) -> Patient:
        return Patient(
            id=UUID(int=1),
            clinic_id=1,
            mrn="P1",
            name="Pat",
            phone=phone,
            phone_bad=bad,
            sms_consent=agreed,
            language="en",
            timezone="America/New_York",
            channel=Channel.SMS,
        )

    found = set(settled_by(patient(before, bad=True), patient(after, bad=is_bad)))
    # Whether another number may be texted is asked anew.
    assert (ServiceTask.CONFIRM_NUMBER in found) == (before != after)
    if after is not None and is_bad:
        assert found <= {ServiceTask.CONFIRM_NUMBER}
    is_right = before != after or (before is not None and not is_bad)  # corrected, or confirmed
    assert (ServiceTask.WRONG_NUMBER in found) == (is_right and not (after is not None and is_bad))
    assert (ServiceTask.NO_CHANNEL in found) == (after is not None and not is_bad and agreed)
