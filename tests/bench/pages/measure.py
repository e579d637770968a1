"""What a page of the staff costs in a clinic with very many patients: the time from request to answer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import urllib3
from sqlalchemy import update

from scheduler.bootstrap import App
from scheduler.domain.accounts import Role
from scheduler.records import Clinic
from scheduler.services.accounts.sessions import new_token
from scheduler.services.accounts.signing_in import sign_in_without_password
from scheduler.services.clinics import add_staff
from scheduler.services.counting import count_clinic
from scheduler.services.new_tasks import patient_task
from scheduler.store.tables import attempts, messages
from scheduler.store.tables import patients as table
from tests.bench import clinic
from tests.bench.databases import Patients, settle
from tests.bench.growth.fill import SEEDS
from tests.bench.inbound.measure import web
from tests.bench.people import MORNING
from tests.bench.stage import Stage

TIMES = 60  # how often each page is asked for
_FILL_SECONDS = 7_200
TASKS = 300
TRAIL = 30_000  # entries
_EMAIL = "bench@clinic.example"


@dataclass(frozen=True, slots=True)
class Page:
    """One page of one installation; times in milliseconds."""

    database: str
    patients: int
    name: str
    p50: float
    p95: float
    longest: float
    kilobytes: float


def measure(stage: Stage, database: str, *, patients: int, pages: dict[str, list[str]]) -> list[Page]:
    """Fill a database and ask for every page `TIMES` times, its paths in turn."""
    made = stage.databases
    seeded = made.due_sqlite if database == "SQLite" else made.due_postgres
    url = seeded(Patients.TOGETHER, patients=SEEDS)
    try:
        filled = stage.measure_within(_FILL_SECONDS, "growth.measure:fill", database=url, size=patients)
        if filled.faults:
            raise RuntimeError("; ".join(filled.faults))
        environment = made.environment(url)
        token = _prepare(environment)
        with web("web", environment) as (address, _):
            browser = _Browser(address, token)
            browser.get("/patients/found?q=a")  # the names are read once in each process
            return [_timed(browser, database, patients, name, paths) for name, paths in pages.items()]
    finally:
        made.drop(url)


def _prepare(environment: dict[str, str]) -> str:
    """Give the clinic's day, its staff's work, and somebody to look at them; returns the token of their session."""
    app, now = clinic.open_app(environment, at=MORNING), datetime.now(UTC)
    with app.store.reading() as unit:
        (first, *_) = unit.installation.clinics().values()
    _lead_up_to(app, now)
    _work(app, first, now)
    count_clinic(app.store, app.rules, first, since=now - timedelta(days=90), now=now)
    add_staff(app.store, first, email=_EMAIL, role=Role.ADMIN, now=now, password=new_token())
    with app.store.reading() as unit:
        (account,) = unit.accounts.by_email(_EMAIL)
    token = sign_in_without_password(app.store, account, now=now).token
    app.close()
    settle(environment["BONEWISE_DATABASE_URL"])
    return token


def _lead_up_to(app: App, now: datetime) -> None:
    """Everybody has had a text today, and one in ten has another to come."""
    with app.engine.begin() as connection:
        # Unlike a tick, a page opens what it shows.
        body = app.vault.seal("messages.body", "Harbor Clinic: Walk a little.")
        for number, digit in enumerate("0123456789abcdef"):
            went, some = now - timedelta(minutes=30 + number), messages.c.provider_id.like(f"%{digit}")
            values = {"body": body, "planned_at": went, "send_from": went, "sent_at": went}
            connection.execute(update(messages).where(some).values(values))
        connection.execute(update(attempts).values(address=app.vault.seal("attempts.address", "+16175550100")))
        is_soon = table.c.mrn.like("%1")
        connection.execute(update(table).values(next_contact_at=now + timedelta(days=1)))
        connection.execute(update(table).where(is_soon).values(next_contact_at=now + timedelta(minutes=20)))


def _work(app: App, first: Clinic, now: datetime) -> None:
    """Tasks, and a trail."""
    with app.store.writing() as unit:
        patients = unit.patients.by_mrn(first.id, [f"C{number}" for number in range(1, TASKS + 1)]).values()
        unit.worklist.open(
            [patient_task(app.rules, "unclear_reply", first, patient.id, now=now) for patient in patients],
            now=now,
        )
    for number in range(TRAIL // TASKS):
        with app.store.writing() as unit:
            at = now - number * timedelta(minutes=10)
            seen = [(first.id, "patient viewed", patient.id, "") for patient in patients]
            unit.installation.audit(seen, actor=f"staff{number % 7}@clinic.example", now=at)


class _Browser:
    """Keeps its connection and its cookie, and follows nothing."""

    def __init__(self, address: str, token: str) -> None:
        self._http = urllib3.PoolManager(retries=False, timeout=60, headers={"cookie": f"bonewise_session={token}"})
        self._address = address

    def get(self, path: str) -> bytes:
        """The page. Raises RuntimeError when there is none."""
        answer = self._http.request("GET", self._address + path, redirect=False)
        if answer.status != 200:
            raise RuntimeError(f"{path} was answered with {answer.status}")
        return answer.data


def _timed(browser: _Browser, database: str, patients: int, name: str, paths: list[str]) -> Page:
    browser.get(paths[0])  # what is read once and kept
    times, size = [], 0
    for number in range(TIMES):
        since = time.perf_counter()
        size = len(browser.get(paths[number % len(paths)]))
        times.append(1000 * (time.perf_counter() - since))
    times.sort()
    return Page(database, patients, name, times[TIMES // 2], times[int(TIMES * 0.95)], times[-1], size / 1000)
