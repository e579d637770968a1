"""People who work at a clinic and sign in: what they may do, and how long a session or a lock lasts. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

IDLE = timedelta(minutes=30)  # without a request, a session ends
WARNED = timedelta(minutes=5)  # so long before its end, its pages say so
LONGEST = timedelta(hours=12)  # a session ends, however busy
SEEN_EVERY = timedelta(minutes=1)  # a request within this time of another is not noted
INVITED_FOR = timedelta(days=7)
RESET_FOR = timedelta(hours=1)

_FREE_TRIES = 5  # wrong passwords or codes in a row
_SHORTEST_LOCK = timedelta(seconds=30)
_LONGEST_LOCK = timedelta(minutes=15)


class Role(StrEnum):
    """What a member of staff is there for, and so may do."""

    ADMIN = "admin"  # runs the installation of the clinic: settings, staff, keys
    COORDINATOR = "coordinator"  # enrols patients and works on the worklist
    CLINICIAN = "clinician"  # what a coordinator may do, and decides
    VIEWER = "viewer"  # reads

    @property
    def needs_second_factor(self) -> bool:
        """Whether a password is not enough: these may change who gets in, or sign for the clinic."""
        return self in (Role.ADMIN, Role.CLINICIAN)


class LinkKind(StrEnum):
    """What a one-time link is for."""

    INVITATION = "invitation"
    RESET = "reset"

    @property
    def lasts(self) -> timedelta:
        """How long it can be used."""
        return INVITED_FOR if self is LinkKind.INVITATION else RESET_FOR


def locked_for(failures: int) -> timedelta:
    """How long an account is locked after so many failures in a row: each doubles it, up to a quarter of an hour."""
    if failures < _FREE_TRIES:
        return timedelta()
    return min(_SHORTEST_LOCK * (1 << min(failures - _FREE_TRIES, 10)), _LONGEST_LOCK)


def ends_at(*, started_at: datetime, seen_at: datetime) -> datetime:
    """When a session ends without another request. Instants are UTC."""
    return min(seen_at + IDLE, started_at + LONGEST)
