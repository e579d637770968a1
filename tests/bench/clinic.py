"""The clinic that everything is measured on: its patients, its calendar, its settings."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from scheduler import garbage
from scheduler.bootstrap import App
from scheduler.domain.when import local_date
from scheduler.services.clinics import NewClinic, add_clinic
from scheduler.services.importing import ImportReport, import_rows
from scheduler.services.intake.csv_rows import read_csv
from scheduler.services.intake.draft import IntakeDefaults, PhoneCheck
from scheduler.settings import load_settings
from tests.bench.people import AREAS, ENROLLED, PER_AREA, SENDER, ZONE, phone_of
from tests.support.twilio_server import ACCOUNT, TOKEN

if TYPE_CHECKING:
    from scheduler.records import Clinic

CODE = "bench"
COLUMNS = (
    "mrn", "name", "birth_date", "phone", "email", "language", "timezone", "contact_time", "channel", "mobility",
    "sms_consent", "email_consent", "consent_date", "exercise_days", "risk_factors",
)  # fmt: skip
_MOBILITIES = ("walking", "limited", "wheelchair", "standing_frame")
_RISKS = ("", "steroids", "ssri;falls", "menopause", "low_vitamin_d;smoking")


@dataclass
class StandingClock:
    """A clock that stands still until somebody moves it, so that all that is due stays due."""

    at: datetime

    def now(self) -> datetime:
        return self.at


def patient_rows(count: int) -> Iterator[tuple[str, ...]]:
    """`count` patients as a clinic's export has them: all due at the same minute, a quarter in Spanish."""
    if count > PER_AREA * len(AREAS):
        raise ValueError(f"{count} patients are more than there are numbers: at most {PER_AREA * len(AREAS)}")
    for n in range(count):
        yield (
            f"MRN-{n:06d}", f"Given{n % 977} Family{n % 1013}", f"19{50 + n % 50}-{1 + n % 12:02d}-{1 + n % 28:02d}",
            phone_of(n), f"patient{n}@example.org", "es" if n % 4 == 0 else "en", ZONE, "09:30", "sms",
            _MOBILITIES[n % 4], "yes", "yes", "2026-02-20", "", _RISKS[n % 5],
        )  # fmt: skip


def write_csv(path: Path, count: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(patient_rows(count))


def settings_for(database: str, *, data_dir: Path, twilio: str | None = None) -> dict[str, str]:
    """The environment of an installation; with `twilio`, the address of a server that speaks its protocol."""
    named = {"BONEWISE_DATABASE_URL": database, "BONEWISE_DATA_DIR": str(data_dir)}
    if twilio is None:
        return named
    return named | {
        "BONEWISE_SMS": "twilio",
        "BONEWISE_PUBLIC_URL": "https://bonewise.example.org",
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_API_URL": twilio,
    }


def open_app(environment: dict[str, str], *, at: datetime) -> App:
    """The installation as a worker opens it, with a clock that stands at `at`."""
    garbage.look_seldom()  # as the command does
    app = App(load_settings(environment), is_worker=True)
    app.clock = StandingClock(at)
    return app


def new_clinic(app: App) -> Clinic:
    """A clinic without a pace: its texts go as fast as the provider takes them."""
    app.initialise()
    described = NewClinic(code=CODE, name="Bench Clinic", timezone=ZONE, sms_from=SENDER, phone=SENDER)
    return add_clinic(app.store, described, now=ENROLLED).clinic


def stored_clinic(app: App) -> Clinic:
    with app.store.reading() as unit:
        clinic = unit.installation.clinic(CODE)
    assert clinic is not None
    return clinic


def import_csv(app: App, clinic: Clinic, path: Path) -> ImportReport:
    """What `bonewise import FILE` does."""
    defaults = IntakeDefaults(
        country=clinic.country,
        phone_check=PhoneCheck.VALID,
        pathway_names=frozenset(app.rules.pathways),
        today=local_date(ENROLLED, ZoneInfo(clinic.timezone)),
    )
    return import_rows(app.store, app.rules, clinic, read_csv(path, defaults=defaults), now=ENROLLED, by="bench")
