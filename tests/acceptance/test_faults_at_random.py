"""A provider that misbehaves at random, for a whole day: by its own journal nobody gets a text twice or not at all.

Everything is real but the clock: the store, the Twilio client and a server that speaks Twilio's protocol.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from scheduler.domain.messages import MessageStatus
from tests.support.over_twilio import DAY_1, world_over
from tests.support.twilio_server import TwilioServer
from tests.support.worlds import World, new_york

PATIENTS = 600
IMPATIENT = 0.3  # seconds: sixty of them hang
SEED = 20260303
RATES = dict.fromkeys(("500", "503", "429", "hang", "accepted_hang", "accepted_closed", "garbage"), 0.05)
TAKEN = ("accepted_hang", "accepted_closed", "garbage")  # of those that get no readable answer, what was taken
MINUTE = timedelta(minutes=1)
NIGHT = new_york(3, 3, 20, 20)

S = MessageStatus
SETTLED = {S.SENT, S.DELIVERED, S.NOT_SENT}


@contextmanager
def morning(*, database_url: str, folder: Path) -> Iterator[tuple[World, TwilioServer]]:
    """A clinic with everybody due at `DAY_1`, and a provider that lives by the clinic's clock."""
    with (
        TwilioServer() as twilio,
        world_over(twilio.url, database_url=database_url, folder=folder, timeout=IMPATIENT) as world,
    ):
        cells = {"sms_consent": "yes", "pathways": "vitamin_d"}
        drafts = [world.draft(f"P{n}", {"phone": number_of(n), **cells}) for n in range(PATIENTS)]
        assert world.import_drafts(drafts).created == PATIENTS
        twilio.clock = lambda: world.clock.now().timestamp()
        twilio.fail_at_random(RATES, seed=SEED)
        yield world, twilio


def number_of(patient: int) -> str:
    return f"+1617555{1000 + patient:04d}"


def journal(twilio: TwilioServer) -> dict[str, str]:
    """The provider's id of each number's text; fails when a number has two."""
    taken = Counter(one.form["To"] for one in twilio.messages)
    assert {number: count for number, count in taken.items() if count > 1} == {}
    return {one.form["To"]: one.sid for one in twilio.messages}


def recorded(world: World) -> dict[str, str | None]:
    """The same by our own ledger."""
    return {number_of(int(row.patient[1:])): row.provider_id for row in world.ledger() if row.status is S.SENT}


def test_at_the_end_of_a_day_of_faults_everything_is_settled_and_nothing_went_twice(
    database_url: str, tmp_path: Path
) -> None:
    with morning(database_url=database_url, folder=tmp_path) as (world, twilio):
        world.run_until(DAY_1 + 20 * MINUTE)
        unsettled = [row for row in world.ledger() if row.status not in SETTLED]
        assert {row.status for row in unsettled} == {S.UNKNOWN}  # perhaps in the provider's queue until the evening
        assert recorded(world) == journal(twilio)
        unanswered = [one for one in twilio.messages if not one.answered]
        assert len(unanswered) > PATIENTS * sum(RATES[name] for name in TAKEN) / 2

        world.tick_at(NIGHT)
        world.run_until(new_york(3, 3, 23, 0))
        assert {row.status for row in world.ledger()} == {S.SENT, S.NOT_SENT}
        assert recorded(world) == journal(twilio)
        assert world.open_tasks() == set()

        twilio.fail_at_random({}, seed=SEED)
        world.run_until(new_york(3, 4, 12, 0))
        assert journal(twilio).keys() == {number_of(patient) for patient in range(PATIENTS)}
        assert recorded(world) == journal(twilio)
