"""What follows a command in a reply: a span to pause for, a time of day, days of the week. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import time
from itertools import pairwise

from scheduler.domain.calendar import Weekday
from scheduler.domain.pathway import Unit, Wait
from scheduler.domain.reply_words import ReplyWords

_LONGEST_PAUSE = {Unit.DAYS: 366, Unit.MONTHS: 12}
_TIME = re.compile(r"(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2}))?\s*(?P<half>[ap])?\.?(?:m\.?|h)?")
_NOON = 12
_HOURS, _MINUTES = 24, 60


def read_span(normalised: str, vocabularies: Iterable[ReplyWords]) -> Wait | None:
    """The first number with a unit after it (`2 weeks`, `a month`, `10d`), at most a year; else None."""
    tokens = re.sub(r"(\d)([^\W\d_])", r"\1 \2", normalised).split()
    for words in vocabularies:
        for number, unit in pairwise(tokens):
            amount = int(number[:9]) if number.isdecimal() else words.numbers.get(number, 0)
            one = words.units.get(unit)
            if one is not None and amount > 0:
                return Wait(min(amount * one.amount, _LONGEST_PAUSE[one.unit]), one.unit)
    return None


def read_time(text: str) -> time | None:
    """A time of day as people write it: `18:30`, `6 pm`, `9`. None when `text` is none."""
    match = _TIME.fullmatch(unicodedata.normalize("NFKC", text).casefold().strip())
    if match is None:
        return None
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if match["half"] is not None:
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if match["half"] == "p" else 0)
    return time(hour, minute) if hour < _HOURS and minute < _MINUTES else None


def read_weekdays(normalised: str, vocabularies: Iterable[ReplyWords]) -> frozenset[Weekday]:
    """The days of the week that are named; empty when none is."""
    tokens = normalised.split()
    return frozenset(words.weekdays[token] for words in vocabularies for token in tokens if token in words.weekdays)
