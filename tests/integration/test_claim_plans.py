"""How the databases find what is due: by the index made for it, in its order, whatever else there is.

Every statement is caught as it runs and explained as the worker's connections run it: on PostgreSQL as a prepared
statement with a generic plan. A plan that sorts, or reads a whole table, would grow with the number of patients.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, insert, select, text

from scheduler.domain.messages import MessageKind, MessageStatus
from scheduler.domain.people import Channel
from scheduler.ids import new_id
from scheduler.ports import Unit
from scheduler.records import Batch, ReadyMessage
from scheduler.store.batches import Batches
from scheduler.store.engine import writing
from scheduler.store.tables import attempts, messages, patients
from tests.support.explaining import catching, explained
from tests.support.worlds import MONDAY, World, new_york, world_at

NOW = new_york(3, 3, 12, 0)
SOME_TIME = timedelta(hours=1)
PATIENTS = 3_000
T = TypeVar("T")


# What is in the database


@pytest.fixture(scope="module")
def world(lasting_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for all tests that change nothing."""
    with installation(lasting_database_url, tmp_path_factory.mktemp("plans")) as world:
        analyse(world)
        yield world


@contextmanager
def installation(database_url: str, folder: Path) -> Iterator[World]:
    """A worker's: two clinics, thousands of patients and of messages in every status; a tenth of each is due."""
    with world_at(MONDAY, database_url=database_url, folder=folder) as made:
        made.enrol_sms("P0")
        made.tick_at(new_york(3, 3))
        first, second = made.clinic, made.add_clinic("second")
        worker = made.second_process()
        clinic_ids = (first.id, second.id)
        with writing(worker.app.engine) as connection:
            _copy_patients(connection, clinic_ids)
            _copy_messages(connection)
        worker.clock.at = NOW
        _ = worker.store  # looks at the database's version when it is made
        yield worker
        worker.app.close()


def analyse(world: World) -> None:
    """Have the database look at its tables as they are now."""
    with writing(world.app.engine) as connection:
        connection.execute(text("ANALYZE"))


def analyse_when_nothing_waits(world: World) -> None:
    """Have the database look at its tables while nobody is due and all that is in the ledger is done with."""
    with writing(world.app.engine) as connection:
        connection.execute(text("CREATE TABLE kept AS SELECT id, status FROM messages"))
        connection.execute(text("UPDATE messages SET status = 'sent'"))
        connection.execute(text("UPDATE patients SET next_contact_at = NULL"))
    analyse(world)
    with writing(world.app.engine) as connection:
        connection.execute(text("UPDATE messages SET status = kept.status FROM kept WHERE kept.id = messages.id"))
        connection.execute(text("UPDATE patients SET next_contact_at = :now"), {"now": NOW})


