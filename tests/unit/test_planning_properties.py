"""Through random lives, zones, outages and moves: one reminder a day, inside the window, and no question lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.domain.calendar import EVERY_DAY, Weekday
from scheduler.domain.messages import SkipReason
from scheduler.domain.pathway import Pathway
from scheduler.domain.planning import plan
from scheduler.domain.when import DEFAULT_WINDOW, HARD_WINDOW, ContactWindow, instant, local_date
from tests.support.clock_changes import every_change, every_zone
from tests.support.domain_factories import DAY0, Gone, Life, contact, enrolled, life, shipped

DAY = timedelta(days=1)
QUESTIONS = ("supplement", "vitamin_d", "dexa")
LIVED = 45  # days with trouble
QUIET = 40  # days after them in which everything catches up: more than all outages and collisions delay


def steady() -> Pathway:
    """Exercise without stepping down, so that every chosen day has its message whether or not it is answered."""
    exercise = shipped()["exercise"]
    return replace(exercise, steps={"daily": replace(exercise.steps["daily"], silence=())})


@dataclass(frozen=True, slots=True)
class Outage:
    """Hours from the beginning of a life in which nothing runs."""

    start: int
    length: int

    def end_of(self, at: datetime, born: datetime) -> datetime:
        """`at`, or when this outage is over if `at` lies in it."""
        begins = born + timedelta(hours=self.start)
        ends = begins + timedelta(hours=self.length)
        return ends if begins <= at < ends else at


def live(patient: Life, end: datetime, outages: Sequence[Outage] = ()) -> Life:
    """Plan whenever the planner asked for it, or when the outage that covers that instant is over."""
    born = patient.now
    while patient.due is not None and patient.due < end:
        at = max(patient.now, patient.due)
        for outage in sorted(outages, key=lambda one: one.start):
            at = outage.end_of(at, born)
        patient.now = at
        patient.take(plan(patient.contact, patient.enrolments, patient.pathways, at))
        assert patient.due is None or patient.due > at, "the planner asks to be called again at once"
    patient.now = max(patient.now, end)
    return patient


def check_reminders(gone: Iterable[Gone], window: ContactWindow) -> None:
    """At most one on a local date, dates in order, each inside the window by the clock on the patient's wall."""
    shown = [one.local.replace(tzinfo=None) for one in gone]
    assert all(window.start <= moment.time() < window.end for moment in shown)
    assert all(earlier.date() < later.date() for earlier, later in pairwise(shown))


def check_exercise(patient: Life, first: date, last: date, weekdays: Iterable[Weekday]) -> None:
    """Each chosen day has its message, or one record of why not."""
    accounted = [DAY0 + number * DAY for number, name, _ in patient.sent() if name == "exercise"]
    accounted += [DAY0 + number * DAY for number, name, _ in patient.skipped if name == "exercise"]
    chosen = [
        day for n in range((last - first).days + 1) if Weekday((day := first + n * DAY).weekday()) in set(weekdays)
    ]
    assert sorted(day for day in accounted if first <= day <= last) == chosen


