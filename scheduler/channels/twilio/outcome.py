"""What one attempt at Twilio came to: from the answer, or the want of one, to a `SendResult`."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from scheduler.channels.errors import ErrorTable
from scheduler.ports import ErrorClass, Outcome, SendResult

TOO_MANY_REQUESTS = 429
_THROTTLED = "20429"  # Twilio's code for 429, also when the answer names none
_SECONDS = re.compile(r"\d{1,5}")


def accepted_or_not(attempt_id: UUID, sid: object, status: object, code: object, errors: ErrorTable) -> SendResult:
    """The result of a 2xx answer. Without a message SID nobody knows whether there is a message."""
    if not isinstance(sid, str) or not sid:
        return unknown(attempt_id, code="unreadable", detail="Twilio's answer has no message SID")
    if status == "failed":  # known at once, and as final as a refusal
        refused = refusal(attempt_id, None if code is None else str(code), errors)
        return SendResult(
            attempt_id=attempt_id,
            outcome=Outcome.REFUSED,
            provider_id=sid,
            code=refused.code,
            error_class=refused.error_class,
            detail=refused.detail,
        )
    return SendResult(attempt_id=attempt_id, outcome=Outcome.ACCEPTED, provider_id=sid)


def from_error_answer(
    attempt_id: UUID, *, status: Any, code: Any, retry_after: str | None, errors: ErrorTable
) -> SendResult:
    """The result of an error answer. `code` is Twilio's, or the HTTP status where the body had none."""
    named = str(code or status)
    if status == TOO_MANY_REQUESTS:
        return _throttled(attempt_id, retry_after, errors)
    if not isinstance(status, int) or status >= 500:
        detail = f"Twilio answered {status}: it may have the message"
        return unknown(attempt_id, code=named, detail=detail)
    return refusal(attempt_id, named, errors)


def refusal(attempt_id: UUID, code: str | None, errors: ErrorTable) -> SendResult:
    """Twilio said no. Its own words are left out: they repeat the patient's number."""
    entry = errors.twilio_entry(code)
    return SendResult(
        attempt_id=attempt_id,
        outcome=Outcome.REFUSED,
        code=code,
        error_class=entry.error_class,
        detail=f"Twilio error {code}: {entry.meaning}",
    )


def _throttled(attempt_id: UUID, retry_after: str | None, errors: ErrorTable) -> SendResult:
    """429 comes before any work is done, so trying again is always safe. https://www.twilio.com/docs/errors/20429"""
    entry = errors.twilio_entry(_THROTTLED)
    wait = f"; retry after {retry_after} s" if _SECONDS.fullmatch(retry_after or "") else ""
    return SendResult(
        attempt_id=attempt_id,
        outcome=Outcome.NOT_HANDED_OVER,
        code=_THROTTLED,
        error_class=entry.error_class,
        detail=f"{entry.meaning}{wait}",
    )


def unknown(attempt_id: UUID, *, code: str, detail: str) -> SendResult:
    """Twilio may or may not have the message: never sent again blindly."""
    return SendResult(
        attempt_id=attempt_id,
        outcome=Outcome.UNKNOWN,
        code=code,
        error_class=ErrorClass.AMBIGUOUS,
        detail=detail,
    )


def not_handed_over(attempt_id: UUID, *, code: str, error_class: ErrorClass, detail: str) -> SendResult:
    """The message provably never left us."""
    return SendResult(
        attempt_id=attempt_id,
        outcome=Outcome.NOT_HANDED_OVER,
        code=code,
        error_class=error_class,
        detail=detail,
    )
