"""The work there is, as the engines that spread it over time and processes see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from scheduler.domain.people import Channel

Stopping = Callable[[], bool]
"""Asked between batches: whether to leave the rest for later."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits to be done now, counted in batches: of patients to plan, of messages to deliver by channel.

    `ask`: a provider is to be asked about messages of which nobody knows whether they went. `understand`: replies
    wait that no process has understood.
    """

    plan: int
    deliver: Mapping[Channel, int]
    ask: bool = False
    understand: bool = False
    office: bool = False  # tasks are overdue, days are to be counted, or a clinic's own people are to be written to


class Work(Protocol):
    """All that an engine may ask for, at any time, as often as it likes, and from several processes at once.

    Claims, leases and unique keys in the database decide what is done: a call that is repeated, late, lost or beside
    another costs time and no message. In one process the parts of the work may run side by side, each of them once
    at a time, so that a provider that hangs delays only its own channel.
    """

    def tick(self, *, stopping: Stopping) -> object:
        """Do everything that is due now, until done or `stopping`."""
        ...

    def look(self) -> Waiting:
        """Settle what dead workers left behind, and see what waits."""
        ...

    def plan_all(self, *, stopping: Stopping) -> object:
        """Decide about all patients who are due, until done or `stopping`."""
        ...

    def plan_batch(self) -> int:
        """Decide about one batch of them; returns how many, 0 when nobody is due."""
        ...

    def deliver_all(self, channel: Channel, *, stopping: Stopping) -> object:
        """Deliver all that is due on `channel`, until done or `stopping`."""
        ...

    def deliver_batch(self, channel: Channel, *, stopping: Stopping) -> int:
        """Deliver one batch of it; returns how many messages moved, 0 when none could."""
        ...

    def ask_all(self, *, stopping: Stopping) -> object:
        """Ask providers about messages of unknown fate, until done or `stopping`."""
        ...

    def run_office(self, *, stopping: Stopping) -> object:
        """Look after overdue tasks, digests and mail to staff, until done or `stopping`."""
        ...

    def understand_all(self, *, stopping: Stopping, limit: int | None = None) -> object:
        """Understand the replies that wait, until done, or `limit` is reached, or `stopping`."""
        ...