zones = st.deferred(lambda: st.sampled_from(every_zone()))
wall_times = st.times().map(lambda wall: wall.replace(second=0, microsecond=0))
quarters = st.integers(8 * 4, 21 * 4)
windows = st.one_of(
    st.sampled_from([DEFAULT_WINDOW, HARD_WINDOW]),
    st.tuples(quarters, quarters)
    .filter(lambda edges: edges[0] < edges[1])
    .map(lambda edges: ContactWindow(*(time(quarter // 4, quarter % 4 * 15) for quarter in edges))),
)
weekday_sets = st.one_of(st.just(EVERY_DAY), st.frozensets(st.sampled_from(Weekday), min_size=1))
begin_dates = st.dates(date(2026, 1, 1), date(2032, 6, 30))
name_sets = st.sets(st.sampled_from([*QUESTIONS, "exercise"]), min_size=1).map(sorted)
outage_lists = st.lists(st.builds(Outage, st.integers(0, LIVED * 24), st.integers(1, 96)), max_size=3)


@st.composite
def patients(draw: st.DrawFn) -> tuple[Life, date]:
    """Somebody somewhere, with the date on which they were enrolled."""
    weekdays, began = draw(weekday_sets), draw(begin_dates)
    patient = contact(zone=draw(zones), contact_time=draw(wall_times), window=draw(windows), weekdays=weekdays)
    known = {**shipped(), "exercise": steady()}
    own_time = draw(st.none() | wall_times)
    enrolments = [
        enrolled(known[name], on=began, weekdays=weekdays, contact_time=own_time if name == "exercise" else None)
        for name in draw(name_sets)
    ]
    born = instant(began, draw(wall_times), patient.zone)
    return life(*enrolments, start=born, patient=patient, known=known.values()), began


@settings(max_examples=60)
@given(born=patients())
def test_each_chosen_day_has_exercise_unless_another_reminder_has_the_day(born: tuple[Life, date]) -> None:
    patient, began = born
    zone = patient.contact.zone
    live(patient, instant(began + LIVED * DAY, time(), zone))
    check_reminders(patient.gone, patient.contact.window)
    assert {reason for _, _, reason in patient.skipped} <= {SkipReason.BUDGET}
    if any(one.state.pathway == "exercise" for one in patient.enrolments):
        check_exercise(patient, began + DAY, began + (LIVED - 1) * DAY, patient.contact.weekdays)
        other_days = {number for number, name, _ in patient.sent() if name != "exercise"}
        assert {number for number, name, _ in patient.skipped if name == "exercise"} <= other_days


@settings(max_examples=60)
@given(born=patients(), outages=outage_lists)
def test_through_outages_there_is_no_burst_and_no_question_is_lost(
    born: tuple[Life, date], outages: list[Outage]
) -> None:
    patient, began = born
    zone, weekdays = patient.contact.zone, patient.contact.weekdays
    untroubled = {
        one.state.pathway: life(one, start=patient.now, patient=patient.contact, known=patient.pathways.values())
        for one in patient.enrolments
    }
    live(patient, instant(began + LIVED * DAY, time(), zone), outages)
    live(patient, instant(began + (LIVED + QUIET) * DAY, time(), zone))
    check_reminders(patient.gone, patient.contact.window)
    for name, alone in untroubled.items():
        live(alone, instant(began + LIVED * DAY, time(), zone))
        if name in QUESTIONS:
            expected = [template for _, _, template in alone.sent()]
            asked = [template for _, _, template in patient.sent(name)]
            assert asked[: len(expected)] == expected
        else:
            check_exercise(patient, began + DAY, began + (LIVED + QUIET - 1) * DAY, weekdays)


@settings(max_examples=60)
@given(born=patients(), moves=st.lists(st.tuples(st.integers(1, 72), zones), max_size=8))
def test_through_moves_east_and_west_no_local_date_has_two(
    born: tuple[Life, date], moves: list[tuple[int, ZoneInfo]]
) -> None:
    patient, _ = born
    for hours, zone in moves:
        live(patient, patient.now + timedelta(hours=hours))
        patient.changes(zone=zone)
    live(patient, patient.now + 10 * DAY)
    check_reminders(patient.gone, patient.contact.window)


@settings(max_examples=60)
@given(born=patients(), looks=st.lists(st.integers(0, LIVED * 24 * 4), max_size=40))
def test_looking_at_other_times_than_asked_does_no_harm(born: tuple[Life, date], looks: list[int]) -> None:
    patient, began = born
    start, zone = patient.now, patient.contact.zone
    for quarter in sorted(looks):
        live(patient, start + quarter * timedelta(minutes=15))
        patient.take(plan(patient.contact, patient.enrolments, patient.pathways, patient.now))
        assert patient.due is None or patient.due > patient.now
    live(patient, instant(began + LIVED * DAY, time(), zone))
    check_reminders(patient.gone, patient.contact.window)
    if any(one.state.pathway == "exercise" for one in patient.enrolments):
        check_exercise(patient, began + DAY, began + (LIVED - 1) * DAY, patient.contact.weekdays)


@settings(max_examples=60)
@given(born=patients(), budget=st.integers(1, 4))
def test_no_day_has_more_reminders_than_the_budget(born: tuple[Life, date], budget: int) -> None:
    patient, began = born
    patient.changes(daily_budget=budget)
    live(patient, instant(began + LIVED * DAY, time(), patient.contact.zone))
    days = [one.day for one in patient.gone]
    assert all(days.count(day) <= budget for day in set(days))


def test_around_every_clock_change_of_every_zone_each_day_has_one_reminder_in_the_window() -> None:
    times = [time(0), time(8), time(9, 30), time(12, 15), time(19, 59), time(23, 30)]
    exercise = steady()
    for index, (zone, change) in enumerate(every_change()):
        began = change - 3 * DAY
        window = HARD_WINDOW if index % 2 else DEFAULT_WINDOW
        patient = life(
            enrolled(exercise, on=began),
            enrolled("vitamin_d", on=began, timer_on=change),
            start=instant(began, time(12), zone),
            patient=contact(zone=zone, contact_time=times[index % len(times)], window=window),
            known=[exercise],
        )
        live(patient, instant(change + 3 * DAY, time(), zone))
        check_reminders(patient.gone, window)
        went = [(local_date(one.local, zone) - change).days for one in patient.gone]
        assert went == [-2, -1, 0, 1, 2], (zone.key, change)
        assert patient.gone[2].pathway == "vitamin_d", (zone.key, change)
        assert [(reason, name) for _, name, reason in patient.skipped] == [(SkipReason.BUDGET, "exercise")]
