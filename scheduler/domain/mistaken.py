"""Something was recorded by mistake: where the enrolment stands as if it never had been. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date

from scheduler.domain.calendar import Weekday
from scheduler.domain.changing import replace
from scheduler.domain.enrolment import Enrolment, FactRecorded, Resumed
from scheduler.domain.pathway import Pathway
from scheduler.domain.stepping import step


@dataclass(frozen=True, slots=True)
class Moved:
    """What a recorded fact made of one enrolment."""

    fact: FactRecorded
    before: Enrolment
    after: Enrolment


@dataclass(frozen=True, slots=True)
class SetBack:
    """Where the enrolment stands without the fact, and what the later facts made of it then."""

    state: Enrolment
    later: tuple[Moved, ...]


def set_back(
    pathway: Pathway,
    state: Enrolment,
    mistaken: Moved,
    later: Sequence[Moved],
    *,
    on: date,
    weekdays: AbstractSet[Weekday],
) -> SetBack | None:
    """The enrolment, which now is `state`, as if `mistaken` had not been recorded.

    `later` are the facts that were recorded since, in order: they happen again, without it. None where it cannot be
    told, because something else has happened since: an answer, a timer, a move by staff. A pause or a stop that came
    since stays. What became due meanwhile is due on the day after `on`, the patient's local date.
    """
    left = [mistaken.after, *(each.after for each in later)]
    found = [*(each.before for each in later), state]
    if not all(_is_same(*pair) for pair in zip(left, found, strict=True)):
        return None
    at, again = mistaken.before, []
    for each in later:
        begun = _held_as(at, each.before)
        at = step(pathway, begun, each.fact, weekdays=weekdays).enrolment
        again.append(Moved(each.fact, begun, at))
    at = _held_as(at, state)
    if not at.is_paused_on(on):
        at = step(pathway, at, Resumed(on), weekdays=weekdays).enrolment
    return SetBack(at, tuple(again))


def _is_same(one: Enrolment, other: Enrolment) -> bool:
    """Whether nothing but a pause or a stop lies between the two."""
    return _held_as(one, other) == other


def _held_as(state: Enrolment, other: Enrolment) -> Enrolment:
    return replace(state, is_paused=other.is_paused, paused_until=other.paused_until, is_stopped=other.is_stopped)
