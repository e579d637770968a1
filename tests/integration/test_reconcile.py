"""Texts whose hand-over got no readable answer: asked about, settled, or handed to a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.ports import Handed
from scheduler.services.aftermath import ASK_AFTER, Aftermath, Fallen
from scheduler.services.plan import plan_all_due
from scheduler.services.receipts import Receipt
from scheduler.services.reconcile import LAST_ASK, MARGIN, PATIENCE, Reconciled
from scheduler.store.engine import writing
from scheduler.store.questions import UNKNOWN
from scheduler.store.tables import messages
from tests.support.attempts import DAY_1, ended, provider_id_of, sending
from tests.support.fake_sms import Answer, FakeSms, texting_over_fake
from tests.support.web import TWILIO
from tests.support.worlds import MONDAY, World, new_york, world_at

S = MessageStatus
CLOSED = new_york(3, 3, 20, 0)  # the contact window of the first day


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path, settings=TWILIO) as world:
        yield world


@pytest.fixture
def sms(world: World) -> FakeSms:
    return texting_over_fake(world)


def unknown(world: World, sms: FakeSms, answer: Answer, *, pathway: str = "vitamin_d", **cells: str) -> None:
    """P1's first text gets no answer; the provider has it or not, as `answer` says."""
    world.enrol_sms("P1", pathways=pathway, **cells)
    sms.answers.append(answer)
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, world.clock.at)
    world.app.delivery.deliver_all(Channel.SMS)
    assert statuses(world) == [S.UNKNOWN]


def statuses(world: World, mrn: str = "P1") -> list[MessageStatus]:
    return [row.status for row in world.ledger(mrn)]


def reconcile(world: World, *, after: timedelta = ASK_AFTER) -> Reconciled:
    """What a round of asking does, some time after the first text."""
    world.clock.at = max(world.clock.at, DAY_1 + after)
    return world.app.reconciliation.run()


def reconcile_until(world: World, end: timedelta) -> Reconciled:
    """Every round of asking up to some time after the first text, each when it is due."""
    total = Reconciled()
    while True:
        with world.store.reading() as unit:
            due = unit.questions.next_ask()
        if due is None or due > DAY_1 + end:
            return total
        world.clock.at = max(world.clock.at + timedelta(seconds=1), due)
        total += world.app.reconciliation.run()


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


# Unclear


@pytest.mark.parametrize(
    ("body", "sender"),
    [(None, "+12125550111"), (None, None), ("other words", "+16175550100")],
    ids=["the same words from another sender", "the same words from nobody known", "other words from the clinic"],
)
def test_what_fits_in_part_is_neither_found_nor_absent(
    world: World, sms: FakeSms, body: str | None, sender: str | None
) -> None:
    unknown(world, sms, Answer.LOST)
    sms.hold(sms.sent[0].to, body or sms.sent[0].body, sender=sender)
    assert reconcile_until(world, timedelta(hours=12)).given_up == 1
    assert statuses(world) == [S.UNKNOWN]
    assert [task.kind for task in world.tasks("P1")] == ["delivery_unknown"]
    asked = len(sms.asked)
    reconcile_until(world, timedelta(days=9))
    assert len(sms.asked) == asked
    world.run_until(new_york(3, 5, 9, 0))
    assert len(sms.sent) == 1


def test_two_that_fit_are_for_a_person(world: World, sms: FakeSms) -> None:
    unknown(world, sms, Answer.TAKEN_UNSAID)
    sms.hold(sms.sent[0].to, sms.sent[0].body)
    reconcile_until(world, timedelta(hours=12))
    assert statuses(world) == [S.UNKNOWN]
    assert world.open_tasks() == {"delivery_unknown"}


def test_a_receipt_closes_the_task(world: World, sms: FakeSms) -> None:
    unknown(world, sms, Answer.TAKEN_UNSAID)
    sms.hold(sms.sent[0].to, sms.sent[0].body)
    reconcile_until(world, timedelta(hours=12))
    receipt = Receipt(attempt_id=sms.sent[0].attempt_id, provider_id=sms.held[0][1].provider_id, target=S.SENT)
    world.app.receipts.record(receipt, now=world.clock.at)
    assert [task.status for task in world.tasks()] == ["cancelled"]
    assert provider_id_of(world, sms.sent[0].attempt_id) == sms.held[0][1].provider_id


# The provider cannot be asked


def test_a_provider_that_is_away_is_left_alone_for_a_while(world: World, sms: FakeSms) -> None:
    for number in range(2, 30):
        world.enrol_sms(f"P{number}", pathways="vitamin_d")
    sms.answers = [Answer.TAKEN_UNSAID] * 28
    unknown(world, sms, Answer.TAKEN_UNSAID)
    sms.away = True
    for seconds in range(60):
        world.clock.at = DAY_1 + ASK_AFTER + timedelta(seconds=seconds)
        world.app.reconciliation.run()
    assert len(sms.asked) == 1
    sms.away = False
    assert reconcile_until(world, timedelta(minutes=10)).sent == 29
    assert len(sms.asked) == 30


