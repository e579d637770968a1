"""One decision for all who stand alike: the same ledger, enrolments and next contacts as deciding about each alone.

Two installations live through the same weeks with the same patients, who answer, pause and stop in the same way. In
one of them the planner is kept from ever taking two patients for alike.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from scheduler.domain import planning
from scheduler.domain.contact import Contact
from scheduler.domain.people import Reach
from scheduler.records import DuePatient
from scheduler.services import plan
from scheduler.services.facts import ResultKind, add_result
from scheduler.services.plan import plan_all_due
from scheduler.store import rows
from scheduler.store.engine import reading
from scheduler.store.tables import clearances, enrolments, messages, patients, tasks
from tests.support.postgres import PostgresServer
from tests.support.worlds import MONDAY, NEW_YORK, World, days_later, new_york, world_at

PATIENTS, HABITS = 40, 6
DAYS = 12
_OF_MESSAGE = [
    column.key
    for column in messages.columns
    if column.key not in ("id", "clinic_id", "patient_id", "enrolment_id", "retry_of")
]
_OF_PATIENT = (*rows.contact_values(Contact(zone=NEW_YORK, contact_time=time(9), reach=Reach(sms=True, email=True))),)
_OF_TASK = ("kind", "priority", "opened_at", "due", "status", "closed_at")

Row = tuple[Any, ...]


# A life


@dataclass(frozen=True, slots=True)
class Happening:
    """What a patient writes, or a result that is recorded (with no text), at some moment."""

    at: datetime
    mrn: str
    text: str | None


@dataclass(frozen=True, slots=True)
class Life:
    """Who is enrolled when, and what happens then. The same seed makes the same life."""

    enrolled: dict[str, tuple[datetime, dict[str, str]]]
    happenings: list[Happening]

    @classmethod
    def of(cls, seed: int) -> Life:
        chance = random.Random(seed)
        habits = [_habit(chance) for _ in range(HABITS)]
        enrolled = {
            f"P{number}": (
                days_later(MONDAY, chance.choice([0, 0, 0, 1])),
                chance.choice(habits) | _addresses(number),
            )
            for number in range(PATIENTS)
        }
        happenings = [
            Happening(_some_time(chance), chance.choice([*enrolled]), chance.choice(_WORDS)) for _ in range(20)
        ]
        return cls(enrolled, sorted(happenings, key=lambda one: (one.at, one.mrn)))


_WORDS = ("1", "2", "3", "DONE", "done", "STOP", "START", "PAUSE", "PAUSE 1 WEEK", "RESUME", "vitamin k2", None)


def _some_time(chance: random.Random) -> datetime:
    return new_york(3, 3 + chance.randrange(DAYS - 2), chance.randrange(8, 22), chance.randrange(60))


def _habit(chance: random.Random) -> dict[str, str]:
    """How some patients live: who share one stand alike until something happens to them."""
    cells = {
        "sms_consent": chance.choice(["yes", "yes", "yes", "no"]),
        "email_consent": chance.choice(["yes", "no"]),
        "channel": chance.choice(["sms", "sms", "email"]),
        "timezone": chance.choice(["", "", "America/Los_Angeles"]),
        "contact_time": chance.choice(["", "", "10:15"]),
        "mobility": chance.choice(["walking", "wheelchair"]),
        "exercise_days": chance.choice(["", "mon;wed;fri"]),
        "pathways": chance.choice(["", "", "exercise", "vitamin_d;supplement"]),
    }
    return {name: value for name, value in cells.items() if value}


def _addresses(number: int) -> dict[str, str]:
    return {"phone": f"+1617555{number:04d}", "email": f"p{number}@patients.example"}


def lived(world: World, life: Life) -> list[list[Row]]:
    """Everything on record after each happening and at the end. What is planned is not sent: it can be voided."""
    seen = []
    for at in sorted({at for at, _ in life.enrolled.values()}):
        _plan_until(world, at)
        joining = [(mrn, cells) for mrn, (when, cells) in life.enrolled.items() if when == at]
        world.import_drafts([world.draft(mrn, cells) for mrn, cells in joining])
    for happening in life.happenings:
        _plan_until(world, happening.at)
        _happen(world, happening)
        seen.append(on_record(world))
    _plan_until(world, days_later(new_york(3, 3, 21, 0), DAYS))
    return [*seen, on_record(world)]


def _plan_until(world: World, end: datetime) -> None:
    while True:
        with world.store.reading() as unit:
            due = unit.patients.next_due()
        if due is None or due >= end:
            break
        world.clock.at = max(due, world.clock.at)
        plan_all_due(world.store, world.rules, world.clock.at)
    world.clock.at = end


def _happen(world: World, happening: Happening) -> None:
    if happening.text is not None:
        world.receive(happening.mrn, happening.text)
        return
    taken_on = date(2026, 3, 2)
    what = {"kind": ResultKind.VITAMIN_D, "taken_on": taken_on, "value": None, "unit": None, "next_months": None}
    add_result(world.store, world.rules, world.clinic, mrn=happening.mrn, by="test", now=world.clock.at, **what)  # type: ignore[arg-type]


# Looking


def on_record(world: World) -> list[Row]:
    """All that planning writes, without the ids, in an order that does not depend on them."""
    mrn = patients.c.mrn
    queries = (
        select(mrn, patients.c.next_contact_at, *(patients.c[name] for name in _OF_PATIENT)),
        select(mrn, enrolments.c.pathway, *(enrolments.c[name] for name in rows.STATE)).join(
            enrolments, enrolments.c.patient_id == patients.c.id
        ),
        select(mrn, enrolments.c.pathway.label("of"), *(messages.c[name] for name in _OF_MESSAGE))
        .join(messages, messages.c.patient_id == patients.c.id)
        .outerjoin(enrolments, enrolments.c.id == messages.c.enrolment_id),
        select(mrn, *(tasks.c[name] for name in _OF_TASK)).join(tasks, tasks.c.patient_id == patients.c.id),
        select(mrn, clearances.c.opened_at).join(clearances, clearances.c.patient_id == patients.c.id),
    )
    with reading(world.app.engine) as connection:
        return [row for query in queries for row in sorted((tuple(r) for r in connection.execute(query)), key=repr)]


@contextmanager
def grouping(monkeypatch: pytest.MonkeyPatch, *, together: bool) -> Iterator[list[int]]:
    """How many patients shared each decision; with `together` False, every patient gets one of their own."""
    sizes: list[int] = []
    real = plan._alike

    def groups(due: Iterable[DuePatient]) -> list[list[DuePatient]]:
        found = list(real(due)) if together else [[patient] for patient in due]
        sizes.extend(map(len, found))
        return found

    with monkeypatch.context() as patched:
        patched.setattr(plan, "_alike", groups)
        yield sizes


@pytest.fixture(params=["sqlite", "postgresql"])
def two_urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Two empty databases of one kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'together.db'}", f"sqlite:///{tmp_path / 'alone.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    urls = server.create_database(), server.create_database()
    yield urls
    for url in urls:
        server.drop_database(url)


@pytest.mark.parametrize("seed", [1, 2])
def test_deciding_once_for_all_who_stand_alike_changes_nothing(
    two_urls: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    life = Life.of(seed)
    histories = []
    for url, together in zip(two_urls, (True, False), strict=True):
        with (
            world_at(MONDAY, database_url=url, folder=tmp_path / f"{together}") as world,
            grouping(monkeypatch, together=together) as sizes,
        ):
            histories.append(lived(world, life))
            assert (max(sizes) > 5) is together
    for shared, alone in zip(*histories, strict=True):
        assert shared == alone
    assert len(histories[0][-1]) > 5 * PATIENTS  # they have lived


def test_after_an_outage_all_are_decided_about_at_once_and_still_as_each_alone(
    two_urls: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = Life.of(3)
    found = []
    for url, together in zip(two_urls, (True, False), strict=True):
        with (
            world_at(MONDAY, database_url=url, folder=tmp_path / f"{together}") as world,
            grouping(monkeypatch, together=together),
        ):
            world.import_drafts([world.draft(mrn, cells) for mrn, (_, cells) in life.enrolled.items()])
            world.clock.at = new_york(3, 13, 11, 0)
            assert plan_all_due(world.store, world.rules, world.clock.at).patients == PATIENTS
            found.append(on_record(world))
    assert found[0] == found[1]


# Who cannot be decided


def test_those_who_cannot_be_decided_are_parked_together_and_hold_up_nobody(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    decide = planning.plan

    def failing(contact: Any, *rest: Any) -> Any:
        if contact.zone.key == "America/Chicago":
            raise ValueError("nobody knows")
        return decide(contact, *rest)

    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        for mrn in ("P1", "P2"):
            world.enrol_sms(mrn, timezone="America/Chicago")
        world.enrol_sms("P3")
        monkeypatch.setattr(plan, "plan", failing)
        now = world.clock.at = new_york(3, 3, 10, 30)
        assert plan_all_due(world.store, world.rules, now).messages == 1
        parked = {mrn: world.patient(mrn).next_contact_at for mrn in ("P1", "P2")}
        assert parked == dict.fromkeys(("P1", "P2"), now + timedelta(hours=1))
        assert all(str(world.patient(mrn).id) in caplog.text for mrn in parked)
        monkeypatch.setattr(plan, "plan", decide)
        world.clock.at = now + timedelta(hours=1)
        assert plan_all_due(world.store, world.rules, world.clock.at).messages == 2


def test_each_of_those_alike_has_a_reminder_and_state_under_an_enrolment_of_their_own(
    database_url: str, tmp_path: Path
) -> None:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        mrns = [f"P{number}" for number in range(6)]
        for mrn in mrns:
            world.enrol_sms(mrn)
        world.clock.at = new_york(3, 3)
        plan_all_due(world.store, world.rules, world.clock.at)
        with reading(world.app.engine) as connection:
            query = select(messages.c.patient_id, enrolments.c.patient_id).join(
                enrolments, enrolments.c.id == messages.c.enrolment_id
            )
            owners = connection.execute(query).all()
        assert len(owners) == 2 * len(mrns)  # vitamin D, and the exercise that gave way
        assert all(one == other for one, other in owners)
        assert {asdict(world.enrolment("vitamin_d", mrn))["fired"] for mrn in mrns} == {1}
