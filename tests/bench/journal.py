"""What the provider took, read from the journal of the server that plays it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.bench.laps import Lap, Taken
from tests.bench.people import phone_of


def read_journal(journal: Path, *, wanted: int, laps: Mapping[str, Lap]) -> Taken:
    """The journal against the numbers of the first `wanted` patients, each of which was to be texted once.

    Times count from the start of the lap in which the first message came.
    """
    accepted = [json.loads(line) for line in journal.read_text().splitlines()]
    numbers = {one["form"]["To"] for one in accepted}
    due = {phone_of(number) for number in range(wanted)}
    at = [one["monotonic"] for one in accepted]
    began = max((lap.started for lap in laps.values() if at and lap.started <= min(at)), default=None)
    return Taken(
        wanted=wanted,
        lost=len(due - numbers),
        doubled=len(accepted) - len(numbers & due),
        first=None if began is None else min(at) - began,
        last=None if began is None else max(at) - began,
    )
