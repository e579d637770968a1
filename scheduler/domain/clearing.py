"""One answer to a patient about all the supplements that waited for a clinician together. Pure.

What goes to a patient names no supplement, so it must hold for each of those that they wait to hear of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from scheduler.domain.facts import FactKind
from scheduler.domain.folding import normalise


@dataclass(frozen=True, slots=True)
class Cleared:
    """A supplement on which a clinician has decided, and when the patient had waited long enough to hear of it."""

    opened_at: datetime
    told_at: datetime
    decision: str


def waited_together(opened_at: datetime, decided: Iterable[Cleared]) -> list[Cleared]:
    """Those of `decided` that the patient still waited to hear of when a case was opened at `opened_at`, or before.

    One leads to the next: who waited for the second while the first was open, and for the third while the second
    was, has heard of none before the third is decided.
    """
    found: list[Cleared] = []
    since = opened_at
    for one in sorted(decided, key=lambda each: each.told_at, reverse=True):
        if one.told_at < since:
            break
        found.append(one)
        since = min(since, one.opened_at)
    return found


def answer_to_all(decisions: Collection[str]) -> str:
    """The decision that the patient hears of: where clinicians decided differently, to come in and talk about it."""
    return next(iter(decisions)) if len(set(decisions)) == 1 else FactKind.COME_IN


def is_same_name(one: str, other: str) -> bool:
    """Whether two names of a supplement are one, however they are written."""
    return one == other or (normalise(one) == normalise(other) != "")