def test_after_a_day_of_that_a_person_hears_of_it_once_and_the_list_still_settles_it(
    world: World, sms: FakeSms
) -> None:
    unknown(world, sms, Answer.TAKEN_UNSAID)
    sms.away = True
    assert reconcile_until(world, PATIENCE - timedelta(seconds=1)).given_up == 0
    assert world.tasks() == []
    assert reconcile_until(world, PATIENCE + timedelta(hours=2)).given_up == 1
    with world.store.writing() as unit:
        unit.worklist.close(
            world.clinic.id, [f"{world.ledger()[0].id.hex}:delivery_unknown"], now=world.clock.at, by="pat"
        )
    assert reconcile_until(world, PATIENCE + timedelta(hours=6)).given_up == 0
    assert len(world.tasks()) == 1
    sms.away = False
    assert reconcile_until(world, timedelta(hours=32)).sent == 1
    assert statuses(world) == [S.SENT]


def test_a_provider_that_never_comes_back_is_not_asked_for_ever(world: World, sms: FakeSms) -> None:
    unknown(world, sms, Answer.TAKEN_UNSAID)
    sms.away = True
    reconcile_until(world, LAST_ASK + timedelta(days=3))
    with world.store.reading() as unit:
        assert unit.questions.next_ask() is None
    assert statuses(world) == [S.UNKNOWN]
    assert world.open_tasks() == {"delivery_unknown"}


# Nobody to ask


def test_simulated_texts_have_no_list_so_a_person_hears_at_once(database_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        attempt = sending(world)
        lose(world, attempt)
        assert reconcile(world).given_up == 1
        assert reconcile(world, after=timedelta(days=2)) == Reconciled()
        assert world.open_tasks() == {"delivery_unknown"}


def test_mail_servers_have_no_list_so_a_person_hears_at_once(world: World) -> None:
    attempt = sending(world)
    with world.store.writing() as unit:
        connection = unit.questions._connection  # an e-mail, as far as the ledger is concerned
        connection.execute(messages.update().values(channel="email"))
    lose(world, attempt)
    assert world.open_tasks() == {"delivery_unknown"}
    with world.store.reading() as unit:
        assert unit.questions.next_ask() is None


def lose(world: World, attempt: UUID) -> None:
    """The answer to an attempt is lost, as delivery records it."""
    ended(world, attempt, S.UNKNOWN)
    with world.store.writing() as unit:
        tracked = unit.receipts.find(attempt, "")
        assert tracked is not None
        fallen = Fallen(unit.receipts.attempted(tracked).message, S.UNKNOWN, "timeout")
        Aftermath(world.rules).settle(unit, [fallen], now=world.clock.at)


# Several workers


def test_two_workers_do_not_ask_about_the_same_text(world: World, sms: FakeSms) -> None:
    unknown(world, sms, Answer.TAKEN_UNSAID)
    world.clock.at = DAY_1 + ASK_AFTER
    lease = world.clock.at + timedelta(minutes=10)
    with world.store.writing() as unit:
        assert len(unit.questions.claim(world.clock.at, limit=20, lease_until=lease)) == 1
    assert reconcile(world) == Reconciled()
    assert sms.asked == []
    world.clock.at = lease  # the worker that had it died
    assert reconcile(world).sent == 1


def test_a_worker_leaves_alone_what_another_is_claiming(database_url: str, world: World, sms: FakeSms) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has one writer at a time")
    unknown(world, sms, Answer.TAKEN_UNSAID)
    now = DAY_1 + ASK_AFTER
    with world.store.writing() as one, world.store.writing() as other:
        assert len(one.questions.claim(now, limit=20, lease_until=now)) == 1
        assert other.questions.claim(now, limit=20, lease_until=now) == []


def test_a_receipt_between_asking_and_recording_wins(world: World, sms: FakeSms) -> None:
    unknown(world, sms, Answer.LOST)

    class Overtaken(FakeSms):
        def find(self, *, to: str, since: datetime, until: datetime) -> list[Handed]:
            receipt = Receipt(attempt_id=sms.sent[0].attempt_id, provider_id="SM7", target=S.DELIVERED)
            world.app.receipts.record(receipt, now=world.clock.at)
            return []

    world.app.reconciliation._sms = Overtaken(world.clock)
    world.clock.at = CLOSED + MARGIN
    assert world.app.reconciliation.run().not_sent == 0
    assert statuses(world) == [S.DELIVERED]


def test_with_nothing_to_ask_no_writer_is_waited_for(world: World, sms: FakeSms) -> None:
    with world.store.writing():
        assert world.app.reconciliation.run() == Reconciled()
    assert sms.asked == []


def test_looking_for_something_to_ask_is_one_short_walk_along_an_index(world: World) -> None:
    query = select(messages.c.id).where(UNKNOWN, messages.c.ask_at <= DAY_1).order_by(messages.c.ask_at).limit(20)
    with writing(world.app.engine) as connection:
        words = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # the table is too small to tell
            plan = connection.exec_driver_sql(f"EXPLAIN {words}")
        else:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}")
        steps = "\n".join(str(row[-1]) for row in plan)
    assert "ix_messages_unknown" in steps
    assert not re.search(r"(?i)\bsort\b|temp b-tree", steps)
