"""What an attempt's answer means for its message: where it moves, when it is tried again, what else follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler.domain.messages import MessageStatus
from scheduler.ports import ErrorClass, Outcome, SendResult

RETRY_AFTER = timedelta(seconds=30)  # the first retry; each later one waits twice as long
LONGEST_RETRY = timedelta(minutes=15)
MOST_TRANSIENT_TRIES = 5
OPERATOR_RETRY = timedelta(minutes=5)  # how soon to look whether a configuration fault has been mended


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


def settle(result: SendResult, *, tries: int, now: datetime) -> Settled:
    """Read one answer. `tries` counts this attempt. Nothing that may have reached the provider is tried again."""
    match result.outcome:
        case Outcome.ACCEPTED:
            return Settled(MessageStatus.SENT)
        case Outcome.UNKNOWN:
            return Settled(MessageStatus.UNKNOWN, FollowUp.UNSETTLED)
        case Outcome.NOT_HANDED_OVER:
            if result.error_class is ErrorClass.CONFIGURATION:
                return Settled(MessageStatus.PLANNED, FollowUp.OPERATOR, now + OPERATOR_RETRY)
            return Settled(MessageStatus.PLANNED, retry_at=now + _backoff(tries))
        case Outcome.REFUSED:
            return _refused(result, tries=tries, now=now)


def _refused(result: SendResult, *, tries: int, now: datetime) -> Settled:
    match result.error_class:
        case ErrorClass.PERMANENT:
            return Settled(MessageStatus.FAILED, FollowUp.BAD_ADDRESS)
        case ErrorClass.STOPPED:
            return Settled(MessageStatus.FAILED, FollowUp.OPTED_OUT)
        case ErrorClass.CONFIGURATION:
            return Settled(MessageStatus.PLANNED, FollowUp.OPERATOR, now + OPERATOR_RETRY)
        case ErrorClass.TRANSIENT if tries < MOST_TRANSIENT_TRIES:
            return Settled(MessageStatus.PLANNED, retry_at=now + _backoff(tries))
        case _:
            return Settled(MessageStatus.FAILED)


def _backoff(tries: int) -> timedelta:
    doublings = max(0, min(tries, 10) - 1)
    return min(RETRY_AFTER * (1 << doublings), LONGEST_RETRY)
