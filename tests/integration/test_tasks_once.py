"""Whatever happens, in whatever order and however often: of one cause there is one task, and what is over is over."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.domain.tasks import Resolution, ServiceTask
from scheduler.ports import ErrorClass
from scheduler.services.clinics import add_staff
from scheduler.services.receipts import Receipt
from scheduler.services.replies import Inbound, receive
from scheduler.services.tasks import Act, close
from tests.support.worlds import MONDAY, World, phone_of, world_at

PAT = "pat@harbor.example"
MRNS = ("P1", "P2", "P3")
TEXTS = (
    "WRONG",
    "what is this about?",
    "I fell",
    "SUPP magnesium",
    "PT",
    "1",
    "DONE, but a neighbour asks why",
    "🦄",
)
RECEIPTS = (
    (MessageStatus.UNDELIVERED, "30005", ErrorClass.PERMANENT),
    (MessageStatus.UNDELIVERED, "30003", ErrorClass.TRANSIENT),
    (MessageStatus.UNDELIVERED, "30007", ErrorClass.CONFIGURATION),
    (MessageStatus.DELIVERED, None, None),
)
ONE_FOR_EACH = (ServiceTask.DELIVERY_UNKNOWN, ServiceTask.SENDER_REFUSED)  # message, or code

Event = Callable[[], object]


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as made:
        for mrn in MRNS:
            made.enrol_sms(mrn)
        add_staff(made.store, made.clinic, email=PAT, role="admin", now=made.clock.at)
        yield made


def text(world: World, mrn: str, body: str, number: int) -> Event:
    inbound = Inbound(channel=Channel.SMS, sender=phone_of(mrn), body=body, provider_id=f"SM{number}")
    return lambda: receive(world.store, world.rules, world.clinic, inbound, now=world.clock.at)


def receipt(world: World, dice: random.Random) -> Event | None:
    sent = [row for row in world.ledger() if row.sent_at and row.provider_id]
    if not sent:
        return None
    target, code, error_class = dice.choice(RECEIPTS)
    row = dice.choice(sent)
    one = Receipt(
        attempt_id=None, provider_id=row.provider_id or "", target=target, code=code, error_class=error_class
    )
    return lambda: world.app.receipts.record(one, now=world.clock.at)


def listed(world: World, mrn: str) -> Event:
    """The clinic's list, which never changes."""
    cells = {"phone": phone_of(mrn), "sms_consent": "yes"}
    return lambda: world.enrol(mrn, **cells)


def duplicates(world: World) -> list[tuple[str, str | None]]:
    """(kind, patient) of what is open twice."""
    with world.store.reading() as unit:
        found = unit.worklist.tasks(world.clinic.id, only_open=True)
    counted = Counter((task.kind, task.patient) for task in found if task.kind not in ONE_FOR_EACH)
    from_pathways = {"result_not_in", "review_result"}  # of two pathways
    return [key for key, count in counted.items() if count > (2 if key[0] in from_pathways else 1)]


@pytest.mark.parametrize("seed", range(3))
def test_of_one_cause_one_task_is_open_and_no_repetition_opens_a_closed_one(world: World, seed: int) -> None:
    dice = random.Random(seed)
    past: list[Event] = []
    for number in range(40):
        event: Event | None
        match dice.randrange(4):
            case 0:
                world.run_until(world.clock.at + timedelta(hours=dice.choice([1, 9, 24, 72])))
                event = None
            case 1:
                event = receipt(world, dice)
            case 2:
                event = listed(world, dice.choice(MRNS))
            case _:
                event = text(world, dice.choice(MRNS), dice.choice(TEXTS), number)
        if event is not None:
            past.append(event)
            for _ in range(dice.randrange(1, 3)):
                event()
        assert duplicates(world) == []
    world.tick()
    assert any(task.status == "open" for task in world.tasks())
    close_all(world)
    left = world.open_tasks()
    for event in dice.sample(past, len(past)):
        event()
    assert world.open_tasks() == left


def close_all(world: World) -> None:
    """Staff close all but supplement cases, which wait for a decision."""
    for task in world.tasks():
        if task.status == "open" and task.kind != ServiceTask.SUPPLEMENT_CLEARANCE:
            act = Act(world.clinic, task.id, PAT, world.clock.at)
            close(world.store, act, resolution=Resolution.DONE, words="")
