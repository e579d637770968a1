"""What stops delivery as a whole, for whom, and how it goes on by itself when the cause is gone.

The store, the services and the Twilio client are real; the provider speaks Twilio's protocol over a socket.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.channels.twilio.settings import TwilioSettings
from scheduler.domain.messages import MessageStatus
from scheduler.records import Clinic
from tests.support.over_twilio import DAY_1, world_over
from tests.support.twilio_server import Fault, FaultKind, TwilioServer
from tests.support.worlds import World, new_york

S = MessageStatus
ABREAST = 2  # batches of one lane, on PostgreSQL
UNDER_WAY = ABREAST * TwilioSettings(account_sid="", username="", password="", public_url="").concurrency  # requests
MANY = 2 * UNDER_WAY
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)

NOT_OUR_ACCOUNT = Fault(FaultKind.ANSWER, status=401, code=20003)
NOT_OUR_NUMBER = Fault(FaultKind.ANSWER, status=400, code=21606)


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    with TwilioServer() as server:
        yield server


@pytest.fixture
def world(database_url: str, tmp_path: Path, twilio: TwilioServer) -> Iterator[World]:
    with world_over(twilio.url, database_url=database_url, folder=tmp_path) as world:
        twilio.clock = lambda: world.clock.now().timestamp()
        yield world


@dataclass(frozen=True, slots=True)
class Patients:
    """Patients of one clinic who are due at `DAY_1`, by their numbers."""

    world: World
    clinic: Clinic
    numbers: tuple[str, ...]

    def statuses(self) -> Counter[str]:
        return Counter(row.status.value for row in self.world.ledger(clinic=self.clinic))

    def tasks(self) -> list[tuple[str, str]]:
        return [(task.kind, task.status) for task in self.world.tasks(clinic=self.clinic)]


def patients_of(world: World, clinic: Clinic, *, count: int, exchange: int = 555) -> Patients:
    numbers = tuple(f"+1617{exchange}{1000 + n}" for n in range(count))
    cells = [{"phone": number, "sms_consent": "yes", "pathways": "vitamin_d"} for number in numbers]
    drafts = [world.draft(f"P{n}", each, clinic=clinic) for n, each in enumerate(cells)]
    assert world.import_drafts(drafts, clinic=clinic).created == count
    return Patients(world, clinic, numbers)


def second_clinic(world: World) -> Clinic:
    """Another clinic, which texts from a number of its own."""
    first = world.clinic
    other = world.change_clinic(world.add_clinic("hill"), sms_from="+16175550200")
    world.clinic = first
    return other


def answer_all(twilio: TwilioServer, fault: Fault) -> None:
    twilio.fail(fault, times=10_000)


def mend(twilio: TwilioServer) -> None:
    """Every request is answered as it should be from now on."""
    twilio._faults.clear()
    twilio._faults_to.clear()


def texts(twilio: TwilioServer) -> Counter[str]:
    return Counter(one.form["To"] for one in twilio.messages)


def once_each(*patients: Patients) -> dict[str, int]:
    return {number: 1 for each in patients for number in each.numbers}


def alarms(records: Iterable[logging.LogRecord]) -> int:
    return sum(record.levelno >= logging.ERROR for record in records)


# The account


def test_a_refused_account_is_asked_once_and_then_left_alone_until_the_probe(
    world: World, twilio: TwilioServer
) -> None:
    patients = patients_of(world, world.clinic, count=MANY)
    answer_all(twilio, NOT_OUR_ACCOUNT)
    world.tick_at(DAY_1)
    asked = twilio.posts
    assert 1 <= asked <= UNDER_WAY
    assert patients.statuses() == {"planned": MANY}
    for later in (SECOND, 30 * SECOND, MINUTE - SECOND):
        world.tick_at(DAY_1 + later)
    assert twilio.posts == asked
    world.tick_at(DAY_1 + MINUTE)
    assert twilio.posts == asked + 1
    world.tick_at(DAY_1 + 2 * MINUTE)  # the next one waits twice as long
    assert twilio.posts == asked + 1
    world.tick_at(DAY_1 + 3 * MINUTE)
    assert twilio.posts == asked + 2


def test_a_refused_account_is_told_of_once_and_each_clinic_has_one_task(
    world: World, twilio: TwilioServer, caplog: pytest.LogCaptureFixture
) -> None:
    harbor, hill = (patients_of(world, clinic, count=5) for clinic in (world.clinic, second_clinic(world)))
    answer_all(twilio, NOT_OUR_ACCOUNT)
    world.tick_at(DAY_1)
    world.run_until(DAY_1 + 20 * MINUTE)
    assert alarms(caplog.records) == 1
    assert "20003" in caplog.text
    assert harbor.tasks() == hill.tasks() == [("sender_refused", "open")]


def test_what_waited_for_the_account_goes_by_itself_and_the_tasks_close(world: World, twilio: TwilioServer) -> None:
    harbor = patients_of(world, world.clinic, count=MANY)
    hill = patients_of(world, second_clinic(world), count=5, exchange=556)
    answer_all(twilio, NOT_OUR_ACCOUNT)
    world.run_until(new_york(3, 3, 11, 0))
    assert harbor.statuses() + hill.statuses() == {"planned": MANY + 5}
    mend(twilio)
    world.run_until(new_york(3, 3, 11, 10))
    assert texts(twilio) == once_each(harbor, hill)
    assert harbor.statuses() + hill.statuses() == {"sent": MANY + 5}
    assert "open" not in {status for _, status in harbor.tasks() + hill.tasks()}


def test_while_the_account_is_refused_mail_goes_on(world: World, twilio: TwilioServer) -> None:
    patients = patients_of(world, world.clinic, count=3)
    world.enrol_email("E1", pathways="vitamin_d")
    answer_all(twilio, NOT_OUR_ACCOUNT)
    world.tick_at(DAY_1)
    world.enrol_email("E2", pathways="vitamin_d")
    world.run_until(new_york(3, 4, 9, 31))
    assert [row.status for mrn in ("E1", "E2") for row in world.ledger(mrn)] == [S.SENT, S.SENT]
    assert texts(twilio) == {}
    assert patients.statuses()["sent"] == 1 + 1  # the two mails: both kinds are in one ledger


# One sender


def test_a_refused_sender_stops_its_own_clinic_and_no_other(
    world: World, twilio: TwilioServer, caplog: pytest.LogCaptureFixture
) -> None:
    refused = patients_of(world, world.clinic, count=MANY)
    other = patients_of(world, second_clinic(world), count=MANY, exchange=556)
    for number in refused.numbers:
        twilio.fail(NOT_OUR_NUMBER, to=number)
    for later in (0 * SECOND, SECOND):  # the first batch has messages of both
        world.tick_at(DAY_1 + later)
    assert texts(twilio) == once_each(other)
    assert other.statuses() == {"sent": MANY}
    assert other.tasks() == []
    assert refused.statuses() == {"planned": MANY}
    assert refused.tasks() == [("sender_refused", "open")]
    assert alarms(caplog.records) == 1
    assert twilio.posts - MANY <= UNDER_WAY

    mend(twilio)
    world.run_until(DAY_1 + 10 * MINUTE)
    assert texts(twilio) == once_each(refused, other)
    assert "open" not in {status for _, status in refused.tasks()}


# Too many requests


def test_retry_after_holds_back_the_message_that_was_turned_away_and_no_other(
    world: World, twilio: TwilioServer
) -> None:
    patients = patients_of(world, world.clinic, count=20)
    late = patients.numbers[7]
    twilio.fail(Fault(FaultKind.ANSWER, status=429, code=20429, retry_after="240"), to=late)
    world.tick_at(DAY_1)
    assert patients.statuses() == {"sent": 19, "planned": 1}
    mend(twilio)
    world.run_until(DAY_1 + 240 * SECOND)
    assert texts(twilio)[late] == 0
    world.run_until(DAY_1 + 241 * SECOND)
    assert texts(twilio) == once_each(patients)


def test_five_turned_away_in_a_row_silence_the_channel_for_as_long_as_was_asked(
    world: World, twilio: TwilioServer
) -> None:
    patients = patients_of(world, world.clinic, count=MANY)
    answer_all(twilio, Fault(FaultKind.ANSWER, status=429, code=20429, retry_after="90"))
    world.tick_at(DAY_1)
    assert 5 <= twilio.posts <= UNDER_WAY + 5
    asked = twilio.posts
    mend(twilio)
    for later in (SECOND, 30 * SECOND, 89 * SECOND):
        world.tick_at(DAY_1 + later)
    assert twilio.posts == asked
    world.run_until(DAY_1 + 10 * MINUTE)
    assert texts(twilio) == once_each(patients)
    assert patients.statuses() == {"sent": MANY}


# An outage


@pytest.mark.parametrize(
    "fault",
    [Fault(FaultKind.IGNORE), Fault(FaultKind.ANSWER, status=503, code=20503), Fault(FaultKind.CLOSE)],
    ids=["never answered", "503", "taken and closed"],
)
def test_in_an_outage_few_texts_are_put_at_risk_and_the_others_wait(
    world: World, twilio: TwilioServer, fault: Fault
) -> None:
    patients = patients_of(world, world.clinic, count=MANY)
    answer_all(twilio, fault)
    world.tick_at(DAY_1)
    at_risk = twilio.posts
    assert at_risk <= UNDER_WAY + 5
    assert patients.statuses() == {"unknown": at_risk, "planned": MANY - at_risk}
    world.tick_at(DAY_1 + 30 * SECOND)
    assert twilio.posts == at_risk
    world.tick_at(DAY_1 + MINUTE)
    assert twilio.posts == at_risk + 1

    mend(twilio)
    world.run_until(DAY_1 + 10 * MINUTE)
    world.tick_at(new_york(3, 3, 20, 20))
    gone = set(texts(twilio))
    assert max(texts(twilio).values()) == 1
    assert patients.statuses() == +Counter(sent=len(gone), not_sent=MANY - len(gone))
    assert len(gone) >= MANY - at_risk - 1
    world.run_until(new_york(3, 4, 12, 0))
    assert texts(twilio) == once_each(patients)
    assert patients.tasks() == []


def test_a_few_texts_that_hang_among_many_are_no_outage(world: World, twilio: TwilioServer) -> None:
    """They are given up last, one after the other, when all that was handed over after them has long been taken."""
    patients = patients_of(world, world.clinic, count=MANY)
    for number in patients.numbers[: MANY // 2 : 16]:
        twilio.fail(Fault(FaultKind.IGNORE), to=number)
    lost = len(twilio._faults_to)
    assert lost == 8
    world.tick_at(DAY_1)
    assert patients.statuses() == {"sent": MANY - lost, "unknown": lost}
    with world.store.reading() as unit:
        assert not any(lane.breaker.is_open for lane in unit.lanes.all().values())


def test_an_outage_of_one_provider_does_not_hold_up_mail(world: World, twilio: TwilioServer) -> None:
    patients_of(world, world.clinic, count=MANY)
    world.enrol_email("E1", pathways="vitamin_d")
    answer_all(twilio, Fault(FaultKind.IGNORE))
    world.tick_at(DAY_1)
    assert [row.status for row in world.ledger("E1")] == [S.SENT]
