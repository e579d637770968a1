"""Who may send a lane's messages, and what stops them for all workers at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from scheduler.domain.breaker import CLOSED, Breaker
from scheduler.domain.pace import Pace
from scheduler.domain.people import Channel
from scheduler.records import Lane
from scheduler.services import lanes
from scheduler.services.lanes import HOLD, Route
from tests.support.worlds import MONDAY, World, world_at

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SOON, LATER = NOW + timedelta(seconds=1), NOW + timedelta(hours=1)
A_MOMENT = timedelta(microseconds=1)
REFUSED = CLOSED.refused("20003", NOW - timedelta(minutes=5))


# Taking a lane


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


KEY = "sms:+16175550100"
SHARED = Route(channel=Channel.SMS, key="sms")
PACED = Route(channel=Channel.SMS, key=KEY, only=(1,), rate=2)


def take(world: World, route: Route, worker: str, at: datetime = NOW) -> bool | None:
    with world.store.writing() as unit:
        return lanes.take(unit, route, worker=worker, now=at)


def stored(world: World, key: str = KEY) -> Lane:
    with world.store.reading() as unit:
        return unit.lanes.all()[key]


def write(world: World, lane: Lane) -> None:
    with world.store.writing() as unit:
        unit.lanes.hold([lane.key])
        unit.lanes.write(lane)


def test_the_shared_lane_is_nobodys(world: World) -> None:
    assert take(world, SHARED, "a") is False
    assert take(world, SHARED, "b") is False
    with world.store.reading() as unit:
        assert unit.lanes.all() == {}


def test_a_sender_with_a_pace_is_one_workers_alone(world: World) -> None:
    assert take(world, PACED, "a") is False
    assert stored(world) == Lane(key=KEY, holder="a", held_until=NOW + HOLD)
    assert take(world, PACED, "b", SOON) is None
    assert stored(world).holder == "a"


def test_the_worker_that_has_it_goes_on_and_keeps_it_longer(world: World) -> None:
    take(world, PACED, "a")
    assert take(world, PACED, "a", LATER - timedelta(hours=1) + timedelta(seconds=30)) is True
    assert stored(world).held_until == NOW + timedelta(seconds=30) + HOLD


def test_a_worker_that_said_nothing_more_is_followed_after_its_hold_and_a_silence(world: World) -> None:
    take(world, PACED, "a")
    over = NOW + HOLD
    assert take(world, PACED, "b", over) is None
    free = over + timedelta(seconds=Pace(2).rests_for())
    assert take(world, PACED, "b", free - A_MOMENT) is None
    assert take(world, PACED, "b", free) is False
    assert stored(world).holder == "b"


@pytest.mark.parametrize("behind", [timedelta(milliseconds=1), timedelta(seconds=5), timedelta(seconds=59)])
def test_a_worker_whose_clock_is_behind_does_not_take_what_another_has(world: World, behind: timedelta) -> None:
    take(world, PACED, "a")
    assert take(world, PACED, "b", NOW - behind) is None
    assert stored(world).holder == "a"


def test_a_lane_held_by_a_clock_that_was_set_back_since_is_free(world: World) -> None:
    take(world, PACED, "a")
    assert take(world, PACED, "b", NOW - timedelta(hours=1)) is False


def test_a_worker_that_comes_back_after_its_hold_begins_anew_after_a_silence(world: World) -> None:
    take(world, PACED, "a")
    over = NOW + HOLD
    assert take(world, PACED, "a", over) is None
    assert take(world, PACED, "a", over + timedelta(seconds=1)) is False


def test_a_worker_that_was_followed_does_not_go_on(world: World) -> None:
    take(world, PACED, "a")
    later = NOW + 2 * HOLD
    take(world, PACED, "b", later)
    assert take(world, PACED, "a", later) is None


def test_a_sender_at_a_slow_pace_is_silent_for_as_long_as_one_message_needs(world: World) -> None:
    slow = replace(PACED, rate=0.1)
    take(world, slow, "a")
    assert take(world, slow, "b", NOW + HOLD + timedelta(seconds=9.9)) is None
    assert take(world, slow, "b", NOW + HOLD + timedelta(seconds=10)) is False


def test_a_lane_that_rests_is_nobodys_not_even_its_holders(world: World) -> None:
    write(world, Lane(key=KEY, holder="a", held_until=LATER, quiet_until=SOON))
    assert take(world, PACED, "a") is None
    assert take(world, PACED, "b") is None
    assert take(world, PACED, "a", SOON) is True


def test_two_senders_with_a_pace_have_nothing_to_do_with_each_other(world: World) -> None:
    other = replace(PACED, key="sms:+16175550199")
    assert take(world, PACED, "a") is False
    assert take(world, other, "b") is False


def test_two_workers_that_take_a_sender_at_the_same_moment_do_not_both_get_it(
    postgres_url: str, tmp_path: Path
) -> None:
    with world_at(MONDAY, database_url=postgres_url, folder=tmp_path) as world:
        together = Barrier(4, timeout=30)

        def race(worker: str, at: datetime) -> bool | None:
            together.wait()
            return take(world, PACED, worker, at)

        with ThreadPoolExecutor(4) as threads:
            for turn in range(20):
                at = NOW + turn * 2 * HOLD
                got = list(threads.map(race, "abcd", [at] * 4))
                assert sorted(got, key=str) == [False, None, None, None]
                assert stored(world).holder == "abcd"[got.index(False)]


def test_a_claim_that_fails_leaves_the_lane_as_it_was(world: World) -> None:
    with pytest.raises(RuntimeError, match="halfway"), world.store.writing() as unit:
        lanes.take(unit, PACED, worker="a", now=NOW)
        raise RuntimeError("halfway")
    assert take(world, PACED, "b") is False


# Giving it up


def test_a_lane_given_up_is_free_after_the_silence_that_its_last_messages_need(world: World) -> None:
    take(world, PACED, "a")
    pace = Pace(2)
    pace.start("long", 7)
    with world.store.writing() as unit:
        lanes.release(unit, {KEY: pace}, worker="a", now=NOW)
    free = NOW + timedelta(seconds=3.5)
    assert stored(world) == Lane(key=KEY, quiet_until=free)
    assert take(world, PACED, "b", free - A_MOMENT) is None
    assert take(world, PACED, "b", free) is False
    assert stored(world).quiet_until is None


def test_who_gives_up_what_somebody_else_has_meanwhile_changes_nothing(world: World) -> None:
    take(world, PACED, "b")
    with world.store.writing() as unit:
        lanes.release(unit, {KEY: Pace(2)}, worker="a", now=NOW)
    assert stored(world) == Lane(key=KEY, holder="b", held_until=NOW + HOLD)


# Refusals


def test_the_first_refusal_stops_the_lane_and_is_news_and_the_next_ones_are_not(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with world.store.writing() as unit:
        assert lanes.refuse(unit, KEY, "21606", now=NOW)
        assert not lanes.refuse(unit, KEY, "21606", now=NOW + timedelta(minutes=1))
    assert stored(world).breaker.open_since == NOW
    assert len(caplog.records) == 1
    assert "21606" in caplog.text
    assert "+1617" not in caplog.text  # a log names no number


def test_one_worker_probes_a_refused_sender_and_the_others_wait(world: World) -> None:
    probe = Route(channel=Channel.SMS, key=KEY, only=(1,), is_probe=True)
    write(world, Lane(key=KEY, breaker=REFUSED))
    assert take(world, probe, "a") is False
    assert take(world, probe, "b") is None
    assert take(world, PACED, "b") is None
    assert stored(world).breaker == REFUSED.probing(NOW)


def test_a_probe_of_the_account_is_one_workers_too(world: World) -> None:
    probe = Route(channel=Channel.SMS, key="sms", is_probe=True)
    write(world, Lane(key="sms", breaker=REFUSED))
    assert (take(world, probe, "a"), take(world, probe, "b")) == (False, None)


def test_a_sender_with_a_pace_is_probed_by_whoever_has_it_only(world: World) -> None:
    probe = replace(PACED, is_probe=True)
    write(world, Lane(key=KEY, holder="a", held_until=SOON, breaker=REFUSED))
    assert take(world, probe, "b") is None
    assert stored(world).breaker == REFUSED  # whoever may not, does not use up the probe
    assert take(world, probe, "a") is True


def test_a_lane_is_mended_once_and_what_was_not_refused_is_not_mended(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    write(world, Lane(key=KEY, holder="a", held_until=LATER, breaker=REFUSED))
    with world.store.writing() as unit:
        assert lanes.mend(unit, [KEY, "sms"]) == [KEY]
        assert lanes.mend(unit, [KEY, "sms"]) == []
    assert stored(world) == Lane(key=KEY, holder="a", held_until=LATER, breaker=CLOSED)
    assert "takes messages" in caplog.text


def test_a_silence_is_made_longer_and_never_shorter(world: World) -> None:
    for until, expected in ((LATER, LATER), (SOON, LATER), (LATER + A_MOMENT, LATER + A_MOMENT)):
        with world.store.writing() as unit:
            lanes.hush(unit, Channel.SMS, until=until)
        assert stored(world, "sms").quiet_until == expected


def test_a_silence_does_not_mend_what_is_refused(world: World) -> None:
    write(world, Lane(key="sms", breaker=REFUSED))
    with world.store.writing() as unit:
        lanes.hush(unit, Channel.SMS, until=SOON)
    assert stored(world, "sms") == Lane(key="sms", quiet_until=SOON, breaker=REFUSED)


def test_what_is_stored_about_a_lane_comes_back_as_it_was(world: World) -> None:
    breaker = Breaker(open_since=NOW, code="20003", probe_at=SOON, probes=3)
    full = Lane(key=KEY, holder="host:1:0a", held_until=SOON, quiet_until=LATER, breaker=breaker)
    write(world, full)
    assert stored(world) == full
    write(world, Lane(key=KEY))
    assert stored(world) == Lane(key=KEY)


def test_lanes_are_held_in_any_order_they_are_named_in(world: World) -> None:
    with world.store.writing() as unit:
        assert list(unit.lanes.hold(["sms:b", "sms", "sms:a"])) == ["sms", "sms:a", "sms:b"]
