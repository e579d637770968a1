"""What the store can say about the whole installation in figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel

SPAN_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds, the upper bounds by which attempts are counted; the longest of a batch may wait for the whole batch."""


@dataclass(frozen=True, slots=True)
class WaitingMessages:
    """Planned messages whose time has come: how many, and when the first of them could have gone (UTC)."""

    count: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Look:
    """What waits at one moment: patients to plan for, messages by channel.

    `is_abandoned`: a worker died with a batch of messages in hand.
    `is_asking`: providers have to be asked about a message. `is_spoken_to`: a reply has to be understood.
    `is_office_waiting`: as `Gauges.is_office_waiting`. `is_replanning`: patients of a clinic are to be planned anew.
    """

    patients_due: int = 0
    is_abandoned: bool = False
    ready: Mapping[Channel, int] = field(default_factory=dict)
    is_asking: bool = False
    is_spoken_to: bool = False
    is_office_waiting: bool = False
    is_replanning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSpan:
    """Attempts that ended alike and took about as long.

    `bucket` is the place of the first of `SPAN_BOUNDS` that is not below their time, or the number of bounds.
    `seconds` is their time in all, from the commit before the call to the record of the answer.
    """

    channel: Channel
    outcome: str
    bucket: int
    is_settled: bool  # begun so long ago that nothing more will be recorded of them
    count: int
    seconds: float


class Gauges(Protocol):
    """Figures about the whole installation, cheap enough to ask for every few seconds unless they say otherwise."""

    def look(self, now: datetime) -> Look:
        """All that could be waiting at `now`, in one question."""
        ...

    def due(self, now: datetime) -> tuple[int, datetime | None]:
        """How many patients are due and not planned for yet, and since when the first of them is."""
        ...

    def ready(self, now: datetime) -> dict[Channel, int]:
        """How many planned messages could go at `now`, by channel."""
        ...

    def is_ready(self, channel: Channel, now: datetime) -> bool:
        """Whether any planned message of `channel` could go at `now`."""
        ...

    def waiting(self, now: datetime) -> dict[Channel, WaitingMessages]:
        """The planned messages that could go at `now`, by channel; none for a channel without any."""
        ...

    def next_ready(self) -> datetime | None:
        """The earliest instant at which a planned message may go; it may have passed."""
        ...

    def sending(self) -> dict[Channel, int]:
        """How many messages are being handed over, by channel."""
        ...

    def abandoned(self, now: datetime) -> int:
        """How many messages are in `sending` although their worker's lease has run out."""
        ...

    def unknown(self) -> int:
        """Of how many messages nobody knows whether they went."""
        ...

    def asked(self) -> int:
        """About how many of these the provider is being asked."""
        ...

    def messages(self, since: datetime) -> dict[tuple[Channel, MessageStatus], int]:
        """How many messages planned since `since` are now in which status, by channel.

        As much work as there are such messages.
        """
        ...

    def attempts(self, since: datetime, *, settled_before: datetime) -> list[AttemptSpan]:
        """The attempts begun since then that have ended; apart those begun before `settled_before`."""
        ...

    def is_office_waiting(self, now: datetime) -> bool:
        """Whether a task is overdue that is not urgent for it, a digest is due, or mail to staff could go at `now`.

        Also when such mail is held by a worker that died.
        """
        ...

    def open_tasks(self, clinic_id: int | None = None) -> int:
        """How many tasks wait for a person, in one clinic or in all."""
        ...

    def tasks(self) -> dict[tuple[int, str, date], int]:
        """How many tasks wait for a person, by clinic, kind and the date they are due."""
        ...

    def beats(self, since: datetime) -> dict[str, datetime]:
        """When each worker last gave a sign of life, of those that did so since then."""
        ...

    def database_time(self) -> datetime | None:
        """What the clock of the database's machine shows; None where that is this machine."""
        ...
