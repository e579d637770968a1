"""STOP, however it comes: it takes effect as it is stored, and nothing comes after its confirmation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.domain.opt_out import OptOut
from scheduler.domain.people import Channel, ConsentSource, PatientStatus
from scheduler.ports import ErrorClass, OutboundSms, Outcome, SendResult
from scheduler.services import hearing
from scheduler.services.plan import plan_all_due
from scheduler.services.replies import Arrival, Fate, Inbound, Reception, Taken
from scheduler.store.engine import reading
from scheduler.store.tables import consents
from tests.support.deliveries import delivery_of
from tests.support.scripted_sms import Scripted, accepted
from tests.support.worlds import MONDAY, World, new_york, phone_of, world_at

DAY_1 = new_york(3, 3)
SECOND = timedelta(seconds=1)


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        yield world


_sids = iter(range(1, 1_000_000))


def arrival(world: World, body: str, mrn: str = "P1", **more: Any) -> Arrival:
    inbound = Inbound(channel=Channel.SMS, sender=phone_of(mrn), body=body, provider_id=f"SM{next(_sids)}", **more)
    return Arrival(inbound=inbound, at=world.clock.at, number="+16175550100")


def reception(world: World) -> Reception:
    return Reception(store=world.store, rules=world.rules)


def stop(world: World, mrn: str = "P1", body: str = "STOP", **more: Any) -> Taken:
    return reception(world).take_in_stops([arrival(world, body, mrn, **more)])[0]


def rows(world: World, mrn: str = "P1") -> list[tuple[str, str, str | None]]:
    """(template, status, reason) of the ledger's messages."""
    return [(row.template, row.status.value, row.reason) for row in world.ledger(mrn)]


def consent_records(world: World) -> list[tuple[str, bool, str]]:
    with reading(world.app.engine) as connection:
        found = connection.execute(consents.select().order_by(consents.c.id))
        return [(row.channel, row.granted, row.source) for row in found]


def asked(world: World, **cells: str) -> None:
    """P1 has been asked about vitamin D this morning."""
    world.enrol_sms(pathways="vitamin_d", **cells)
    world.run_until(DAY_1 + timedelta(hours=2))


# As it is stored


def test_a_stop_has_taken_effect_when_it_is_stored(world: World) -> None:
    asked(world, email="pat@patients.example", email_consent="yes")
    taken = stop(world)
    assert taken.fate is Fate.DONE
    patient = world.patient()
    assert (patient.status, patient.sms_consent, patient.email_consent) == (PatientStatus.STOPPED, False, False)
    assert consent_records(world)[-2:] == [("sms", False, "reply"), ("email", False, "reply")]
    assert [row[0] for row in rows(world) if row[1] == "planned"] == ["stopped"]


def test_what_was_planned_and_not_claimed_falls_with_it(world: World) -> None:
    world.enrol_sms(pathways="vitamin_d")
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, DAY_1)
    world.receive("P1", "HELP")
    stop(world)
    assert rows(world) == [
        ("ask", "skipped", "stopped"),
        ("help", "skipped", "stopped"),
        ("stopped", "planned", None),
    ]
    assert world.tick().sent == 1
    world.run_until(new_york(6, 1))
    assert [row.template for row in world.ledger() if row.sent_at] == ["stopped"]


def test_what_was_written_before_is_heard_before(world: World) -> None:
    asked(world)
    (before,) = reception(world).take_in([arrival(world, "1")])
    assert before.fate is Fate.WAITING
    world.clock.at += SECOND
    assert stop(world).fate is Fate.DONE
    assert world.enrolment("vitamin_d").step == "awaiting_result"
    assert [row for row in rows(world) if row[1] == "planned"] == [("stopped", "planned", None)]


