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

    def __init__(self, directory: Path, *, patients: int, postgres: PostgresServer | None) -> None:
        self.postgres = postgres
        self.patients = patients
        self._directory = directory
        self._made: dict[str, str] = {}

    def csv(self, count: int) -> Path:
        """A patient list of `count` rows."""
        file = self._directory / f"{count}.csv"
        if not file.exists():
            clinic.write_csv(file, count)
        return file

    def empty_sqlite(self) -> str:
        """The address of a SQLite file that is not there yet."""
        return f"sqlite:///{self._directory / f'{uuid4().hex}.db'}"

    def empty_postgres(self) -> str:
        assert self.postgres is not None
        return self.postgres.create_database()

    def due_sqlite(self, standing: Patients, *, patients: int | None = None) -> str:
        """A copy of the installation where everybody is due."""
        return self._copy_sqlite(self._due(self._copy_sqlite, standing, patients or self.patients))

    def due_postgres(self, standing: Patients, *, patients: int | None = None) -> str:
        """A copy of the installation where everybody is due, its statistics gathered."""
        return self._copy_postgres(self._due(self._copy_postgres, standing, patients or self.patients))

    def planned_postgres(self, standing: Patients) -> str:
        """A copy of the installation where everybody's message is planned, its statistics gathered."""

        def plan(url: str) -> None:
            app = clinic.open_app(self.environment(url), at=standing.morning)
            plan_all_due(app.store, app.rules, standing.morning)
            app.close()

        due = self._due(self._copy_postgres, standing, self.patients)
        return self._copy_postgres(self._once(f"{due} planned", lambda: self._copy_postgres(due), plan))

    def drop(self, url: str) -> None:
        """Remove a database that has served."""
        if self.postgres is not None and url.startswith("postgresql"):
            self.postgres.drop_database(url)
            return
        path = Path(_file(url))
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()

    def environment(self, database: str, *, twilio: str | None = None) -> dict[str, str]:
        """The settings of an installation, whose keys are those of all of them."""
        return clinic.settings_for(database, data_dir=self._directory, twilio=twilio)

    def _due(self, copy: Callable[[str | None], str], standing: Patients, count: int) -> str:
        """The installation to copy, as it is after its first tick; made when it is first asked for."""
        name = f"{copy.__name__} {count}"
        together = self._once(name, lambda: copy(None), lambda url: self._fill(url, count))
        if standing is Patients.TOGETHER:
            return together
        return self._once(f"{name} mixed", lambda: copy(together), mixed.live_through)

    def _once(self, name: str, make: Callable[[], str], change: Callable[[str], None]) -> str:
        if name not in self._made:
            url = make()
            change(url)
            settle(url)
            self._made[name] = url
        return self._made[name]

    def _fill(self, url: str, count: int) -> None:
        app = clinic.open_app(self.environment(url), at=people.ENROLLED)
        clinic.import_csv(app, clinic.new_clinic(app), self.csv(count))
        app.ticker.tick()
        app.close()

    def _copy_sqlite(self, template: str | None = None) -> str:
        copy = self.empty_sqlite()
        if template is not None:
            shutil.copyfile(_file(template), _file(copy))
        return copy

    def _copy_postgres(self, template: str | None = None) -> str:
        assert self.postgres is not None
        if template is None:
            return self.postgres.create_database()
        return self.postgres.create_database(template=template.rpartition("/")[2])


def _file(url: str) -> str:
    return url.removeprefix("sqlite:///")


def settle(url: str) -> None:
    """What PostgreSQL's own vacuum would have done by now. SQLite gathers nothing by itself; its log is emptied."""
    engine = create_engine(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_sqlite = engine.dialect.name == "sqlite"
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)" if is_sqlite else "VACUUM ANALYZE"))
    engine.dispose()
