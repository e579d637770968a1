"""The step function is total: whatever happens, in whatever order, on whatever pathway, there is a sound outcome.

Shipped pathways and small invented ones, with random events: answers and facts that exist and that do not, dates
that go forward and dates that jump about, and files that change while a patient is on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.domain.calendar import Weekday
from scheduler.domain.enrolment import (
    Answered,
    Enrolment,
    Event,
    FactRecorded,
    GaveWay,
    MovedByStaff,
    NotSent,
    OpenTask,
    Outcome,
    Paused,
    Resumed,
    Say,
    Send,
    TextReceived,
    TimerFired,
)
from scheduler.domain.facts import FactKind
from scheduler.domain.pathway import Action, Answer, Every, Late, Pathway, Silence, Step, Unit, Wait
from scheduler.domain.stepping import begin, due_on, step
from tests.support.domain_factories import DAY0, shipped

NAMES = ("a", "b", "c", "d")
ANSWERS = ("done", "booked", "no", "any")
TASKS = ("call", "check")

days_to_come = st.integers(0, 40).map(lambda days: timedelta(days=days))
any_date = st.dates(date(1990, 1, 1), date(2080, 12, 31))
weekday_sets = st.frozensets(st.sampled_from(Weekday), min_size=1)

# Pathways such as the loader lets through


waits = st.one_of(
    st.builds(Wait, st.integers(1, 30)),
    st.builds(Wait, st.integers(1, 14), st.just(Unit.MONTHS)),
)


@st.composite
def actions(draw: st.DrawFn, names: tuple[str, ...], *, counts: bool = False, says: bool = True) -> Action:
    """What an answer or a fact does."""
    target = draw(st.sampled_from([None, *names]))
    restarts = target is not None and draw(st.booleans())
    return Action(
        say=draw(st.sampled_from([None, "thanks"])) if says else None,
        task=draw(st.sampled_from([None, *TASKS])),
        escalate=draw(st.sampled_from([None, *TASKS])),
        close=tuple(draw(st.sets(st.sampled_from(TASKS)))),
        counts=counts and draw(st.booleans()),
        go=None if restarts else target,
        restart=target if restarts else None,
        after=draw(waits) if target is not None and draw(st.booleans()) else Wait(0),
    )


@st.composite
def answer_lists(draw: st.DrawFn, names: tuple[str, ...], *, counts: bool = False) -> tuple[Answer, ...]:
    chosen = draw(st.lists(st.sampled_from(ANSWERS), unique=True, max_size=3))
    return tuple(Answer(name, None, draw(actions(names, counts=counts))) for name in chosen)


@st.composite
def silences(draw: st.DrawFn, names: tuple[str, ...]) -> tuple[Silence, ...]:
    """Waits that grow, and an end that leads on."""
    lengths = sorted(draw(st.sets(st.integers(1, 60), min_size=1, max_size=3)))
    *earlier, last = (Wait(length) for length in lengths)
    some = tuple(
        draw(
            st.sampled_from(
                [
                    Silence(wait, send="again"),
                    Silence(wait, send="again", action=Action(task="check")),
                    Silence(wait, action=Action(escalate="call")),
                    Silence(wait, action=Action(task="call")),
                ]
            )
        )
        for wait in earlier
    )
    end = draw(st.sampled_from([Action(go=name, task="call") for name in names] + [Action(restart=n) for n in names]))
    return (*some, Silence(last, action=end))


@st.composite
def steps(draw: st.DrawFn, name: str, names: tuple[str, ...]) -> Step:
    kind = draw(st.sampled_from(["asks", "waits", "repeats", "rests", "stops"]))
    if kind == "repeats":
        every = draw(st.sampled_from(Every))
        times = draw(st.integers(1, 5))
        return Step(
            name,
            every=every,
            send="activity",
            first=draw(st.sampled_from([None, "hello"])),
            on_sunday="week" if every is Every.DAY and draw(st.booleans()) else None,
            answers=draw(answer_lists(names, counts=True)),
            silence=(Silence(Wait(0), times=times, action=Action(go=draw(st.sampled_from(names)))),),
        )
    answers = draw(answer_lists(names))
    free_text = draw(st.none() | actions(names))
    if kind == "rests":
        return Step(name, rest=draw(waits), then=Action(restart=draw(st.sampled_from(names))), answers=answers)
    if kind == "stops":
        return Step(name, task="call", answers=answers, free_text=free_text)
    send = "ask" if kind == "asks" else None
    task = draw(st.sampled_from([None, "check"]))
    return Step(name, task=task, send=send, answers=answers, free_text=free_text, silence=draw(silences(names)))


@st.composite
def invented(draw: st.DrawFn, *, name: str = "invented") -> Pathway:
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    gone = [old for old in (*NAMES, "old") if old not in names]
    return Pathway(
        name=name,
        title="Invented",
        priority=50,
        late=draw(st.sampled_from(Late)),
        begin=Action(go=draw(st.sampled_from(names)), after=draw(waits | st.just(Wait(0)))),
        steps={one: draw(steps(one, names)) for one in names},
        facts=draw(st.dictionaries(st.sampled_from(list(FactKind)[:3]), actions(names), max_size=3)),
        moved=draw(st.dictionaries(st.sampled_from(gone), st.sampled_from(names), max_size=2)),
    )


pathways = st.one_of(st.deferred(lambda: st.sampled_from(list(shipped().values()))), invented())

# Events, made when it is known where the patient stands

Make = Callable[[Pathway, Enrolment, date], Event]


def _when_due(pathway: Pathway, enrolment: Enrolment, on: date) -> Event:
    return TimerFired(max(on, due_on(pathway, enrolment) or on))


def _what_was_planned(pathway: Pathway, enrolment: Enrolment, on: date) -> Event:
    return NotSent(on, enrolment.step, enrolment.cycle, enrolment.fired)


def _known_answer(index: int) -> Make:
    def make(pathway: Pathway, enrolment: Enrolment, on: date) -> Event:
        current = pathway.steps.get(enrolment.step)
        names = [answer.name for answer in current.answers] if current else []
        return Answered(on, names[index % len(names)] if names else "nothing")

    return make


def _known_fact(index: int, back: timedelta, months: int | None) -> Make:
    def make(pathway: Pathway, enrolment: Enrolment, on: date) -> Event:
        kinds = sorted(pathway.facts) or ["nothing"]
        return FactRecorded(on, kinds[index % len(kinds)], on - back, months)

    return make


def _known_step(index: int) -> Make:
    return lambda pathway, enrolment, on: MovedByStaff(on, sorted(pathway.steps)[index % len(pathway.steps)])


def _pause(length: timedelta | None) -> Make:
    return lambda pathway, enrolment, on: Paused(on, None if length is None else on + length)


def _plain(event: Callable[[date], Event]) -> Make:
    return lambda pathway, enrolment, on: event(on)


words = st.sampled_from([*ANSWERS, *NAMES, "taking", "none", "talked", "not_yet", "later", "", "xyz"])
months = st.none() | st.integers(0, 120)
a_while = st.integers(-5, 40).map(lambda days: timedelta(days=days))
makers: st.SearchStrategy[Make] = st.one_of(
    st.just(_when_due),
    st.just(_when_due),
    st.just(_plain(TimerFired)),
    st.just(_plain(GaveWay)),
    st.just(_what_was_planned),
    st.builds(lambda s, c, f: _plain(lambda on: NotSent(on, s, c, f)), words, st.integers(0, 3), st.integers(-1, 3)),
    st.builds(_known_answer, st.integers(0, 3)),
    st.builds(lambda word: _plain(lambda on: Answered(on, word)), words),
    st.just(_plain(TextReceived)),
    st.builds(_known_fact, st.integers(0, 4), st.integers(0, 900).map(lambda n: timedelta(days=n)), months),
    st.builds(lambda word, n: _plain(lambda on: FactRecorded(on, word, on, n)), words, months),
    st.builds(_pause, st.none() | a_while),
    st.just(_plain(Resumed)),
    st.builds(_known_step, st.integers(0, 3)),
    st.builds(lambda word: _plain(lambda on: MovedByStaff(on, word)), words),
)


def check_sound(pathway: Pathway, before: Enrolment, event: Event, outcome: Outcome) -> None:
    """What holds after any event at all."""
    after = outcome.enrolment
    assert after.step in pathway.steps
    assert after.cycle >= before.cycle
    assert after.pathway == before.pathway
    assert after.fired >= 0
    assert after.unanswered >= 0
    sends = [effect for effect in outcome.effects if isinstance(effect, Send)]
    assert len(sends) <= 1
    assert not sends or isinstance(event, TimerFired), "only time speaks first"
    says = [effect for effect in outcome.effects if isinstance(effect, Say)]
    assert not says or isinstance(event, Answered | TextReceived | FactRecorded), "only people are answered"


def check_timer(before: Enrolment, event: Event, after: Enrolment) -> None:
    """A new date lies after the event that set it."""
    if after.timer_on is not None and after.timer_on != before.timer_on:
        assert after.timer_on > event.on


@settings(max_examples=150)
@given(pathway=pathways, weekdays=weekday_sets, course=st.lists(st.tuples(days_to_come, makers), max_size=30))
def test_as_time_goes_by_there_is_always_a_next_date_an_open_task_or_a_pause(
    pathway: Pathway, weekdays: frozenset[Weekday], course: list[tuple[timedelta, Make]]
) -> None:
    begun = begin(pathway, on=DAY0, weekdays=weekdays)
    enrolment, today = begun.enrolment, DAY0
    assert enrolment.timer_on is None or enrolment.timer_on >= DAY0
    has_task = any(isinstance(effect, OpenTask) for effect in begun.effects)
    for pass_by, make in course:
        event = make(pathway, enrolment, today + pass_by)
        today = event.on
        outcome = step(pathway, enrolment, event, weekdays=weekdays)
        check_sound(pathway, enrolment, event, outcome)
        check_timer(enrolment, event, outcome.enrolment)
        if (outcome.enrolment.step, outcome.enrolment.cycle) != (enrolment.step, enrolment.cycle):
            has_task = False
        has_task = has_task or any(isinstance(effect, OpenTask) for effect in outcome.effects)
        enrolment = outcome.enrolment
        assert enrolment.timer_on is not None or enrolment.is_paused or has_task


@settings(max_examples=100)
@given(pathway=pathways, weekdays=weekday_sets, course=st.lists(st.tuples(any_date, makers), max_size=25))
def test_with_dates_in_any_order_every_event_still_has_a_sound_outcome(
    pathway: Pathway, weekdays: frozenset[Weekday], course: list[tuple[date, Make]]
) -> None:
    enrolment = begin(pathway, on=DAY0, weekdays=weekdays).enrolment
    for on, make in course:
        event = make(pathway, enrolment, on)
        outcome = step(pathway, enrolment, event, weekdays=weekdays)
        check_sound(pathway, enrolment, event, outcome)
        enrolment = outcome.enrolment


@settings(max_examples=40)
@given(
    files=st.lists(invented(), min_size=2, max_size=2),
    course=st.lists(st.tuples(st.integers(0, 1), days_to_come, makers), max_size=20),
)
def test_whatever_becomes_of_the_file_the_patient_stands_on_a_step_that_exists(
    files: list[Pathway], course: list[tuple[int, timedelta, Make]]
) -> None:
    enrolment, today = begin(files[0], on=DAY0).enrolment, DAY0
    for version, pass_by, make in course:
        pathway = files[version]
        event = make(pathway, enrolment, today + pass_by)
        today = event.on
        outcome = step(pathway, enrolment, event)
        check_sound(pathway, enrolment, event, outcome)
        check_timer(enrolment, event, outcome.enrolment)
        enrolment = outcome.enrolment


@given(pathway=pathways, course=st.lists(st.tuples(days_to_come, makers), max_size=15))
def test_the_same_event_on_the_same_enrolment_has_the_same_outcome(
    pathway: Pathway, course: list[tuple[timedelta, Make]]
) -> None:
    enrolment, today = begin(pathway, on=DAY0).enrolment, DAY0
    for pass_by, make in course:
        event = make(pathway, enrolment, today + pass_by)
        today = event.on
        outcome = step(pathway, enrolment, event)
        assert step(pathway, enrolment, event) == outcome
        enrolment = outcome.enrolment


@given(pathway=pathways, weekdays=weekday_sets)
def test_a_patient_who_never_answers_is_never_left_without_a_date_or_a_task_for_ten_years(
    pathway: Pathway, weekdays: frozenset[Weekday]
) -> None:
    enrolment = begin(pathway, on=DAY0, weekdays=weekdays).enrolment
    sent_on: list[date] = []
    while enrolment.timer_on is not None and enrolment.timer_on < DAY0 + timedelta(days=3653):
        event = TimerFired(enrolment.timer_on)
        outcome = step(pathway, enrolment, event, weekdays=weekdays)
        check_sound(pathway, enrolment, event, outcome)
        check_timer(enrolment, event, outcome.enrolment)
        assert outcome.enrolment.timer_on != enrolment.timer_on, "a timer that has fired is gone"
        if outcome.send is not None:
            sent_on.append(event.on)
        enrolment = outcome.enrolment
    assert len(set(sent_on)) == len(sent_on), "one reminder of a pathway a day"
    if enrolment.timer_on is None:
        current = pathway.steps[enrolment.step]
        assert current.task or any(silence.action.task for silence in current.silence)


@given(weekdays=weekday_sets, days=st.integers(1, 60))
def test_routine_messages_go_on_chosen_days_only(weekdays: frozenset[Weekday], days: int) -> None:
    exercise = shipped()["exercise"]
    enrolment = begin(exercise, on=DAY0, weekdays=weekdays).enrolment
    for number in range(days):
        today = DAY0 + timedelta(days=number)
        outcome = step(exercise, enrolment, TimerFired(today), weekdays=weekdays)
        assert outcome.send is None or Weekday(today.weekday()) in weekdays
        enrolment = outcome.enrolment
