"""Moving the sample clinic's clock: every message goes at its own local time, and only where nothing leaves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient

from scheduler.bootstrap import CLOCK_OFFSET, App
from scheduler.domain.people import Channel
from scheduler.records import LedgerEntry
from scheduler.services.advance import SHORTEST_STEP
from scheduler.services.sample import SAMPLE_CODE, load_sample
from scheduler.settings import load_settings
from tests.support.web import SMTP, browser, form_token

A_DAY = timedelta(days=1)


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[App]:
    """An installation with the sample clinic, enrolled but with no days behind it."""
    app = App(load_settings({"BONEWISE_DATABASE_URL": database_url, "BONEWISE_DATA_DIR": str(tmp_path / "var")}))
    app.initialise()
    load_sample(app.store, app.rules, is_simulated=True, now=app.clock.now())
    yield app
    app.close()


def move(client: TestClient, *, back: str = "") -> str:
    """Press the button; returns where it leads."""
    token = form_token(client.get("/").text)
    answer = client.post("/clock", data={"form_token": token, "back": back})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def sent(app: App) -> list[LedgerEntry]:
    with app.store.reading() as unit:
        clinic = unit.installation.clinic(SAMPLE_CODE)
        assert clinic is not None
        return [entry for entry in unit.ledger.entries(clinic.id) if entry.sent_at is not None]


def test_the_clock_shows_a_day_more_and_the_page_says_so(app: App) -> None:
    client = browser(app)
    move(client)
    ahead = app.clock.now() - datetime.now(UTC)
    assert abs(ahead - A_DAY) < timedelta(minutes=1)
    assert "1 day ahead of the real time" in client.get("/").text


def test_each_message_goes_at_its_patients_own_time(app: App) -> None:
    client = browser(app)
    before = datetime.now(UTC)
    move(client)
    move(client)
    with app.store.reading() as unit:
        clinic = unit.installation.clinic(SAMPLE_CODE)
        assert clinic is not None
        patients = {patient.mrn: patient for patient in unit.patients.of_clinic(clinic.id)}
    reminders = [entry for entry in sent(app) if entry.sent_at and entry.sent_at > before + SHORTEST_STEP]
    assert len(reminders) >= 10
    assert {entry.channel for entry in reminders} == set(Channel)
    for entry in reminders:
        patient = patients[entry.patient]
        wanted = clinic.window.clamp(patient.contact_time or clinic.contact_time)
        assert entry.sent_at is not None
        wall = entry.sent_at.astimezone(ZoneInfo(patient.timezone))
        late = wall - wall.replace(hour=wanted.hour, minute=wanted.minute, second=0, microsecond=0)
        assert timedelta() <= late <= 2 * SHORTEST_STEP, f"{entry.patient} wants {wanted} and got it at {wall}"


def test_the_clock_is_the_same_for_another_process(app: App) -> None:
    move(browser(app))
    other = App(app.settings)
    assert abs(other.clock.now() - app.clock.now()) < timedelta(minutes=1)
    other.close()


def test_from_the_phones_it_leads_back_to_the_phones(app: App) -> None:
    client = browser(app)
    assert move(client) == "/"
    assert move(client, back="phones") == "/phones"
    assert move(client, back="https://elsewhere.example/") == "/"


def test_two_clicks_are_two_days_and_never_one_through_the_other(app: App) -> None:
    time = app.simulated_time
    assert time is not None
    clicks = [threading.Thread(target=time.move, args=(A_DAY,)) for _ in range(2)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    ahead = app.clock.now() - datetime.now(UTC)
    assert abs(ahead - 2 * A_DAY) < timedelta(minutes=1)
    entries = sent(app)
    reminders = [(e.patient, e.due_date) for e in entries if e.kind == "reminder"]
    assert len(reminders) == len(set(reminders)), "somebody got two reminders on one day"


def test_without_our_forms_token_the_clock_stays(app: App) -> None:
    client = browser(app)
    client.get("/")
    assert client.post("/clock", data={"form_token": "x"}).status_code == 403
    with app.store.reading() as unit:
        assert unit.installation.note(CLOCK_OFFSET) is None


def test_a_clock_that_would_go_back_is_refused(app: App) -> None:
    time = app.simulated_time
    assert time is not None
    with pytest.raises(ValueError, match="only moves forward"):
        time.move(-A_DAY)


def test_where_mail_is_real_the_clock_cannot_be_moved(sqlite_url: str, tmp_path: Path) -> None:
    settings = {"BONEWISE_DATABASE_URL": sqlite_url, "BONEWISE_DATA_DIR": str(tmp_path / "var"), **SMTP}
    app = App(load_settings(settings))
    app.initialise()
    with app.store.writing() as unit:
        unit.installation.set_note(CLOCK_OFFSET, "86400")
    assert app.simulated_time is None
    assert abs(app.clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert browser(app).post("/clock", data={"form_token": "x"}).status_code == 404
    app.close()
