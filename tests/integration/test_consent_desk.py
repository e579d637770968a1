"""What patients tell the clinic's people about consent, recorded by them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scheduler.domain.people import Channel, ConsentSource, PatientStatus
from scheduler.ports import OutboundSms
from scheduler.services.clinic_settings import OfficeSettings, set_clinic
from scheduler.services.clinics import add_staff
from scheduler.services.consent_desk import ConsentError, Standing, Told, consent_of, record_told
from scheduler.services.plan import plan_all_due
from scheduler.services.situations import UnknownPatientError
from tests.support.deliveries import delivery_of
from tests.support.scripted_sms import Scripted, accepted
from tests.support.worlds import MONDAY, World, new_york, phone_of, world_at

STAFF = "desk@harbor.example"
DAY_1 = new_york(3, 3)
REVOKED = Told(mrn="P1", granted=False, source=ConsentSource.PHONE, by=STAFF)
GIVEN = replace(REVOKED, granted=True, source=ConsentSource.FORM)
MAIL = {"email": "pat@patients.example", "email_consent": "yes"}


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        add_staff(world.store, world.clinic, email=STAFF, role="coordinator", now=MONDAY)
        add_staff(world.store, world.clinic, email="eyes@harbor.example", role="viewer", now=MONDAY)
        yield world


def record(world: World, told: Told) -> Standing:
    return record_told(world.store, world.rules, world.clinic, told, now=world.clock.at)


def shown(world: World, mrn: str = "P1") -> Standing:
    return consent_of(world.store, world.rules, world.clinic, mrn=mrn, now=world.clock.at)


def rows(world: World, mrn: str = "P1") -> list[tuple[str, str, str, str | None]]:
    """(template, channel, status, reason) of the ledger's messages."""
    return [(row.template, row.channel.value, row.status.value, row.reason) for row in world.ledger(mrn)]


def test_the_history_says_who_when_how_and_which_wording_oldest_first(world: World) -> None:
    world.enrol_sms(pathways="vitamin_d", consent_date="2026-02-01", **MAIL)
    world.receive("P1", "STOP")
    world.clock.at = DAY_1
    record(world, replace(GIVEN, channels=(Channel.SMS,), on=date(2026, 3, 2), wording="form 7"))
    assert [
        (
            one.channel.value,
            one.granted,
            one.source.value,
            one.given_on,
            one.recorded_by,
            one.wording,
            one.recorded_at,
        )
        for one in shown(world).history
    ] == [
        ("sms", True, "import", date(2026, 2, 1), "a test", None, MONDAY),
        ("email", True, "import", date(2026, 2, 1), "a test", None, MONDAY),
        ("sms", False, "reply", date(2026, 3, 2), "patient", None, MONDAY),
        ("email", False, "reply", date(2026, 3, 2), "patient", None, MONDAY),
        ("sms", True, "form", date(2026, 3, 2), STAFF, "form 7", DAY_1),
    ]


def test_a_revocation_of_everything_voids_what_is_planned_and_sends_no_confirmation(world: World) -> None:
    world.enrol_sms(pathways="vitamin_d", **MAIL)
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, DAY_1)
    world.receive("P1", "HELP")
    standing = record(world, REVOKED)
    assert (standing.patient.status, standing.patient.next_contact_at) == (PatientStatus.STOPPED, None)
    world.run_until(new_york(4, 1))
    assert rows(world) == [("ask", "sms", "skipped", "stopped"), ("help", "sms", "skipped", "stopped")]


def test_a_revocation_holds_for_what_is_claimed_already(world: World) -> None:
    for mrn in ("P1", "P2"):
        world.enrol_sms(mrn, pathways="vitamin_d")
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, DAY_1)
    sms = Scripted()

    def slowly(batch: Iterator[OutboundSms | None]) -> Iterator[Any]:
        for number, message in enumerate(batch):
            assert message is not None
            if number == 0:
                other = next(mrn for mrn in ("P1", "P2") if phone_of(mrn) != message.to)
                record(world, replace(REVOKED, mrn=other))
                sms.steady.at += 1
            yield accepted(message)

    sms.script = slowly
    delivered = delivery_of(world, sms).deliver(Channel.SMS)
    assert (delivered.sent, delivered.skipped) == (1, 1)


def test_a_revocation_of_texts_leaves_mail(world: World) -> None:
    world.enrol_sms(pathways="vitamin_d", **MAIL)
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, DAY_1)
    standing = record(world, replace(REVOKED, channels=(Channel.SMS,), source=ConsentSource.LETTER))
    assert standing.patient.status is PatientStatus.ACTIVE
    world.tick()
    world.tick()  # its way is another now
    assert rows(world) == [("ask", "email", "sent", None)]


def test_a_call_is_about_one_patient_whoever_shares_the_number(world: World) -> None:
    for mrn in ("P1", "P2"):
        world.enrol_sms(mrn, phone="+16175550123", pathways="vitamin_d")
    record(world, REVOKED)
    assert [world.patient(mrn).status for mrn in ("P1", "P2")] == [PatientStatus.STOPPED, PatientStatus.ACTIVE]


def test_an_import_of_the_old_list_does_not_undo_what_staff_recorded(world: World) -> None:
    world.enrol_sms(pathways="vitamin_d", consent_date="2026-03-01")
    record(world, REVOKED)
    world.enrol(phone=phone_of("P1"), sms_consent="yes", consent_date="2026-03-02", pathways="vitamin_d;dexa")
    assert world.patient().status is PatientStatus.STOPPED


