"""What `simulate` shows is what the service does, message for message: sixty days of a clinic that answers."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from scheduler.domain.people import Channel
from scheduler.domain.when import instant
from scheduler.records import LedgerEntry
from scheduler.services.importing import import_rows
from scheduler.services.intake.draft import IntakeDefaults, PhoneCheck
from scheduler.services.intake.fhir_patients import read_fhir
from scheduler.services.simulate import Script, ScriptedAnswer, simulate
from tests.support.cli import ROOT
from tests.support.worlds import BY, MONDAY, World, world_at

EXPORT = ROOT.parent / "shared" / "data" / "fhir-bulk-100" / "Patient.ndjson"
SEED = 20260302

ZONES = ("America/New_York", "America/Los_Angeles", "Europe/London")
TEXTS = (
    *("1", "2", "3", "4", "DONE", "DONE", "DONE", "done!", "yes", "no", "LATER", "HELP", "START", "STOP"),
    *("PAUSE", "PAUSE 2 WEEKS", "RESUME", "SUPP calcium 500", "magnesium", "I fell on the stairs", "thanks", "PT"),
)


@dataclass(frozen=True, slots=True, order=True)
class Seen:
    """A message as both the simulator and the ledger know it. `at` is the patient's local time, to the second."""

    patient: str
    day: date
    at: datetime
    channel: str
    pathway: str
    step: str
    template: str
    body: str


@pytest.fixture(scope="module")
def _needs_the_export() -> None:
    if not EXPORT.is_file():
        pytest.skip(f"needs the sample export {EXPORT.relative_to(ROOT.parent)}")


@pytest.mark.usefixtures("_needs_the_export")
def test_sixty_simulated_days_equal_sixty_live_days_message_for_message(sqlite_url: str, tmp_path: Path) -> None:
    foreseen, happened = foreseen_and_happened(sqlite_url, tmp_path, days=60)
    assert len(foreseen) > 2500
    assert_same(foreseen, happened)


@pytest.mark.usefixtures("_needs_the_export")
def test_the_same_holds_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    foreseen, happened = foreseen_and_happened(postgres_url, tmp_path, days=14)  # a live day costs more there
    assert len(foreseen) > 900
    assert_same(foreseen, happened)


@pytest.mark.usefixtures("_needs_the_export")
def test_simulating_writes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        import_clinic(world)
        before = (world.app.engine.url.database, world.ledger(), world.tasks())
        assert simulated(world, {}, days=60)
        assert (world.app.engine.url.database, world.ledger(), world.tasks()) == before


def foreseen_and_happened(database_url: str, folder: Path, *, days: int) -> tuple[list[Seen], list[Seen]]:
    """The same days of the same clinic with the same answers, first simulated, then lived through."""
    with world_at(MONDAY, database_url=database_url, folder=folder) as world:
        mrns = import_clinic(world)
        script = scripted(world, mrns, random.Random(SEED), days=days)
        foreseen = simulated(world, script, days=days)
        live_through(world, script, days=days)
        assert len(script) > 50
        return foreseen, lived(world)


def assert_same(foreseen: list[Seen], happened: list[Seen]) -> None:
    for expected, actual in zip(foreseen, happened, strict=False):
        assert actual == expected
    assert len(happened) == len(foreseen)


def import_clinic(world: World) -> list[str]:
    """The export, then a list that gives some of its patients other zones, hours, channels, days and pathways."""
    defaults = IntakeDefaults(
        country="US",
        phone_check=PhoneCheck.POSSIBLE,
        pathway_names=frozenset(world.rules.pathways),
        today=world.clock.at.date(),
    )
    rows = read_fhir(EXPORT, defaults=defaults, grant_consent=True)
    report = import_rows(world.store, world.rules, world.clinic, rows, now=world.clock.at, by=BY)
    assert report.created == 100
    with world.store.reading() as unit:
        patients = unit.patients.of_clinic(world.clinic.id)
    chance = random.Random(SEED)
    changed = []
    for number, patient in enumerate(patients):
        cells = {"name": patient.name, "timezone": chance.choice(ZONES)}
        if number % 3 == 0:
            cells["contact_time"] = chance.choice(("12:00", "21:30"))
        if number % 4 == 0:
            cells |= {"email": f"p{number}@patients.example", "email_consent": "yes", "channel": "email"}
        if number % 5 == 0:
            cells["exercise_days"] = chance.choice(("mon;wed;fri", "sun", "sat;sun", "tue"))
        if number % 7 == 0:
            cells["pathways"] = chance.choice(("exercise", "dexa;supplement", "vitamin_d"))
        cells["mobility"] = chance.choice(("walking", "limited", "wheelchair", "standing_frame"))
        changed.append(world.draft(patient.mrn, cells))
    assert world.import_drafts(changed).updated == 100
    return [patient.mrn for patient in patients]


def scripted(world: World, mrns: Iterable[str], chance: random.Random, *, days: int) -> Script:
    """What patients will write: two in three of them, up to a dozen times."""
    script: dict[str, list[ScriptedAnswer]] = {}
    first = world.clock.at.date() + timedelta(days=1)
    for mrn in mrns:
        if chance.random() < 1 / 3:
            continue
        on = chance.sample(range(days - 1), chance.randint(1, 12))
        script[mrn] = [
            ScriptedAnswer(
                day=first + timedelta(days=day),
                text=chance.choice(TEXTS),
                at=time(chance.choice((7, 12, 22))),
            )
            for day in on
        ]
    return script


def simulated(world: World, script: Script, *, days: int) -> list[Seen]:
    """What the simulator foresees from now on."""
    found = simulate(
        world.store,
        world.rules,
        world.app.composer,
        world.clinic,
        days=days,
        start=world.clock.at,
        script=script,
    )
    return sorted(
        Seen(
            patient=one.patient,
            day=one.day,
            at=one.at.replace(tzinfo=None, microsecond=0),
            channel=one.channel.value,
            pathway=one.pathway,
            step=one.step,
            template=one.template,
            body=one.body,
        )
        for one in found
    )


def live_through(world: World, script: Script, *, days: int) -> None:
    """Live those days: tick when something is due, and bring in what patients write when they write it."""
    end = world.clock.at + timedelta(days=days)
    zones = {mrn: ZoneInfo(world.patient(mrn).timezone) for mrn in script}
    written = sorted(
        (instant(answer.day, answer.at, zones[mrn]), mrn, answer.text)
        for mrn, answers in script.items()
        for answer in answers
    )
    for at, mrn, text in written:
        if at >= end:
            break
        world.run_until(at)
        world.receive(mrn, text)
    world.run_until(end)


def lived(world: World) -> list[Seen]:
    """What the ledger says was sent."""
    with world.store.reading() as unit:
        zones = {one.mrn: ZoneInfo(one.timezone) for one in unit.patients.of_clinic(world.clinic.id)}
    sent = [row for row in world.ledger() if row.sent_at is not None]
    assert {row.channel for row in sent} == set(Channel)
    return sorted(_seen(row, zones[row.patient]) for row in sent)


def _seen(row: LedgerEntry, zone: ZoneInfo) -> Seen:
    assert row.sent_at is not None
    assert row.body is not None
    at = row.sent_at.astimezone(UTC).astimezone(zone)
    return Seen(
        patient=row.patient,
        day=at.date(),
        at=at.replace(tzinfo=None, microsecond=0),
        channel=row.channel.value,
        pathway=row.pathway,
        step=row.step,
        template=row.template,
        body=row.body,
    )
