"""Ways to hand a message to a provider, and what is known afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

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
    is_reply: bool  # answers a patient's own mail: Auto-Submitted is auto-replied instead of auto-generated


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """What one attempt came to. `code` is the provider's own code, `detail` is safe to log (no address, no body)."""

    attempt_id: UUID
    outcome: Outcome
    provider_id: str | None = None
    code: str | None = None
    error_class: ErrorClass | None = None
    detail: str | None = None


class SmsChannel(Protocol):
    """Hands texts to a provider. Yields one result per message, as each is known; never raises for one message."""

    def send(self, batch: Iterable[OutboundSms]) -> Iterator[SendResult]: ...

    def close(self) -> None: ...


class EmailChannel(Protocol):
    """Hands mails to an SMTP server. Yields one result per message, as each is known; never raises for one."""

    def send(self, batch: Iterable[OutboundEmail]) -> Iterator[SendResult]: ...

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


class SimulatedInbox(Protocol):
    """Keeps what the simulated channels 'sent', for `/phones`."""

    def keep(self, deliveries: Iterable[SimulatedDelivery]) -> None: ...
