"""What follows a command in a reply: a span to pause for, a time of day. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

from scheduler.domain.calendar import Weekday
from scheduler.domain.pathway import Unit, Wait
from scheduler.domain.replies.dates import Until
from scheduler.domain.replies.hearing import is_one_of
from scheduler.domain.replies.patterns import Words
from scheduler.domain.replies.places import (
    apart,
    meaning_at,
    number_at,
    past_clock_word,
    past_date_word,
    past_fillers,
)
from scheduler.domain.replies.vocabulary import Vocabulary
from scheduler.domain.replies.words import NOON, Clock, DateOrder, DateWord, WordList
from scheduler.domain.when import EARLIEST

_LONGEST_PAUSE = {Unit.DAYS: 366, Unit.MONTHS: 12}
_NOON, _HOURS, _MINUTES, _DAYS, _MONTHS = 12, 24, 60, 31, 12
_HALF, _QUARTER = 30, 15
_LONGEST_NUMBER = 9  # digits; more than that is a year at most anyway


def read_span(words: Words, known: Vocabulary) -> Wait | Until | None:
    """How long: the first `until Monday`, `2 weeks`, `10d`, `this week`; at most a year. None when none is named."""
    words = apart(words)
    for at in range(len(words)):
        found = _until(words, at, known) or _count_of_units(words, at, known) or _this_week(words, at, known)
        if found is not None:
            return found
    return None


def read_until(words: Words, known: Vocabulary) -> Wait | Until | None:
    """The first `until Monday` or `hasta el 15`; None when none is named."""
    words = apart(words)
    return next((found for at in range(len(words)) if (found := _until(words, at, known)) is not None), None)


def starts_with_span(words: Words, known: Vocabulary) -> Wait | Until | None:
    """As `read_span`, of words that begin with the span: `for 2 weeks`."""
    words = apart(words)
    at = past_date_word(words, 0, DateWord.FOR, known) or 0
    return _until(words, at, known) or _count_of_units(words, at, known)


def read_limit(words: Words, known: Vocabulary) -> Wait | Until | None:
    """A span that says how long something shall last: `for 2 weeks`, `until Monday`; not `I had 2 weeks of this`."""
    words = apart(words)
    for at in range(len(words)):
        after = past_date_word(words, at, DateWord.FOR, known)
        found = _until(words, at, known) or (_count_of_units(words, after, known) if after is not None else None)
        if found is not None:
            return found
    return None


def _count_of_units(words: Words, at: int, known: Vocabulary) -> Wait | None:
    digits = words[at][0] if at < len(words) else ""
    if digits.isdecimal():
        amount = int(digits[:_LONGEST_NUMBER])
    else:
        amount = meaning_at(words, at, known.numbers) or meaning_at(words, at, known.amounts) or 0
    one = meaning_at(words, past_fillers(words, at + 1, known), known.units)
    if one is None or amount <= 0:
        return None
    return Wait(min(amount * one.amount, _LONGEST_PAUSE[one.unit]), one.unit)


def _this_week(words: Words, at: int, known: Vocabulary) -> Until | None:
    after = past_date_word(words, at, DateWord.THIS, known)
    return _end_of_unit(words, after, known) if after is not None else None


def _until(words: Words, at: int, known: Vocabulary) -> Wait | Until | None:
    after = past_date_word(words, at, DateWord.UNTIL, known)
    if after is None:
        return None
    if past_date_word(words, after, DateWord.TOMORROW, known) is not None:
        return Wait(1)
    after = past_fillers(words, after, known)
    after = past_date_word(words, after, DateWord.NEXT, known) or after
    weekday = meaning_at(words, after, known.weekdays)
    if weekday is not None:
        return Until(weekday=weekday)
    if meaning_at(words, after, known.units) == Wait(1) and number_at(words, after + 1) is not None:
        after += 1  # el dia 15
    return _calendar_day(words, after, known) or _end_of_unit(words, after, known)


def _end_of_unit(words: Words, at: int, known: Vocabulary) -> Until | None:
    unit = meaning_at(words, past_fillers(words, at, known), known.units)
    if unit is None or unit == Wait(1):
        return None
    return Until(day=1) if unit.unit is Unit.MONTHS else Until(weekday=Weekday.MON)


def _calendar_day(words: Words, at: int, known: Vocabulary) -> Until | None:
    """`June 15`, `15 de junio`, `6/15`, `the 15th`."""
    month = meaning_at(words, at, known.months)
    if month is not None:
        day = number_at(words, at + 1)
        return Until(month=month, day=day or 1) if day is None or 1 <= day <= _DAYS else None
    first, second = number_at(words, at), number_at(words, at + 1)
    if first is None:
        return None
    named = meaning_at(words, _past_ending(words, at + 1, known), known.months)
    if named is not None:
        return Until(month=named, day=first) if 1 <= first <= _DAYS else None
    if second is not None:
        pair = (first, second) if known.date_order is DateOrder.MONTH_FIRST else (second, first)
        month, day = pair if 1 <= pair[0] <= _MONTHS else pair[::-1]
        return Until(month=month, day=day) if 1 <= month <= _MONTHS and 1 <= day <= _DAYS else None
    is_amount = meaning_at(words, past_fillers(words, at + 1, known), known.units) is not None
    return Until(day=first) if 1 <= first <= _DAYS and not is_amount else None


def _past_ending(words: Words, at: int, known: Vocabulary) -> int:
    """Past the letters of `15th` and words such as `of`."""
    if at < len(words) and len(words[at][0]) == len("th") and not is_one_of(words[at], known.lists[WordList.FILLERS]):
        at += 1
    return past_fillers(words, at, known)


@dataclass(frozen=True, slots=True)
class TimeRead:
    """A time of day, and where the words go on after it."""

    at: time
    end: int


def read_time(words: Words, at: int, known: Vocabulary) -> TimeRead | None:
    """The time of day that stands at word `at`: `18 30`, `6pm`, `half past ten`, `6 in the evening`, `noon`.

    `words` are as `apart` leaves them. None when none stands there. An hour before `EARLIEST` that does not say that
    it is in the morning is one in the afternoon: nobody is written to before that.
    """
    noon = past_clock_word(words, at, Clock.NOON, known)
    if noon is not None:
        return TimeRead(NOON, noon)
    minutes = 0
    for before, shift in ((Clock.HALF_PAST, _HALF), (Clock.QUARTER_PAST, _QUARTER), (Clock.QUARTER_TO, -_QUARTER)):
        after = past_clock_word(words, at, before, known)
        if after is not None:
            at, minutes = after, shift
            break
    read = _hour_and_minute(words, at, known)
    if read is None:
        return None
    hour, minute, at = read
    for behind, shift in ((Clock.AND_HALF, _HALF), (Clock.AND_QUARTER, _QUARTER)):
        after = past_clock_word(words, at, behind, known)
        if after is not None:
            at, minutes = after, shift
    return _of_the_day(hour, minute + minutes, words, at, known, is_padded=words[at - 1][0].startswith("0"))


def _hour_and_minute(words: Words, at: int, known: Vocabulary) -> tuple[int, int, int] | None:
    if at >= len(words):
        return None
    digits = words[at][0]
    if not digits.isdecimal():
        hour = meaning_at(words, at, known.numbers)
        return None if hour is None else (hour, 0, at + 1)
    if len(digits) in (3, 4):  # 1830, but not a telephone number
        if at + 1 < len(words) and words[at + 1][0].isdecimal():
            return None
        return int(digits[:-2]), int(digits[-2:]), at + 1
    if len(digits) > 2:
        return None
    after = at + 1
    if after < len(words) and words[after][0] == "h":  # 18h30
        after += 1
    if after < len(words) and len(words[after][0]) == 2 and words[after][0].isdecimal():
        return int(digits), int(words[after][0]), after + 1
    return int(digits), 0, after


def _of_the_day(
    hour: int, minute: int, words: Words, at: int, known: Vocabulary, *, is_padded: bool
) -> TimeRead | None:
    at = past_clock_word(words, at, Clock.OCLOCK, known) or at
    morning, afternoon = past_clock_word(words, at, Clock.AM, known), past_clock_word(words, at, Clock.PM, known)
    if morning is not None or afternoon is not None:
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if morning is None else 0)
    elif 1 <= hour < EARLIEST.hour and not is_padded:
        hour += _NOON
    hour, minute = hour + minute // _MINUTES, minute % _MINUTES  # a quarter to ten is of the hour before
    if not (0 <= hour < _HOURS):
        return None
    return TimeRead(time(hour, minute), morning or afternoon or at)
