"""Lost answers over Twilio's protocol: its own list settles them, and nobody gets a text twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.services.aftermath import ASK_AFTER
from scheduler.services.plan import plan_all_due
from scheduler.services.reconcile import MARGIN, Reconciled
from tests.support.over_twilio import DAY_1, world_over
from tests.support.twilio_rules import new_message
from tests.support.twilio_server import ACCOUNT, Fault, FaultKind, TwilioServer
from tests.support.worlds import World, new_york

S = MessageStatus
CLOSED = new_york(3, 3, 20, 0)
TAKEN = [
    Fault(FaultKind.HANG),
    Fault(FaultKind.CLOSE),
    Fault(FaultKind.CUT),
    Fault(FaultKind.GARBAGE),
    Fault(FaultKind.ANSWER, status=500, code=20500, taken=True),
]
NOT_TAKEN = [Fault(FaultKind.ANSWER, status=500, code=20500), Fault(FaultKind.IGNORE)]


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    with TwilioServer() as server:
        yield server


@pytest.fixture
def world(database_url: str, tmp_path: Path, twilio: TwilioServer) -> Iterator[World]:
    with world_over(twilio.url, database_url=database_url, folder=tmp_path) as world:
        yield world


def sent_into_the_dark(world: World, twilio: TwilioServer, fault: Fault) -> None:
    """P1's first text, with `fault` in the place of an answer."""
    world.enrol_sms("P1", pathways="vitamin_d")
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, world.clock.at)
    twilio.fail(fault)
    world.app.delivery.deliver_all(Channel.SMS)
    date_back(world, twilio)
    assert status(world) is S.UNKNOWN


def date_back(world: World, twilio: TwilioServer) -> None:
    """The server lives by the machine's clock, the world by the test's: what has been taken was taken now."""
    for message in twilio.messages:
        message.at = world.clock.at.timestamp()


def status(world: World) -> MessageStatus:
    return world.ledger("P1")[0].status


def reconcile(world: World, *, after: timedelta = ASK_AFTER) -> Reconciled:
    world.clock.at = DAY_1 + after
    return world.app.reconciliation.run()


def name(fault: Fault) -> str:
    return f"{fault.kind.value}{fault.status if fault.kind is FaultKind.ANSWER else ''}"


@pytest.mark.parametrize("fault", TAKEN, ids=name)
def test_what_was_taken_is_found_and_linked(world: World, twilio: TwilioServer, fault: Fault) -> None:
    sent_into_the_dark(world, twilio, fault)
    assert reconcile(world) == Reconciled(asked=1, sent=1)
    assert status(world) is S.SENT
    assert world.ledger("P1")[0].provider_id == twilio.messages[0].sid
    assert world.tasks() == []
    assert len(twilio.messages) == 1


@pytest.mark.parametrize("fault", NOT_TAKEN, ids=name)
def test_what_was_not_taken_is_not_sent_that_day_and_goes_the_next(
    world: World, twilio: TwilioServer, fault: Fault
) -> None:
    sent_into_the_dark(world, twilio, fault)
    assert reconcile(world).not_sent == 0
    assert reconcile(world, after=CLOSED + MARGIN - DAY_1).not_sent == 1
    assert status(world) is S.NOT_SENT
    assert twilio.messages == []
    world.run_until(new_york(3, 4, 12, 0))
    assert Counter(message.form["To"] for message in twilio.messages) == {world.patient().phone: 1}


def test_a_list_that_shows_it_late_is_believed_when_it_does(world: World, twilio: TwilioServer) -> None:
    twilio.age.listed_after = 1e9
    sent_into_the_dark(world, twilio, Fault(FaultKind.CLOSE))
    assert reconcile(world) == Reconciled(asked=1)
    twilio.age.listed_after = 0
    assert reconcile(world, after=timedelta(minutes=10)).sent == 1
    assert status(world) is S.SENT


def test_one_that_waits_in_the_queue_has_been_taken(world: World, twilio: TwilioServer) -> None:
    twilio.age.sent_after = 1e9
    sent_into_the_dark(world, twilio, Fault(FaultKind.CLOSE))
    assert reconcile(world).sent == 1


def test_it_is_found_on_a_later_page(world: World, twilio: TwilioServer) -> None:
    sent_into_the_dark(world, twilio, Fault(FaultKind.HANG))
    first = twilio.messages[0]
    for number in range(250):  # another program of the clinic has much to say to this number
        form = {**first.form, "Body": f"Note {number}", "From": "+12125550111"}
        twilio.messages.append(new_message(ACCOUNT, ACCOUNT, form, b"", at=first.at))
    date_back(world, twilio)
    assert reconcile(world).sent == 1
    assert world.ledger("P1")[0].provider_id == first.sid


def test_one_that_the_carrier_has_refused_meanwhile_has_its_consequences(world: World, twilio: TwilioServer) -> None:
    sent_into_the_dark(world, twilio, Fault(FaultKind.CLOSE))
    twilio.messages[0].status, twilio.messages[0].error_code = "undelivered", 30005
    assert reconcile(world).sent == 1
    assert (status(world), world.ledger("P1")[0].reason) == (S.UNDELIVERED, "30005")
    assert world.open_tasks() == {"check_number"}


@pytest.mark.parametrize("list_fault", [Fault(FaultKind.ANSWER, status=503), Fault(FaultKind.DROP)], ids=name)
def test_while_twilio_cannot_be_asked_nothing_is_decided(
    world: World, twilio: TwilioServer, list_fault: Fault
) -> None:
    sent_into_the_dark(world, twilio, Fault(FaultKind.IGNORE))
    twilio.fail_list(list_fault)
    assert reconcile(world, after=CLOSED + MARGIN - DAY_1) == Reconciled()
    assert status(world) is S.UNKNOWN
    assert reconcile(world, after=timedelta(hours=13)).not_sent == 1
