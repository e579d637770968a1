"""A worker dies at every named point of delivery, for real, and others take over what it left.

`before_call`, `after_call`, `before_record`, `mid_batch`: see `CrashPoint`. Whatever the point, by the provider's own
journal no patient is texted twice and, in the end, none is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.services.leases import LEASE
from tests.support.crashing_worker import ANSWERED, BATCH, FIRST, CrashPoint, crash
from tests.support.over_twilio import DAY_1, world_over
from tests.support.twilio_server import ACCOUNT, TOKEN, Fault, FaultKind, TwilioServer
from tests.support.worlds import World, new_york

S = MessageStatus
PATIENTS = BATCH + 4  # four that the worker which dies has not claimed
MINUTE = timedelta(minutes=1)


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    with TwilioServer(latency=0.2) as server:  # so that all of a batch are under way before the first is answered
        yield server


@pytest.fixture
def world(database_url: str, tmp_path: Path, twilio: TwilioServer) -> Iterator[World]:
    with world_over(twilio.url, database_url=database_url, folder=tmp_path) as world:
        for number in range(PATIENTS):
            world.enrol_sms(f"P{number}", phone=number_of(number), pathways="vitamin_d")
        world.clock.at = DAY_1
        twilio.clock = lambda: world.clock.now().timestamp()
        yield world


def number_of(patient: int) -> str:
    return f"+1617555{2000 + patient}"


def killed_at(point: CrashPoint, world: World, twilio: TwilioServer) -> int:
    """Kill a worker there; returns how many texts the provider has by then."""
    settings = world.app.settings
    crash(
        point,
        at=world.clock.at,
        settings={
            "BONEWISE_DATABASE_URL": settings.database_url,
            "BONEWISE_DATA_DIR": str(settings.data_dir),
            "BONEWISE_SMS": "twilio",
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_API_URL": twilio.url,
            "BONEWISE_PROVIDER_TIMEOUT": "20",
        },
    )
    twilio.latency = 0.0
    return len(twilio.messages)


def standing(world: World) -> Counter[str]:
    return Counter(row.status.value for row in world.ledger())


def journal(twilio: TwilioServer) -> dict[str, str]:
    """The provider's id of each patient's text; fails when a patient has two."""
    texts = Counter(one.form["To"] for one in twilio.messages)
    assert max(texts.values(), default=1) == 1, texts
    return {one.form["To"]: one.sid for one in twilio.messages}


def recorded(world: World) -> dict[str, str | None]:
    """The same by our own ledger."""
    return {str(world.patient(row.patient).phone): row.provider_id for row in world.ledger() if row.status is S.SENT}


@pytest.mark.parametrize(
    ("point", "handed", "taken"),
    [
        (CrashPoint.BEFORE_CALL, FIRST, 0),
        (CrashPoint.AFTER_CALL, BATCH, BATCH),
        (CrashPoint.BEFORE_RECORD, BATCH, BATCH),
        (CrashPoint.MID_BATCH, FIRST, ANSWERED + 1),
    ],
    ids=lambda value: value.value if isinstance(value, CrashPoint) else "",
)
def test_nothing_is_lost_and_nothing_goes_twice_when_a_worker_dies(
    world: World, twilio: TwilioServer, point: CrashPoint, handed: int, taken: int
) -> None:
    """`handed`: how many are on record as what may be with the provider; `taken`: how many it has."""
    if point is CrashPoint.MID_BATCH:  # of the two under way, the provider has one
        twilio.fail(Fault(FaultKind.HANG))
        twilio.fail(Fault(FaultKind.IGNORE))
    assert killed_at(point, world, twilio) == taken
    assert standing(world) == {"sending": BATCH, "planned": PATIENTS - BATCH}

    others = world.tick_at(DAY_1 + LEASE / 2)
    assert (others.sent, others.rescued) == (PATIENTS - BATCH, 0)
    assert world.tick_at(DAY_1 + LEASE).rescued == BATCH
    never_went = BATCH - handed  # they go at once
    assert standing(world) == {"unknown": handed, "sent": PATIENTS - BATCH + never_went}

    world.run_until(DAY_1 + LEASE + 10 * MINUTE)
    assert recorded(world) == journal(twilio)
    sent = PATIENTS - BATCH + never_went + taken
    assert standing(world) == +Counter(sent=sent, unknown=handed - taken)

    world.run_until(new_york(3, 3, 23, 0))
    assert standing(world) == +Counter(sent=sent, not_sent=handed - taken)
    assert {row.reason for row in world.ledger() if row.status is S.NOT_SENT} <= {"absent"}

    world.run_until(new_york(3, 4, 12, 0))  # the question that did not go is asked the next day
    assert journal(twilio).keys() == {number_of(patient) for patient in range(PATIENTS)}
    assert recorded(world) == journal(twilio)
    assert world.open_tasks() == set()


def test_a_second_worker_that_dies_while_it_settles_what_the_first_left_costs_nothing(
    world: World, twilio: TwilioServer
) -> None:
    taken = killed_at(CrashPoint.BEFORE_RECORD, world, twilio)
    twilio.latency = 0.2
    world.clock.at = DAY_1 + LEASE / 2
    taken = killed_at(CrashPoint.AFTER_CALL, world, twilio)
    assert taken == PATIENTS
    assert standing(world) == {"sending": PATIENTS}
    assert world.tick_at(DAY_1 + LEASE / 2 + LEASE).rescued == PATIENTS
    world.run_until(new_york(3, 3, 12, 0))
    assert recorded(world) == journal(twilio)
    assert len(recorded(world)) == PATIENTS
