"""Where a recorded result led the patient's pathways, kept with it: a mistake can then be taken back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from scheduler.domain.contact import Change
from scheduler.domain.enrolment import FactRecorded
from scheduler.domain.mistaken import Moved
from scheduler.domain.reacting import Situation, take_back
from scheduler.ports.bulk_changes import Waiting
from scheduler.services.bulk_memory import state_from, state_values

Moves = Mapping[UUID, Moved]
"""By enrolment."""


def moves(situation: Situation, change: Change, fact: FactRecorded, waiting: Sequence[Waiting]) -> Moves:
    """What `fact` makes of each enrolment that hears of it: from `situation` to `change`.

    A reminder that was `waiting` and becomes pointless counts as one that was never planned.
    """
    unsent = [
        (one.enrolment_id, one.event)
        for one in waiting
        if one.event is not None and one.enrolment_id in change.superseded
    ]
    before = {one.id: one.state for one in take_back(situation, unsent).enrolments}
    return {
        one.id: Moved(fact, before[one.id], one.state)
        for one in change.enrolments
        if situation.listens(one, fact.kind)
    }


def moves_as_json(of: Moves) -> str | None:
    """What `moves_from` gives back; None when nothing heard of it."""
    if not of:
        return None
    fact = next(iter(of.values())).fact
    return json.dumps(
        {
            "fact": [fact.on.isoformat(), fact.kind, fact.of.isoformat(), fact.next_months],
            "states": {str(one): [state_values(each.before), state_values(each.after)] for one, each in of.items()},
        }
    )


def moves_from(kept: str | None) -> Moves:
    """The moves that were kept."""
    if kept is None:
        return {}
    said = json.loads(kept)
    on, kind, of, months = said["fact"]
    fact = FactRecorded(date.fromisoformat(on), kind, date.fromisoformat(of), months)
    return {
        UUID(one): Moved(fact, state_from(before), state_from(after))
        for one, (before, after) in said["states"].items()
    }
