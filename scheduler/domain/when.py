"""Local dates, wall times and instants: when a patient may be contacted.

A *date* and a *wall time* belong to the patient's zone; an *instant* is an aware datetime in UTC. Instants
are computed late, from a date, a wall time and a zone. Elapsed time is only counted between UTC instants, for
Python subtracts and compares two datetimes of one zone by their clock faces.

Results hold for dates from 1950 to 2100.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EARLIEST = time(8)  # nobody is contacted before this, whatever a clinic configures (47 CFR 64.1200(c)(1))
LATEST = time(21)  # nor at or after this
LAST_CALL = timedelta(minutes=30)  # a contact moved back from the window's end leaves this for sending it

# Thousands of patients share a date, a time of day and a zone: room for 60 zones x 30 days x 9 times of day.
_CACHED = 16_384


@dataclass(frozen=True, slots=True)
class ContactWindow:
    """The local wall times between which a patient may be contacted: `start` inclusive, `end` exclusive.

    Raises `ValueError` when `start` is not before `end`, or when either lies outside 08:00 to 21:00.
    """

    start: time
    end: time

    def __post_init__(self) -> None:
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise ValueError("A contact window has local wall times: give its start and end without a zone.")
        if self.start >= self.end:
            raise ValueError(
                f"Contact window {self} ends before it begins: its start has to be earlier than its end,"
                " both on one day."
            )
        if self.start < EARLIEST or self.end > LATEST:
            raise ValueError(
                f"Contact window {self} goes beyond {EARLIEST:%H:%M}-{LATEST:%H:%M}, the hours in which"
                " patients may be contacted: choose a start and an end within them."
            )

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    def __contains__(self, wall: time) -> bool:
        return self.start <= wall < self.end

    def clamp(self, wall: time) -> time:
        """`wall`, moved into the window if it lies outside.

        A time before the window becomes its start. A time at or after its end becomes `LAST_CALL` before the
        end, so that the message can still go that day (the start, in a window shorter than that).
        """
        if wall < self.start:
            return self.start
        if wall < self.end:
            return wall
        return max(self.start, _earlier(self.end, LAST_CALL))


HARD_WINDOW = ContactWindow(EARLIEST, LATEST)
DEFAULT_WINDOW = ContactWindow(time(9), time(20))


def instant(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The UTC instant at which clocks in `zone` show `wall` on `day`.

    A wall time that a clock change skips is read with the offset from before the change, so it lands as much
    later as the clocks were moved; one that occurs twice is its first occurrence (RFC 5545, 3.3.5). Raises
    `ValueError` only for a wall time with a zone of its own or an instant in place of a date.
    """
    if wall.tzinfo is not None:
        raise ValueError(f"{wall!r} has a zone of its own: give a wall time without one.")
    return _instant(day, wall, zone)


def local_date(at: datetime, zone: ZoneInfo) -> date:
    """The date in `zone` at the instant `at`. Raises `ValueError` for a naive datetime."""
    return _shown(at, zone)[0]


def local_wall(at: datetime, zone: ZoneInfo) -> time:
    """The time on clocks in `zone` at the instant `at`. Raises `ValueError` for a naive datetime."""
    return _shown(at, zone)[1]


@lru_cache(_CACHED)
def has_date(day: date, zone: ZoneInfo) -> bool:
    """Whether `day` occurred in `zone`: places that cross the date line skip one (Apia, 30 December 2011)."""
    # A skipped date has neither its first nor its last moment; a change around midnight takes one of them.
    return any(local_date(instant(day, edge, zone), zone) == day for edge in (time.min, time.max))


def next_date(day: date, zone: ZoneInfo) -> date:
    """`day` if it exists in `zone`, else the first date after it that does."""
    while not has_date(day, zone):
        day += timedelta(days=1)
    return day


def contact_instant(day: date, contact_time: time, zone: ZoneInfo, window: ContactWindow) -> datetime:
    """The UTC instant at which to contact a patient on the local date `day`, inside `window` on that date.

    `contact_time` is first brought into the window (`ContactWindow.clamp`), then read as `instant` does. If a
    clock change carries it past the end of the window, it goes `LAST_CALL` before the end instead. Raises
    `ValueError` when the zone skips that date (see `next_date`) or the whole window on it.
    """
    if contact_time.tzinfo is not None:
        raise ValueError(f"{contact_time!r} has a zone of its own: give a wall time without one.")
    return _contact_instant(day, contact_time, zone, window)


def window_bounds(day: date, zone: ZoneInfo, window: ContactWindow) -> tuple[datetime, datetime]:
    """The UTC instants between which `window` is open on the local date `day`: [first, second).

    When a clock change skips the start or the end, the window begins or ends at the change. When one repeats
    the start or the end, its first occurrence counts. The two are equal when the zone skips the date or the
    whole window.
    """
    return _reached(day, window.start, zone), _reached(day, window.end, zone)