def test_consent_brings_reminders_back_from_the_next_day_on(world: World) -> None:
    world.enrol_sms(pathways="vitamin_d")
    record(world, REVOKED)
    world.clock.at = new_york(3, 10, 12)
    standing = record(world, replace(GIVEN, channels=(Channel.SMS,)))
    assert (standing.patient.status, standing.patient.sms_consent) == (PatientStatus.ACTIVE, True)
    world.run_until(new_york(3, 12))
    assert [(row.due_date, row.template) for row in world.ledger()] == [(date(2026, 3, 11), "ask")]


def test_the_first_consent_of_all_lets_reminders_go(world: World) -> None:
    world.enrol("P1", phone=phone_of("P1"), pathways="vitamin_d")
    world.run_until(new_york(3, 4))
    assert rows(world) == [("", "sms", "skipped", "no_consent")]
    record(world, GIVEN)
    world.run_until(new_york(3, 6))
    assert rows(world)[-1] == ("ask", "sms", "sent", None)


def test_consent_that_holds_already_is_noted_and_nothing_moves(world: World) -> None:
    world.enrol_sms(pathways="vitamin_d")
    world.clock.at = DAY_1
    record(world, replace(GIVEN, wording="form 7"))
    world.tick()
    assert rows(world) == [("ask", "sms", "sent", None)]
    assert [one.wording for one in shown(world).history] == [None, "form 7"]


def test_a_number_is_still_asked_about_where_the_clinic_wants_it(world: World) -> None:
    world.clinic = set_clinic(
        world.store,
        world.rules.holidays,
        world.clinic,
        OfficeSettings(confirm_numbers="yes"),
        now=MONDAY,
        rules=world.rules,
    )
    world.enrol("P1", phone=phone_of("P1"), pathways="vitamin_d")
    assert record(world, GIVEN).must_confirm
    world.run_until(new_york(3, 4))
    assert rows(world) == [("confirm_number", "sms", "sent", None), ("", "sms", "skipped", "unconfirmed")]


def test_one_topic_ends_and_comes_back_where_the_clinic_lets_it(world: World) -> None:
    world.clinic = set_clinic(
        world.store, world.rules.holidays, world.clinic, OfficeSettings(stop_scope="topic"), now=MONDAY
    )
    world.enrol_sms(pathways="exercise;dexa")
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, DAY_1)
    ended = record(world, replace(REVOKED, topic="exercise"))
    assert (ended.stopped_topics, ended.patient.status) == (("exercise",), PatientStatus.ACTIVE)
    world.run_until(new_york(3, 4, 12))
    assert rows(world) == [("activity", "sms", "skipped", "stopped")]
    assert record(world, replace(GIVEN, topic="exercise")).stopped_topics == ()
    world.run_until(new_york(3, 6, 12))
    assert [row for row in rows(world) if row[2] == "sent"] == [
        ("ask", "sms", "sent", None),
        ("activity", "sms", "sent", None),
    ]
    assert [(one.topic, one.granted) for one in shown(world).history] == [
        (None, True),
        ("exercise", False),
        ("exercise", True),
    ]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"on": date(2026, 3, 3)}, "the date 2026-03-03 is in the future"),
        ({"on": date(1950, 1, 1)}, "before the patient's birth"),
        ({"by": "nobody@harbor.example"}, "nobody@harbor.example is not on the staff of clinic main"),
        ({"by": "eyes@harbor.example"}, "is a viewer of clinic main"),
        ({"channels": (Channel.EMAIL,)}, "patient P1 has no e-mail address on file"),
        ({"topic": "exercise"}, "patient P1 is not on the pathway 'exercise'; they are on: vitamin_d"),
        ({"topic": "vitamin_d", "granted": False}, "in clinic main whoever stops one topic stops all"),
        ({"wording": "x" * 65}, "--wording: write 1 to 64 characters"),
        ({"on": date(2026, 1, 31)}, "patient P1 took consent to sms back on 2026-02-01"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(world: World, changes: dict[str, Any], says: str) -> None:
    world.enrol_sms(pathways="vitamin_d", birth_date="1960-05-05", sms_consent="no", consent_date="2026-02-01")
    before = (shown(world), world.ledger())
    with pytest.raises(ConsentError, match=says):
        record(world, replace(GIVEN, **changes))
    assert (shown(world), world.ledger()) == before


def test_an_unknown_patient_is_named(world: World) -> None:
    with pytest.raises(UnknownPatientError, match="clinic main has no patient with MRN P9"):
        record(world, replace(REVOKED, mrn="P9"))
    with pytest.raises(UnknownPatientError, match="clinic main has no patient with MRN P9"):
        shown(world, "P9")


def test_nobody_who_has_died_is_brought_back(world: World) -> None:
    world.enrol_sms(pathways="vitamin_d")
    world.store_patient(replace(world.patient(), status=PatientStatus.DECEASED))
    with pytest.raises(ConsentError, match="on file as deceased"):
        record(world, GIVEN)


def test_another_clinic_s_patients_are_not_there(world: World) -> None:
    first = world.clinic
    world.enrol_sms(pathways="vitamin_d")
    other = world.add_clinic("hill")
    add_staff(world.store, other, email=STAFF, role="coordinator", now=MONDAY)
    with pytest.raises(UnknownPatientError):
        record_told(world.store, world.rules, other, REVOKED, now=world.clock.at)
    world.clinic = first
    assert world.patient().sms_consent
