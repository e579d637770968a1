"""A STOP about one topic, where the clinic lets that topic end alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from scheduler.domain.opt_out import OptOut
from scheduler.domain.people import Channel, PatientStatus
from scheduler.ports import OutboundSms
from scheduler.services.clinic_settings import OfficeSettings, set_clinic
from scheduler.services.facts import ResultKind, add_result
from scheduler.services.plan import plan_all_due
from scheduler.services.replies import Arrival, Inbound, Reception
from scheduler.services.simulate import Script, ScriptedAnswer, simulate
from tests.support.deliveries import delivery_of
from tests.support.scripted_sms import Scripted, accepted
from tests.support.worlds import MONDAY, World, new_york, phone_of, world_at

TOPIC = "Stop the exercise texts"
NOON = 12


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        by_topic(world)
        yield world


def by_topic(world: World, wanted: str = "topic") -> None:
    settings = OfficeSettings(stop_scope=wanted)
    world.clinic = set_clinic(world.store, world.rules.holidays, world.clinic, settings, now=world.clock.at)


def march(day: int) -> date:
    return date(2026, 3, day)


def sent(world: World, mrn: str = "P1") -> list[tuple[date, str, str]]:
    """(date, pathway, template) of all that went."""
    rows = world.ledger(mrn)
    return [(row.due_date, row.pathway, row.template) for row in rows if row.status.value == "sent"]


def records(world: World, mrn: str = "P1") -> list[tuple[str, str | None, bool]]:
    """(channel, topic, granted) of the consent record."""
    with world.store.reading() as unit:
        found = unit.patients.consent_history(world.clinic.id, world.patient(mrn).id)
    return [(one.channel.value, one.topic, one.granted) for one in found]


def on_exercise_and_scan(world: World, mrn: str = "P1", **cells: str) -> None:
    world.enrol_sms(mrn, pathways="exercise;dexa", **cells)
    world.run_until(new_york(3, 3, NOON))


def test_only_that_topic_ends_and_the_patient_hears_which(world: World) -> None:
    on_exercise_and_scan(world)
    world.receive("P1", TOPIC)
    world.run_until(new_york(3, 20))
    assert sent(world) == [
        (march(3), "exercise", "activity"),
        (march(3), "service", "topic_stopped"),
        (march(5), "dexa", "ask"),
        (march(15), "dexa", "again"),
    ]
    [row] = [row for row in world.ledger() if row.template == "topic_stopped"]
    assert row.body == ("Harbor Clinic: We have stopped the daily exercise texts. Reply STOP to end all messages.")
    assert world.patient().status is PatientStatus.ACTIVE
    assert records(world) == [("sms", None, True), ("sms", "exercise", False)]


@pytest.mark.parametrize(
    "words",
    ["STOP", "stop all the exercise texts", "stop the falls texts", "stop the exercise and the scan texts"],
    ids=["bare", "everything", "not on it", "two topics"],
)
def test_any_other_stop_ends_everything(world: World, words: str) -> None:
    on_exercise_and_scan(world)
    world.receive("P1", words)
    world.run_until(new_york(3, 20))
    assert sent(world)[-1] == (march(3), "service", "stopped")
    assert world.patient().status is PatientStatus.STOPPED


def test_by_default_a_stop_about_one_topic_ends_everything(world: World) -> None:
    by_topic(world, "all")
    on_exercise_and_scan(world)
    world.receive("P1", TOPIC)
    assert world.patient().status is PatientStatus.STOPPED


def test_a_stop_about_all_that_is_left_ends_everything(world: World) -> None:
    on_exercise_and_scan(world)
    world.receive("P1", TOPIC)
    world.receive("P1", "stop the texts about the scan")
    assert world.patient().status is PatientStatus.STOPPED
    world.run_until(new_york(3, 20))
    assert sent(world)[-1] == (march(3), "service", "stopped")


def test_the_provider_s_own_stop_ends_everything(world: World) -> None:
    on_exercise_and_scan(world)
    inbound = Inbound(channel=Channel.SMS, sender=phone_of("P1"), body=TOPIC, provider_id="SM1", opt_out=OptOut.STOP)
    reception = Reception(store=world.store, rules=world.rules)
    reception.take_in_stops([Arrival(inbound=inbound, at=world.clock.at, number="+16175550100")])
    assert world.patient().status is PatientStatus.STOPPED


def test_neither_an_import_nor_another_topic_brings_it_back(world: World) -> None:
    on_exercise_and_scan(world)
    world.receive("P1", TOPIC)
    world.enrol("P1", phone=phone_of("P1"), sms_consent="yes", pathways="dexa", consent_date="2026-03-03")
    world.enrol("P1", phone=phone_of("P1"), sms_consent="yes", pathways="exercise;dexa", consent_date="2026-03-03")
    world.receive("P1", "START the scan")
    world.run_until(new_york(3, 12))
    assert ("exercise", "activity") not in {row[1:] for row in sent(world) if row[0] > march(3)}
    assert world.enrolment("exercise").is_stopped


def test_a_fact_that_begins_a_new_cycle_does_not_bring_it_back(world: World) -> None:
    world.enrol_sms(pathways="vitamin_d;exercise")
    world.run_until(new_york(3, 3, NOON))
    world.receive("P1", "stop the vitamin d texts")
    add_result(
        world.store,
        world.rules,
        world.clinic,
        mrn="P1",
        kind=ResultKind.VITAMIN_D,
        taken_on=march(3),
        value=None,
        unit=None,
        next_months=1,
        by="doctor",
        now=world.clock.at,
    )
    assert world.open_tasks() == {"review_result"}
    world.run_until(new_york(5, 1))
    assert [row for row in sent(world) if row[1] == "vitamin_d"] == [(march(3), "vitamin_d", "ask")]


@pytest.mark.parametrize("words", ["START", "START exercise"])
def test_start_brings_it_back_even_while_something_else_is_asked(world: World, words: str) -> None:
    on_exercise_and_scan(world)
    world.receive("P1", TOPIC)
    world.run_until(new_york(3, 6, NOON))
    assert sent(world)[-1] == (march(5), "dexa", "ask")
    world.receive("P1", words)
    world.run_until(new_york(3, 8))
    assert sent(world)[-2:] == [(march(6), "service", "started"), (march(7), "exercise", "activity")]


def test_an_answer_that_carriers_take_for_start_does_not_bring_it_back(world: World) -> None:
    on_exercise_and_scan(world)
    world.receive("P1", TOPIC)
    world.run_until(new_york(3, 6, NOON))
    world.receive("P1", "yes")
    assert world.enrolment("exercise").is_stopped


def test_after_a_stop_of_everything_start_brings_all_back(world: World) -> None:
    on_exercise_and_scan(world)
    world.receive("P1", TOPIC)
    world.receive("P1", "STOP")
    world.receive("P1", "START")
    assert not world.enrolment("exercise").is_stopped
    world.run_until(new_york(3, 5))
    assert sent(world)[-1] == (march(4), "exercise", "activity")


def test_done_for_a_topic_that_has_ended_goes_to_a_person(world: World) -> None:
    on_exercise_and_scan(world)
    world.receive("P1", TOPIC)
    world.receive("P1", "DONE")
    assert world.open_tasks() == {"unclear_reply"}
    assert world.enrolment("exercise").done_count == 0


def test_what_is_planned_for_it_is_void_and_other_reminders_go(world: World) -> None:
    world.enrol_sms("P1", pathways="exercise;dexa")
    world.clock.at = new_york(3, 3)
    plan_all_due(world.store, world.rules, world.clock.at)
    world.receive("P1", TOPIC)
    world.tick()
    fates = {row.template: (row.status.value, row.reason) for row in world.ledger()}
    assert fates == {"activity": ("skipped", "stopped"), "topic_stopped": ("sent", None)}


def test_what_is_claimed_for_it_is_not_handed_over(world: World) -> None:
    for mrn in ("P1", "P2"):
        world.enrol_sms(mrn, pathways="exercise;dexa")
    world.clock.at = new_york(3, 3)
    plan_all_due(world.store, world.rules, world.clock.at)
    sms = Scripted()

    def slowly(batch: Iterator[OutboundSms | None]) -> Iterator[Any]:
        for number, message in enumerate(batch):
            assert message is not None
            if number == 0:
                world.receive(next(mrn for mrn in ("P1", "P2") if phone_of(mrn) != message.to), TOPIC)
                sms.steady.at += 1
            yield accepted(message)

    sms.script = slowly
    delivered = delivery_of(world, sms).deliver(Channel.SMS)
    assert (delivered.sent, delivered.skipped) == (1, 1)
    assert ("activity", "stopped") in {(row.template, row.reason) for row in world.ledger()}


def test_what_came_back_from_the_provider_does_not_go_again(world: World) -> None:
    on_exercise_and_scan(world)
    world.clock.at = new_york(3, 4)
    plan_all_due(world.store, world.rules, world.clock.at)
    sms = Scripted()

    def nothing(batch: Iterator[OutboundSms | None]) -> Iterator[Any]:
        world.receive("P1", TOPIC)  # claimed, and never handed over: it goes back to its place in the queue
        yield from ()

    sms.script = nothing
    delivery_of(world, sms).deliver(Channel.SMS)
    world.run_until(new_york(3, 4, NOON))
    fates = [(row.status.value, row.reason) for row in world.ledger() if row.due_date == march(4)]
    assert sorted(fates) == [("sent", None), ("skipped", "stopped")]


def test_whoever_shares_the_number_gets_no_more_of_it_either(world: World) -> None:
    for mrn in ("P1", "P2", "P3"):
        world.enrol_sms(mrn, phone="+16175550123", pathways="dexa" if mrn == "P3" else "exercise;dexa")
    world.run_until(new_york(3, 3, NOON))
    inbound = Inbound(channel=Channel.SMS, sender="+16175550123", body=TOPIC, provider_id="SM1")
    reception = Reception(store=world.store, rules=world.rules)
    reception.take_in_stops([Arrival(inbound=inbound, at=world.clock.at, number="+16175550100")])
    assert all(world.enrolment("exercise", mrn).is_stopped for mrn in ("P1", "P2"))
    assert {world.patient(mrn).status for mrn in ("P1", "P2", "P3")} == {PatientStatus.ACTIVE}
    assert records(world, "P3") == [("sms", None, True)]


@pytest.mark.parametrize("words", [TOPIC, "STOP", "stop the falls texts"])
def test_the_simulation_foresees_the_same(world: World, words: str) -> None:
    world.enrol_sms(pathways="exercise;dexa")
    script: Script = {"P1": [ScriptedAnswer(march(4), words)]}
    foreseen = list(
        simulate(
            world.store, world.rules, world.app.composer, world.clinic, days=12, start=world.clock.at, script=script
        )
    )
    world.run_until(new_york(3, 4, NOON))
    world.receive("P1", words)
    world.run_until(new_york(3, 14, 13))
    assert [(row.due_date, row.body) for row in world.ledger() if row.status.value == "sent"] == [
        (one.day, one.body) for one in foreseen
    ]


def test_by_mail_it_is_the_same(world: World) -> None:
    world.enrol_email(pathways="exercise;dexa")
    world.run_until(new_york(3, 3, NOON))
    world.receive("E1", TOPIC)
    world.run_until(new_york(3, 6))
    assert sent(world, "E1")[1:] == [(march(3), "service", "topic_stopped"), (march(5), "dexa", "ask")]
    assert records(world, "E1")[-1] == ("email", "exercise", False)
