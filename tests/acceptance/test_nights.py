"""A local night is never disturbed: not after an outage, not by a clock that is set back, not by a slow provider.

What the provider took, and when by its own clock, is held against the patients' own wall clocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from scheduler.channels.twilio.settings import TwilioSettings
from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.services.plan import plan_all_due
from tests.support.over_twilio import world_over
from tests.support.twilio_server import Accepted, Fault, FaultKind, TwilioServer
from tests.support.worlds import World, new_york

S = MessageStatus
OPENS, CLOSES = time(9, 0), time(20, 0)  # the contact window, by the patient's clock
ZONES = ("America/New_York", "America/Los_Angeles", "Pacific/Auckland", "Asia/Kolkata", "Europe/London")
TIMES = ("09:00", "12:00", "16:30", "19:59")
UNDER_WAY = TwilioSettings(account_sid="", username="", password="", public_url="").concurrency  # requests at once
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    with TwilioServer() as server:
        yield server


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path, twilio: TwilioServer) -> Iterator[World]:
    with world_over(twilio.url, database_url=sqlite_url, folder=tmp_path) as world:
        twilio.clock = lambda: world.clock.now().timestamp()
        yield world


def patients_everywhere(world: World) -> dict[str, ZoneInfo]:
    """A patient for each zone and contact time, with all pathways: something every day. Zones by their numbers."""
    zone_of = {}
    for place, zone in enumerate(ZONES):
        for order, contact_time in enumerate(TIMES):
            number = f"+1617555{1000 + 10 * place + order}"
            world.enrol_sms(f"P{place}{order}", phone=number, timezone=zone, contact_time=contact_time)
            zone_of[number] = ZoneInfo(zone)
    return zone_of


def disturbances(twilio: TwilioServer, zone_of: dict[str, ZoneInfo]) -> list[str]:
    """The texts that were taken outside the patient's window, or that a carrier may still deliver after it."""
    found = []
    for one in twilio.messages:
        zone = zone_of[one.form["To"]]
        taken_at = datetime.fromtimestamp(one.at, UTC)
        ends_at = taken_at + timedelta(seconds=int(one.form["ValidityPeriod"]))
        closing = datetime.combine(taken_at.astimezone(zone).date(), CLOSES, zone).astimezone(UTC)
        opening = datetime.combine(taken_at.astimezone(zone).date(), OPENS, zone).astimezone(UTC)
        if not opening <= taken_at < ends_at <= closing:
            found.append(f"{one.form['To']} at {taken_at.astimezone(zone):%d %H:%M:%S %Z}, until {ends_at}")
    return found


def a_day_has_one_text(twilio: TwilioServer, zone_of: dict[str, ZoneInfo]) -> bool:
    days = [(one.form["To"], local_day(one, zone_of)) for one in twilio.messages]
    return len(days) == len(set(days))


def local_day(one: Accepted, zone_of: dict[str, ZoneInfo]) -> str:
    return str(datetime.fromtimestamp(one.at, zone_of[one.form["To"]]).date())


# Outages


@pytest.mark.parametrize("begins", [15, 19], ids=lambda hour: f"from {hour}:00 in New York")
def test_after_ten_hours_without_a_provider_every_text_waits_for_its_patients_morning(
    world: World, twilio: TwilioServer, begins: int
) -> None:
    zone_of = patients_everywhere(world)
    world.run_until(new_york(3, 4, begins, 0))
    before = len(twilio.messages)
    twilio.fail(Fault(FaultKind.ANSWER, status=401, code=20003), times=100_000)
    world.run_until(new_york(3, 4, begins, 0) + 10 * HOUR)
    assert len(twilio.messages) == before
    twilio._faults.clear()
    world.run_until(new_york(3, 7, 0, 0))
    assert disturbances(twilio, zone_of) == []
    assert a_day_has_one_text(twilio, zone_of)
    assert {one.form["To"] for one in twilio.messages[before:]} == zone_of.keys()


def test_after_ten_hours_without_the_service_every_text_waits_for_its_patients_morning(
    world: World, twilio: TwilioServer
) -> None:
    zone_of = patients_everywhere(world)
    world.run_until(new_york(3, 4, 15, 0))
    world.clock.at = new_york(3, 4, 15, 0) + 10 * HOUR
    world.run_until(new_york(3, 7, 0, 0))
    assert disturbances(twilio, zone_of) == []
    assert a_day_has_one_text(twilio, zone_of)