def test_of_many_stops_in_one_transaction_each_takes_effect(world: World) -> None:
    for mrn in ("P1", "P2", "P3"):
        world.enrol_sms(mrn)
    both = [arrival(world, "STOP", mrn) for mrn in ("P1", "P2")]
    again = Arrival(inbound=both[0].inbound, at=world.clock.at, number=both[0].number)
    stranger = arrival(world, "STOP", "nobody")
    fates = [taken.fate for taken in reception(world).take_in_stops([*both, again, stranger])]
    assert Counter(fates) == {Fate.DONE: 3, Fate.REPEATED: 1}
    statuses = [world.patient(mrn).status for mrn in ("P1", "P2", "P3")]
    assert statuses == [PatientStatus.STOPPED, PatientStatus.STOPPED, PatientStatus.ACTIVE]
    assert len([row for row in world.ledger() if row.template == "stopped"]) == 2


def test_a_stop_that_comes_twice_is_confirmed_once(world: World) -> None:
    asked(world)
    first = arrival(world, "STOP")
    assert reception(world).take_in_stops([first])[0].fate is Fate.DONE
    assert reception(world).take_in_stops([first])[0].fate is Fate.REPEATED
    world.tick()
    assert [row.template for row in world.ledger() if row.kind == "reply"] == ["stopped"]


def test_a_stop_that_cannot_take_effect_is_stored_all_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(world)

    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of order")

    with monkeypatch.context() as broken:
        broken.setattr(hearing, "write_changes", fails)
        assert reception(world).take_in_stop(arrival(world, "STOP")).fate is Fate.WAITING
    assert world.patient().status is PatientStatus.ACTIVE
    world.tick()
    assert world.patient().status is PatientStatus.STOPPED


@pytest.mark.parametrize(
    ("body", "opt_out", "expected"),
    [
        ("STOP", None, True),
        ("please stop texting me", None, True),
        ("para ya", None, True),
        ("basta", OptOut.STOP, True),
        ("1", None, False),
        ('Liked "Reply STOP to end"', None, False),
        ("START", OptOut.START, False),
    ],
)
def test_whether_it_is_a_stop_is_known_without_a_look_at_the_database(
    world: World, body: str, opt_out: OptOut | None, expected: bool
) -> None:
    assert reception(world).is_stop(arrival(world, body, opt_out=opt_out).inbound) is expected


# What the provider has settled by itself


def test_a_stop_that_the_provider_has_confirmed_is_not_confirmed_again(world: World) -> None:
    asked(world)
    stop(world, body="STOP", opt_out=OptOut.STOP)
    assert world.patient().status is PatientStatus.STOPPED
    assert consent_records(world)[-1] == ("sms", False, "provider")
    assert world.tick().sent == 0


def test_a_word_of_the_providers_own_list_stops_as_well(world: World) -> None:
    asked(world)
    stop(world, body="arrete", opt_out=OptOut.STOP)
    assert world.patient().status is PatientStatus.STOPPED
    with world.store.reading() as unit:
        assert [reply.meaning for reply in unit.inbox.replies(world.clinic.id)] == ["stop"]


def test_a_start_that_the_provider_has_confirmed_brings_consent_back(world: World) -> None:
    asked(world)
    stop(world, opt_out=OptOut.STOP)
    world.clock.at += timedelta(days=3)
    reception(world).take_in([arrival(world, "UNMUTE", opt_out=OptOut.START)])
    assert (world.tick().understood, world.patient().status) == (1, PatientStatus.ACTIVE)
    assert consent_records(world)[-1] == ("sms", True, ConsentSource.PROVIDER.value)
    assert [row.template for row in world.ledger() if row.kind == "reply"] == []


def test_help_that_the_provider_has_given_is_not_given_again(world: World) -> None:
    asked(world)
    reception(world).take_in([arrival(world, "HELP", opt_out=OptOut.HELP)])
    reception(world).take_in([arrival(world, "ayudita", opt_out=OptOut.HELP)])
    world.tick()
    assert [row.template for row in world.ledger() if row.kind == "reply"] == []
    assert world.open_tasks() == set()


def test_a_stop_stays_one_whatever_the_provider_made_of_it(world: World) -> None:
    asked(world)
    stop(world, body="stop texting me", opt_out=OptOut.HELP)
    assert world.patient().status is PatientStatus.STOPPED


