"""What a patient will get next, by the rules that send it."""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from scheduler.ports import Store
from scheduler.records import Clinic
from scheduler.services.composing import Composer
from scheduler.services.rules import Rules
from scheduler.services.simulate import SimulatedMessage, simulate

DAYS = 30
MOST = 4  # messages


def coming_messages(
    store: Store, rules: Rules, composer: Composer, clinic: Clinic, *, mrn: str, now: datetime
) -> tuple[SimulatedMessage, ...]:
    """The first messages of the coming `DAYS` from `now` (UTC), if nobody answers; times are in the patient's zone.

    Raises `UnknownPatientError`.
    """
    return tuple(islice(simulate(store, rules, composer, clinic, days=DAYS, start=now, mrn=mrn), MOST))
