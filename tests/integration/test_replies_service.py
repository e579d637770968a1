"""What patients write: kept before it is understood, understood once, and everything that follows in one piece."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel, PatientStatus
from scheduler.records import LedgerEntry, Reply
from scheduler.services import hearing
from scheduler.services.intake.draft import Exclusion
from scheduler.services.plan import plan_all_due
from scheduler.services.replies import Inbound, receive
from tests.support.worlds import MONDAY, World, new_york, world_at

DAY_1 = new_york(3, 3)


@contextmanager
def asked_this_morning(database_url: str, folder: Path) -> Iterator[World]:
    """A patient who was asked about vitamin D this morning; it is noon."""
    with world_at(MONDAY, database_url=database_url, folder=folder) as world:
        world.enrol_sms()
        world.run_until(new_york(3, 3, 12, 0))
        assert [row.template for row in world.ledger() if row.sent_at] == ["ask"]
        yield world


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with asked_this_morning(sqlite_url, tmp_path) as world:
        yield world


@pytest.fixture
def either(database_url: str, tmp_path: Path) -> Iterator[World]:
    """On SQLite and on PostgreSQL."""
    with asked_this_morning(database_url, tmp_path) as world:
        yield world


def write(world: World, sender: str, text: str, *, provider_id: str = "SM1") -> Reply | None:
    inbound = Inbound(channel=Channel.SMS, sender=sender, body=text, provider_id=provider_id)
    return receive(world.store, world.rules, world.clinic, inbound, now=world.clock.at)


def answers_sent(world: World) -> list[str]:
    """The templates of what answered the patient."""
    return [row.template for row in world.ledger() if row.kind == "reply" and row.sent_at]


def kept(world: World) -> list[Reply]:
    with world.store.reading() as unit:
        return unit.inbox.replies(world.clinic.id)


def sent_after(world: World, at: datetime) -> list[LedgerEntry]:
    return [row for row in world.ledger() if row.sent_at is not None and row.sent_at > at]


def test_an_answer_moves_the_pathway_and_is_thanked_for_at_once(world: World) -> None:
    reply = world.receive("P1", "1")
    assert (reply.meaning, reply.pathway, reply.answer) == ("answer", "vitamin_d", "done")
    assert world.tick().sent == 1
    assert answers_sent(world) == ["thanks_done"]
    state = world.enrolment("vitamin_d")
    assert (state.step, state.timer_on) == ("awaiting_result", date(2026, 3, 24))


def test_an_answer_is_no_reminder_and_takes_nothing_from_the_days_budget(world: World) -> None:
    world.receive("P1", "3")
    world.run_until(new_york(3, 4, 12, 0))
    assert [row.template for row in sent_after(world, DAY_1)] == ["thanks_later", "activity"]


def test_an_answer_at_night_is_thanked_for_at_night(world: World) -> None:
    world.run_until(new_york(3, 3, 23, 30))
    world.receive("P1", "2")
    assert world.tick().sent == 1


def test_a_message_that_the_provider_delivers_twice_counts_once(either: World) -> None:
    phone = str(either.patient().phone)
    assert write(either, phone, "1") is not None
    assert write(either, phone, "1") is None
    either.tick()
    assert answers_sent(either) == ["thanks_done"]
    assert len(kept(either)) == 1


def test_words_are_kept_although_understanding_them_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(hearing, "write_changes", fails)
    world.receive("P1", "I fell and my hip hurts")
    assert [(reply.body, reply.meaning) for reply in kept(world)] == [("I fell and my hip hurts", None)]


def test_somebody_unknown_reaches_a_person(either: World) -> None:
    reply = write(either, "+16175550000", "Who is this?")
    assert reply is not None
    assert reply.mrn is None
    tasks = either.tasks()
    assert [(task.kind, task.patient, task.note) for task in tasks] == [("unclear_reply", None, "Who is this?")]
    assert either.tick().sent == 0


def test_stop_ends_everything_on_every_channel_with_one_confirmation(either: World) -> None:
    either.enrol(email="pat@patients.example", email_consent="yes")
    either.receive("P1", "Please stop")
    either.run_until(new_york(5, 1, 12, 0))
    patient = either.patient()
    assert (patient.status, patient.sms_consent, patient.email_consent) == (PatientStatus.STOPPED, False, False)
    assert [row.template for row in sent_after(either, DAY_1)] == ["stopped"]
    assert either.receive("P1", "STOP").meaning == "stop"
    either.tick()
    assert [row.template for row in sent_after(either, DAY_1)] == ["stopped"]


def test_start_after_stop_resumes_from_the_next_day(world: World) -> None:
    world.receive("P1", "STOP")
    world.run_until(new_york(3, 9, 12, 0))
    world.receive("P1", "START")
    world.run_until(new_york(3, 10, 12, 0))
    assert world.patient().status is PatientStatus.ACTIVE
    assert world.patient().sms_consent
    assert [row.template for row in sent_after(world, DAY_1)][:2] == ["stopped", "started"]
    assert len(sent_after(world, DAY_1)) == 3


def test_a_pause_holds_exercise_back_for_its_time_and_nothing_else(world: World) -> None:
    world.receive("P1", "PAUSE 1 WEEK")
    world.run_until(new_york(3, 9, 23, 0))
    assert [row.pathway for row in sent_after(world, DAY_1)] == ["service", "dexa", "supplement"]
    world.run_until(new_york(3, 12, 12, 0))
    assert "exercise" in [row.pathway for row in sent_after(world, new_york(3, 9))]


def test_a_named_supplement_opens_a_case_and_a_task_for_a_clinician(either: World) -> None:
    either.receive("P1", "SUPP calcium 500 mg")
    either.tick()
    with either.store.reading() as unit:
        cases = unit.worklist.clearances(either.clinic.id)
    assert [(case.patient, case.named, case.decision) for case in cases] == [("P1", "calcium 500 mg", None)]
    assert either.open_tasks("P1") == {"supplement_clearance"}
    assert answers_sent(either) == ["clinic_asked"]


def test_words_of_danger_reach_a_person_whatever_else_they_say(world: World) -> None:
    world.receive("P1", "1 and I fell, I think I broke my hip")
    assert "safety" in world.open_tasks("P1")


def test_a_wrong_number_is_never_texted_again(world: World) -> None:
    world.receive("P1", "wrong number")
    world.run_until(new_york(4, 1, 12, 0))
    assert world.patient().phone_bad
    assert "wrong_number" in world.open_tasks("P1")
    assert [row.template for row in sent_after(world, new_york(3, 3, 12, 1))] == []


def test_an_answer_voids_the_reminder_that_is_still_on_its_way(either: World) -> None:
    either.run_until(new_york(3, 10))
    plan_all_due(either.store, either.rules, either.clock.at)  # the question is put again
    planned = [row for row in either.ledger() if row.status is MessageStatus.PLANNED]
    assert [(row.pathway, row.template) for row in planned] == [("vitamin_d", "again")]
    either.receive("P1", "vitamin D done")
    either.tick()
    again = next(row for row in either.ledger() if row.id == planned[0].id)
    assert (again.status, again.reason) == (MessageStatus.SKIPPED, "superseded")


def test_an_answer_nobody_could_send_for_hours_is_dropped_rather_than_sent_late(world: World) -> None:
    world.receive("P1", "HELP")
    world.clock.at += timedelta(hours=5)
    assert world.tick().expired == 1


def test_the_deceased_are_answered_nothing(world: World) -> None:
    world.exclude("P1", Exclusion.DECEASED)
    world.receive("P1", "1")
    world.run_until(new_york(3, 20, 12, 0))
    assert sent_after(world, DAY_1) == []
    assert kept(world)[0].body == "1"
