"""Tasks about messages that close by themselves, and say why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.domain.tasks import ServiceTask
from scheduler.ports import ErrorClass, OutboundEmail, OutboundSms, Outcome, Scope, SendResult
from scheduler.services.clinics import add_staff
from scheduler.services.lanes import sender_key
from scheduler.services.leases import LEASE
from scheduler.services.new_tasks import patient_task
from scheduler.services.numbers import confirm_number
from scheduler.services.plan import plan_all_due
from scheduler.services.receipts import Receipt
from scheduler.services.settled_messages import refusal_cause, sender_cause
from tests.support.deliveries import delivery_of
from tests.support.fake_email import FakeEmail, accepted
from tests.support.office import change, open_task, open_tasks
from tests.support.scripted_sms import Scripted
from tests.support.scripted_sms import accepted as taken
from tests.support.worlds import MONDAY, World, new_york, world_at

DAY_1 = new_york(3, 3)
PAT = "pat@harbor.example"


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


def ends(world: World) -> list[tuple[str, str, str]]:
    """(kind, status, resolution in words) of all tasks."""
    return [(task.kind, task.status, task.resolution_words) for task in world.tasks()]


# Nobody knew whether it went


def test_an_answer_that_comes_after_a_mail_was_held_for_lost_settles_it(world: World) -> None:
    world.enrol_email("P1", pathways="vitamin_d")

    class SlowMail(FakeEmail):
        def send(self, batch: Iterable[OutboundEmail | None]) -> Iterator[SendResult]:
            for mail in filter(None, batch):
                world.clock.at = DAY_1 + LEASE + timedelta(seconds=1)
                assert world.app.delivery.rescue().messages == 1
                assert world.open_tasks() == {"delivery_unknown"}
                yield accepted(mail)

    world.app.delivery._email = SlowMail()
    world.tick_at(DAY_1)
    assert [row.status for row in world.ledger()] == [MessageStatus.SENT]
    assert ends(world) == [("delivery_unknown", "cancelled", "the message went")]


# Refused for our own fault


def refuse_first(world: World, code: str, scope: Scope = Scope.MESSAGE) -> Scripted:
    """A provider that refuses the first text with `code`, and takes everything after it."""
    sms = Scripted()
    refusals = [code]

    def answers(batch: Iterator[OutboundSms | None]) -> Iterator[Any]:
        for message in filter(None, batch):
            if refusals:
                yield SendResult(
                    attempt_id=message.attempt_id,
                    outcome=Outcome.REFUSED,
                    code=refusals.pop(),
                    error_class=ErrorClass.CONFIGURATION,
                    scope=scope,
                )
            else:
                yield taken(message)

    sms.script = answers
    return sms


def test_a_fault_of_ours_is_mended_when_a_message_that_met_it_is_taken(world: World) -> None:
    world.enrol_sms(pathways="vitamin_d")
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, DAY_1)
    delivery = delivery_of(world, refuse_first(world, "21408"))
    delivery.deliver(Channel.SMS)
    assert world.open_tasks() == {"sender_refused"}
    open_tasks(world, refusal_cause(Channel.SMS, "30007"), kind=ServiceTask.SENDER_REFUSED)  # another fault
    world.clock.at += timedelta(minutes=6)
    assert delivery.deliver(Channel.SMS).sent == 1
    assert ends(world) == [
        ("sender_refused", "cancelled", "a message that was refused with this code was taken"),
        ("sender_refused", "open", ""),
    ]


def test_a_refused_sender_is_settled_when_the_provider_takes_a_message_again(world: World) -> None:
    world.enrol_sms(pathways="vitamin_d")
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, DAY_1)
    delivery = delivery_of(world, refuse_first(world, "21606", Scope.SENDER))
    delivery.deliver(Channel.SMS)
    assert world.open_tasks() == {"sender_refused"}
    world.clock.at += timedelta(minutes=2)
    assert delivery.deliver(Channel.SMS).sent == 1
    assert ends(world) == [("sender_refused", "cancelled", "messages are taken again")]


def test_another_e_mail_sender_settles_what_was_said_of_the_old_one(world: World) -> None:
    open_tasks(world, sender_cause(sender_key(Channel.EMAIL, world.clinic)), kind=ServiceTask.SENDER_REFUSED)
    change(world, digest_at="07:30")
    assert world.open_tasks() == {"sender_refused"}
    change(world, email_from="new@harbor.example")
    assert ends(world) == [("sender_refused", "cancelled", "the clinic's e-mail sender was changed")]


# A number that is in use, and was out of reach too often


def receipt(world: World, target: MessageStatus) -> None:
    """A receipt about the patient's message."""
    (row,) = [row for row in world.ledger() if row.sent_at]
    assert row.provider_id is not None
    one = Receipt(attempt_id=None, provider_id=row.provider_id, target=target)
    world.app.receipts.record(one, now=world.clock.at)


@pytest.mark.parametrize(("is_bad", "left"), [(False, set()), (True, {"check_number"})])
def test_a_message_that_arrives_settles_the_look_at_a_number_that_is_not_marked(
    world: World, is_bad: bool, left: set[str]
) -> None:
    patient = world.enrol_sms(pathways="vitamin_d")
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, DAY_1)
    delivery_of(world, Scripted()).deliver(Channel.SMS)
    open_task(world, ServiceTask.CHECK_NUMBER, patient)
    if is_bad:
        with world.store.writing() as unit:
            unit.patients.mark_bad(world.clinic.id, patient.id, Channel.SMS)
    receipt(world, MessageStatus.DELIVERED)
    assert world.open_tasks() == left


def test_staff_who_confirm_a_number_in_use_settle_the_look_at_it(world: World) -> None:
    add_staff(world.store, world.clinic, email=PAT, role="admin", now=world.clock.at)
    open_task(world, ServiceTask.CHECK_NUMBER, world.enrol_sms())
    confirmed = confirm_number(
        world.store, world.rules, world.clinic, mrn="P1", channel=Channel.SMS, by=PAT, now=world.clock.at
    )
    assert not confirmed
    assert ends(world) == [("check_number", "cancelled", "the phone number was confirmed")]


# Answers that come late


def test_a_supplement_that_is_named_after_all_needs_nobody_to_ask_for_its_name(world: World) -> None:
    patient = world.enrol_sms(pathways="supplement")
    with world.store.writing() as unit:
        kind = "supplement_unnamed"
        new = patient_task(world.rules, kind, world.clinic, patient.id, pathway="supplement", now=world.clock.at)
        unit.worklist.open([new], now=world.clock.at)
    world.receive("P1", "SUPP magnesium")
    world.tick()
    assert world.open_tasks() == {"supplement_clearance"}
