"""A provider that refuses one patient's number day after day, with a code that nobody knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.domain.people import PatientStatus
from tests.support.over_twilio import fates, look_now_and_then, world_over
from tests.support.twilio_server import Fault, FaultKind, TwilioServer
from tests.support.worlds import World, phone_of

STRANGE = Fault(FaultKind.ANSWER, status=400, code=99999)
REFUSED = ("failed", "99999")


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    with TwilioServer() as server:
        yield server


@pytest.fixture
def world(database_url: str, tmp_path: Path, twilio: TwilioServer) -> Iterator[World]:
    with world_over(twilio.url, database_url=database_url, folder=tmp_path) as world:
        twilio.clock = lambda: world.clock.now().timestamp()
        for mrn in ("P1", "P2"):
            world.enrol_sms(mrn, pathways="vitamin_d")
        yield world


def tasks(world: World, mrn: str = "P1") -> list[tuple[str, str, str]]:
    return [(task.kind, task.status, task.note) for task in world.tasks(mrn)]


def test_the_third_refusal_in_a_row_is_a_task_with_its_code(world: World, twilio: TwilioServer) -> None:
    twilio.fail(STRANGE, to=phone_of("P1"))
    look_now_and_then(world, days=(3, 4))
    assert (fates(world), tasks(world)) == ([REFUSED] * 2, [])
    look_now_and_then(world, days=(5,))
    assert (fates(world), tasks(world)) == ([REFUSED] * 3, [("check_number", "open", "sms: 99999")])
    assert world.patient().status is PatientStatus.ACTIVE


def test_it_is_one_task_however_often_it_is_refused_and_nobody_elses(world: World, twilio: TwilioServer) -> None:
    twilio.fail(STRANGE, to=phone_of("P1"))
    look_now_and_then(world, days=range(3, 10))
    assert len(fates(world)) > 3
    assert tasks(world) == [("check_number", "open", "sms: 99999")]
    assert tasks(world, "P2") == []


def test_a_text_that_goes_in_between_begins_the_count_anew(world: World, twilio: TwilioServer) -> None:
    twilio.fail(STRANGE, to=phone_of("P1"))
    look_now_and_then(world, days=(3, 4))
    twilio._faults_to.clear()
    look_now_and_then(world, days=(5,))
    twilio.fail(STRANGE, to=phone_of("P1"))
    look_now_and_then(world, days=range(6, 13))
    assert fates(world)[:3] == [REFUSED, REFUSED, ("sent", None)]
    assert tasks(world) == []
