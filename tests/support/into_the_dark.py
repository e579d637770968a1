"""A text into the dark: no readable answer came, and reconciliation is to find out what became of it."""

from __future__ import annotations

from datetime import timedelta

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.services.aftermath import ASK_AFTER
from scheduler.services.plan import plan_all_due
from scheduler.services.reconcile import Reconciled
from tests.support.attempts import DAY_1
from tests.support.fake_sms import Answer, FakeSms
from tests.support.worlds import World, new_york

S = MessageStatus
CLOSED = new_york(3, 3, 20, 0)  # the contact window of the first day


def unknown(world: World, sms: FakeSms, answer: Answer, *, pathway: str = "vitamin_d", **cells: str) -> None:
    """P1's first text gets no answer; the provider has it or not, as `answer` says."""
    world.enrol_sms("P1", pathways=pathway, **cells)
    sms.answers.append(answer)
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, world.clock.at)
    world.app.delivery.deliver_all(Channel.SMS)
    assert statuses(world) == [S.UNKNOWN]


def statuses(world: World, mrn: str = "P1") -> list[MessageStatus]:
    return [row.status for row in world.ledger(mrn)]


def reconcile(world: World, *, after: timedelta = ASK_AFTER) -> Reconciled:
    """What a round of asking does, some time after the first text."""
    world.clock.at = max(world.clock.at, DAY_1 + after)
    return world.app.reconciliation.run()


def reconcile_until(world: World, end: timedelta) -> Reconciled:
    """Every round of asking up to some time after the first text, each when it is due."""
    total = Reconciled()
    while True:
        with world.store.reading() as unit:
            due = unit.questions.next_ask()
        if due is None or due > DAY_1 + end:
            return total
        world.clock.at = max(world.clock.at + timedelta(seconds=1), due)
        total += world.app.reconciliation.run()
