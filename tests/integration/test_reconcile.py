"""Texts whose hand-over got no readable answer: asked about, settled, or handed to a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.services.aftermath import ASK_AFTER
from scheduler.services.receipts import Receipt
from scheduler.services.reconcile import MARGIN, Reconciled
from tests.support.attempts import DAY_1, ended, sending
from tests.support.fake_sms import Answer, FakeSms, texting_over_fake
from tests.support.into_the_dark import CLOSED, reconcile, reconcile_until, statuses, unknown
from tests.support.web import TWILIO
from tests.support.worlds import MONDAY, World, new_york, world_at

S = MessageStatus


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path, settings=TWILIO) as world:
        yield world


@pytest.fixture
def sms(world: World) -> FakeSms:
    return texting_over_fake(world)


# Found


def test_a_text_that_the_provider_has_is_sent_with_its_id(world: World, sms: FakeSms) -> None:
    unknown(world, sms, Answer.TAKEN_UNSAID)
    assert reconcile(world) == Reconciled(asked=1, sent=1)
    (row,) = world.ledger()
    assert (row.status, row.provider_id, row.reason) == (S.SENT, sms.held[0][1].provider_id, None)
    assert world.tasks() == []
    assert len(sms.sent) == 1


def test_nobody_asks_before_a_receipt_had_its_chance(world: World, sms: FakeSms) -> None:
    unknown(world, sms, Answer.TAKEN_UNSAID)
    assert reconcile(world, after=ASK_AFTER - timedelta(seconds=1)) == Reconciled()
    assert sms.asked == []


def test_a_receipt_that_came_first_leaves_nothing_to_ask(world: World, sms: FakeSms) -> None:
    unknown(world, sms, Answer.TAKEN_UNSAID)
    receipt = Receipt(attempt_id=sms.sent[0].attempt_id, provider_id=sms.held[0][1].provider_id, target=S.DELIVERED)
    world.app.receipts.record(receipt, now=world.clock.at)
    assert reconcile(world) == Reconciled()
    assert statuses(world) == [S.DELIVERED]


@pytest.mark.parametrize(
    ("listed", "status"),
    [(S.DELIVERED, S.DELIVERED), (S.UNDELIVERED, S.UNDELIVERED), (S.SENT, S.SENT), (None, S.SENT)],
)
def test_it_is_settled_as_far_as_the_list_says(
    world: World, sms: FakeSms, listed: MessageStatus | None, status: MessageStatus
) -> None:
    unknown(world, sms, Answer.LOST)
    sms.hold(sms.sent[0].to, sms.sent[0].body, status=listed, code="30005" if listed is S.UNDELIVERED else None)
    assert reconcile(world).sent == 1
    assert statuses(world)[0] is status
    assert world.patient().phone_bad is (listed is S.UNDELIVERED)


def test_a_list_that_shows_it_late_is_asked_again_at_growing_intervals(world: World, sms: FakeSms) -> None:
    unknown(world, sms, Answer.TAKEN_UNSAID)
    sms.hidden = True
    asked = []
    for _ in range(7):
        with world.store.reading() as unit:
            due = unit.questions.next_ask()
        assert due is not None
        asked.append((due - DAY_1) // timedelta(minutes=1))
        world.clock.at = due
        world.app.reconciliation.run()
    assert asked == [2, 6, 14, 30, 62, 122, 182]
    sms.hidden = False
    reconcile_until(world, timedelta(hours=5))
    assert statuses(world) == [S.SENT]
    assert world.tasks() == []


def test_a_messaging_service_proves_the_sender_too(world: World, sms: FakeSms) -> None:
    service = "MG" + "a" * 32
    world.change_clinic(world.clinic, sms_from=None, messaging_service=service)
    unknown(world, sms, Answer.TAKEN_UNSAID)
    assert sms.held[0][1].sender is None
    assert reconcile(world).sent == 1


def test_two_patients_with_one_phone_each_get_the_text_that_is_theirs(world: World, sms: FakeSms) -> None:
    unknown(world, sms, Answer.TAKEN_UNSAID, phone="+16175550123")
    other = sending(world, "P2", phone="+16175550123")
    ended(world, other, S.SENT, sms.hold("+16175550123", sms.sent[0].body))
    assert reconcile(world).sent == 1
    assert statuses(world) == [S.SENT]
    assert {row.provider_id for row in world.ledger()} == {entry.provider_id for _, entry in sms.held}


# Absent


def test_a_text_that_the_provider_never_had_is_not_sent_once_it_can_no_longer_go(world: World, sms: FakeSms) -> None:
    unknown(world, sms, Answer.LOST)
    just_before = CLOSED + MARGIN - DAY_1 - timedelta(seconds=1)
    reconcile_until(world, just_before)
    assert statuses(world) == [S.UNKNOWN]
    assert reconcile_until(world, timedelta(hours=12)).not_sent == 1
    assert (world.ledger()[0].status, world.ledger()[0].reason) == (S.NOT_SENT, "absent")
    assert world.tasks() == []
    assert len(sms.sent) == 1


def test_the_question_that_never_left_goes_the_next_day(world: World, sms: FakeSms) -> None:
    unknown(world, sms, Answer.LOST)
    reconcile_until(world, timedelta(hours=12))
    world.run_until(new_york(3, 4, 12, 0))
    assert [(row.status, row.due_date) for row in world.ledger()] == [
        (S.NOT_SENT, date(2026, 3, 3)),
        (S.SENT, date(2026, 3, 4)),
    ]


def test_a_nudge_that_never_left_is_dropped(world: World, sms: FakeSms) -> None:
    unknown(world, sms, Answer.LOST, pathway="exercise")
    reconcile_until(world, timedelta(hours=12))
    assert statuses(world) == [S.NOT_SENT]
    assert world.enrolment("exercise").unanswered == 0
    assert world.enrolment("exercise").timer_on == date(2026, 3, 4)


def test_other_texts_to_the_number_do_not_make_it_found(world: World, sms: FakeSms) -> None:
    unknown(world, sms, Answer.LOST)
    sms.hold(sms.sent[0].to, "Your appointment is tomorrow", sender="+12125550111")
    world.clock.at = DAY_1 + timedelta(hours=2)
    sms.hold(sms.sent[0].to, sms.sent[0].body)  # the same words, but at another time
    assert reconcile_until(world, timedelta(hours=12)).not_sent == 1
