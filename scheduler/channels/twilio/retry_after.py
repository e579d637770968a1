"""How long an answer asks us to wait: the Retry-After header, RFC 9110 section 10.2.3."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(hours=1)  # a provider that asks for more is asked again all the same
MAY_SAY_WHEN = frozenset({429, 503})  # the HTTP statuses whose Retry-After counts
_SECONDS = re.compile(r"\d{1,9}")


def retry_after(head: Iterable[bytes], *, now: datetime) -> timedelta | None:
    """The wait that the header lines of an answer ask for, at most an hour; None when they ask for none.

    A date is counted from the answer's own Date header, so that a clock that is wrong on either side does no
    harm; from `now` (aware) when there is none. A date that has passed, and nonsense, ask for nothing.
    """
    fields = dict(map(_field, head))
    value = fields.get("retry-after", "")
    if _SECONDS.fullmatch(value):
        wait = timedelta(seconds=int(value))
    elif (until := _date(value)) is not None:
        wait = until - (_date(fields.get("date", "")) or now)
    else:
        return None
    return min(wait, LONGEST) if wait > timedelta(0) else None


def _field(line: bytes) -> tuple[str, str]:
    name, _, value = line.decode("latin-1").partition(":")
    return name.strip().lower(), value.strip()


def _date(text: str) -> datetime | None:
    """An HTTP date, RFC 9110 section 5.6.7; it is in GMT, whether or not it says so."""
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
