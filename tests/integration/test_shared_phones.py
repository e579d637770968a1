"""Two patients of one clinic with one phone: how each knows what is theirs, and whose an answer is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.domain.people import Channel
from scheduler.records import Reply
from scheduler.services.replies import Inbound, receive
from tests.support.worlds import MONDAY, World, new_york, world_at

PHONE = "+16175551234"


@pytest.fixture
def home(database_url: str, tmp_path: Path) -> Iterator[World]:
    """Ana Moss and Rob Moss share a phone: both are asked about vitamin D, and Ana moves every day."""
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        world.enrol_sms("A1", phone=PHONE, name="Ana Moss", pathways="vitamin_d;exercise")
        world.enrol_sms("R1", phone=PHONE, name="Rob Moss", pathways="vitamin_d")
        world.run_until(new_york(3, 3, 12, 0))
        yield world


def write(world: World, text: str, *, channel: Channel = Channel.SMS, sender: str = PHONE) -> Reply:
    inbound = Inbound(channel=channel, sender=sender, body=text, provider_id=None)
    reply = receive(world.store, world.rules, world.clinic, inbound, now=world.clock.at)
    assert reply is not None
    world.tick()
    return reply


def stored(world: World, reply: Reply) -> Reply:
    with world.store.reading() as unit:
        found = unit.inbox.reply(world.clinic.id, reply.id)
    assert found is not None
    return found


def texts(world: World, template: str) -> list[str]:
    return [row.body or "" for row in world.ledger() if row.template == template and row.sent_at]


def test_a_reminder_says_by_initials_whom_it_is_for(home: World) -> None:
    bodies = [row.body or "" for row in home.ledger() if row.kind == "reminder" and row.sent_at]
    assert sorted(body.partition(":")[0] for body in bodies) == [
        "Harbor Clinic, for A.M.",
        "Harbor Clinic, for R.M.",
    ]
    assert not any("Ana" in body or "Rob" in body for body in bodies)


def test_first_names_stand_there_where_the_clinic_may_show_them(home: World) -> None:
    home.change_clinic(home.clinic, name_on_shared=True)
    home.run_until(new_york(3, 5, 12, 0))
    last = [row.body or "" for row in home.ledger("A1") if row.kind == "reminder" and row.sent_at][-1]
    assert last.startswith("Harbor Clinic, for Ana: ")


def test_somebody_with_a_phone_of_their_own_is_written_to_as_ever(home: World) -> None:
    home.enrol_sms("P9", pathways="vitamin_d")
    home.run_until(new_york(3, 4, 12, 0))
    assert all((row.body or "").startswith("Harbor Clinic: ") for row in home.ledger("P9") if row.sent_at)


def test_an_answer_that_can_be_eithers_is_held_and_the_phone_is_asked_once(home: World) -> None:
    before = [home.enrolment("vitamin_d", mrn) for mrn in ("A1", "R1")]
    reply = write(home, "2")
    assert (reply.mrn, reply.meaning) == (None, None)
    assert texts(home, "who") == [
        "Harbor Clinic: More than one person has this number. Who wrote? Reply with one letter, and begin with it "
        "next time: F = A.M., R = R.M."
    ]
    home.clock.at += timedelta(minutes=5)
    write(home, "3")
    assert len(texts(home, "who")) == 1
    assert [home.enrolment("vitamin_d", mrn) for mrn in ("A1", "R1")] == before


def letter_of(world: World, mark: str) -> str:
    asked = texts(world, "who")[-1]
    return asked[: asked.index(f" = {mark}")][-1]


@pytest.mark.parametrize("said", ["{}", "{} please", "({})", "Ana", "A.M."])
def test_who_says_so_has_the_answer_as_of_when_it_was_written(home: World, said: str) -> None:
    before = {mrn: home.enrolment("vitamin_d", mrn) for mrn in ("A1", "R1")}
    reply, written_at = write(home, "2"), home.clock.at
    home.clock.at += timedelta(hours=2)
    write(home, said.format(letter_of(home, "A.M.")))
    found = stored(home, reply)
    assert (found.mrn, found.meaning, found.answer) == ("A1", "answer", "booked")
    assert found.received_at == written_at
    assert home.enrolment("vitamin_d", "A1") != before["A1"]
    assert home.enrolment("vitamin_d", "R1") == before["R1"]
    assert texts(home, "thanks_booked")[-1].startswith("Harbor Clinic, for A.M.: ")
    assert home.open_tasks() == set()


def test_what_is_left_is_plain_once_the_first_answer_has_its_owner(home: World) -> None:
    first = write(home, "2")
    home.clock.at += timedelta(minutes=5)
    second = write(home, "3")
    write(home, letter_of(home, "R.M."))
    assert (stored(home, first).mrn, stored(home, second).mrn) == ("R1", "A1")


def test_a_text_that_begins_with_a_letter_needs_no_question(home: World) -> None:
    write(home, "2")
    letter = letter_of(home, "R.M.")
    write(home, letter)
    home.run_until(new_york(3, 20, 12, 0))
    reply = write(home, f"{letter} 1")
    assert (reply.mrn, reply.answer) == ("R1", "done")
    assert len(texts(home, "who")) == 1


def test_done_is_hers_who_alone_is_asked_to_move(home: World) -> None:
    home.run_until(new_york(3, 4, 12, 0))
    reply = write(home, "DONE")
    assert (reply.mrn, reply.meaning) == ("A1", "done")
    assert texts(home, "who") == []


def test_of_two_who_move_the_second_done_of_a_day_is_the_others(home: World) -> None:
    home.enrol("R1", pathways="vitamin_d;exercise", phone=PHONE, name="Rob Moss", sms_consent="yes")
    home.run_until(new_york(3, 6, 12, 0))
    first = write(home, "DONE")
    write(home, letter_of(home, "A.M."))
    second = write(home, "DONE")
    assert (stored(home, first).mrn, second.mrn) == ("A1", "R1")
    assert len(texts(home, "who")) == 1


def test_what_nobody_explains_in_a_day_a_person_reads(home: World) -> None:
    reply = write(home, "2")
    home.tick_at(home.clock.at + timedelta(hours=25))
    [task] = [task for task in home.tasks() if task.kind == "unclear_reply"]
    assert task.patient is None
    assert "A1, R1" in task.note
    assert task.note.endswith("\n2")
    found = stored(home, reply)
    assert (found.mrn, found.meaning) == (None, "unclear")


def test_what_fits_nobody_is_a_task_at_once(home: World) -> None:
    write(home, "my neighbour waters the plants")
    assert home.open_tasks() == {"unclear_reply"}
    assert texts(home, "who") == []
    assert len(texts(home, "unclear")) == 1


def test_after_an_explained_answer_the_next_doubtful_one_of_the_day_goes_to_a_person(home: World) -> None:
    home.enrol("A1", pathways="vitamin_d;exercise;supplement", phone=PHONE, name="Ana Moss", sms_consent="yes")
    home.enrol("R1", pathways="vitamin_d;supplement", phone=PHONE, name="Rob Moss", sms_consent="yes")
    write(home, "2")
    write(home, letter_of(home, "A.M."))
    write(home, "TIME 10:30")
    assert len(texts(home, "who")) == 1
    assert home.open_tasks() == {"unclear_reply"}


def test_danger_is_everybodys_until_a_person_knows_more(home: World) -> None:
    write(home, "I fell and cannot get up")
    assert len(texts(home, "safety")) == 1
    for mrn in ("A1", "R1"):
        assert "safety" in home.open_tasks(mrn)
    assert home.enrolment("exercise", "A1").is_paused


def test_a_yes_or_no_to_the_safety_text_is_everybodys_too(home: World) -> None:
    write(home, "I fell and cannot get up")
    home.clock.at += timedelta(minutes=2)
    write(home, "Yes")
    home.clock.at += timedelta(minutes=2)
    write(home, "no I'm ok")
    assert len(texts(home, "safety")) == 2
    assert texts(home, "who") == []
    for mrn in ("A1", "R1"):
        assert home.open_tasks(mrn) == {"safety"}
        [task] = [one for one in home.tasks(mrn) if one.kind == "safety"]
        assert task.note == "I fell and cannot get up\nYes\nno I'm ok"


def test_a_wrong_number_is_closed_for_both_with_a_task_each(home: World) -> None:
    write(home, "wrong number")
    for mrn in ("A1", "R1"):
        assert home.patient(mrn).phone_bad
        assert home.open_tasks(mrn) == {"wrong_number"}


def test_stop_ends_it_for_both_with_one_confirmation(home: World) -> None:
    write(home, "STOP")
    assert [home.patient(mrn).sms_consent for mrn in ("A1", "R1")] == [False, False]
    assert len(texts(home, "stopped")) == 1
    home.run_until(new_york(3, 20, 12, 0))
    assert texts(home, "who") == []


def test_start_asks_whose_it_is_for_consent_is_a_persons_own(home: World) -> None:
    write(home, "STOP")
    write(home, "START")
    [asked] = texts(home, "who")
    assert asked.endswith("begin with it next time: F = A.M., R = R.M.")
    home.clock.at += timedelta(minutes=1)
    write(home, "Ana")
    assert [home.patient(mrn).sms_consent for mrn in ("A1", "R1")] == [True, False]


def test_one_mailbox_is_shared_like_one_phone(database_url: str, tmp_path: Path) -> None:
    box = "moss@patients.example"
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        world.enrol_email("A1", email=box, name="Ana Moss", pathways="vitamin_d")
        world.enrol_email("R1", email=box, name="Rob Moss", pathways="vitamin_d")
        world.run_until(new_york(3, 3, 12, 0))
        mails = [row.body or "" for row in world.ledger() if row.kind == "reminder"]
        assert sorted(mail.splitlines()[0] for mail in mails) == [
            "Harbor Clinic, for A.M.",
            "Harbor Clinic, for R.M.",
        ]
        assert "Hello A.M.," in "".join(mails)
        assert not any("Ana" in mail or "Rob" in mail for mail in mails)
        reply = write(world, "2", channel=Channel.EMAIL, sender=box)
        assert len(texts(world, "who")) == 1
        write(world, "Rob", channel=Channel.EMAIL, sender=box)
        assert stored(world, reply).mrn == "R1"


@pytest.mark.parametrize("named", ["the scan one", "{} scan"])
def test_a_topic_alone_binds_the_answer_in_doubt_of_the_one_who_wrote_it(home: World, named: str) -> None:
    home.enrol("A1", pathways="vitamin_d;exercise;dexa", phone=PHONE, name="Ana Moss", sms_consent="yes")
    home.run_until(new_york(3, 10, 12, 0))
    write(home, "2")
    letter = letter_of(home, "A.M.")
    write(home, letter)
    assert len(texts(home, "which_one")) == 1
    home.clock.at += timedelta(minutes=5)
    reply = write(home, named.format(letter))
    assert (reply.mrn, reply.pathway, reply.answer) == ("A1", "dexa", "booked")
    assert [home.enrolment("vitamin_d", mrn).step for mrn in ("A1", "R1")] == ["ask", "ask"]


def test_a_number_that_two_clinics_know_is_nobodys_secret_between_them(home: World) -> None:
    ours = home.clinic
    home.add_clinic("other")
    home.enrol_sms("X1", phone=PHONE, name="Ana Moss", pathways="vitamin_d")
    home.run_until(new_york(3, 4, 12, 0))
    assert all((row.body or "").startswith("Harbor Clinic: ") for row in home.ledger("X1") if row.sent_at)
    inbound = Inbound(channel=Channel.SMS, sender=PHONE, body="2", provider_id=None)
    reply = receive(home.store, home.rules, home.clinic, inbound, now=home.clock.at)
    assert reply is not None
    assert reply.mrn == "X1"
    assert ours.id != home.clinic.id
