"""Replies wait until they are understood: by whom does not matter, and nobody's is lost, doubled or out of order."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel, PatientStatus
from scheduler.domain.told_by_provider import hear_as_told
from scheduler.ports import Waiting
from scheduler.records import Reply
from scheduler.runtime.scheduler import EmbeddedScheduler
from scheduler.services import hearing
from scheduler.services.changes import write_changes
from scheduler.services.replies import Arrival, Fate, Inbound, Reception
from scheduler.services.understanding import AGAIN, BATCH, GIVEN_UP, HOPELESS
from tests.support.waiting import wait_until
from tests.support.worlds import MONDAY, World, new_york, phone_of, world_at

HEARING = "scheduler.services.hearing"
NOON = new_york(3, 3, 12, 0)
SECOND = timedelta(seconds=1)


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """P1 was asked about vitamin D this morning; it is noon."""
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        world.enrol_sms(pathways="vitamin_d")
        world.run_until(NOON)
        yield world


_sids = iter(range(1, 1_000_000))


def came_in(world: World, body: str, mrn: str = "P1", **more: Any) -> Reply:
    """A text is stored, as by a process that dies before anybody understands it."""
    inbound = Inbound(channel=Channel.SMS, sender=phone_of(mrn), body=body, provider_id=f"SM{next(_sids)}", **more)
    arrival = Arrival(inbound=inbound, at=world.clock.at, clinic=world.clinic)
    (taken,) = Reception(store=world.store, rules=world.rules).take_in([arrival])
    assert taken.fate is Fate.WAITING
    assert taken.reply is not None
    return taken.reply


def meanings(world: World, mrn: str = "P1") -> list[str | None]:
    with world.store.reading() as unit:
        return [reply.meaning for reply in unit.inbox.replies(world.clinic.id, mrn=mrn)]


def is_waiting(world: World) -> bool:
    with world.store.reading() as unit:
        return unit.gauges.look(world.clock.at).is_spoken_to


def answers(world: World, mrn: str = "P1") -> list[str]:
    return [row.template for row in world.ledger(mrn) if row.kind == "reply" and row.sent_at]


def notes(world: World) -> list[tuple[str, str]]:
    return [(task.kind, task.note) for task in world.tasks() if task.status == "open"]


# Somebody understands them


def test_what_a_dead_process_left_is_understood_and_answered_by_the_next_tick(world: World) -> None:
    came_in(world, "1")
    assert is_waiting(world)
    assert meanings(world) == [None]
    report = world.tick()
    assert (report.understood, report.sent) == (1, 1)
    assert meanings(world) == ["answer"]
    assert answers(world) == ["thanks_done"]
    assert not is_waiting(world)
    assert world.tick().understood == 0


def test_a_reply_counts_from_when_it_was_received_however_late_it_is_understood(world: World) -> None:
    came_in(world, "1")
    world.clock.at += timedelta(days=1)
    world.tick()
    assert world.enrolment("vitamin_d").silence_from == NOON.date()
    assert answers(world) == []  # hours later a thank-you would only confuse
    assert [row.status for row in world.ledger() if row.kind == "reply"] == [MessageStatus.EXPIRED]


@pytest.mark.reports
def test_engines_see_that_replies_wait_and_may_take_so_many_at_once(world: World) -> None:
    world.tick()
    assert world.app.ticker.look() == Waiting(plan=0, deliver={})
    came_in(world, "HELP")
    assert world.app.ticker.look() == Waiting(plan=0, deliver={}, understand=True)
    assert world.app.ticker.understand_all(limit=1) == 1
    assert not world.app.ticker.look().understand


def test_the_scheduler_of_one_process_understands_what_waits(world: World) -> None:
    came_in(world, "HELP")
    scheduler = EmbeddedScheduler(
        work=world.app.ticker, store=world.store, worker="w", every=0.01, turn=world.app.turn
    )
    scheduler.start()
    try:
        wait_until(lambda: answers(world) == ["help"], what="the answer", seconds=10)
    finally:
        scheduler.stop()


def test_a_patients_replies_are_heard_in_their_order(world: World) -> None:
    for body in ("3", "PAUSE 1 WEEK", "STOP", "START"):
        came_in(world, body)
        world.clock.at += SECOND
    world.tick()
    assert world.patient().status is PatientStatus.ACTIVE
    assert meanings(world)[-2:] == ["stop", "start"]
    came_in(world, "START")
    world.clock.at += SECOND
    came_in(world, "STOP")
    world.tick()
    assert world.patient().status is PatientStatus.STOPPED


def test_several_processes_understand_each_reply_once_and_in_order(world: World) -> None:
    patients = 3 * BATCH
    for number in range(patients):
        world.enrol_sms(f"M{number}", pathways="exercise", phone=f"+1617555{number:04d}")
    said = ("hello it is me", "my knee is odd today", "sorry to bother you", "HELP")
    for body in said:
        for number in range(patients):
            inbound = Inbound(
                channel=Channel.SMS, sender=f"+1617555{number:04d}", body=body, provider_id=f"SM{next(_sids)}"
            )
            arrival = Arrival(inbound=inbound, at=world.clock.at, clinic=world.clinic)
            Reception(store=world.store, rules=world.rules).take_in([arrival])
        world.clock.at += SECOND
    others = [world.second_process() for _ in range(3)]
    begin = threading.Barrier(len(others))

    def understand(other: World) -> int:
        begin.wait()
        return other.app.understanding.run()

    with ThreadPoolExecutor(len(others)) as threads:
        done = list(threads.map(understand, others))
    for other in others:
        other.app.close()
    world.app.understanding.run()  # what one left for another that had just ended
    assert sum(done) <= patients * len(said)
    assert not is_waiting(world)
    planned = Counter(row.patient for row in world.ledger() if row.kind == "reply" and row.template == "help")
    assert planned == {f"M{number}": 1 for number in range(patients)}
    by_patient = {task.patient: task.note for task in world.tasks() if task.kind == "unclear_reply"}
    assert len(by_patient) == patients
    assert set(by_patient.values()) == {"hello it is me\nmy knee is odd today\nsorry to bother you"}


def test_a_second_thread_of_the_process_leaves_it_to_the_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    came_in(world, "HELP")
    found: list[int] = []
    hear = hearing.Hearing.hear

    def meanwhile(self: hearing.Hearing, *args: Any, **named: Any) -> Any:
        with ThreadPoolExecutor(1) as other:
            found.append(other.submit(world.app.understanding.run).result())
        return hear(self, *args, **named)

    monkeypatch.setattr(hearing.Hearing, "hear", meanwhile)
    assert world.app.understanding.run() == 1
    assert found == [0, 0]  # beside the batch, and beside the look that found nothing more


# What cannot be understood


def test_a_reply_that_raises_is_put_aside_with_its_words_and_holds_up_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.enrol_sms("P2", pathways="vitamin_d")
    hear = hear_as_told

    def fails_on_one(situation: Any, text: str, *args: Any, **named: Any) -> Any:
        if text == "boom":
            raise RuntimeError("out of order")
        return hear(situation, text, *args, **named)

    monkeypatch.setattr(f"{HEARING}.hear_as_told", fails_on_one)
    came_in(world, "boom")
    came_in(world, "HELP", "P2")
    world.clock.at += SECOND
    came_in(world, "1")
    world.tick()
    assert meanings(world) == ["unclear", "answer"]
    assert meanings(world, "P2") == ["help"]
    assert ("unclear_reply", "boom") in notes(world)


def test_a_reply_whose_consequences_cannot_be_written_is_tried_again_and_then_put_aside(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.enrol_sms("P2", pathways="vitamin_d")
    write = write_changes

    def fails_with_messages(unit: Any, rules: Any, decisions: Any, *, now: Any) -> None:
        if any(message.template == "thanks_done" for one in decisions for message in one.change.messages):
            raise RuntimeError("out of order")
        write(unit, rules, decisions, now=now)

    monkeypatch.setattr(f"{HEARING}.write_changes", fails_with_messages)
    came_in(world, "1")
    came_in(world, "HELP", "P2")
    world.tick()
    assert meanings(world) == [None]
    assert meanings(world, "P2") == ["help"]
    assert not is_waiting(world)
    world.clock.at += AGAIN
    assert is_waiting(world)
    world.tick()
    world.clock.at += GIVEN_UP
    world.tick()
    assert meanings(world) == ["unclear"]
    assert notes(world) == [("unclear_reply", "1")]


def test_when_not_even_a_task_can_be_opened_the_reply_waits_an_hour(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of order")

    came_in(world, "1")
    world.clock.at += GIVEN_UP
    with monkeypatch.context() as broken:
        broken.setattr(f"{HEARING}.write_changes", fails)
        world.tick()
        assert not is_waiting(world)
    world.clock.at += HOPELESS
    world.tick()
    assert meanings(world) == ["answer"]


def test_a_reply_that_cannot_be_opened_waits_an_hour_and_holds_up_nobody(world: World) -> None:
    reply = came_in(world, "1")
    with world.app.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE replies SET body = sender")
    world.clock.at += SECOND
    came_in(world, "HELP")
    world.tick()
    with world.store.reading() as unit, pytest.raises(Exception, match=r"replies\.body"):
        unit.inbox.reply(world.clinic.id, reply.id)
    world.clock.at += SECOND
    world.tick()
    assert answers(world) == ["help"]


# Several texts in a row


def test_what_is_not_understood_is_acknowledged_once_a_day_and_is_one_task_with_all_words(world: World) -> None:
    for body in ("Hi, it's me", "my knee is odd today", "sorry to bother you"):
        came_in(world, body)
        world.clock.at += timedelta(seconds=3)
    world.tick()
    world.clock.at += timedelta(hours=2)
    came_in(world, "hello??")
    world.tick()
    assert answers(world) == ["unclear"]
    words = "Hi, it's me\nmy knee is odd today\nsorry to bother you\nhello??"
    assert notes(world) == [("unclear_reply", words)]
    world.clock.at = new_york(3, 4, 0, 30)
    came_in(world, "are you there")
    world.tick()
    assert answers(world) == ["unclear", "unclear"]


def test_texts_in_a_row_over_midnight_are_acknowledged_once(world: World) -> None:
    world.run_until(new_york(3, 3, 23, 59) + 55 * SECOND)
    came_in(world, "are you there")
    world.tick()
    world.clock.at += 8 * SECOND
    came_in(world, "anybody")
    world.tick()
    assert answers(world) == ["unclear"]


def test_words_that_come_after_the_task_was_closed_are_a_new_task(world: World) -> None:
    came_in(world, "my knee is odd today")
    world.tick()
    with world.store.writing() as unit:
        unit.worklist.close(world.clinic.id, [f"{world.patient().id.hex}:unclear_reply"], now=world.clock.at)
    came_in(world, "it is worse now")
    world.tick()
    assert notes(world) == [("unclear_reply", "it is worse now")]


# Pictures, and taps


def test_a_picture_without_words_is_a_task_that_says_so(world: World) -> None:
    reply = came_in(world, "", media=2)
    world.tick()
    (task,) = notes(world)
    assert task[0] == "unclear_reply"
    assert "2 pictures or files came without words" in task[1]
    assert str(reply.provider_id) in task[1]


def test_a_picture_with_an_answer_answers_and_is_somebodys_to_look_at(world: World) -> None:
    came_in(world, "1", media=1)
    world.tick()
    assert answers(world) == ["thanks_done"]
    (task,) = notes(world)
    assert task[1].startswith("1\n(a picture or file came with it")


@pytest.mark.parametrize("text", ['Liked "Reply STOP to end"', 'Le gustó "Reply STOP to end"'])
def test_a_tap_on_a_message_changes_nothing_and_opens_no_task(world: World, text: str) -> None:
    came_in(world, text)
    world.tick()
    assert world.patient().status is PatientStatus.ACTIVE
    assert (answers(world), notes(world)) == ([], [])
    assert not is_waiting(world)
