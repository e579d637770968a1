"""A text that tries a clinic's sender out, from its settings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduler.domain.accounts import Role
from scheduler.domain.pace import Pace
from scheduler.domain.people import Channel
from scheduler.ids import new_id
from scheduler.ports import OutboundSms, Outcome
from scheduler.services.trying_out import masked
from tests.support.staff import address_of, post, signed_in
from tests.support.worlds import MONDAY, World, world_at

MINE = "+16175550186"


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        world.change_clinic(world.clinic, is_sample=True)  # 555 numbers pass
        yield world


def ask(world: World, number: str, client: Any = None) -> Any:
    by = client or signed_in(world, Role.ADMIN)
    return post(by, "/settings/test-text", {"test_number": number}, page="/settings")


def received(world: World) -> list[tuple[str, str]]:
    return [(one.address, one.body) for one in world.app.simulated_inbox.received()]


def test_it_goes_to_the_simulated_phone_and_is_on_record_with_the_number_masked(world: World) -> None:
    answer = ask(world, "617 555 0186")
    assert answer.status_code == 200
    assert f"The provider has taken the test text to {MINE}." in answer.text
    assert received(world) == [(MINE, "Harbor Clinic: this is a test. Nothing needs to be done.")]
    with world.store.reading() as unit:
        entries = [one for one in unit.installation.audit_entries(world.clinic.id) if one[2] == "test text sent"]
    assert [(one[1], one[3], one[4]) for one in entries] == [
        (address_of(Role.ADMIN, world.clinic), None, "•••••••••86")
    ]
    assert world.ledger() == []


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("", "your own mobile number"),
        ("9" * 41, "your own mobile number"),
        ("<script>", "phone number"),
        ("+16175550143", "A patient of the clinic has this number"),
    ],
)
def test_what_is_no_number_of_theirs_is_refused_beside_the_field(world: World, number: str, says: str) -> None:
    world.enrol_sms("P1", phone="+16175550143")
    answer = ask(world, number)
    assert answer.status_code == 422
    assert says in answer.text
    assert 'id="wrong-test_number"' in answer.text
    assert received(world) == []


def test_there_is_one_a_minute(world: World) -> None:
    admin = signed_in(world, Role.ADMIN)
    assert ask(world, MINE, admin).status_code == 200
    assert "within the last minute" in ask(world, MINE, admin).text
    assert len(received(world)) == 1


def test_a_refusal_of_the_provider_is_shown_with_its_code(world: World) -> None:
    answer = ask(world, "+15005550001")  # of the numbers that fail
    assert answer.status_code == 422
    assert "The provider did not take it: 21211" in answer.text


def test_without_a_sender_there_is_nothing_to_try(world: World) -> None:
    world.change_clinic(world.clinic, sms_from=None)
    assert "There is no sender for texts yet" in ask(world, MINE).text


# The pace


def text_to(number: str) -> OutboundSms:
    return OutboundSms(
        attempt_id=new_id(),
        to=number,
        body="x",
        sender_number="+16175550100",
        messaging_service=None,
        valid_until=None,
    )


def test_it_counts_against_the_pace_of_the_sender(world: World) -> None:
    clinic = world.change_clinic(world.clinic, messages_per_second=1.0)
    first = world.app.delivery.try_out(clinic, text_to(MINE), segments=1)
    assert first is not None
    assert first.outcome is Outcome.ACCEPTED
    (pace,) = world.app.delivery._paces.values()
    assert isinstance(pace, Pace)
    assert not pace.has_room(1, now=world.app.delivery._steady())
    with world.store.reading() as unit:
        (lane,) = [one for one in unit.lanes.all().values() if one.key.startswith("sms:")]
    assert lane.holder is not None  # no other process sends by it meanwhile


def test_a_sender_that_another_process_is_busy_with_is_left_to_it(world: World) -> None:
    world.change_clinic(world.clinic, messages_per_second=1.0)
    other = world.second_process()
    other.enrol_sms("P1")
    other.clock.at += timedelta(days=1)
    other.app.ticker.plan_all()
    other.app.delivery.deliver_all(Channel.SMS)
    before = len(received(world))
    answer = ask(world, MINE)
    assert answer.status_code == 422
    assert "busy with messages to patients" in answer.text
    assert len(received(world)) == before
    other.app.close()


def test_a_masked_number_shows_its_end_alone() -> None:
    assert masked("+16175550186") == "•••••••••86"
    assert masked("+4915112345678").endswith("78")
