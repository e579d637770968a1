"""Where a clinic has numbers confirmed, nothing clinical is texted before somebody at the number has agreed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scheduler.domain.people import Channel, ConsentSource
from scheduler.ports import OutboundSms
from scheduler.records import Consent
from scheduler.services.clinic_settings import OfficeSettings, set_clinic
from scheduler.services.plan import plan_all_due
from scheduler.services.replies import Inbound, receive
from scheduler.services.simulate import Script, ScriptedAnswer, simulate
from tests.support.deliveries import delivery_of
from tests.support.scripted_sms import Scripted, accepted
from tests.support.worlds import MONDAY, World, new_york, phone_of, world_at

DAY_1 = new_york(3, 3)
NOON = 12


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        confirming(world)
        yield world


def confirming(world: World, wanted: str = "yes") -> None:
    settings = OfficeSettings(confirm_numbers=wanted)
    world.clinic = set_clinic(
        world.store, world.rules.holidays, world.clinic, settings, now=world.clock.at, rules=world.rules
    )


def texts(world: World, mrn: str = "P1") -> list[tuple[date, str, str]]:
    """(date, pathway, template) of all that went by text."""
    return [
        (row.due_date, row.pathway, row.template)
        for row in world.ledger(mrn)
        if row.channel is Channel.SMS and row.status.value == "sent"
    ]


def march(day: int) -> date:
    return date(2026, 3, day)


def history(world: World, mrn: str = "P1") -> list[Consent]:
    with world.store.reading() as unit:
        return unit.patients.consent_history(world.clinic.id, world.patient(mrn).id)


def asked_on(*days: int) -> list[tuple[date, str, str]]:
    return [(march(day), "service", "confirm_number") for day in days]


def test_a_new_number_is_asked_about_twice_and_then_handed_to_a_person(world: World) -> None:
    world.enrol_sms()
    world.run_until(new_york(3, 30))
    assert texts(world) == asked_on(3, 6)
    [task] = world.tasks("P1")
    assert (task.kind, task.status) == ("confirm_number", "open")
    assert task.opened_at == new_york(3, 10)
    assert {row.reason for row in world.ledger() if row.status.value == "skipped"} == {"unconfirmed"}


def test_the_question_tells_nobody_anything_and_waits_for_the_contact_time(world: World) -> None:
    world.enrol_sms(contact_time="15:00")
    world.run_until(new_york(3, 3))
    [row] = [row for row in world.ledger() if row.status.value == "sent"]
    assert row.sent_at == new_york(3, 2, 15, 0)
    assert row.body == (
        "Harbor Clinic: Please reply 1 if we may text you on this number. Wrong number? Reply WRONG. "
        "Reply STOP to opt out."
    )


@pytest.mark.parametrize("answer", ["1", "OK", "sí", "yes", "START", "ok thanks"])
def test_a_plain_answer_confirms_and_days_count_from_then_on(world: World, answer: str) -> None:
    world.enrol_sms()
    world.run_until(new_york(3, 5, NOON))
    world.receive("P1", answer)
    world.run_until(new_york(3, 11, NOON))
    assert texts(world) == [
        *asked_on(3),
        (march(5), "service", "started"),
        (march(6), "vitamin_d", "ask"),
        (march(7), "exercise", "activity"),
        (march(8), "dexa", "ask"),
        (march(9), "exercise", "activity"),
        (march(10), "supplement", "ask"),
        (march(11), "exercise", "activity"),
    ]


def test_what_was_agreed_to_is_on_record_with_its_wording(world: World) -> None:
    world.enrol_sms()
    world.run_until(new_york(3, 3, NOON))
    world.receive("P1", "1")
    record = history(world)[-1]
    assert (record.channel, record.granted, record.source) == (Channel.SMS, True, ConsentSource.REPLY)
    assert (record.given_on, record.recorded_by) == (march(3), "patient")
    assert record.wording is not None
    assert record.wording.startswith("confirm_number en ")


@pytest.mark.parametrize("words", ["2", "DONE", "1?", "who is this", "maybe", "PAUSE", "LATER", "2 weeks"])
def test_anything_else_does_not_confirm(world: World, words: str) -> None:
    world.enrol_sms()
    world.run_until(new_york(3, 3, NOON))
    world.receive("P1", words)
    world.run_until(new_york(3, 8))
    assert {row[1] for row in texts(world)} == {"service"}
    assert not world.patient().phone_confirmed


def test_an_answer_after_a_person_was_given_the_matter_confirms_and_closes_it(world: World) -> None:
    world.enrol_sms()
    world.run_until(new_york(3, 12))
    assert world.open_tasks() == {"confirm_number"}
    world.receive("P1", "1")
    assert world.open_tasks() == set()
    world.run_until(new_york(3, 14))
    assert texts(world)[-1] == (march(13), "vitamin_d", "ask")


def test_a_stop_or_a_wrong_number_ends_the_asking(world: World) -> None:
    world.enrol_sms("P1")
    world.enrol_sms("P2")
    world.run_until(new_york(3, 3, NOON))
    world.receive("P1", "STOP")
    world.receive("P2", "WRONG")
    world.run_until(new_york(3, 20))
    assert texts(world, "P1") == [*asked_on(3), (march(3), "service", "stopped")]
    assert texts(world, "P2") == asked_on(3)
    assert world.open_tasks() == {"wrong_number"}


def test_mail_goes_on_while_the_number_is_asked_about_and_nothing_goes_twice(world: World) -> None:
    world.enrol_sms(email="pat@patients.example", email_consent="yes", pathways="vitamin_d;exercise")
    world.run_until(new_york(3, 5, NOON))
    world.receive("P1", "1")
    world.run_until(new_york(3, 7, NOON))
    gone = [(row.due_date, row.channel.value, row.template) for row in world.ledger() if row.status.value == "sent"]
    assert sorted(gone) == [
        (march(3), "email", "ask"),
        (march(3), "sms", "confirm_number"),
        (march(4), "email", "activity"),
        (march(5), "email", "activity"),
        (march(5), "sms", "started"),
        (march(6), "sms", "activity"),
        (march(7), "sms", "activity"),
    ]


def test_another_number_must_be_confirmed_again(world: World) -> None:
    world.enrol_sms(pathways="exercise")
    world.run_until(new_york(3, 3, NOON))
    world.receive("P1", "1")
    world.run_until(new_york(3, 5, NOON))
    world.enrol(phone="+16175550177", sms_consent="yes", pathways="exercise")
    world.run_until(new_york(3, 7, NOON))
    assert texts(world)[-3:] == [(march(4), "exercise", "activity"), (march(5), "exercise", "activity"), *asked_on(6)]
    assert not world.patient().phone_confirmed


def test_a_record_that_is_written_with_another_number_is_unconfirmed_by_itself(world: World) -> None:
    world.enrol_sms()
    world.run_until(new_york(3, 3, NOON))
    world.receive("P1", "1")
    assert world.patient().phone_confirmed
    world.store_patient(replace(world.patient(), phone="+16175550177"))
    assert not world.patient().phone_confirmed


def test_a_number_that_changes_after_planning_is_not_texted(world: World) -> None:
    world.enrol_sms(pathways="exercise")
    world.run_until(new_york(3, 3, NOON))
    world.receive("P1", "1")
    world.clock.at = new_york(3, 4)
    plan_all_due(world.store, world.rules, world.clock.at)
    world.enrol(phone="+16175550177", sms_consent="yes", pathways="exercise")
    world.tick()
    on_day = [row for row in world.ledger() if row.due_date == march(4)]
    assert sorted((row.template, row.status.value, row.reason) for row in on_day) == [
        ("activity", "skipped", "unconfirmed"),
        ("confirm_number", "sent", None),
    ]


def test_a_number_that_changes_after_the_claim_is_not_handed_over(world: World) -> None:
    for mrn in ("P1", "P2"):
        world.enrol_sms(mrn, pathways="exercise")
    world.run_until(new_york(3, 3, NOON))
    for mrn in ("P1", "P2"):
        world.receive(mrn, "1")
    world.tick()
    world.clock.at = new_york(3, 4)
    plan_all_due(world.store, world.rules, world.clock.at)
    sms = Scripted()

    def slowly(batch: Iterator[OutboundSms | None]) -> Iterator[Any]:
        for number, message in enumerate(batch):
            assert message is not None
            if number == 0:
                other = next(mrn for mrn in ("P1", "P2") if phone_of(mrn) != message.to)
                world.enrol(other, phone="+16175550177", sms_consent="yes", pathways="exercise")
                sms.steady.at += 1
            yield accepted(message)

    sms.script = slowly
    delivered = delivery_of(world, sms).deliver(Channel.SMS)
    assert (delivered.sent, delivered.skipped) == (1, 1)
    assert {row.reason for row in world.ledger() if row.status.value == "skipped"} >= {"unconfirmed"}


def test_whoever_has_answered_before_counts_as_confirmed_and_others_are_asked(world: World) -> None:
    confirming(world, "no")
    for mrn in ("P1", "P2", "P3"):
        world.enrol_sms(mrn, pathways="exercise")
    world.run_until(new_york(3, 4, NOON))
    world.receive("P1", "DONE")
    world.receive("P2", "HELP")  # whoever asks who we are has agreed to nothing
    world.receive("P3", "DONE")
    world.enrol("P3", phone="+16175550177", sms_consent="yes", pathways="exercise")
    confirming(world)
    world.run_until(new_york(3, 5, NOON))
    last = {mrn: texts(world, mrn)[-1] for mrn in ("P1", "P2", "P3")}
    assert last == {
        "P1": (march(5), "exercise", "activity"),
        "P2": asked_on(5)[0],
        "P3": asked_on(5)[0],
    }


def test_where_the_clinic_no_longer_wants_it_reminders_go_again(world: World) -> None:
    world.enrol_sms(pathways="exercise")
    world.run_until(new_york(3, 5, NOON))
    confirming(world, "no")
    world.tick()
    world.run_until(new_york(3, 7))
    assert texts(world) == [*asked_on(3), *((march(day), "exercise", "activity") for day in (5, 6))]


def test_two_patients_on_one_number_are_both_confirmed_by_one_answer(world: World) -> None:
    for mrn in ("P1", "P2"):
        world.enrol_sms(mrn, phone="+16175550123", pathways="exercise")
    world.run_until(new_york(3, 3, NOON))
    inbound = Inbound(channel=Channel.SMS, sender="+16175550123", body="1", provider_id="IN1")
    receive(world.store, world.rules, world.clinic, inbound, now=world.clock.at)
    world.run_until(new_york(3, 4, NOON))
    assert [texts(world, mrn)[-1] for mrn in ("P1", "P2")] == [(march(4), "exercise", "activity")] * 2


def test_asking_goes_on_in_another_process(world: World) -> None:
    world.enrol_sms()
    world.run_until(new_york(3, 3, NOON))
    second = world.second_process()
    second.run_until(new_york(3, 8))
    assert texts(second) == asked_on(3, 6)
    second.receive("P1", "1")
    third = second.second_process()
    third.run_until(new_york(3, 10))
    assert texts(third)[-1] == (march(9), "vitamin_d", "ask")


@pytest.mark.parametrize("answer", [None, "1", "DONE", "STOP", "WRONG"])
def test_the_simulation_foresees_the_same(world: World, answer: str | None) -> None:
    world.enrol_sms()
    script: Script = {"P1": [ScriptedAnswer(march(6), answer)]} if answer else {}
    foreseen = [
        (one.day, one.pathway, one.template)
        for one in simulate(
            world.store,
            world.rules,
            world.app.composer,
            world.clinic,
            days=12,
            start=world.clock.at,
            script=script,
        )
    ]
    world.run_until(new_york(3, 6, NOON))
    if answer:
        world.receive("P1", answer)
    world.run_until(new_york(3, 14, 13))
    assert texts(world) == foreseen