def test_words_of_danger_beside_a_stop_reach_a_person(world: World) -> None:
    asked(world)
    stop(world, body="STOP I fell and cannot get up", opt_out=OptOut.STOP)
    assert world.open_tasks() == {"safety"}


# On its way already


def morning(world: World, patients: int) -> None:
    for number in range(1, patients + 1):
        world.enrol_sms(f"P{number}", pathways="vitamin_d")
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, DAY_1)


def test_a_message_that_is_claimed_is_not_handed_over_once_its_patient_has_stopped(world: World) -> None:
    morning(world, 4)
    sms = Scripted()

    def slowly(batch: Iterator[OutboundSms | None]) -> Iterator[Any]:
        for number, message in enumerate(batch):
            assert message is not None
            if number == 0:
                stop(world, next(mrn for mrn in ("P3", "P4") if phone_of(mrn) != message.to))
                sms.steady.at += 1
            yield accepted(message)

    sms.script = slowly
    delivered = delivery_of(world, sms).deliver(Channel.SMS)
    stopped = next(mrn for mrn in ("P3", "P4") if world.patient(mrn).status is PatientStatus.STOPPED)
    assert phone_of(stopped) not in sms.numbers
    assert (delivered.sent, delivered.skipped, delivered.retried) == (3, 1, 0)
    assert rows(world, stopped) == [("ask", "skipped", "stopped"), ("stopped", "planned", None)]


def test_within_half_a_second_nobody_is_asked_again(world: World) -> None:
    morning(world, 3)
    sms = Scripted()
    looks: list[float] = []
    read = world.store.reading

    def reading_noted() -> Any:
        looks.append(sms.steady.at)
        return read()

    def quickly(batch: Iterator[OutboundSms | None]) -> Iterator[Any]:
        world.store.reading = reading_noted  # type: ignore[method-assign]
        for message in batch:
            assert message is not None
            sms.steady.at += 0.2
            yield accepted(message)
        world.store.reading = read  # type: ignore[method-assign]

    sms.script = quickly
    assert delivery_of(world, sms).deliver(Channel.SMS).sent == 3
    assert looks == []


def test_the_confirmation_of_a_stop_goes_although_its_patient_has_stopped(world: World) -> None:
    asked(world)
    stop(world)
    sms = Scripted()

    def slowly(batch: Iterator[OutboundSms | None]) -> Iterator[Any]:
        sms.steady.at += 5
        for message in batch:
            assert message is not None
            yield accepted(message)

    sms.script = slowly
    assert delivery_of(world, sms).deliver(Channel.SMS).sent == 1
    assert rows(world)[-1] == ("stopped", "sent", None)


# Refused by the provider


def test_an_opt_out_that_only_the_provider_knew_ends_texts_and_leaves_mail(world: World) -> None:
    world.enrol_sms(pathways="vitamin_d", email="pat@patients.example", email_consent="yes")
    world.clock.at = DAY_1
    plan_all_due(world.store, world.rules, DAY_1)
    sms = Scripted()

    def refuses(batch: Iterator[OutboundSms | None]) -> Iterator[Any]:
        for message in batch:
            assert message is not None
            world.receive("P1", "HELP")  # planned while the provider thinks, and never to be refused like this one
            yield SendResult(
                attempt_id=message.attempt_id,
                outcome=Outcome.REFUSED,
                code="21610",
                error_class=ErrorClass.STOPPED,
            )

    sms.script = refuses
    delivery_of(world, sms).deliver(Channel.SMS)
    assert rows(world) == [("ask", "failed", "21610"), ("help", "skipped", "stopped")]
    patient = world.patient()
    assert (patient.status, patient.sms_consent, patient.email_consent) == (PatientStatus.ACTIVE, False, True)
    assert consent_records(world)[-1] == ("sms", False, "provider")
    world.run_until(new_york(3, 4, 12, 0))
    sent = [row for row in world.ledger() if row.status is MessageStatus.SENT]
    assert [(row.template, row.channel) for row in sent] == [("ask", Channel.EMAIL)]
