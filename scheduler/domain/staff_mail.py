"""Mail to a clinic's own people: its kinds, its statuses, and when a try is followed by another."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class StaffMailKind(StrEnum):
    """Why staff are written to."""

    SAFETY = "safety"  # a patient may need help now
    ACCOUNT = "account"  # a link to a new password
    DIGEST = "digest"  # how many tasks are open
    TEST = "test"  # an admin tries the sender out

    @property
    def may_go_twice(self) -> bool:
        """Whether a mail of unknown fate is sent once more: one too many must do no harm, and confuse nobody."""
        return self is not StaffMailKind.SAFETY

    @property
    def rank(self) -> int:
        """0 for what goes first."""
        return list(StaffMailKind).index(self)


class StaffMailStatus(StrEnum):
    """Where a mail to staff stands. See `TRANSITIONS` for the moves that are allowed."""

    PLANNED = "planned"  # to be sent, or to be tried again
    SENDING = "sending"  # an attempt is committed; the mail server may or may not have it
    SENT = "sent"  # the mail server took it
    FAILED = "failed"  # the mail server refused it for good
    UNKNOWN = "unknown"  # handed over, but no readable answer came back
    EXPIRED = "expired"  # its day passed before it could go


TRANSITIONS: dict[StaffMailStatus, frozenset[StaffMailStatus]] = {
    StaffMailStatus.PLANNED: frozenset({StaffMailStatus.SENDING, StaffMailStatus.EXPIRED}),
    StaffMailStatus.SENDING: frozenset(
        {
            StaffMailStatus.SENT,
            StaffMailStatus.FAILED,
            StaffMailStatus.UNKNOWN,
            StaffMailStatus.PLANNED,  # provably never handed over; or of unknown fate, and may go twice
        }
    ),
    StaffMailStatus.SENT: frozenset(),
    StaffMailStatus.FAILED: frozenset(),
    StaffMailStatus.UNKNOWN: frozenset(),
    StaffMailStatus.EXPIRED: frozenset(),
}

_LONGEST_PAUSE = timedelta(minutes=30)


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts that came to nothing: 1, 2, 4 ... minutes, up to half an hour."""
    return min(timedelta(minutes=1) * (1 << min(max(attempts, 1) - 1, 10)), _LONGEST_PAUSE)
