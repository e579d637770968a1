"""The databases that measured processes work on: copies of installations that were filled once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

from sqlalchemy import create_engine, text

from scheduler.services.plan import plan_all_due
from tests.bench import clinic, mixed, people
from tests.support.postgres import PostgresServer


class Patients(StrEnum):
    """How the clinic's patients stand."""

    TOGETHER = "together"  # enrolled on one day: all stand alike
    MIXED = "mixed"  # after some months: each stands differently

    @property
    def morning(self) -> datetime:
        """The instant at which all of them are due."""
        return people.MORNING if self is Patients.TOGETHER else mixed.MORNING


class Databases:
    """Makes databases, and drops them. `patients` are in each of those where everybody is due."""

    def __init__(self, directory: Path, *, patients: int, few: int, postgres: PostgresServer | None) -> None:
        self.postgres = postgres
        self.csv = directory / "patients.csv"
        self._few = directory / "few.csv"
        self._directory = directory
        clinic.write_csv(self.csv, patients)
        clinic.write_csv(self._few, few)
        self._made: set[Path] = set()

    def empty_sqlite(self) -> str:
        """The address of a SQLite file that is not there yet."""
        return f"sqlite:///{self._directory / f'{uuid4().hex}.db'}"

    def empty_postgres(self) -> str:
        assert self.postgres is not None
        return self.postgres.create_database()

    def due_sqlite(self, standing: Patients) -> str:
        """A copy of the installation where everybody is due."""
        return self._sqlite_copy(f"due-{standing}", lambda url: self._fill(url, self.csv, standing))

    def due_postgres(self, standing: Patients) -> str:
        """A copy of the installation where everybody is due, its statistics gathered."""
        return self._postgres_copy(f"bench_due_{standing}", lambda url: self._fill(url, self.csv, standing))

    def planned_postgres(self, standing: Patients) -> str:
        """A copy of the installation where everybody's message is planned, its statistics gathered."""

        def fill(url: str) -> None:
            self._fill(url, self.csv, standing)
            app = clinic.open_app(self.environment(url), at=standing.morning)
            plan_all_due(app.store, app.rules, standing.morning)
            app.close()
            _gather_statistics(url)

        return self._postgres_copy(f"bench_planned_{standing}", fill)

    def few_sqlite(self) -> str:
        """A copy of a small installation, just after enrolment."""
        return self._sqlite_copy("few", lambda url: self._fill(url, self._few, Patients.TOGETHER))

    def drop(self, url: str) -> None:
        """Remove a database that has served."""
        if self.postgres is not None and url.startswith("postgresql"):
            self.postgres.drop_database(url)
            return
        path = Path(url.removeprefix("sqlite:///"))
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()

    def environment(self, database: str, *, twilio: str | None = None) -> dict[str, str]:
        """The settings of an installation, whose keys are those of all of them."""
        return clinic.settings_for(database, data_dir=self._directory, twilio=twilio)

    def _fill(self, url: str, csv: Path, standing: Patients) -> None:
        """An installation with the patients of `csv`, as it is after its first tick."""
        app = clinic.open_app(self.environment(url), at=people.ENROLLED)
        clinic.import_csv(app, clinic.new_clinic(app), csv)
        app.ticker.tick()
        if standing is Patients.MIXED:
            mixed.spread_out(app.engine)
        app.close()
        _gather_statistics(url)

    def _sqlite_copy(self, name: str, fill: Callable[[str], None]) -> str:
        template = self._directory / f"template-{name}.db"
        if template not in self._made:
            fill(f"sqlite:///{template}")
            self._made.add(template)
        copy = self.empty_sqlite()
        shutil.copyfile(template, copy.removeprefix("sqlite:///"))
        return copy

    def _postgres_copy(self, name: str, fill: Callable[[str], None]) -> str:
        assert self.postgres is not None
        return self.postgres.create_database(template=self.postgres.ensure_template(name, fill))


def _gather_statistics(url: str) -> None:
    """What a database that has been in use knows of its tables; and nothing is left in SQLite's side files."""
    engine = create_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
        if engine.dialect.name == "sqlite":
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    engine.dispose()
