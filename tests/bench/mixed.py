"""The clinic after some months: hardly anybody stands where another does, and still all are due at the same minute.

Patients enrolled together stand alike, and the planner decides once for all who do. That is the best case. Here they
enrolled on sixty days, live in three zones, have their own weekdays, and each has had other messages and given other
answers; the ledger holds their last messages. What is written is what those months would have left behind; playing
them through would take an hour.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, bindparam, select, update

from scheduler.domain.calendar import monday_of
from scheduler.store.engine import make_engine, writing
from scheduler.store.tables import enrolments, patients
from tests.bench.growth.ledger import add_past
from tests.bench.growth.loading import loading

MORNING = datetime(2026, 6, 9, 15, 30, tzinfo=UTC)  # a Tuesday
TODAY = date(2026, 6, 9)
_YESTERDAY = TODAY - timedelta(days=1)
_ZONES = (("America/New_York", 11), ("America/Chicago", 10), ("America/Denver", 9))  # each at :30 is MORNING
_ENROLMENT_DAYS = 60
_LATEST = TODAY - timedelta(days=20)  # somebody enrolled more recently would still be at the first questions
_ALL_DAYS = 0b111_1111
_TUESDAY = 0b10
_SEED = 20260609
_PAST = 10  # messages in the ledger, of each

Values = dict[str, Any]


def live_through(database: str) -> None:
    """Give every patient of the installation, all enrolled on four pathways, a history of their own."""
    engine = make_engine(database)
    _spread_out(engine)
    engine.dispose()
    with loading(database) as into:
        add_past(into, each=_PAST, before=MORNING)


def _spread_out(engine: Engine) -> None:
    chance = random.Random(_SEED)
    with writing(engine) as connection:
        ids = connection.scalars(select(patients.c.id).order_by(patients.c.id)).all()
        rows = connection.execute(select(enrolments.c.id, enrolments.c.patient_id, enrolments.c.pathway)).all()
        days = {one: _LATEST - timedelta(days=number % _ENROLMENT_DAYS) for number, one in enumerate(ids)}
        people = [{"of_id": one, **_person(chance, days[one])} for one in ids]
        states = [{"of_id": row.id, **_state(chance, row.pathway, days[row.patient_id])} for row in rows]
        for table, many in ((patients, people), (enrolments, states)):
            names = [name for name in many[0] if name != "of_id"]
            statement = update(table).where(table.c.id == bindparam("of_id"))
            connection.execute(statement.values({name: bindparam(name) for name in names}), many)


def _person(chance: random.Random, enrolled_on: date) -> Values:
    zone, hour = chance.choice(_ZONES)
    days = chance.choice((_ALL_DAYS, _ALL_DAYS, chance.randrange(1, _ALL_DAYS))) | _TUESDAY
    return {
        "timezone": zone,
        "contact_time": datetime(2026, 1, 1, hour, 30).time(),  # noqa: DTZ001 - a wall time
        "mobility": chance.choice(("walking", "walking", "limited", "wheelchair", "standing_frame")),
        "exercise_days": days,
        "next_contact_at": MORNING,
        "contacted_on": _YESTERDAY if chance.random() < 0.9 else _YESTERDAY - timedelta(days=1),
        "contacts_that_day": 1,
        "stop_line_on": enrolled_on + timedelta(days=30 * ((TODAY - enrolled_on).days // 30)),
    }


def _state(chance: random.Random, pathway: str, enrolled_on: date) -> Values:
    made = {"exercise": _exercise, "vitamin_d": _vitamin_d, "dexa": _dexa, "supplement": _supplement}[pathway]
    return {"enrolled_on": enrolled_on, "cycle": 1, **made(chance, enrolled_on)}


def _exercise(chance: random.Random, enrolled_on: date) -> Values:
    """A nudge today, after some weeks of them; most have done some of this week's days."""
    sent = (TODAY - enrolled_on).days - chance.randrange(6)
    done = chance.randrange(2)
    return {
        "step": "daily",
        "entered_on": enrolled_on,
        "timer_on": TODAY,
        "silence_from": _YESTERDAY,
        "fired": sent,
        "sent_count": sent,
        "unanswered": chance.randrange(10),
        "week_of": monday_of(TODAY),
        "done_count": done,
        "done_on": _YESTERDAY if done else TODAY - timedelta(days=chance.randrange(2, 9)),
    }


def _vitamin_d(chance: random.Random, enrolled_on: date) -> Values:
    """A fifth is asked again today; of the rest half have a result, half wait for the next question."""
    kind = chance.random()
    if kind < 0.2:
        return _waiting("ask", asked=TODAY - timedelta(days=7), on=TODAY, fired=1)
    if kind < 0.6:
        since = enrolled_on + timedelta(days=chance.randrange(5, 20))
        return _waiting("settled", asked=since, on=since + timedelta(days=365), fired=0)
    asked = TODAY - timedelta(days=chance.randrange(1, 6))
    return _waiting("ask", asked=asked, on=asked + timedelta(days=7), fired=1)


def _dexa(chance: random.Random, enrolled_on: date) -> Values:
    """A tenth is asked again today; others wait for it, or have booked."""
    kind = chance.random()
    if kind < 0.1:
        return _waiting("ask", asked=TODAY - timedelta(days=10), on=TODAY, fired=1)
    asked = TODAY - timedelta(days=chance.randrange(1, 10))
    if kind < 0.5:
        return _waiting("ask", asked=asked, on=asked + timedelta(days=10), fired=1)
    return _waiting("talked", asked=asked, on=TODAY + timedelta(days=chance.randrange(1, 30)), fired=0)


def _supplement(chance: random.Random, enrolled_on: date) -> Values:
    """Said no, or nothing, when it was asked."""
    asked = enrolled_on + timedelta(days=5 + chance.randrange(3))
    return _waiting(chance.choice(("ask", "resting")), asked=asked, on=asked + timedelta(days=90), fired=1)


def _waiting(step: str, *, asked: date, on: date, fired: int) -> Values:
    nothing: Values = {"sent_count": 0, "unanswered": 0, "week_of": None, "done_count": 0, "done_on": None}
    return {"step": step, "entered_on": asked, "timer_on": on, "silence_from": asked, "fired": fired, **nothing}
