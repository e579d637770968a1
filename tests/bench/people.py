"""Whom everybody texts, ours and the peers alike. Imports nothing of the service: peers shall not carry it."""

from __future__ import annotations

from datetime import UTC, datetime

SENDER = "+16175550100"
ZONE = "America/New_York"
# Enrolled on a Monday; on Tuesday at 09:30 everybody is due for the vitamin D question, which has the day's
# budget, and for the exercise that gives way to it.
ENROLLED = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
MORNING = datetime(2026, 3, 3, 14, 30, tzinfo=UTC)
YEAR = 365  # days

AREAS = ("617", "212", "312", "415", "213", "646", "773", "206", "303", "215")
PER_AREA = 10_000


def phone_of(number: int) -> str:
    """The number of one patient, in E.164; 555 numbers of real areas, each given once."""
    return f"+1{AREAS[number // PER_AREA]}555{number % PER_AREA:04d}"
