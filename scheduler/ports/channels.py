"""Ways to hand a message to a provider, and what is known afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel


class Outcome(StrEnum):
    """What is known after one attempt at a provider."""

    ACCEPTED = "accepted"  # the provider took it and gave an id
    REFUSED = "refused"  # the provider answered and said no; `code` says why
    NOT_HANDED_OVER = "not_handed_over"  # provably never left us (connection refused, 429): safe to try again
    UNKNOWN = "unknown"  # written to the provider, but no readable answer: never send again blindly


class ErrorClass(StrEnum):
    """What a provider's error code means for the reminder. The table is `config/provider_errors.yaml`."""

    PERMANENT = "permanent"  # this number or address will never work
    STOPPED = "stopped"  # the recipient opted out at the provider
    CONFIGURATION = "configuration"  # the account, sender or our request is wrong: for the operator
    TRANSIENT = "transient"  # may work later
    AMBIGUOUS = "ambiguous"  # nobody can say; never repeated blindly


WINDOW_CLOSED = "window_closed"
"""The code of a message that was not handed over because its contact window had just closed."""


class Scope(StrEnum):
    """How far a configuration fault reaches."""

    MESSAGE = "message"  # this message alone
    SENDER = "sender"  # whatever comes from the same number, service or address
    ACCOUNT = "account"  # everything on the channel


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundSms:
    """One text, ready for a provider.

    `to` and `sender_number` are E.164; `valid_until` (UTC) is the end of the patient's contact window.
    """

    attempt_id: UUID
    to: str
    body: str
    sender_number: str | None
    messaging_service: str | None
    valid_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundEmail:
    """One e-mail, ready for an SMTP server. `message_id` is the Message-ID header with its angle brackets."""

    attempt_id: UUID
    to: str
    subject: str
    text: str
    html: str
    sender_address: str
    sender_name: str
    message_id: str
    unsubscribe_url: str
    thread: tuple[str, ...] = ()  # Message-IDs: of the mail that it answers last, before it those that led there
    is_reply: bool  # answers a patient's own mail: Auto-Submitted is auto-replied instead of auto-generated


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """What one attempt came to. `code` is the provider's own code, `detail` is safe to log (no address, no body).

    `retry_after` is how long the provider asks us to leave it alone, at most an hour; None when it did not say.
    """

    attempt_id: UUID
    outcome: Outcome
    provider_id: str | None = None
    code: str | None = None
    error_class: ErrorClass | None = None
    detail: str | None = None
    scope: Scope = Scope.MESSAGE  # of a configuration fault
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A text that the provider holds, as its own records say.

    `status` is None when the provider's word for it is not one we know; `code` is its error code, if any.
    `created_at` (UTC) is when it took the text over, to the second.
    """

    provider_id: str
    body: str
    sender: str | None  # E.164; a provider that picks one from a pool may not have done so yet
    messaging_service: str | None
    status: MessageStatus | None
    code: str | None
    created_at: datetime


class ProviderUnavailable(Exception):  # noqa: N818 - a state of the provider, not a fault in a program
    """The provider cannot be asked just now. The message is a short reason, safe to log.

    `retry_after` is how long it asks us to leave it alone; None when it did not say.
    """

    def __init__(self, reason: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class SmsChannel(Protocol):
    """Hands texts to a provider, and says what it holds."""

    def send(self, batch: Iterable[OutboundSms | None]) -> Iterator[SendResult]:
        """Send the texts of `batch`; yield one result for each, as it is known, in no order.

        Never raises for one message. The next text is taken from `batch` only when it can begin at once, so a
        `batch` that holds texts back sets the pace. It may block, but those under way then wait too; better,
        it yields None for "nothing yet": those under way are looked after for some milliseconds, and then it
        is asked again.

        When the caller stops reading, texts that have not begun are not sent; those under way are finished,
        and what became of them stays unknown to the caller.
        """
        ...

    def find(self, *, to: str, since: datetime, until: datetime) -> list[Handed]:
        """Everything the provider took over for the number `to` (E.164) from `since` to `until`, both included.

        What else it names beside that comes too: where the clocks disagree, it may be meant.
        The instants are aware. The provider's clock is not ours and has whole seconds: leave some margin. A
        text in its queue may be missing; absence proves nothing before its validity period has passed.
        Raises `ProviderUnavailable` when the provider cannot be asked, or not to the end.
        """
        ...

    def close(self) -> None: ...


class EmailChannel(Protocol):
    """Hands mails to an SMTP server. Yields one result per message, as each is known; never raises for one."""

    def send(self, batch: Iterable[OutboundEmail | None]) -> Iterator[SendResult]:
        """As `SmsChannel.send`: mails are taken one by one, and None means "nothing yet"."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedDelivery:
    """What a simulated phone or mailbox received."""

    channel: Channel
    address: str
    sender: str
    subject: str | None
    body: str
    html: str | None
    at: datetime
    number: int = 0  # in the order of arrival, once it is kept


class SimulatedInbox(Protocol):
    """Keeps what the simulated channels 'sent', for `/phones`."""

    def keep(self, deliveries: Iterable[SimulatedDelivery]) -> None: ...
