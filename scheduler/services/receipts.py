"""Receipts: what a provider reports about a message after it has taken it. Statuses only move forward."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from scheduler.domain.messages import MessageStatus
from scheduler.ports import Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One report. `attempt_id` is ours, from the address it came to; `code` is the provider's reason."""

    attempt_id: UUID | None
    provider_id: str
    target: MessageStatus
    code: str | None


def record_receipt(store: Store, receipt: Receipt, *, now: datetime) -> bool:
    """Move the receipt's message forward. False when it is late, repeated, or about a message that is not ours."""
    with store.writing() as unit:
        moved = unit.receipts.record(
            receipt.target,
            attempt_id=receipt.attempt_id,
            provider_id=receipt.provider_id,
            code=receipt.code,
            now=now,
        )
    if moved is None:
        _log.warning("a receipt for %s is about no message of ours", receipt.provider_id)
    return bool(moved)