def _copy_patients(connection: Connection, clinic_ids: Sequence[int]) -> None:
    pattern = dict(connection.execute(select(patients)).mappings().one())
    copies = []
    for number in range(1, PATIENTS):
        due = NOW + SOME_TIME * (1 if number % 10 else -1) + timedelta(seconds=number / 10)
        own = {"id": new_id(), "mrn": f"P{number}", "clinic_id": clinic_ids[number // 13 % 2]}
        copies.append(pattern | own | {"next_contact_at": due})
    connection.execute(insert(patients), copies)


def _copy_messages(connection: Connection) -> None:
    """One message for each patient: most are history, the others wait for something that is due or not yet."""
    pattern = dict(connection.execute(select(messages).where(messages.c.body.is_not(None)).limit(1)).mappings().one())
    attempt = dict(connection.execute(select(attempts).limit(1)).mappings().one())
    people = connection.execute(
        select(patients.c.id, patients.c.clinic_id).where(patients.c.mrn != "P0").order_by(patients.c.id)
    ).all()
    new_messages, new_attempts = [], []
    for number, person in enumerate(people):
        own = {"id": new_id(), "patient_id": person.id, "clinic_id": person.clinic_id, "enrolment_id": None}
        new_messages.append(pattern | own | _fate(number))
        new_attempts.append(attempt | {"id": new_id(), "message_id": own["id"], "clinic_id": person.clinic_id})
    connection.execute(insert(messages), new_messages)
    connection.execute(insert(attempts), new_attempts)
    in_hand = [one["id"] for one in new_messages if one["status"] == MessageStatus.SENDING.value]
    for ids, at in ((in_hand[::2], NOW - SOME_TIME), (in_hand[1::2], NOW + SOME_TIME)):
        gone = Batch(id=new_id(), worker="gone", message_ids=tuple(ids), handed=len(ids) // 2)
        Batches(connection).begin(gone, lease_until=at)


def _fate(number: int) -> dict[str, Any]:
    at = NOW + timedelta(seconds=number / 10) + SOME_TIME * (1 if number % 3 == 0 else -1)
    kind = list(MessageKind)[number // 10 % len(MessageKind)]
    channel = Channel.EMAIL if number % 11 == 0 else Channel.SMS
    usual = {"kind": kind.value, "channel": channel.value}
    match number % 10:
        case 0 | 1 | 2:
            return usual | {"status": MessageStatus.PLANNED.value, "send_from": at}
        case 3:
            return usual | {"status": MessageStatus.SENDING.value}
        case 4:
            return usual | {"status": MessageStatus.UNKNOWN.value, "ask_at": at}
        case _:
            return usual | {"status": MessageStatus.SENT.value}


# How it is found


def plans_of(world: World, use: Callable[[Unit], object], begins: str) -> list[str]:
    """How each different statement that `use` runs, and that `begins` so, is carried out."""
    with catching(world.app.engine) as caught:
        undone(world, use)
    return explained(world.app.engine, caught, begins)


class _UndoneError(Exception):
    """What was done is not to be kept."""


def undone(world: World, use: Callable[[Unit], T]) -> T:
    """What `use` returns; the database stays as it is."""
    with suppress(_UndoneError), world.store.writing() as unit:
        result = use(unit)
        raise _UndoneError
    return result


def assert_by_index(world: World, plan: str, index: str, table: str) -> None:
    """The rows of `table` come by `index`, in its order, and nothing is read as a whole."""
    if world.app.engine.dialect.name == "sqlite":
        assert f"SEARCH {table} USING INDEX {index} (" in plan, plan
        assert "SCAN" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan
    else:
        assert f"Index Scan using {index} on {table}" in plan, plan
        assert "Seq Scan" not in plan, plan
        assert "Sort" not in plan, plan
        assert "Bitmap" not in plan, plan  # it has no order


# Claims

Use = Callable[[Unit], object]
_PATIENTS, _MESSAGES = "SELECT patients", "SELECT messages"
CLAIMS: dict[str, tuple[Use, str, str]] = {
    "due": (
        lambda unit: unit.patients.claim_due(NOW, limit=500, clinics=unit.installation.clinics()),
        _PATIENTS,
        "ix_patients_due",
    ),
    "unknown": (
        lambda unit: unit.questions.claim(NOW, limit=500, lease_until=NOW + SOME_TIME),
        _MESSAGES,
        "ix_messages_unknown",
    ),
}
LANES: dict[str, dict[str, Any]] = {
    "all": {},
    "only one clinic": {"only": (2,)},
    "only some clinics": {"only": (1, 2, 3)},
    "without some clinics": {"but": (2, 3)},
}


def claim_ready(unit: Unit, channel: Channel = Channel.SMS, **lane: Any) -> list[ReadyMessage]:
    """All that is ready, so that every kind is asked for."""
    return unit.ledger.claim_ready(channel, NOW, limit=PATIENTS, clinics=unit.installation.clinics(), **lane)


@pytest.mark.parametrize("what", CLAIMS)
def test_what_is_due_is_claimed_by_its_own_index_in_its_order(world: World, what: str) -> None:
    use, begins, index = CLAIMS[what]
    (plan,) = plans_of(world, use, begins)
    assert_by_index(world, plan, index, begins.split()[1])


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("lane", LANES)
def test_messages_of_each_kind_are_claimed_by_index_in_order_whatever_the_lane(
    world: World, lane: str, channel: Channel
) -> None:
    with catching(world.app.engine) as caught:
        ready = undone(world, lambda unit: claim_ready(unit, channel, **LANES[lane]))
    assert {one.message.kind for one in ready} == set(MessageKind)
    asked = [each for each in caught if each.sql.startswith(_MESSAGES)]
    assert len(asked) == len(MessageKind)
    for plan in explained(world.app.engine, asked, _MESSAGES):
        assert_by_index(world, plan, "ix_messages_ready", "messages")


def test_a_claim_is_by_index_though_the_statistics_are_of_an_hour_when_nothing_was_due(
    postgres_url: str, tmp_path: Path
) -> None:
    with installation(postgres_url, tmp_path) as world:
        analyse_when_nothing_waits(world)
        for use, begins, index in CLAIMS.values():
            (plan,) = plans_of(world, use, begins)
            assert_by_index(world, plan, index, begins.split()[1])
        for lane in LANES.values():
            for plan in plans_of(world, lambda unit, lane=lane: claim_ready(unit, **lane), _MESSAGES):  # type: ignore[misc]
                assert_by_index(world, plan, "ix_messages_ready", "messages")


# Looks at what waits

LOOKS: dict[str, tuple[Use, str]] = {
    "is anything ready": (lambda unit: unit.gauges.is_ready(Channel.SMS, NOW), "ix_messages_ready"),
    "patients due": (lambda unit: unit.gauges.due(NOW), "ix_patients_due"),
    "messages ready": (lambda unit: unit.gauges.ready(NOW), "ix_messages_ready"),
    "the next message": (lambda unit: unit.gauges.next_ready(), "ix_messages_ready"),
    "messages to ask about": (lambda unit: unit.questions.is_due(NOW), "ix_messages_unknown"),
    "the next question": (lambda unit: unit.questions.next_ask(), "ix_messages_unknown"),
}


@pytest.mark.parametrize("what", LOOKS)
def test_a_look_at_what_waits_reads_no_table_as_a_whole(world: World, what: str) -> None:
    """An aggregate has no order: a bitmap, or a scan of the one partial index, is as good."""
    use, index = LOOKS[what]
    for plan in plans_of(world, use, "SELECT"):
        assert index in plan, plan
        assert "Seq Scan" not in plan, plan
        assert not re.search(r"SCAN \w+$", plan, re.MULTILINE), plan  # SQLite's, without an index
        assert "Sort" not in plan, plan


OF_FEW_ROWS = {"clinics", "batches"}  # a batch is there only while a worker has it in hand


def abandoned(unit: Unit) -> object:
    """What a rescue reads."""
    batch = unit.batches.take_over(NOW)
    assert batch is not None
    return unit.ledger.still_sending(batch.message_ids)


IN_HAND: dict[str, Use] = {
    "sending": lambda unit: unit.gauges.sending(),
    "how many abandoned": lambda unit: unit.gauges.abandoned(NOW),
    "abandoned": abandoned,
}


@pytest.mark.parametrize("what", IN_HAND)
def test_messages_that_workers_have_in_hand_are_found_by_their_keys(world: World, what: str) -> None:
    with catching(world.app.engine) as caught:
        undone(world, IN_HAND[what])
    (plan,) = explained(world.app.engine, caught, _MESSAGES)
    assert re.search(r"messages USING INDEX sqlite_autoindex|pk_messages", plan), plan
    assert "ix_messages" not in plan, plan
    assert "Seq Scan" not in plan, plan
    assert "SCAN" not in plan, plan


def test_the_look_of_a_tick_reads_no_table_as_a_whole_but_those_of_few_rows(world: World) -> None:
    (plan,) = plans_of(world, lambda unit: unit.gauges.look(NOW), "SELECT")
    for index in ("patients_due", "messages_ready", "messages_unknown", "replies_waiting"):
        assert f"ix_{index}" in plan, plan
    whole = re.findall(r"Seq Scan on (\w+)|SCAN (\w+)$", plan, re.MULTILINE)
    assert {name for found in whole for name in found if name} <= OF_FEW_ROWS, plan


# What is written


@pytest.mark.parametrize("look", [analyse, analyse_when_nothing_waits])
def test_what_a_round_of_work_changes_is_found_by_its_key(
    look: Callable[[World], None], database_url: str, tmp_path: Path
) -> None:
    with installation(database_url, tmp_path) as world:
        look(world)
        with catching(world.app.engine) as caught:
            report = world.tick()
        assert report.planned_patients > 100
        assert report.sent > 100
        assert report.rescued > 50
        assert report.unknown > 20
        plans = explained(world.app.engine, caught, r"UPDATE (patients|messages|attempts|enrolments)")
    assert len(plans) >= 4
    for plan in plans:
        assert "ix_messages" not in plan, plan
        assert re.search(r"(SEARCH \w+|Index Scan) .*(pk_|sqlite_autoindex_)", plan), plan
        assert "Seq Scan" not in plan, plan
        assert "SCAN" not in plan, plan
