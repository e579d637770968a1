"""Receipts of one attempt: linked by either id, in any order, any number of times, before or after the answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.ids import new_id
from scheduler.ports import ErrorClass
from scheduler.services.receipts import Receipt, Taken
from tests.support.attempts import DAY_1, begun, ended, entry_of, message_of, provider_id_of, receipt, sending
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


# Which message it is about


def test_the_first_receipt_links_attempt_and_provider_id_while_the_answer_is_still_out(world: World) -> None:
    attempt = sending(world)
    assert take(world, receipt(attempt, S.SENT)) is Taken.MOVED
    entry = entry_of(world, message_of(world, attempt))
    assert (entry.status, entry.provider_id, entry.sent_at) == (S.SENT, SID, DAY_1)
    assert provider_id_of(world, attempt) == SID


@pytest.mark.parametrize("status", [S.SENT, S.UNKNOWN, S.PLANNED, S.FAILED])
def test_an_answer_that_is_recorded_after_a_receipt_does_not_disturb_it(world: World, status: MessageStatus) -> None:
    attempt = sending(world)
    take(world, receipt(attempt, S.DELIVERED))
    ended(world, attempt, status, "SM5" if status is S.SENT else None)
    entry = entry_of(world, message_of(world, attempt))
    assert (entry.status, entry.provider_id, entry.reason) == (S.DELIVERED, SID, None)


def test_a_linked_receipt_is_found_again_by_the_providers_id_alone(world: World) -> None:
    attempt = sending(world)
    take(world, receipt(attempt, S.SENT))
    assert take(world, receipt(None, S.DELIVERED)) is Taken.MOVED
    assert take(world, receipt(new_id(), S.DELIVERED)) is Taken.KEPT
    assert entry_of(world, message_of(world, attempt)).status is S.DELIVERED


def test_a_second_provider_id_for_one_attempt_is_refused_and_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    attempt = sending(world)
    ended(world, attempt, S.SENT, SID)
    assert take(world, receipt(attempt, S.DELIVERED, sid="SM6")) is Taken.CONFLICT
    entry = entry_of(world, message_of(world, attempt))
    assert (entry.status, entry.provider_id) == (S.SENT, SID)
    assert str(attempt) in caplog.text
    assert str(world.patient().phone) not in caplog.text


def test_a_provider_id_of_another_message_is_refused(world: World) -> None:
    first, second = sending(world, "P1"), sending(world, "P2")
    ended(world, first, S.SENT, SID)
    assert take(world, receipt(second, S.DELIVERED)) is Taken.CONFLICT
    assert entry_of(world, message_of(world, second), "P2").status is S.SENDING
    assert provider_id_of(world, second) is None


def test_a_receipt_about_nothing_of_ours_is_a_stranger(world: World) -> None:
    assert take(world, receipt(new_id(), S.DELIVERED, sid="SM404")) is Taken.STRANGER


# Several attempts at one message


def test_bad_news_of_an_earlier_attempt_does_not_touch_the_later_one(world: World) -> None:
    first = sending(world)
    ended(world, first, S.PLANNED)
    second = begun(world)
    bad = receipt(first, S.UNDELIVERED, code="30005", error_class=ErrorClass.PERMANENT)
    assert take(world, bad) is Taken.KEPT
    assert entry_of(world, message_of(world, first)).status is S.SENDING
    ended(world, second, S.SENT, "SM6")
    entry = entry_of(world, message_of(world, first))
    assert (entry.status, entry.provider_id) == (S.SENT, "SM6")
    assert not world.patient().phone_bad


@pytest.mark.parametrize("target", [S.SENT, S.DELIVERED])
def test_news_that_an_attempt_went_after_all_stops_the_one_that_is_planned(
    world: World, target: MessageStatus, caplog: pytest.LogCaptureFixture
) -> None:
    attempt = sending(world)
    ended(world, attempt, S.PLANNED)
    assert take(world, receipt(attempt, target)) is Taken.MOVED
    assert entry_of(world, message_of(world, attempt)).status is target
    assert str(attempt) in caplog.text
    with world.store.reading() as unit:
        assert unit.gauges.ready(DAY_1) == {}


def test_delivered_wins_also_when_it_is_about_an_earlier_attempt(world: World) -> None:
    first = sending(world)
    ended(world, first, S.PLANNED)
    second = begun(world)
    assert take(world, receipt(first, S.DELIVERED)) is Taken.MOVED
    ended(world, second, S.SENT, "SM6")
    assert entry_of(world, message_of(world, first)).status is S.DELIVERED
    assert take(world, receipt(second, S.DELIVERED, sid="SM6")) is Taken.KEPT


def test_a_receipt_that_contradicts_an_end_changes_nothing_and_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    attempt = sending(world)
    ended(world, attempt, S.FAILED)
    assert take(world, receipt(attempt, S.DELIVERED)) is Taken.KEPT
    assert entry_of(world, message_of(world, attempt)).status is S.FAILED
    assert str(attempt) in caplog.text
