"""Numbers and addresses that must not be used, and what goes once there is another. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from scheduler.domain.contact import Change, Enrolled
from scheduler.domain.enrolment import Resumed
from scheduler.domain.messages import MessageKind
from scheduler.domain.reacting import Situation
from scheduler.domain.when import is_inside_window


class WhyBad(StrEnum):
    """Why nothing goes to a number or address any more."""

    NOT_THEIRS = "not_theirs"  # whoever has it said that they are not the patient
    UNDELIVERABLE = "undeliverable"  # the provider said that it will never work


@dataclass(frozen=True, slots=True)
class Missed:
    """The enrolments whose reminder of today did not go for want of a number.

    `held` never had it planned. `taken_back` had, and used up a reminder of the day's budget.
    """

    held: AbstractSet[UUID] = frozenset()
    taken_back: AbstractSet[UUID] = frozenset()


def reachable_again(situation: Situation, missed: Missed) -> Change:
    """The patient has a number or address again: what was missed today is due today, where its window is still open.

    What has waited longer is due from the next day on, one reminder a day.
    """
    contact, today = situation.contact, situation.today
    is_open = is_inside_window(situation.now, contact.zone, contact.window)
    wanted = missed.held | missed.taken_back if is_open else frozenset()
    if is_open and contact.contacted_on == today:
        left = max(0, contact.contacts_that_day - len(missed.taken_back))
        contact = replace(contact, contacts_that_day=left)

    def due_today(one: Enrolled) -> Enrolled:
        if one.id not in wanted or one.state.timer_on is None:
            return one
        return replace(one, state=replace(one.state, timer_on=today))

    waiting = replace(situation, contact=contact, enrolments=tuple(due_today(one) for one in situation.enrolments))
    return waiting.react(
        waiting.each(
            lambda one: None if one.id in wanted or one.state.is_paused_on(today) else Resumed(today),
        ),
        kind=MessageKind.NOTICE,
    )
