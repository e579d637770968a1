"""What one attempt at Twilio came to: from the answer, or the want of one, to a `SendResult`."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from scheduler.channels.errors import ErrorTable
from scheduler.channels.twilio.failures import Failure
from scheduler.ports import ErrorClass, Outcome, Scope, SendResult

TOO_MANY_REQUESTS = 429
_THROTTLED = "20429"  # Twilio's code for 429, also when the answer names none
_SID = re.compile(r"(?:SM|MM)[0-9a-fA-F]{32}")
_CODE = re.compile(r"\d{1,6}")


def from_answer(
    attempt_id: UUID, *, status: int, body: bytes, retry_after: timedelta | None, errors: ErrorTable
) -> SendResult:
    """The result of a whole answer, by its HTTP status and its JSON.

    The status decides, as in the `twilio` package: 2xx is a message, 5xx may be one, anything else is a refusal.
    """
    said = json_object(body)
    if 200 <= status < 300:
        return _accepted_or_not(attempt_id, said, errors)
    code = error_code(said) or str(status)
    if status == TOO_MANY_REQUESTS:
        return _throttled(attempt_id, retry_after, errors)
    if status >= 500:
        detail = f"Twilio answered {status}: it may have the message"
        return unknown(attempt_id, code=code, detail=detail, retry_after=retry_after)
    return refusal(attempt_id, code, errors)


def from_failure(attempt_id: UUID, failure: Failure) -> SendResult:
    """The result of a request without an answer."""
    if failure.may_have_it:
        return unknown(attempt_id, code=failure.code, detail=failure.reason)
    if failure.is_setup:
        return misconfigured(attempt_id, code=failure.code, scope=Scope.ACCOUNT, detail=failure.reason)
    return not_handed_over(attempt_id, code=failure.code, detail=failure.reason)


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in an answer; an empty one when there is none."""
    try:
        found = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def error_code(said: dict[str, Any]) -> str | None:
    """Twilio's error number in an answer of either of its two shapes, its own and RFC 9457."""
    code = str(said.get("code") or "")
    return code if _CODE.fullmatch(code) else None


def _accepted_or_not(attempt_id: UUID, said: dict[str, Any], errors: ErrorTable) -> SendResult:
    """Without a message SID nobody knows whether there is a message."""
    sid = said.get("sid")
    if not isinstance(sid, str) or _SID.fullmatch(sid) is None:
        return unknown(attempt_id, code="unreadable", detail="Twilio's answer has no message SID")
    if said.get("status") == "failed":  # known at once, and as final as a refusal
        code = said.get("error_code")
        return refusal(attempt_id, None if code is None else str(code), errors, sid=sid)
    return SendResult(attempt_id=attempt_id, outcome=Outcome.ACCEPTED, provider_id=sid)


def refusal(attempt_id: UUID, code: str | None, errors: ErrorTable, *, sid: str | None = None) -> SendResult:
    """Twilio said no. Its own words are left out: they repeat the patient's number."""
    entry = errors.twilio_entry(code)
    return SendResult(
        attempt_id=attempt_id,
        outcome=Outcome.REFUSED,
        provider_id=sid,
        code=code,
        error_class=entry.error_class,
        scope=entry.scope,
        detail=f"Twilio error {code}: {entry.meaning}",
    )


def _throttled(attempt_id: UUID, retry_after: timedelta | None, errors: ErrorTable) -> SendResult:
    """429 comes before any work is done, so trying again is always safe. https://www.twilio.com/docs/errors/20429"""
    entry = errors.twilio_entry(_THROTTLED)
    wait = f"; retry after {retry_after.total_seconds():g} s" if retry_after else ""
    return SendResult(
        attempt_id=attempt_id,
        outcome=Outcome.NOT_HANDED_OVER,
        code=_THROTTLED,
        error_class=entry.error_class,
        detail=f"{entry.meaning}{wait}",
        retry_after=retry_after,
    )


def unknown(attempt_id: UUID, *, code: str, detail: str, retry_after: timedelta | None = None) -> SendResult:
    """Twilio may or may not have the message: never sent again blindly."""
    return SendResult(
        attempt_id=attempt_id,
        outcome=Outcome.UNKNOWN,
        code=code,
        error_class=ErrorClass.AMBIGUOUS,
        detail=detail,
        retry_after=retry_after,
    )


def not_handed_over(attempt_id: UUID, *, code: str, detail: str) -> SendResult:
    """The message provably never left us, and may go later."""
    return SendResult(
        attempt_id=attempt_id,
        outcome=Outcome.NOT_HANDED_OVER,
        code=code,
        error_class=ErrorClass.TRANSIENT,
        detail=detail,
    )


def misconfigured(attempt_id: UUID, *, code: str, scope: Scope, detail: str) -> SendResult:
    """The message never left us, and will not until somebody has mended something."""
    return SendResult(
        attempt_id=attempt_id,
        outcome=Outcome.NOT_HANDED_OVER,
        code=code,
        error_class=ErrorClass.CONFIGURATION,
        scope=scope,
        detail=detail,
    )
