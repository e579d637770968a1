"""A patient's own page: how long a link leads there, how often a year of birth may be tried, how long it stays open.

Pure. A link alone shows nothing about health: it is passed on, and lies in a phone that others hold.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

DISCREET = "discreet"  # the service message: there is something to read, and where
DISCREET_ANSWER = "discreet_answer"  # the same, in answer to what the patient wrote

LINK_LASTS = timedelta(days=30)
IDLE = timedelta(minutes=20)  # without a request, the page asks for the year again
LONGEST = timedelta(hours=2)  # and after this in any case
FIRST_YEAR = 1900

FREE_TRIES = 5  # wrong years in a row
_SHORTEST_LOCK = timedelta(hours=1)
_LONGEST_LOCK = timedelta(days=7)  # there are but a hundred years to try


def locked_for(failures: int) -> timedelta:
    """How long no year may be tried after so many wrong ones in a row: each doubles it, from an hour to a week."""
    if failures < FREE_TRIES:
        return timedelta()
    return min(_SHORTEST_LOCK * (1 << min(failures - FREE_TRIES, 10)), _LONGEST_LOCK)


def year_of(typed: str, *, today: date) -> int | None:
    """The year that somebody typed, or None when it is no year in which anybody alive was born."""
    digits = "".join(typed.split())
    if len(digits) != 4 or not digits.isascii() or not digits.isdecimal():
        return None
    return int(digits) if FIRST_YEAR <= int(digits) <= today.year else None


def is_open(*, started_at: datetime, seen_at: datetime, now: datetime) -> bool:
    """Whether a page that was opened then, and last asked for at `seen_at`, still shows itself. Instants are UTC."""
    return started_at <= seen_at <= now + timedelta(minutes=1) and now < min(seen_at + IDLE, started_at + LONGEST)
