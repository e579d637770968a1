"""A whole installation inside the test's process, with a clock that the test sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import update

from scheduler.bootstrap import App
from scheduler.domain.enrolment import Enrolment
from scheduler.domain.people import Channel
from scheduler.domain.when import local_date
from scheduler.records import Clinic, LedgerEntry, Patient, Reply, Task
from scheduler.services.clinics import NewClinic, add_clinic
from scheduler.services.importing import ImportReport, import_rows
from scheduler.services.intake.assemble import draft_from_cells
from scheduler.services.intake.draft import Excluded, Exclusion, IntakeDefaults, PatientDraft, PhoneCheck
from scheduler.services.replies import Inbound, receive
from scheduler.services.rules import Rules
from scheduler.services.tick import TickReport
from scheduler.settings import load_settings
from scheduler.store.engine import writing
from scheduler.store.tables import clinics
from scheduler.store.unit import Store
from tests.support.installed import install

BY = "a test"
NEW_YORK = ZoneInfo("America/New_York")
MONDAY = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)  # 13:00 in New York, winter time; clocks change on the 8th


class SetClock:
    """Shows the time that it was set to."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


@dataclass
class World:
    """An installation. All times are instants; `clinic` is the one made last."""

    app: App
    clock: SetClock
    clinic: Clinic = field(init=False)
    _replies: int = 0

    @property
    def store(self) -> Store:
        return self.app.store

    @property
    def rules(self) -> Rules:
        return self.app.rules

    # Setting up

    def add_clinic(self, code: str = "main", *, timezone: str = "America/New_York", language: str = "en") -> Clinic:
        new = NewClinic(
            code=code,
            name="Harbor Clinic",
            timezone=timezone,
            language=language,
            sms_from="+16175550100",
            email_from="care@harbor.example",
        )
        self.clinic = add_clinic(self.store, new, now=self.clock.at).clinic
        return self.clinic

    def change_clinic(self, clinic: Clinic, **columns: object) -> Clinic:
        """The clinic with other values in its row."""
        with writing(self.app.engine) as connection:
            connection.execute(update(clinics).where(clinics.c.id == clinic.id).values(**columns))
        with self.store.reading() as unit:
            found = unit.installation.clinic(clinic.code)
        assert found is not None
        self.clinic = found
        return found

    def enrol(self, mrn: str = "P1", clinic: Clinic | None = None, /, **cells: str) -> ImportReport:
        """Enrol a patient, or update the one with this MRN, from cells of a CSV row."""
        return self.import_drafts([self.draft(mrn, cells, clinic=clinic)], clinic=clinic)

    def enrol_sms(self, mrn: str = "P1", clinic: Clinic | None = None, /, **cells: str) -> Patient:
        """Enrol somebody new who agreed to texts; with one number each."""
        given = {"phone": phone_of(mrn), "sms_consent": "yes", **cells}
        report = self.enrol(mrn, clinic, **given)
        assert report.created == 1, report
        return self.patient(mrn, clinic=clinic)

    def enrol_email(self, mrn: str = "E1", clinic: Clinic | None = None, /, **cells: str) -> Patient:
        """Enrol somebody new who agreed to e-mail."""
        given = {"email": f"{mrn.lower()}@patients.example", "email_consent": "yes", **cells}
        report = self.enrol(mrn, clinic, **given)
        assert report.created == 1, report
        return self.patient(mrn, clinic=clinic)

    def draft(self, mrn: str, cells: Mapping[str, str], *, clinic: Clinic | None = None) -> PatientDraft:
        at = clinic or self.clinic
        defaults = IntakeDefaults(
            country=at.country,
            phone_check=PhoneCheck.POSSIBLE,
            pathway_names=frozenset(self.rules.pathways),
            today=local_date(self.clock.at, ZoneInfo(at.timezone)),
        )
        row = draft_from_cells({"mrn": mrn, "name": f"Pat {mrn}", **cells}, defaults=defaults)
        assert isinstance(row, PatientDraft), row
        return row

    def import_drafts(
        self, drafts: list[PatientDraft], *, clinic: Clinic | None = None, dry_run: bool = False
    ) -> ImportReport:
        return import_rows(
            self.store, self.rules, clinic or self.clinic, drafts, now=self.clock.at, by=BY, dry_run=dry_run
        )

    def exclude(self, mrn: str, reason: Exclusion, *, clinic: Clinic | None = None) -> ImportReport:
        """Import a record that says the patient must not be reminded."""
        row = Excluded(line=1, reason=reason, mrn=mrn)
        return import_rows(self.store, self.rules, clinic or self.clinic, [row], now=self.clock.at, by=BY)

    def store_patient(self, patient: Patient) -> None:
        """Write a patient's record as it stands, as a staff page would."""
        with self.store.writing() as unit:
            unit.patients.update([patient], now=self.clock.at)

    # Time passes

    def tick(self) -> TickReport:
        return self.app.ticker.tick()

    def tick_at(self, at: datetime) -> TickReport:
        self.clock.at = at
        return self.tick()

    def next_instant(self) -> datetime | None:
        """When there is something to plan or to send next."""
        with self.store.reading() as unit:
            due, ready, ask = unit.patients.next_due(), unit.gauges.next_ready(), unit.questions.next_ask()
            stopped = [at for lane in unit.lanes.all().values() for at in (lane.quiet_until, lane.breaker.probe_at)]
        if ready is not None and ready <= self.clock.at:  # it waits for its lane
            ready = min((at for at in stopped if at is not None and at > self.clock.at), default=ready)
        return min((at for at in (due, ready, ask) if at is not None), default=None)

    def run_until(self, end: datetime) -> None:
        """Tick whenever something is due, up to `end` (exclusive), and leave the clock there."""
        while (at := self.next_instant()) is not None and at < end:
            before = self.clock.at
            self.tick_at(max(at, before))
            if at <= before and self.next_instant() == at:
                raise AssertionError(f"a tick at {before} left what was due at {at}")
        self.clock.at = end

    def receive(self, mrn: str, text: str, *, clinic: Clinic | None = None) -> Reply:
        """The patient writes, over the channel they prefer; not yet answered."""
        at = clinic or self.clinic
        patient = self.patient(mrn, clinic=at)
        sender = patient.phone if patient.channel is Channel.SMS else patient.email
        assert sender is not None
        self._replies += 1
        inbound = Inbound(channel=patient.channel, sender=sender, body=text, provider_id=f"IN{self._replies}")
        reply = receive(self.store, self.rules, at, inbound, now=self.clock.at)
        assert reply is not None
        return reply

    # Looking

    def patient(self, mrn: str = "P1", *, clinic: Clinic | None = None) -> Patient:
        with self.store.reading() as unit:
            return unit.patients.by_mrn((clinic or self.clinic).id, [mrn])[mrn]

    def enrolment(self, pathway: str, mrn: str = "P1", *, clinic: Clinic | None = None) -> Enrolment:
        patient = self.patient(mrn, clinic=clinic)
        with self.store.reading() as unit:
            enrolled = unit.patients.enrolments([patient.id])[patient.id]
        return next(one.state for one in enrolled if one.state.pathway == pathway)

    def ledger(self, mrn: str | None = None, *, clinic: Clinic | None = None) -> list[LedgerEntry]:
        with self.store.reading() as unit:
            return unit.ledger.entries((clinic or self.clinic).id, mrn=mrn)

    def tasks(self, mrn: str | None = None, *, clinic: Clinic | None = None) -> list[Task]:
        with self.store.reading() as unit:
            return unit.worklist.tasks((clinic or self.clinic).id, mrn=mrn)

    def open_tasks(self, mrn: str | None = None, *, clinic: Clinic | None = None) -> set[str]:
        """The kinds of the open tasks."""
        return {task.kind for task in self.tasks(mrn, clinic=clinic) if task.status == "open"}

    def second_process(self, clock: SetClock | None = None) -> World:
        """Another process on the same database, as far as one process can be two."""
        app = App(replace(self.app.settings), is_worker=True)
        other = World(app, clock or self.clock)
        app.clock = other.clock
        other.clinic = self.clinic
        return other


