"""Everything that may be heard of one attempt, in every order and any number of times, ends the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from scheduler.domain.messages import MessageStatus
from scheduler.ports import ErrorClass
from scheduler.services.aftermath import Aftermath, Fallen
from scheduler.services.receipts import Receipt, Taken
from scheduler.store.tables import messages, tasks
from scheduler.store.unit import Unit
from tests.support.attempts import end_in, ended, message_of, receipt, sending
from tests.support.web import TWILIO
from tests.support.worlds import MONDAY, World, world_at

SID = "SM5"
S = MessageStatus


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path, settings=TWILIO) as world:
        yield world


def take(world: World, one: Receipt) -> Taken:
    return world.app.receipts.record(one, now=world.clock.at)


class End(NamedTuple):
    """What a message and all around it have come to."""

    status: str
    reason: str | None
    provider_id: str | None
    live_second_tries: tuple[str, ...]
    open_tasks: tuple[str, ...]
    is_asked_about: bool


class _UndoError(Exception):
    """Rolls a trial back."""


EVENTS = ("accepted", "lost", "queued", "sent", "delivered", "off", "gone", "refused")
BAD = {
    "off": ("30003", ErrorClass.TRANSIENT),
    "gone": ("30005", ErrorClass.PERMANENT),
    "refused": ("30008", ErrorClass.AMBIGUOUS),
}
GOOD = {"queued": S.SENT, "sent": S.SENT, "delivered": S.DELIVERED}


def happen(world: World, unit: Unit, attempt: UUID, message_id: UUID, event: str) -> None:
    now = world.clock.at
    match event:
        case "accepted":
            end_in(unit, world, message_id, attempt, S.SENT, SID)
        case "lost":
            end_in(unit, world, message_id, attempt, S.UNKNOWN, None)
            tracked = unit.receipts.find(attempt, "")
            assert tracked is not None
            lost = Fallen(unit.receipts.attempted(tracked).message, S.UNKNOWN, "timeout")
            Aftermath(world.rules).settle(unit, [lost], now=now)
        case "off" | "gone" | "refused":
            code, error_class = BAD[event]
            one = receipt(attempt, S.UNDELIVERED, code=code, error_class=error_class)
            world.app.receipts.take(unit, one, now=now)
        case _:
            world.app.receipts.take(unit, receipt(attempt, GOOD[event]), now=now)


def end_of(world: World, attempt: UUID, message_id: UUID, events: Sequence[str]) -> End:
    """What `events` come to; afterwards nothing has happened."""
    found: End | None = None
    with pytest.raises(_UndoError), world.store.writing() as unit:
        for event in events:
            happen(world, unit, attempt, message_id, event)
        found = look(unit, message_id)
        raise _UndoError
    assert found is not None
    return found


def look(unit: Unit, message_id: UUID) -> End:
    connection = unit.receipts._connection
    row = connection.execute(select(messages).where(messages.c.id == message_id)).one()
    live = select(messages.c.status).where(messages.c.retry_of == message_id, messages.c.status != S.SKIPPED.value)
    opened = select(tasks.c.kind).where(tasks.c.status == "open").order_by(tasks.c.kind)
    return End(
        row.status,
        row.reason,
        row.provider_id,
        tuple(connection.scalars(live)),
        tuple(connection.scalars(opened)),
        row.status == S.UNKNOWN.value and row.ask_at is not None,
    )


def expected(events: Sequence[str]) -> End:
    """What the design says of a set of events with one kind of bad news at most."""
    happened = set(events)
    bad = happened & set(BAD)
    if "delivered" in happened:
        return End("delivered", None, SID, (), (), False)
    if bad:
        (kind,) = bad
        second = ("planned",) if kind == "off" else ()
        return End("undelivered", BAD[kind][0], SID, second, ("check_number",) if kind == "gone" else (), False)
    if happened & {"accepted", "queued", "sent"}:
        return End("sent", None, SID, (), (), False)
    return End("unknown", None, None, (), (), True) if happened else End("sending", None, None, (), (), False)


def says_one_thing(events: Sequence[str]) -> bool:
    """A provider answers once, and has one kind of bad news at most."""
    answers = {"accepted", "lost"} & set(events)
    return len(answers) <= 1 and len(set(BAD) & set(events)) <= 1


def without_tasks(end: End) -> End:
    """What a refusal has set in motion for people stays, also when a late receipt says delivered."""
    return end._replace(open_tasks=()) if end.status == "delivered" else end


class Stage(NamedTuple):
    """One message that is being sent, for many trials: what happens in one is undone."""

    world: World
    attempt: UUID
    message_id: UUID

    def end(self, events: Sequence[str]) -> End:
        return end_of(self.world, self.attempt, self.message_id, events)


@pytest.fixture
def stage(world: World) -> Stage:
    attempt = sending(world)
    return Stage(world, attempt, message_of(world, attempt))


@pytest.mark.parametrize("answer", ["accepted", "lost"])
@pytest.mark.parametrize("bad", ["off", "gone", "refused"])
def test_every_order_of_everything_ends_the_same(stage: Stage, answer: str, bad: str) -> None:
    for events in permutations((answer, "queued", "delivered", bad)):
        assert without_tasks(stage.end(events)) == expected(events), events
    for events in permutations((answer, "sent", bad, bad)):
        assert stage.end(events) == expected(events), events


MANY_TRIALS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # each trial leaves nothing


@MANY_TRIALS
@given(data=st.data())
def test_any_order_with_any_repetition_ends_the_same(stage: Stage, data: st.DataObject) -> None:
    events = data.draw(st.lists(st.sampled_from(EVENTS), max_size=4).filter(says_one_thing))
    again = data.draw(st.permutations(events + events[:2]))
    ends = [without_tasks(stage.end(order)) for order in (events, again)]
    assert ends == [expected(events)] * 2


@MANY_TRIALS
@given(events=st.lists(st.sampled_from(EVENTS), max_size=6))
def test_even_contradictions_end_in_one_status_and_never_in_two_texts(stage: Stage, events: list[str]) -> None:
    forwards, backwards = stage.end(events), stage.end(events[::-1])
    assert (forwards.status, forwards.provider_id) == (backwards.status, backwards.provider_id)
    for end in (forwards, backwards):
        assert len(end.live_second_tries) <= (0 if "delivered" in events else 1)
        assert end.is_asked_about == (end.status == "unknown")


def test_receipts_and_answers_that_meet_neither_wait_for_each_other_nor_differ(
    postgres_url: str, tmp_path: Path
) -> None:
    """Many at once, on as many connections: a wrong order of locks would end in a deadlock."""
    with world_at(MONDAY, database_url=postgres_url, folder=tmp_path, settings=TWILIO) as world:
        on_their_way = [sending(world, f"P{number}") for number in range(8)]
        reports = [
            receipt(attempt, target, sid=f"SM{attempt.hex}", code=code, error_class=error_class)
            for attempt in on_their_way
            for target, code, error_class in (
                (S.SENT, None, None),
                (S.UNDELIVERED, "30005", ErrorClass.PERMANENT),
                (S.DELIVERED, None, None),
            )
        ]
        with ThreadPoolExecutor(6) as threads:
            taken = [threads.submit(take, world, one) for one in (*reports, *reversed(reports))]
            answers = [
                threads.submit(ended, world, attempt, S.SENT, f"SM{attempt.hex}")
                for attempt in reversed(on_their_way)
            ]
            assert {one.result() for one in taken} <= {Taken.MOVED, Taken.KEPT}
            assert [one.result() for one in answers] == [None] * len(on_their_way)
        assert {row.status for row in world.ledger()} == {S.DELIVERED}
