"""Enrolling and enrolling again: what a later list changes of a patient, of their consent and of what is pending."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path

import pytest

from scheduler.domain.calendar import Weekday
from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel, Mobility, PatientStatus, RiskFactor
from scheduler.records import Patient
from scheduler.services.importing import ImportReport
from scheduler.services.intake.draft import Exclusion
from scheduler.services.merging import merge
from tests.support.worlds import MONDAY, NEW_YORK, World, new_york, world_at

NIGHTLY = {"phone": "+16175551234", "sms_consent": "yes", "contact_time": "10:00", "mobility": "walking"}


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


@pytest.fixture
def either(database_url: str, tmp_path: Path) -> Iterator[World]:
    """On SQLite and on PostgreSQL."""
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


def counts(report: ImportReport) -> tuple[int, int, int]:
    return report.created, report.updated, report.unchanged


def next_wall(world: World, mrn: str = "P1") -> str | None:
    """When the patient is looked at next, as clocks in New York show it."""
    due = world.patient(mrn).next_contact_at
    return None if due is None else f"{due.astimezone(NEW_YORK):%d %H:%M}"


# New


def test_a_new_patient_begins_every_pathway_and_is_first_contacted_the_next_day(either: World) -> None:
    patient = either.enrol_sms()
    with either.store.reading() as unit:
        enrolled = unit.patients.enrolments([patient.id])[patient.id]
    assert {one.state.pathway: one.state.timer_on for one in enrolled} == {
        "vitamin_d": date(2026, 3, 3),
        "exercise": date(2026, 3, 3),
        "dexa": date(2026, 3, 5),
        "supplement": date(2026, 3, 7),
    }
    assert patient.next_contact_at == new_york(3, 3)


def test_what_a_row_leaves_out_is_the_clinics(world: World) -> None:
    world.add_clinic("west", timezone="America/Los_Angeles", language="es")
    patient = world.enrol_sms()
    assert (patient.timezone, patient.language, patient.contact_time) == ("America/Los_Angeles", "es", None)
    assert patient.channel is Channel.SMS
    assert world.enrol_email("P2").channel is Channel.EMAIL


def test_only_the_named_pathways_are_begun(world: World) -> None:
    patient = world.enrol_sms(pathways="dexa;exercise")
    with world.store.reading() as unit:
        enrolled = unit.patients.enrolments([patient.id])[patient.id]
    assert {one.state.pathway for one in enrolled} == {"dexa", "exercise"}


def test_day_zero_is_the_patients_own_date(world: World) -> None:
    world.clock.at = new_york(3, 2, 22, 0)
    world.enrol_sms("P1")
    world.enrol_sms("P2", timezone="Asia/Tokyo")  # it is the 3rd there
    assert world.enrolment("vitamin_d", "P1").timer_on == date(2026, 3, 3)
    assert world.enrolment("vitamin_d", "P2").timer_on == date(2026, 3, 4)


def test_a_dry_run_counts_and_writes_nothing(either: World) -> None:
    draft = either.draft("P1", NIGHTLY)
    assert counts(either.import_drafts([draft], dry_run=True)) == (1, 0, 0)
    with either.store.reading() as unit:
        assert unit.patients.count(either.clinic.id) == 0


# The same again


def test_the_same_rows_again_change_nothing(either: World) -> None:
    drafts = [either.draft(f"P{n}", {**NIGHTLY, "phone": f"+1617555{n:04d}"}) for n in range(20)]
    assert counts(either.import_drafts(drafts)) == (20, 0, 0)
    either.run_until(new_york(3, 5, 12, 0))
    before = [either.patient(f"P{n}") for n in range(20)]
    assert counts(either.import_drafts(drafts)) == (0, 0, 20)
    assert [either.patient(f"P{n}") for n in range(20)] == before


def test_a_row_that_says_less_leaves_the_rest_as_it_was(world: World) -> None:
    world.enrol(**NIGHTLY, language="es", risk_factors="steroids")
    assert counts(world.enrol(mobility="wheelchair")) == (0, 1, 0)
    patient = world.patient()
    assert (patient.mobility, patient.language, patient.phone) == (Mobility.WHEELCHAIR, "es", NIGHTLY["phone"])
    assert patient.risk_factors == (RiskFactor.STEROIDS,)


# What the patient or the staff changed since


def test_a_nightly_export_with_the_old_hour_does_not_undo_the_hour_that_the_patient_chose(world: World) -> None:
    world.enrol(**NIGHTLY)
    world.store_patient(replace(world.patient(), contact_time=time(18, 30), mobility=Mobility.WHEELCHAIR))
    assert counts(world.enrol(**NIGHTLY)) == (0, 0, 1)
    assert counts(world.enrol(**{**NIGHTLY, "phone": "+16175559999"})) == (0, 1, 0)
    patient = world.patient()
    assert (patient.contact_time, patient.mobility) == (time(18, 30), Mobility.WHEELCHAIR)
    assert patient.phone == "+16175559999"


def test_an_hour_that_the_export_newly_says_counts(world: World) -> None:
    world.enrol(**NIGHTLY)
    world.store_patient(replace(world.patient(), contact_time=time(18, 30)))
    world.enrol(**{**NIGHTLY, "contact_time": "12:00"})
    assert world.patient().contact_time == time(12)


def test_a_column_that_is_new_and_empty_says_nothing(world: World) -> None:
    world.enrol(phone="+16175551234", sms_consent="yes")
    chosen = replace(
        world.patient(),
        contact_time=time(18, 30),
        mobility=Mobility.WHEELCHAIR,
        exercise_days=frozenset({Weekday.MON}),
        risk_factors=(RiskFactor.FALLS,),
        language="es",
    )
    world.store_patient(chosen)
    empty = dict.fromkeys(("contact_time", "mobility", "exercise_days", "risk_factors", "language"), "")
    world.enrol(phone="+16175551234", sms_consent="yes", **empty)
    after = world.patient()
    assert (after.contact_time, after.mobility, after.language) == (time(18, 30), Mobility.WHEELCHAIR, "es")
    assert (after.exercise_days, after.risk_factors) == (chosen.exercise_days, chosen.risk_factors)


def test_a_cell_that_was_emptied_goes_back_to_the_clinics_own(world: World) -> None:
    world.enrol(**NIGHTLY)
    world.enrol(**{**NIGHTLY, "contact_time": "", "mobility": ""})
    patient = world.patient()
    assert (patient.contact_time, patient.mobility) == (None, Mobility.WALKING)
    assert next_wall(world) == "03 09:30"


# Consent


def test_consent_that_a_list_still_repeats_does_not_undo_a_stop(world: World) -> None:
    world.enrol(**NIGHTLY, consent_date="2026-03-01")
    world.receive("P1", "STOP")
    world.clock.at += timedelta(days=1)
    world.enrol(**NIGHTLY, consent_date="2026-03-01", name="Another Name")
    world.enrol(**NIGHTLY, consent_date="2026-03-02", name="Another Name")  # the very day of the STOP
    assert not world.patient().sms_consent
    assert world.patient().status is PatientStatus.STOPPED


def test_consent_given_on_a_later_day_than_the_stop_brings_the_patient_back(either: World) -> None:
    either.enrol(**NIGHTLY, consent_date="2026-03-01")
    either.receive("P1", "STOP")
    either.clock.at = new_york(3, 6, 12, 0)
    either.enrol(**NIGHTLY, consent_date="2026-03-06")
    patient = either.patient()
    assert (patient.sms_consent, patient.status) == (True, PatientStatus.ACTIVE)
    assert patient.next_contact_at == new_york(3, 7, 10, 0)  # the day after, not at once
    either.run_until(new_york(3, 8, 12, 0))
    assert sum(row.sent_at is not None for row in either.ledger() if row.kind == "reminder") == 2


def test_a_list_that_newly_says_no_withdraws_consent_and_the_pending_text(world: World) -> None:
    world.enrol(**NIGHTLY)
    assert not world.enrol(**{**NIGHTLY, "sms_consent": "no"}).rejected
    assert world.patient().status is PatientStatus.STOPPED
    world.run_until(new_york(3, 20, 12, 0))
    assert all(row.status is MessageStatus.SKIPPED for row in world.ledger())


def test_without_consent_a_patient_is_kept_and_not_contacted_until_there_is_one(world: World) -> None:
    world.enrol(phone="+16175551234")
    world.run_until(new_york(3, 10, 12, 0))
    assert {(row.status.value, row.reason) for row in world.ledger()} == {("skipped", "no_consent")}
    assert len(world.ledger()) <= 2  # said once, not every day
    world.enrol(phone="+16175551234", sms_consent="yes")
    world.run_until(new_york(3, 12, 12, 0))
    assert [row.template for row in world.ledger() if row.sent_at] == ["ask", "ask"]


def test_every_decision_about_consent_is_kept(either: World) -> None:
    patient = either.enrol_sms(consent_date="2026-02-01")
    either.receive("P1", "STOP")
    with either.store.reading() as unit:
        assert unit.patients.latest_consents(either.clinic.id, [patient.id]) == {
            (patient.id, Channel.SMS): (False, date(2026, 3, 2))
        }
        actions = [entry[2] for entry in unit.installation.audit_entries(either.clinic.id)]
    assert "consent revoked" in actions


# When the patient is contacted


@pytest.mark.parametrize(
    ("change", "due"),
    [
        ({"contact_time": "14:00"}, new_york(3, 3, 14, 0)),
        ({"timezone": "America/Los_Angeles"}, new_york(3, 3, 13, 0)),  # 10:00 there
        ({"contact_time": "06:00"}, new_york(3, 3, 9, 0)),
    ],
)
def test_a_new_hour_or_zone_moves_the_next_contact(world: World, change: dict[str, str], due: object) -> None:
    world.enrol(**NIGHTLY)
    assert world.patient().next_contact_at == new_york(3, 3, 10, 0)
    world.enrol(**{**NIGHTLY, **change})
    assert world.patient().next_contact_at == due


def test_new_exercise_days_move_the_next_nudge(world: World) -> None:
    world.enrol(**NIGHTLY, pathways="exercise")
    world.enrol(**NIGHTLY, pathways="exercise", exercise_days="thu")
    assert world.patient().exercise_days == frozenset({Weekday.THU})
    assert world.patient().next_contact_at == new_york(3, 5, 10, 0)


def test_a_patient_who_moves_west_is_not_reminded_twice_on_one_day(world: World) -> None:
    world.enrol(**NIGHTLY)
    world.run_until(new_york(3, 3, 12, 0))
    world.enrol(**{**NIGHTLY, "timezone": "Pacific/Honolulu"})
    world.run_until(new_york(3, 4, 5, 0))  # 23:00 on the 3rd in Honolulu
    assert sum(row.sent_at is not None for row in world.ledger()) == 1


def test_pathways_that_a_list_adds_begin_that_day(world: World) -> None:
    world.enrol(**NIGHTLY, pathways="exercise")
    world.clock.at = new_york(3, 10, 12, 0)
    world.enrol(**NIGHTLY, pathways="exercise;vitamin_d")
    assert world.enrolment("vitamin_d").timer_on == date(2026, 3, 11)
    assert world.enrolment("exercise").entered_on == date(2026, 3, 2)


def test_a_pathway_that_a_list_drops_is_held_and_goes_on_when_it_comes_back(either: World) -> None:
    either.enrol(**NIGHTLY, pathways="exercise;dexa")
    either.enrol(**NIGHTLY, pathways="dexa")
    either.run_until(new_york(3, 10, 12, 0))
    assert {row.pathway for row in either.ledger() if row.sent_at} == {"dexa"}
    either.enrol(**NIGHTLY, pathways="exercise;dexa")
    either.run_until(new_york(3, 12, 12, 0))
    assert {row.pathway for row in either.ledger() if row.sent_at} == {"dexa", "exercise"}


def test_a_list_that_adds_a_pathway_does_not_end_the_patients_own_pause(world: World) -> None:
    world.enrol(**NIGHTLY, pathways="exercise")
    world.receive("P1", "PAUSE")
    world.enrol(**NIGHTLY, pathways="exercise;supplement")
    assert world.enrolment("exercise").is_paused
    world.run_until(new_york(3, 6, 12, 0))
    assert {row.pathway for row in world.ledger() if row.sent_at} <= {"service"}


# Addresses


def test_a_new_number_is_good_until_it_proves_bad(world: World) -> None:
    world.enrol(**NIGHTLY)
    world.store_patient(replace(world.patient(), phone_bad=True, status=PatientStatus.UNREACHABLE))
    world.enrol(**NIGHTLY, name="Same Number")
    assert (world.patient().phone_bad, world.patient().status) == (True, PatientStatus.UNREACHABLE)
    world.enrol(**{**NIGHTLY, "phone": "+16175559999"})
    assert (world.patient().phone_bad, world.patient().status) == (False, PatientStatus.ACTIVE)


def test_the_first_text_to_a_corrected_number_says_how_to_stop(world: World) -> None:
    world.enrol_sms("P1")
    world.run_until(new_york(3, 3, 12))
    world.enrol("P1", phone="+16175559999", sms_consent="yes")
    world.run_until(new_york(3, 5, 12))
    assert ["Reply STOP to stop" in (row.body or "") for row in world.ledger("P1") if row.sent_at] == [
        True,
        True,
        False,
    ]


def test_an_address_that_is_taken_away_is_not_used_any_more(world: World) -> None:
    world.enrol(**NIGHTLY)
    world.enrol(**{**NIGHTLY, "phone": "", "sms_consent": ""})
    world.run_until(new_york(3, 10, 12, 0))
    assert world.patient().phone is None
    assert [row for row in world.ledger() if row.sent_at] == []


# Taken off


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Exclusion.DECEASED, PatientStatus.DECEASED),
        (Exclusion.INACTIVE, PatientStatus.DISCHARGED),
        (Exclusion.MERGED, PatientStatus.DISCHARGED),
    ],
)
def test_a_patient_whom_the_source_now_excludes_gets_nothing_more(
    world: World, reason: Exclusion, status: PatientStatus
) -> None:
    world.enrol(**NIGHTLY)
    assert world.exclude("P1", reason).excluded == 1
    assert world.patient().status is status
    world.run_until(new_york(3, 20, 12, 0))
    assert world.ledger() == []
    world.enrol(**NIGHTLY, name="Still In The List")
    world.run_until(new_york(4, 1, 12, 0))
    assert world.ledger() == []


def test_excluding_somebody_who_is_not_on_file_changes_nothing(world: World) -> None:
    world.enrol(**NIGHTLY)
    assert world.exclude("P9", Exclusion.DECEASED).excluded == 1
    assert world.patient().status is PatientStatus.ACTIVE


# At the same time as the service


def test_an_import_beside_a_tick_forgets_nothing_that_the_tick_did(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world_at(MONDAY, database_url=postgres_url, folder=tmp_path) as world:
        world.enrol(**NIGHTLY)
        other = world.second_process()
        other.tick()  # a first tick has more to do
        world.clock.at = new_york(3, 3, 10, 0)
        import_has_read, tick_is_done = threading.Event(), threading.Event()

        def merge_slowly(patient: Patient, *args: object, **options: object) -> object:
            import_has_read.set()
            assert tick_is_done.wait(20)
            return merge(patient, *args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr("scheduler.services.enrol.merge", merge_slowly)
        importing = threading.Thread(target=lambda: world.enrol(**NIGHTLY, name="Another Name"))
        importing.start()
        assert import_has_read.wait(10)
        other.tick()
        tick_is_done.set()
        importing.join(30)
        world.tick()
        patient = world.patient()
        assert (patient.contacted_on, patient.contacts_that_day) == (date(2026, 3, 3), 1)
        assert patient.name == "Another Name"
        assert [row.pathway for row in world.ledger() if row.sent_at] == ["vitamin_d"]
        other.app.close()
