"""An answer that fits two questions waits for its topic, which the patient may write alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.domain.people import Channel
from scheduler.records import Reply
from scheduler.services.replies import Inbound, receive
from tests.support.worlds import World, new_york, phone_of, world_at

START = new_york(3, 2, 8, 0)
BOTH_ASKED = new_york(3, 6, 12, 0)


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """P1 (English) and S1 (Spanish) were asked about vitamin D and about a scan, and answered neither."""
    with world_at(START, database_url=database_url, folder=tmp_path) as world:
        world.enrol_sms("P1", pathways="vitamin_d;dexa")
        world.enrol_sms("S1", pathways="vitamin_d;dexa", language="es")
        world.run_until(BOTH_ASKED)
        yield world


def write(world: World, text: str, mrn: str = "P1", *, after: timedelta = timedelta(minutes=5)) -> Reply:
    world.clock.at += after
    inbound = Inbound(channel=Channel.SMS, sender=phone_of(mrn), body=text, provider_id=None)
    reply = receive(world.store, world.rules, world.clinic, inbound, now=world.clock.at)
    assert reply is not None
    world.tick()
    return reply


def told(world: World, mrn: str = "P1") -> list[str]:
    return [row.template for row in world.ledger(mrn) if row.kind == "reply" and row.sent_at]


def step_of(world: World, pathway: str, mrn: str = "P1") -> str:
    return world.enrolment(pathway, mrn).step


@pytest.mark.parametrize(
    ("mrn", "text", "pathway", "other"),
    [
        ("P1", "vitamin D", "vitamin_d", "dexa"),
        ("P1", "vitamin d one", "vitamin_d", "dexa"),
        ("P1", "the blood test one", "vitamin_d", "dexa"),
        ("P1", "scan", "dexa", "vitamin_d"),
        ("P1", "the scan one sorry", "dexa", "vitamin_d"),
        ("S1", "vitamina D", "vitamin_d", "dexa"),
        ("S1", "lo del análisis, perdón", "vitamin_d", "dexa"),
        ("S1", "huesos por favor", "dexa", "vitamin_d"),
    ],
)
def test_a_topic_alone_binds_the_answer_that_waits(
    world: World, mrn: str, text: str, pathway: str, other: str
) -> None:
    before = world.enrolment(other, mrn)
    first = write(world, "2", mrn)
    assert (first.meaning, told(world, mrn)) == ("unclear", ["which_one"])
    reply = write(world, text, mrn)
    assert (reply.meaning, reply.pathway, reply.answer) == ("answer", pathway, "booked")
    assert world.enrolment(other, mrn) == before
    assert told(world, mrn) == ["which_one", "thanks_booked"]
    assert world.open_tasks() == set()


def test_it_waits_until_the_end_of_the_next_day(world: World) -> None:
    write(world, "2")
    write(world, "the scan", after=timedelta(days=1, hours=10))
    assert step_of(world, "dexa") == "booked"


def test_after_that_a_person_reads_the_topic(world: World) -> None:
    write(world, "2")
    write(world, "the scan", after=timedelta(days=2))
    assert step_of(world, "dexa") == "ask"
    assert len(world.open_tasks()) == 1


def test_the_last_answer_in_doubt_is_bound_and_only_once(world: World) -> None:
    write(world, "1")
    write(world, "2", after=timedelta(seconds=5))
    write(world, "scan")
    assert (step_of(world, "dexa"), step_of(world, "vitamin_d")) == ("booked", "ask")
    assert write(world, "vitamin d").meaning == "unclear"
    assert step_of(world, "vitamin_d") == "ask"


def test_an_answer_that_names_its_topic_leaves_nothing_waiting(world: World) -> None:
    write(world, "2")
    assert write(world, "2 for vitamin d").pathway == "vitamin_d"
    assert write(world, "scan").meaning == "unclear"
    assert step_of(world, "dexa") == "ask"


def test_a_topic_that_does_not_have_the_answer_takes_none(world: World) -> None:
    write(world, "2")
    write(world, "exercise")
    assert (step_of(world, "vitamin_d"), step_of(world, "dexa")) == ("ask", "ask")
    assert len(world.open_tasks()) == 1


def test_a_topic_alone_binds_nothing_where_nothing_waits(world: World) -> None:
    assert write(world, "the scan one").meaning == "unclear"
    assert (step_of(world, "vitamin_d"), step_of(world, "dexa")) == ("ask", "ask")
