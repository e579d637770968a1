"""What the store keeps for settling messages after a provider has them: receipts, second tries, open questions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from scheduler.domain.messages import MessageStatus
from scheduler.domain.second_try import SecondTry
from scheduler.records import LedgerMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """One attempt and its message as they stand, held until the transaction ends."""

    attempt_id: UUID
    message_id: UUID
    clinic_id: int
    patient_id: UUID
    status: MessageStatus
    is_latest: bool  # no later attempt at the message has begun
    provider_id: str | None  # the provider's id on record for this attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """The latest attempt at a message: what went to which address, and when it began (UTC)."""

    message: LedgerMessage
    attempt_id: UUID
    address: str
    body: str
    started_at: datetime
    is_second_try: bool  # the message took over from one that did not arrive
    asks: int  # how often the provider's list has been asked about it

    @property
    def clinic_id(self) -> int:
        return self.message.clinic_id


class Receipts(Protocol):
    """What providers report about messages, and the second tries that follow from it."""

    def find(self, attempt_id: UUID | None, provider_id: str) -> Tracked | None:
        """The attempt that a report is about, by our id or else by the provider's, locked; None when not ours."""
        ...

    def belongs_elsewhere(self, provider_id: str, tracked: Tracked) -> bool:
        """Whether the provider's id is on record for another attempt."""
        ...

    def link(self, tracked: Tracked, provider_id: str) -> None:
        """Put the provider's id on record for an attempt that has none."""
        ...

    def move(
        self, tracked: Tracked, target: MessageStatus, *, provider_id: str, code: str | None, now: datetime
    ) -> bool:
        """Move the message to `target` with the provider's code as reason; False when the table does not allow it."""
        ...

    def statuses(self, message_ids: Sequence[UUID]) -> dict[UUID, MessageStatus]:
        """Where messages stand now."""
        ...

    def attempted(self, tracked: Tracked) -> Attempted:
        """The message of a tracked attempt with its patient."""
        ...

    def codes_of(self, message_ids: Sequence[UUID]) -> list[tuple[UUID, str]]:
        """The codes with which earlier attempts at these messages were refused: (message, code), each once."""
        ...

    def undelivered(self, message: LedgerMessage, *, code: str, since: datetime) -> int:
        """How many messages to the patient over this channel, planned since then, ended undelivered with `code`."""
        ...

    def refused_in_a_row(self, message: LedgerMessage, *, since: datetime) -> int:
        """How many messages to the same person over this channel, planned since then, failed and none went after."""
        ...

    def try_again(self, message: LedgerMessage, second: SecondTry, *, now: datetime) -> None:
        """Plan the second try at a message that did not arrive. It can have one only."""
        ...

    def drop_second_tries(self, tracked: Tracked) -> None:
        """The message arrived after all: what was planned in its place, and has not begun, does not go."""
        ...


class Questions(Protocol):
    """Messages of which nobody can say whether they went, and when to ask their provider next."""

    def ask(self, messages: Iterable[tuple[UUID, int]], *, at: datetime) -> None:
        """Ask about (message, clinic) at `at`, if they are unknown and nobody asks yet."""
        ...

    def is_due(self, now: datetime) -> bool: ...

    def next_ask(self) -> datetime | None:
        """The earliest instant at which there is something to ask; it may have passed."""
        ...

    def claim(self, now: datetime, *, limit: int, lease_until: datetime) -> list[Attempted]:
        """Up to `limit` messages of all clinics to ask about, the longest waiting first; others leave them alone
        until `lease_until`."""
        ...

    def again(self, one: Attempted, *, at: datetime | None, asked: bool) -> None:
        """Ask about it next at `at`, or never again with None. `asked`: this turn counts."""
        ...

    def taken(self, provider_ids: Sequence[str], *, attempt_id: UUID) -> set[str]:
        """Those of the provider's ids that are on record for other attempts."""
        ...

    def not_sent(self, one: Attempted, *, reason: str) -> bool:
        """It has been proven never to have left; False when it is no longer unknown."""
        ...

    def had_task(self, one: Attempted, cause: str) -> bool:
        """Whether a task of this cause has been opened before, whatever became of it."""
        ...
