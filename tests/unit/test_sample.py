"""The sample clinic: invented people, some days behind them, and nothing that could reach anybody."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from scheduler.bootstrap import App
from scheduler.domain.messages import MessageStatus, SkipReason
from scheduler.domain.people import Channel, Mobility
from scheduler.domain.when import DEFAULT_WINDOW
from scheduler.services.sample import SAMPLE_CODE, STAFF, NotSimulatedError, load_sample
from scheduler.services.sample_patients import SAMPLE_PATIENTS
from scheduler.settings import load_settings

NOON = datetime(2026, 3, 11, 16, 0, tzinfo=UTC)  # in New York, three days after clocks changed there


@contextmanager
def installation(folder: Path) -> Iterator[App]:
    """An installation without a clinic."""
    app = App(load_settings({"BONEWISE_DATA_DIR": str(folder)}))
    app.initialise()
    try:
        yield app
    finally:
        app.close()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with installation(tmp_path) as app:
        yield app


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An installation with the sample clinic at noon, only to look at."""
    with installation(tmp_path_factory.mktemp("sample")) as app:
        assert load(app) == len(SAMPLE_PATIENTS) == 12
        yield app


def load(app: App, *, now: datetime = NOON) -> int:
    return load_sample(app.store, app.rules, is_simulated=True, now=now, ticker_at=app.ticker_at)


def test_they_differ_in_how_they_move_speak_live_and_are_reached(loaded: App) -> None:
    with loaded.store.reading() as unit:
        clinic = unit.installation.clinic(SAMPLE_CODE)
        assert clinic is not None
        patients = unit.patients.of_clinic(clinic.id)
        assert {email: unit.installation.staff_role(clinic.id, email) for email in STAFF} == STAFF
        enrolled = unit.patients.enrolments([patient.id for patient in patients])
    assert clinic.is_sample
    assert {patient.mobility for patient in patients} == set(Mobility)
    assert {patient.language for patient in patients} == {"en", "es", "es-MX"}
    assert {patient.channel for patient in patients} == set(Channel)
    assert {patient.timezone for patient in patients} == {
        "America/New_York",
        "America/Chicago",
        "America/Denver",
        "America/Los_Angeles",
        "America/Phoenix",
        "America/Puerto_Rico",
        "Pacific/Honolulu",
    }
    assert len({patient.contact_time for patient in patients}) > 6
    assert any(len(patient.exercise_days) < 7 for patient in patients)
    assert sum(not (patient.sms_consent or patient.email_consent) for patient in patients) == 1
    on_a_break = [one for states in enrolled.values() for one in states if one.state.is_paused]
    assert [one.state.pathway for one in on_a_break] == ["exercise"]


def test_no_number_or_address_belongs_to_anybody() -> None:
    for one in SAMPLE_PATIENTS:
        assert re.fullmatch(r"\+1\d{3}55501\d\d", one.cells.get("phone", "+16175550100")), one.cells["mrn"]
        assert one.cells.get("email", "x.example").endswith(".example"), one.cells["mrn"]


def test_the_days_behind_them_were_lived_through(loaded: App) -> None:
    with loaded.store.reading() as unit:
        clinic = unit.installation.clinic(SAMPLE_CODE)
        assert clinic is not None
        entries = unit.ledger.entries(clinic.id)
        replies = unit.inbox.replies(clinic.id)
        zones = {patient.mrn: ZoneInfo(patient.timezone) for patient in unit.patients.of_clinic(clinic.id)}
        tasks = {task.kind for task in unit.worklist.tasks(clinic.id)}
    gone = [entry for entry in entries if entry.sent_at is not None]
    assert {entry.pathway for entry in gone} >= {"vitamin_d", "dexa", "exercise", "supplement", "service"}
    for entry in gone:
        assert entry.sent_at is not None
        local = entry.sent_at.astimezone(zones[entry.patient])
        assert entry.kind != "reminder" or local.time() in DEFAULT_WINDOW
        assert entry.sent_at <= NOON
    assert len(gone) > 40
    assert {reply.meaning for reply in replies} >= {"answer", "done", "pause", "stop", "start", "unclear"}
    assert {"supplement_clearance", "unclear_reply"} <= tasks
    reasons = Counter(entry.reason for entry in entries if entry.status is MessageStatus.SKIPPED)
    assert set(reasons) == {SkipReason.BUDGET, SkipReason.NO_CONSENT}, "a reminder was missed while loading"


def test_their_phones_show_what_went(loaded: App) -> None:
    received = loaded.simulated_inbox.received()
    assert {delivery.channel for delivery in received} == set(Channel)
    assert max(delivery.at for delivery in received) > NOON - timedelta(days=1)


def test_a_second_load_changes_nothing(app: App) -> None:
    load(app)
    before = app.simulated_inbox.received()
    assert load(app, now=NOON + timedelta(days=1)) == 0
    assert app.simulated_inbox.received() == before
    with app.store.reading() as unit:
        assert len(unit.installation.clinics()) == 1


def test_an_interrupted_load_is_made_whole(app: App) -> None:
    class Interrupted(Exception):  # noqa: N818
        pass

    def no_ticker(_: object) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        load_sample(app.store, app.rules, is_simulated=True, now=NOON, ticker_at=no_ticker)  # type: ignore[arg-type]
    assert load(app) == 12
    assert load(app) == 0


def test_where_messages_leave_the_machine_it_is_refused(app: App) -> None:
    with pytest.raises(NotSimulatedError, match="unset BONEWISE_SMS and BONEWISE_EMAIL"):
        load_sample(app.store, app.rules, is_simulated=False, now=NOON)
    with app.store.reading() as unit:
        assert unit.installation.clinics() == {}


@pytest.mark.parametrize("hour", [1, 9, 23])
def test_at_any_hour_there_is_something_to_come(app: App, hour: int) -> None:
    now = NOON.replace(hour=hour)
    load(app, now=now)
    with app.store.reading() as unit:
        due = unit.patients.next_due()
    assert due is not None
    assert now < due < now + timedelta(days=1)
