"""What a reply changes beside the pathways: times, days, everybody who shares a phone; and whom danger calls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta
from pathlib import Path

import pytest

from scheduler.domain.calendar import Weekday
from scheduler.domain.opt_out import OptOut
from scheduler.domain.people import Channel, PatientStatus
from scheduler.domain.staff_mail import StaffMailKind
from scheduler.services.replies import Inbound, receive
from tests.support.fake_email import FakeEmail
from tests.support.office import DUTY, URL, change, deliver, mails
from tests.support.worlds import MONDAY, World, new_york, phone_of, world_at


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path, settings={"BONEWISE_PUBLIC_URL": URL}) as world:
        world.enrol_sms("P1", pathways="exercise")
        world.run_until(new_york(3, 3, 12, 0))
        yield world


def actions(world: World) -> list[str]:
    with world.store.reading() as unit:
        return [entry[2] for entry in unit.installation.audit_entries(world.clinic.id)]


def test_a_wish_for_another_time_is_on_the_patients_record_and_in_the_audit(world: World) -> None:
    world.receive("P1", "TIME 18:30")
    assert world.patient().contact_time == time(18, 30)
    assert "contact times changed" in actions(world)
    world.run_until(new_york(3, 4, 18, 29))
    assert not [row for row in world.ledger() if row.kind == "reminder" and row.due_date.day == 4]
    world.run_until(new_york(3, 4, 18, 31))
    assert [row for row in world.ledger() if row.kind == "reminder" and row.due_date.day == 4]


def test_a_wish_for_other_days_is_on_the_patients_record(world: World) -> None:
    world.receive("P1", "DAYS MON WED")
    assert world.patient().exercise_days == {Weekday.MON, Weekday.WED}


def test_the_same_file_imported_again_leaves_what_the_patient_wished(world: World) -> None:
    world.receive("P1", "TIME 18:30")
    assert world.enrol("P1", phone=phone_of("P1"), sms_consent="yes", pathways="exercise").unchanged == 1
    assert world.patient().contact_time == time(18, 30)


@pytest.mark.parametrize("text", ["I fell and can't get up", "STOP, I fell"])
def test_words_of_danger_call_the_duty_address_once_without_a_word_about_whom(world: World, text: str) -> None:
    change(world, duty_email=DUTY)
    world.receive("P1", text)
    (kept,) = mails(world)
    assert kept.kind is StaffMailKind.SAFETY
    email = FakeEmail()
    deliver(world, email)
    (mail,) = email.taken
    assert mail.to == DUTY
    words = f"{mail.subject} {mail.text}"
    assert "P1" not in words
    assert "fell" not in words
    assert str(world.patient().phone) not in words


def test_without_a_duty_address_there_is_still_the_urgent_task(world: World) -> None:
    world.receive("P1", "chest pain")
    assert mails(world) == []
    (task,) = [task for task in world.tasks() if task.kind == "safety"]
    assert (task.priority, task.note) == ("urgent", "chest pain")


def safety_task(world: World) -> list[tuple[str, str]]:
    return [(task.status, task.note) for task in world.tasks("P1") if task.kind == "safety"]


def texts(world: World, template: str) -> list[str]:
    return [row.body or "" for row in world.ledger("P1") if row.template == template and row.sent_at]


@pytest.mark.parametrize("text", ["yes", "Yes I need help", "help", "si necesito ayuda"])
def test_a_yes_to_the_safety_text_calls_again_and_is_on_the_urgent_task(world: World, text: str) -> None:
    change(world, duty_email=DUTY)
    world.run_until(new_york(3, 4, 2, 0))
    world.receive("P1", "STOP")
    world.receive("P1", "chest pain")
    world.tick()
    world.clock.at += timedelta(minutes=2)
    world.receive("P1", text)
    world.tick()
    assert safety_task(world) == [("open", f"chest pain\n{text}")]
    assert len(texts(world, "safety")) == 2
    assert len(mails(world)) == 2
    assert (world.patient("P1").status, world.patient("P1").sms_consent) == (PatientStatus.STOPPED, False)


@pytest.mark.parametrize("opt_out", [OptOut.START, OptOut.HELP])
def test_a_yes_to_the_safety_text_is_no_start_although_the_provider_takes_it_for_one(
    world: World, opt_out: OptOut
) -> None:
    world.receive("P1", "STOP")
    world.receive("P1", "chest pain")
    world.clock.at += timedelta(minutes=2)
    body = "YES" if opt_out is OptOut.START else "HELP"
    said = Inbound(channel=Channel.SMS, sender=phone_of("P1"), body=body, provider_id="SM9", opt_out=opt_out)
    assert receive(world.store, world.rules, world.clinic, said, now=world.clock.at) is not None
    world.tick()
    assert world.patient("P1").status is PatientStatus.STOPPED
    assert len(texts(world, "safety")) == 2
    assert safety_task(world) == [("open", f"chest pain\n{body}")]


def test_a_yes_opens_an_urgent_task_again_where_the_first_was_closed(world: World) -> None:
    world.receive("P1", "chest pain")
    world.tick()
    settle(world)
    world.clock.at += timedelta(hours=20)
    world.receive("P1", "yes")
    assert ("open", "yes") in safety_task(world)


def settle(world: World) -> None:
    with world.store.writing() as unit:
        unit.worklist.close(world.clinic.id, [f"{world.patient('P1').id.hex}:safety"], now=world.clock.at)


@pytest.mark.parametrize("text", ["no", "No I'm ok", "no, ya estoy bien"])
def test_a_no_to_the_safety_text_is_noted_for_staff_and_declines_nothing(world: World, text: str) -> None:
    change(world, duty_email=DUTY)
    world.enrol("P1", phone=phone_of("P1"), sms_consent="yes", pathways="exercise;dexa")
    world.run_until(new_york(3, 8, 12, 0))
    assert world.enrolment("dexa").step == "ask"
    world.receive("P1", "chest pain")
    world.clock.at += timedelta(minutes=2)
    world.receive("P1", text)
    world.tick()
    assert world.enrolment("dexa").step == "ask"
    assert safety_task(world) == [("open", f"chest pain\n{text}")]
    assert (len(texts(world, "safety")), len(mails(world))) == (1, 1)
    assert world.open_tasks("P1") == {"safety"}
    settle(world)
    world.receive("P1", text)
    assert world.open_tasks("P1") == {"more_to_read"}


def test_an_ordinary_reply_calls_nobody(world: World) -> None:
    change(world, duty_email=DUTY)
    world.receive("P1", "DONE")
    assert mails(world) == []


def test_a_stop_is_about_the_number_and_ends_texts_to_all_who_share_it(world: World) -> None:
    world.enrol("P2", phone=phone_of("P1"), sms_consent="yes", pathways="vitamin_d")
    world.enrol(
        "P3",
        phone=phone_of("P1"),
        sms_consent="yes",
        email="p3@patients.example",
        email_consent="yes",
        pathways="dexa",
    )
    text = Inbound(channel=Channel.SMS, sender=phone_of("P1"), body="STOP", provider_id="SM1")
    assert receive(world.store, world.rules, world.clinic, text, now=world.clock.at) is not None
    by_mrn = {mrn: world.patient(mrn) for mrn in ("P1", "P2", "P3")}
    assert {mrn for mrn, one in by_mrn.items() if one.sms_consent} == set()
    assert by_mrn["P2"].status is PatientStatus.STOPPED
    assert (by_mrn["P3"].status, by_mrn["P3"].email_consent) == (PatientStatus.ACTIVE, True)
    world.run_until(new_york(3, 20))
    texts = [row for row in world.ledger() if row.channel is Channel.SMS and row.sent_at and row.sent_at >= MONDAY]
    after = [
        row for row in texts if row.template != "stopped" and row.sent_at and row.sent_at > new_york(3, 3, 12, 0)
    ]
    assert after == []
    assert [row.template for row in texts if row.template == "stopped"] == ["stopped"]
    assert [row for row in world.ledger("P3") if row.channel is Channel.EMAIL and row.sent_at]