# The machine's clock


@pytest.mark.parametrize("hour", [10, 12, 20, 22], ids=lambda hour: f"at {hour}:30 in New York")
def test_a_clock_that_is_set_back_two_hours_sends_nothing_at_night_and_nothing_again(
    world: World, twilio: TwilioServer, hour: int
) -> None:
    zone_of = patients_everywhere(world)
    at = new_york(3, 4, hour, 30)
    world.run_until(at)
    texts = len(twilio.messages)
    world.clock.at = at - 2 * HOUR
    for minutes in range(0, 120, 10):
        world.tick_at(at - 2 * HOUR + minutes * MINUTE)
    assert len(twilio.messages) == texts  # all that was due in these hours has gone
    world.run_until(new_york(3, 7, 0, 0))
    assert disturbances(twilio, zone_of) == []
    assert a_day_has_one_text(twilio, zone_of)


def test_an_evening_that_comes_twice_does_not_bring_back_what_missed_the_first(
    world: World, twilio: TwilioServer
) -> None:
    """The provider is away until the window has closed; then the clock is set back into the window."""
    world.enrol_sms("P1", contact_time="19:00", pathways="vitamin_d")
    twilio.fail(Fault(FaultKind.ANSWER, status=401, code=20003), times=100_000)
    world.run_until(new_york(3, 3, 20, 30))
    twilio._faults.clear()
    world.clock.at = new_york(3, 3, 18, 30)
    world.run_until(new_york(3, 3, 23, 0))
    assert twilio.messages == []
    world.run_until(new_york(3, 4, 20, 0))
    assert [row.status for row in world.ledger()] == [S.EXPIRED, S.SENT]


# A slow provider


def test_what_a_slow_provider_leaves_no_time_for_does_not_go_after_the_window_has_closed(
    world: World, twilio: TwilioServer
) -> None:
    """The first texts are with the provider when the window closes; its answers come later."""
    patients = UNDER_WAY + 50
    cells = {"sms_consent": "yes", "pathways": "vitamin_d", "contact_time": "19:59"}
    drafts = [world.draft(f"P{n}", {"phone": f"+1617555{1000 + n}", **cells}) for n in range(patients)]
    assert world.import_drafts(drafts).created == patients
    world.clock.at = new_york(3, 3, 19, 59)
    plan_all_due(world.store, world.rules, world.clock.at)

    twilio.latency = 1.0
    twilio.clock = closing_after(UNDER_WAY, world, twilio)
    world.app.delivery.deliver_all(Channel.SMS)
    assert world.clock.at == new_york(3, 3, 20, 0)
    assert len(twilio.messages) == UNDER_WAY
    assert disturbances(twilio, {one.form["To"]: ZoneInfo("America/New_York") for one in twilio.messages}) == []

    twilio.latency = 0.0
    twilio.clock = lambda: world.clock.now().timestamp()
    world.run_until(new_york(3, 3, 23, 59))
    assert len(twilio.messages) == UNDER_WAY
    assert {row.status for row in world.ledger()} >= {S.EXPIRED}
    world.run_until(new_york(3, 4, 20, 0))
    assert len({one.form["To"] for one in twilio.messages}) == len(twilio.messages) == patients


def closing_after(texts: int, world: World, twilio: TwilioServer) -> Callable[[], float]:
    """A clock of the provider that shows the world's time, which is 20:00 once it has taken so many texts."""

    def clock() -> float:
        shown = world.clock.now().timestamp()
        if len(twilio.messages) + 1 == texts:
            world.clock.at = new_york(3, 3, 20, 0)
        return shown

    return clock


def test_an_answer_that_never_came_in_the_evening_is_not_made_up_for_at_night(
    world: World, twilio: TwilioServer
) -> None:
    world.enrol_sms("P1", contact_time="19:58", pathways="vitamin_d")
    number = str(world.patient("P1").phone)
    twilio.fail(Fault(FaultKind.IGNORE))
    world.tick_at(new_york(3, 3, 19, 58))
    world.run_until(new_york(3, 4, 19, 0))
    assert twilio.messages == []
    world.run_until(new_york(3, 4, 20, 0))
    assert disturbances(twilio, {number: ZoneInfo("America/New_York")}) == []
    assert len(twilio.messages) == 1
