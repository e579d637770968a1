"""Sample clinics in which it is always the same moment, each served at an address of this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn

from scheduler.bootstrap import App
from scheduler.runtime.server import address_of, listen
from scheduler.services.accounts.sessions import digest_of
from scheduler.services.care import Deciding
from scheduler.services.patient_page.linking import make_link
from scheduler.services.sample import SAMPLE_CODE, load_sample
from scheduler.settings import load_settings
from scheduler.web.app import create_app
from tests.support.lived_clinic import COORDINATOR, live
from tests.support.sights.sight import Clinic
from tests.support.worlds import SetClock

AT = datetime(2026, 3, 5, 17, 40, tzinfo=UTC)  # a Thursday, 12:40 in New York
SINCE = AT - timedelta(days=21)  # when the clinic of some weeks began
OF_OWN_PAGE = ("HC-1001", "HC-1004", "HC-1005")  # who has a link to their page


@dataclass(frozen=True, slots=True)
class OwnPage:
    """The path of a patient's own page, and the year that opens it."""

    path: str
    year: str


@dataclass(frozen=True, slots=True)
class Site:
    """A sample clinic that is served at `address`."""

    app: App
    address: str
    own_pages: Mapping[str, OwnPage]

    def end_session(self, token: str) -> None:
        """As if nobody had done anything in this session for long."""
        with self.app.store.writing() as unit:
            unit.accounts.seen(digest_of(token), datetime.now(UTC) - timedelta(hours=1))


@contextmanager
def served(folder: Path, clinic: Clinic) -> Iterator[Site]:
    """A sample clinic at `AT`, with its days before that lived through."""
    app = App(load_settings({"BONEWISE_DATABASE_URL": f"sqlite:///{folder}/b.db", "BONEWISE_DATA_DIR": str(folder)}))
    app.clock = SetClock(AT)
    app.initialise()
    if clinic is Clinic.WEEKS:
        live(app, since=SINCE, until=AT)
    else:
        load_sample(app.store, app.rules, is_simulated=True, now=AT, ticker_at=app.ticker_at)
    own_pages = {mrn: _own_page(app, mrn) for mrn in OF_OWN_PAGE}
    listening = listen("127.0.0.1", 0)
    config = uvicorn.Config(create_app(app), log_config=None, access_log=False, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="site")
    thread.start()
    try:
        yield Site(app, address_of(listening), own_pages)
    finally:
        app.stopping.set()
        server.should_exit = True
        thread.join()
        app.close()


def _own_page(app: App, mrn: str) -> OwnPage:
    with app.store.reading() as unit:
        clinic = unit.installation.clinic(SAMPLE_CODE)
        assert clinic is not None
        patient = unit.patients.by_mrn(clinic.id, [mrn])[mrn]
    assert patient.birth_date is not None
    link = make_link(app.store, app.links, Deciding(clinic=clinic, mrn=mrn, by=COORDINATOR, now=AT))
    return OwnPage(urlsplit(link.url).path, str(patient.birth_date.year))
