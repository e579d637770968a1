"""What an attempt's answer means for its message: where it moves, when it is tried again, what else follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from scheduler.domain.messages import MessageStatus
from scheduler.ports import ErrorClass, Outcome, Scope, SendResult

FIRST_RETRY = timedelta(seconds=30)  # each later one waits twice as long
LONGEST_RETRY = timedelta(minutes=15)
OPERATOR_RETRY = timedelta(minutes=5)  # how soon to look whether a fault of one message has been mended
LAST_MOMENT = timedelta(minutes=1)  # a retry so near the window's end would come too late


class FollowUp(StrEnum):
    """What a refusal asks for beside the message's new status."""

    NONE = "none"
    BAD_ADDRESS = "bad_address"  # never use this number or address again; staff ask for another
    OPTED_OUT = "opted_out"  # the provider holds an opt-out: mirror it
    OPERATOR = "operator"  # the account or our request is wrong: somebody must look
    UNSETTLED = "unsettled"  # nobody can say whether it went: a person looks


@dataclass(frozen=True, slots=True)
class Settled:
    """Where the message moves. `retry_at` (UTC) goes with a move back to planned."""

    status: MessageStatus
    follow_up: FollowUp = FollowUp.NONE
    retry_at: datetime | None = None


def settle(result: SendResult, attempt_id: UUID, *, tries: int, now: datetime, until: datetime) -> Settled:
    """Read one answer. `tries` counts this attempt; `until` (UTC) is the end of the message's window.

    Nothing that may have reached the provider is tried again, and nothing outside the window.
    """
    match result.outcome:
        case Outcome.ACCEPTED:
            return Settled(MessageStatus.SENT)
        case Outcome.UNKNOWN:
            return Settled(MessageStatus.UNKNOWN, FollowUp.UNSETTLED)
        case Outcome.NOT_HANDED_OVER | Outcome.REFUSED:
            return _refused(result, now + _wait(result, attempt_id, tries), now=now, until=until)


def _refused(result: SendResult, retry_at: datetime, *, now: datetime, until: datetime) -> Settled:
    match result.error_class:
        case ErrorClass.PERMANENT:
            return Settled(MessageStatus.FAILED, FollowUp.BAD_ADDRESS)
        case ErrorClass.STOPPED:
            return Settled(MessageStatus.FAILED, FollowUp.OPTED_OUT)
        case ErrorClass.CONFIGURATION if result.scope is Scope.MESSAGE:
            return _again(now + OPERATOR_RETRY, until, FollowUp.OPERATOR)
        case ErrorClass.CONFIGURATION:  # its lane waits as a whole; the message keeps its place in it
            return Settled(MessageStatus.PLANNED, FollowUp.NONE, now)
        case _ if result.outcome is Outcome.NOT_HANDED_OVER:
            return Settled(MessageStatus.PLANNED, FollowUp.NONE, min(retry_at, until))  # too late, it expires then
        case ErrorClass.TRANSIENT:
            return _again(retry_at, until)
        case _:
            return Settled(MessageStatus.FAILED)


def _again(retry_at: datetime, until: datetime, follow_up: FollowUp = FollowUp.NONE) -> Settled:
    if retry_at > until - LAST_MOMENT:
        return Settled(MessageStatus.FAILED, follow_up)
    return Settled(MessageStatus.PLANNED, follow_up, retry_at)


def _wait(result: SendResult, attempt_id: UUID, tries: int) -> timedelta:
    """Longer after every try, and for everybody a little different: they failed together."""
    doublings = max(0, min(tries, 10) - 1)
    backoff = min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY)
    spread = (attempt_id.int & 0xFFFF) / 0x10000  # the random end of the id
    return max(backoff * (1 + spread) / 2, result.retry_after or timedelta())
