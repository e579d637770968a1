"""What a page of the staff costs in a clinic with very many patients: the time from request to answer."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from urllib.parse import urlencode

import urllib3
from sqlalchemy import update

from scheduler.domain.accounts import Role
from scheduler.services.clinics import add_staff
from scheduler.store.tables import messages
from tests.bench import clinic
from tests.bench.databases import Patients
from tests.bench.growth.fill import SEEDS
from tests.bench.inbound.measure import web
from tests.bench.people import MORNING
from tests.bench.stage import Stage

TIMES = 60  # how often each page is asked for
_FILL_SECONDS = 7_200
_EMAIL, _PASSWORD = "bench@clinic.example", "four words of their own"
_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


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
        _prepare(environment)
        with web("web", environment) as (address, _):
            browser = _Browser(address)
            browser.sign_in()
            return [_timed(browser, database, patients, name, paths) for name, paths in pages.items()]
    finally:
        made.drop(url)


def _prepare(environment: dict[str, str]) -> None:
    app = clinic.open_app(environment, at=MORNING)
    with app.store.reading() as unit:
        (first, *_) = unit.installation.clinics().values()
    # Unlike a tick, a page opens what it shows.
    with app.engine.begin() as connection:
        connection.execute(
            update(messages).values(body=app.vault.seal("messages.body", "Harbor Clinic: Walk a little."))
        )
    add_staff(app.store, first, email=_EMAIL, role=Role.COORDINATOR, now=MORNING, password=_PASSWORD)
    app.close()


class _Browser:
    """Keeps its connection and its cookies, and follows nothing."""

    def __init__(self, address: str) -> None:
        self._http = urllib3.PoolManager(retries=False, timeout=60)
        self._address = address
        self._cookies: dict[str, str] = {}

    def sign_in(self) -> None:
        found = _TOKEN.search(self.get("/sign-in").decode())
        assert found is not None
        fields = urlencode({"email": _EMAIL, "password": _PASSWORD, "form_token": found[1]})
        answer = self._ask("POST", "/sign-in", body=fields)
        if answer.status != 303:
            raise RuntimeError(f"signing in was answered with {answer.status}")

    def get(self, path: str) -> bytes:
        """The page. Raises RuntimeError when there is none."""
        answer = self._ask("GET", path)
        if answer.status != 200:
            raise RuntimeError(f"{path} was answered with {answer.status}")
        return answer.data

    def _ask(self, method: str, path: str, *, body: str | None = None) -> urllib3.BaseHTTPResponse:
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if body is not None:
            headers |= {"content-type": "application/x-www-form-urlencoded", "origin": self._address}
        answer = self._http.request(method, self._address + path, body=body, headers=headers, redirect=False)
        for cookie in answer.headers.getlist("set-cookie"):
            name, _, rest = cookie.partition("=")
            self._cookies[name] = rest.partition(";")[0]
        return answer


def _timed(browser: _Browser, database: str, patients: int, name: str, paths: list[str]) -> Page:
    browser.get(paths[0])  # what is read once and kept
    times, size = [], 0
    for number in range(TIMES):
        since = time.perf_counter()
        size = len(browser.get(paths[number % len(paths)]))
        times.append(1000 * (time.perf_counter() - since))
    times.sort()
    return Page(database, patients, name, times[TIMES // 2], times[int(TIMES * 0.95)], times[-1], size / 1000)