@contextmanager
def world_at(
    at: datetime, *, database_url: str, folder: Path, settings: Mapping[str, str] | None = None
) -> Iterator[World]:
    """A new installation with one clinic, `main` in New York, at `at`. Channels are simulated unless set."""
    environment = {"BONEWISE_DATABASE_URL": database_url, "BONEWISE_DATA_DIR": str(folder / "var")}
    app = App(load_settings({**environment, **(settings or {})}))
    if app.settings.secret_keys is None:
        install(app.settings.database_url, app.settings.data_dir)
    world = World(app, SetClock(at))
    app.clock = world.clock
    try:
        app.initialise()
        world.add_clinic()
        yield world
    finally:
        app.close()


def new_york(month: int, day: int, hour: int = 9, minute: int = 30) -> datetime:
    """The instant of a wall time in New York in 2026."""
    return datetime(2026, month, day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


def phone_of(mrn: str) -> str:
    """A number that belongs to this MRN, the same each time."""
    return f"+1617555{sum(ord(letter) * 7**n for n, letter in enumerate(mrn)) % 10_000:04d}"


def days_later(at: datetime, days: int) -> datetime:
    """The same wall time in New York some days later."""
    wall = at.astimezone(NEW_YORK).replace(tzinfo=None) + timedelta(days=days)
    return wall.replace(tzinfo=NEW_YORK).astimezone(UTC)