def is_inside_window(at: datetime, zone: ZoneInfo, window: ContactWindow) -> bool:
    """Whether clocks in `zone` show a time within `window` at the instant `at`.

    Raises `ValueError` for a naive datetime.
    """
    return local_wall(at, zone) in window


def next_opening(at: datetime, zone: ZoneInfo, window: ContactWindow) -> datetime:
    """The first UTC instant, not before `at`, inside `window`. Raises `ValueError` for a naive datetime."""
    return _next_opening(_utc(at), zone, window)


@lru_cache(_CACHED)
def _next_opening(now: datetime, zone: ZoneInfo, window: ContactWindow) -> datetime:
    if is_inside_window(now, zone, window):
        return now
    opening = min(start for start in _starts_near(local_date(now, zone), zone, window) if start > now)
    if now.astimezone(zone).utcoffset() != opening.astimezone(zone).utcoffset():
        change = _clock_change(now, opening, zone)  # clocks may be put straight into the window
        if is_inside_window(change, zone, window):
            return change
    return opening


@lru_cache(_CACHED)
def _starts_near(today: date, zone: ZoneInfo, window: ContactWindow) -> tuple[datetime, ...]:
    """Every instant at which clocks reach the window's start, the day before `today` to three days after.

    Three days, because a zone may skip a date; both occurrences, because a clock change may repeat the start.
    """
    days = [today + timedelta(days=offset) for offset in range(-1, 4)]
    walls = [datetime.combine(day, window.start, zone).replace(fold=fold) for day in days for fold in (0, 1)]
    instants = {wall.astimezone(UTC) for wall in walls}
    return tuple(at for at in instants if is_inside_window(at, zone, window))


@lru_cache(_CACHED)
def _instant(day: date, wall: time, zone: ZoneInfo) -> datetime:
    if isinstance(day, datetime):
        raise ValueError(f"{day!r} is an instant, not a date: take its local_date first.")
    # fold=0 is RFC 5545's rule in both cases (PEP 495); equal times may differ in fold, so it is set here.
    return datetime.combine(day, wall, zone).replace(fold=0).astimezone(UTC)


@lru_cache(_CACHED)
def _contact_instant(day: date, contact_time: time, zone: ZoneInfo, window: ContactWindow) -> datetime:
    at = instant(day, window.clamp(contact_time), zone)
    shown = at.astimezone(zone)
    if shown.date() == day and shown.time() in window:
        return at
    opens, closes = window_bounds(day, zone, window)
    if opens >= closes:
        raise ValueError(f"{zone.key} has no {window} on {day}: clocks were moved past it. Use the date after it.")
    return max(opens, closes - LAST_CALL)


@lru_cache(_CACHED)
def _reached(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The UTC instant at which clocks in `zone` first show `wall` or later on `day`."""
    first = datetime.combine(day, wall, zone)
    by_old_offset, by_new_offset = first.astimezone(UTC), first.replace(fold=1).astimezone(UTC)
    if by_new_offset < by_old_offset:  # only for a wall time that does not exist (PEP 495)
        return _clock_change(by_new_offset, by_old_offset, zone)
    return by_old_offset


def _clock_change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of the clock change between two UTC instants whose offsets differ, to the second."""
    old = before.astimezone(zone).utcoffset()
    start = before.replace(microsecond=0)
    still_old, changed = 0, -((start - after) // timedelta(seconds=1))
    while changed - still_old > 1:
        middle = (still_old + changed) // 2
        if (start + timedelta(seconds=middle)).astimezone(zone).utcoffset() == old:
            still_old = middle
        else:
            changed = middle
    return start + timedelta(seconds=changed)


def _utc(at: datetime) -> datetime:
    if at.tzinfo is UTC:
        return at
    if at.utcoffset() is None:
        raise ValueError(f"{at!r} is naive: give a datetime with a zone, such as datetime.now(UTC).")
    return at.astimezone(UTC)


def _shown(at: datetime, zone: ZoneInfo) -> tuple[date, time]:
    """What calendars and clocks in `zone` show at `at`."""
    # Instants of another zone are equal to others that they are not, where clocks are moved (PEP 495).
    return _shown_at(at, zone) if at.tzinfo is UTC else _shown_at(_utc(at), zone)


@lru_cache(_CACHED)
def _shown_at(utc: datetime, zone: ZoneInfo) -> tuple[date, time]:
    # By way of UTC, so that a datetime that names a skipped wall time of this very zone is not believed.
    shown = utc.astimezone(zone)
    return shown.date(), shown.time()


def _earlier(wall: time, by: timedelta) -> time:
    """`wall` less `by` on the clock face; a window begins at 08:00 at the earliest, so midnight is far."""
    return (datetime.combine(date.max, wall, UTC) - by).time()
