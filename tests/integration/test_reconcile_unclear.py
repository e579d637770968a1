"""Texts of unknown fate that nobody can settle: one task for a person, and no two workers at one of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import select

from scheduler.domain.messages import MessageStatus
from scheduler.ports import Handed
from scheduler.services.aftermath import ASK_AFTER, Aftermath, Fallen
from scheduler.services.answers import IN_A_ROW
from scheduler.services.receipts import Receipt
from scheduler.services.reconcile import LAST_ASK, MARGIN, PATIENCE, Reconciled
from scheduler.store.engine import writing
from scheduler.store.questions import UNKNOWN
from scheduler.store.tables import messages
from tests.support.attempts import DAY_1, ended, provider_id_of, sending
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
    sms.answers = 7 * [Answer.ACCEPTED, *(IN_A_ROW - 2) * [Answer.TAKEN_UNSAID]]  # too few in a row for an outage
    unsaid = sms.answers.count(Answer.TAKEN_UNSAID) + 1
    unknown(world, sms, Answer.TAKEN_UNSAID)
    sms.away = True
    for seconds in range(60):
        world.clock.at = DAY_1 + ASK_AFTER + timedelta(seconds=seconds)
        world.app.reconciliation.run()
    assert len(sms.asked) == 1
    sms.away = False
    assert reconcile_until(world, timedelta(minutes=10)).sent == unsaid
    assert len(sms.asked) == 1 + unsaid


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


def test_many_are_asked_about_at_once_once_the_provider_has_answered_for_the_first(
    world: World, sms: FakeSms
) -> None:
    for number in range(2, 5):
        world.enrol_sms(f"P{number}", pathways="vitamin_d")
    sms.answers = 3 * [Answer.TAKEN_UNSAID]
    unknown(world, sms, Answer.TAKEN_UNSAID)
    find, together, asked = sms.find, Barrier(3, timeout=30), list[str]()

    def slowly(*, to: str, since: datetime, until: datetime) -> list[Handed]:
        asked.append(to)
        if len(asked) > 1:
            together.wait()  # passes when three are asked about at the same time
        return find(to=to, since=since, until=until)

    sms.find = slowly  # type: ignore[method-assign]
    world.clock.at = DAY_1 + ASK_AFTER
    assert world.app.reconciliation.run().sent == 4
