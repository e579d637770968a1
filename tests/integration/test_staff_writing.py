"""Staff write to a patient: what is shown first, what goes, when, once, and what does not."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from scheduler.domain.accounts import Role
from scheduler.domain.messages import MessageStatus, SkipReason
from scheduler.domain.people import CarerMode, Channel
from scheduler.ports import Outcome, SendResult
from scheduler.services.carer_records import CarerWish, set_carer
from scheduler.services.intake.draft import PhoneCheck
from scheduler.store.engine import reading
from scheduler.store.tables import messages, written_messages
from tests.support.deliveries import delivery_of
from tests.support.scripted_sms import Scripted
from tests.support.staff import address_of, post, signed_in
from tests.support.web import form_token, words_of
from tests.support.worlds import MONDAY, World, new_york, phone_of, world_at

WORDS = "Please bring your list of questions on Thursday."


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=sqlite_url, folder=tmp_path) as made:
        yield made


@pytest.fixture
def either(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as made:
        yield made


def asked(client: TestClient, what: str, **fields: str) -> Any:
    return post(client, f"/patients/P1/message/{what}", fields, page="/sign-in")


def sent(client: TestClient, words: str = WORDS, *, channel: str = "sms", once: str = "", **fields: str) -> Any:
    return asked(client, "send", words=words, channel=channel, once=once or uuid4().hex, **fields)


def received(world: World, mrn: str = "P1") -> list[str]:
    return [one.body for one in world.app.simulated_inbox.received() if one.address == phone_of(mrn)]


# What is shown before


def test_the_preview_is_exactly_what_then_goes(either: World) -> None:
    either.enrol_sms("P1", pathways="vitamin_d")
    client = signed_in(either, Role.COORDINATOR)
    shown = asked(client, "preview", words="  Please\r\ncall us – today…", channel="sms").text
    drawn = html.unescape(re.findall(r'id="drawn-body">([^<]*)<', shown)[0])
    assert drawn == "Harbor Clinic: Please call us - today... Reply STOP to stop."
    assert "It goes at once." in shown
    assert f"{len(drawn)} characters" in shown
    assert "1 segment, GSM-7" in shown
    assert sent(client, "  Please\r\ncall us – today…").status_code == 303
    either.tick()
    assert received(either) == [drawn]


def test_how_to_stop_stands_behind_the_first_text_alone(world: World) -> None:
    world.enrol_sms("P1", pathways="vitamin_d")
    client = signed_in(world, Role.COORDINATOR)
    sent(client, "One")
    sent(client, "Two")
    world.tick()
    assert sorted(received(world)) == ["Harbor Clinic: One Reply STOP to stop.", "Harbor Clinic: Two"]
    world.run_until(new_york(3, 3, 12))
    assert "STOP" not in received(world)[-1]


def test_one_emoji_makes_it_ucs2_and_says_so(world: World) -> None:
    world.enrol_sms("P1")
    client = signed_in(world, Role.COORDINATOR)
    shown = asked(client, "count", words="See you 😀", channel="sms").text
    assert "1 segment, UCS-2 because of 😀" in shown
    assert "segment" not in asked(client, "count", words="", channel="sms").text


def test_an_email_has_its_subject_and_its_lines(world: World) -> None:
    world.enrol_email("P1", name="Ruth Adler")
    client = signed_in(world, Role.CLINICIAN)
    shown = asked(client, "preview", words="First line.\n\nSecond line.", channel="email").text
    assert "A message from Harbor Clinic" in shown
    assert sent(client, "First line.\n\nSecond line.", channel="email").status_code == 303
    world.tick()
    (mail,) = world.app.simulated_inbox.received()
    assert "Hello Ruth," in mail.body
    assert "First line.\n\nSecond line." in mail.body


# When it goes


def test_at_night_it_waits_for_the_morning_and_the_page_says_so(either: World) -> None:
    either.enrol_sms("P1", pathways="dexa")
    client = signed_in(either, Role.COORDINATOR)
    either.clock.at = new_york(3, 2, 22, 30)
    shown = words_of(asked(client, "preview", words=WORDS, channel="sms").text)
    assert "It goes on Tuesday 3 March at 09:00, New York time: it is outside the hours" in shown
    sent(client)
    either.tick()
    assert received(either) == []
    assert "waiting to go" in client.get("/patients/P1").text
    either.tick_at(new_york(3, 3, 8, 59))
    assert received(either) == []
    either.tick_at(new_york(3, 3, 9, 0))
    assert len(received(either)) == 1


def test_it_counts_against_no_budget(world: World) -> None:
    world.enrol_sms("P1", pathways="exercise")
    client = signed_in(world, Role.COORDINATOR)
    world.run_until(new_york(3, 3, 9, 10))
    sent(client)
    world.run_until(new_york(3, 3, 12))
    assert len(received(world)) == 2


def test_a_pause_holds_it_until_its_day(world: World) -> None:
    world.enrol_sms("P1", pathways="exercise")
    client = signed_in(world, Role.COORDINATOR)
    post(client, "/patients/P1/pause", {"until": "2026-03-10"}, page="/sign-in")
    shown = words_of(asked(client, "preview", words=WORDS, channel="sms").text)
    assert "It goes on Tuesday 10 March at 09:00, New York time: reminders are paused until then." in shown
    sent(client)
    world.run_until(new_york(3, 9, 20))
    assert received(world) == []
    world.run_until(new_york(3, 10, 9, 5))
    assert any(WORDS in text for text in received(world))


# Once


def test_pressed_twice_it_goes_once(either: World) -> None:
    either.enrol_sms("P1")
    client = signed_in(either, Role.COORDINATOR)
    mark = uuid4().hex
    assert [sent(client, once=mark).status_code for _ in range(3)] == [303, 303, 303]
    either.tick()
    assert len(received(either)) == 1
    assert len(either.ledger("P1")) == 1


def test_a_form_that_has_sent_sends_nothing_else(world: World) -> None:
    world.enrol_sms("P1")
    client = signed_in(world, Role.COORDINATOR)
    mark = uuid4().hex
    sent(client, once=mark)
    refused = sent(client, "Something else", once=mark)
    assert refused.status_code == 422
    assert "this form has sent a message already" in refused.text
    assert sent(client, once="short").status_code == 422
    assert len(world.ledger("P1")) == 1


def test_what_could_not_be_handed_over_goes_later_with_the_same_words(world: World) -> None:
    world.enrol_sms("P1", email="p1@patients.example", email_consent="yes")
    client = signed_in(world, Role.COORDINATOR)
    sent(client)

    def refuse(batch: Any) -> Iterator[SendResult]:
        for message in batch:
            if message is not None:
                yield SendResult(
                    attempt_id=message.attempt_id, outcome=Outcome.NOT_HANDED_OVER, code="connect", detail="no way"
                )

    delivery_of(world, Scripted(refuse)).deliver(Channel.SMS)
    world.run_until(new_york(3, 2, 15))
    (text,) = received(world)
    assert WORDS in text


def test_what_the_wrong_number_kept_from_going_goes_to_the_right_one(either: World) -> None:
    either.enrol_sms("P1", pathways="dexa")
    client = signed_in(either, Role.COORDINATOR)
    either.clock.at = new_york(3, 2, 22)
    sent(client)
    either.clock.at = new_york(3, 3, 7)
    either.receive("P1", "Wrong number")
    either.tick()
    either.tick_at(new_york(3, 3, 9, 1))
    assert not any(WORDS in one.body for one in either.app.simulated_inbox.received())
    fields = {"phone": "+1 617 253 0178"}
    assert post(client, "/patients/P1/contact", fields, page="/sign-in").status_code == 303
    either.tick_at(new_york(3, 3, 9, 2))
    mine = [one for one in either.app.simulated_inbox.received() if WORDS in one.body]
    assert [one.address for one in mine] == ["+16172530178"]
    assert "in place of a text that could not go" in words_of(client.get("/patients/P1").text)


# What does not go


def test_a_stop_between_writing_and_sending_ends_it(either: World) -> None:
    either.enrol_sms("P1")
    client = signed_in(either, Role.COORDINATOR)
    assert asked(client, "preview", words=WORDS, channel="sms").status_code == 200
    either.receive("P1", "STOP")
    either.tick()
    refused = sent(client)
    assert refused.status_code == 422
    assert "the patient has said stop" in refused.text
    assert not any(WORDS in text for text in received(either))


def test_a_stop_while_it_waits_for_the_morning_ends_it(either: World) -> None:
    either.enrol_sms("P1")
    client = signed_in(either, Role.COORDINATOR)
    either.clock.at = new_york(3, 2, 22)
    sent(client)
    either.receive("P1", "STOP")
    either.run_until(new_york(3, 3, 12))
    (row,) = [row for row in either.ledger("P1") if row.template == "from_staff"]
    assert (row.status, row.reason) == (MessageStatus.SKIPPED, SkipReason.STOPPED.value)
    page = words_of(client.get("/patients/P1").text)
    assert "It did not go: the patient said stop" in page


def test_a_text_whose_consent_went_does_not_become_a_mail(world: World) -> None:
    world.enrol_sms("P1", email="p1@patients.example", email_consent="yes")
    client = signed_in(world, Role.COORDINATOR)
    world.clock.at = new_york(3, 2, 22)
    sent(client)
    fields = {"decision": "revoked", "how": "phone", "channel": "sms"}
    assert post(client, "/patients/P1/consent", fields, page="/sign-in").status_code == 303
    world.run_until(new_york(3, 3, 9, 20))
    (row,) = [row for row in world.ledger("P1") if row.template == "from_staff"]
    assert (row.status, row.channel) == (MessageStatus.SKIPPED, Channel.SMS)
    assert all(WORDS not in one.body for one in world.app.simulated_inbox.received())


@pytest.mark.parametrize(
    ("cells", "channel", "says"),
    [
        ({"phone": "+16175550111", "sms_consent": "no"}, "sms", "has not agreed to texts"),
        ({"email": "a@patients.example", "email_consent": "yes"}, "sms", "there is no phone number on file"),
        ({"phone": "+16175550111", "sms_consent": "yes"}, "email", "there is no e-mail address on file"),
    ],
)
def test_without_consent_or_address_it_is_refused_with_the_reason(
    world: World, cells: dict[str, str], channel: str, says: str
) -> None:
    world.enrol("P1", **cells)
    refused = sent(signed_in(world, Role.COORDINATOR), channel=channel)
    assert refused.status_code == 422
    assert says in words_of(refused.text)
    assert world.ledger("P1") == []


def test_a_number_that_is_not_confirmed_gets_nothing(world: World) -> None:
    world.change_clinic(world.clinic, confirm_numbers=True)
    world.enrol_sms("P1")
    client = signed_in(world, Role.COORDINATOR)
    assert "nobody at the number has agreed yet" in client.get("/patients/P1").text
    assert sent(client).status_code == 422


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("   ", "the message is empty"),
        ("x" * 4001, "write at most 4,000"),
        ("x" * 1700, "phones take at most 1,600"),
        ("a\x07b", "characters that no phone can show"),
    ],
)
def test_words_that_cannot_go_are_refused_beside_the_field(world: World, words: str, says: str) -> None:
    world.enrol_sms("P1")
    refused = sent(signed_in(world, Role.COORDINATOR), words)
    assert refused.status_code == 422
    assert says in words_of(refused.text)
    assert 'aria-invalid="true"' in refused.text
    assert world.ledger("P1") == []


def test_words_about_a_diagnosis_are_asked_about_once_more(world: World) -> None:
    world.enrol_sms("P1")
    client = signed_in(world, Role.COORDINATOR)
    words = "Your osteoporosis result is in"
    shown = words_of(asked(client, "preview", words=words, channel="sms").text)
    assert "names a diagnosis or a condition: “osteoporosis”" in shown
    refused = sent(client, words)
    assert refused.status_code == 422
    assert world.ledger("P1") == []
    assert sent(client, words, certain="yes").status_code == 303
    world.tick()
    assert len(received(world)) == 1


@pytest.mark.parametrize(
    "words", ["<script>alert(1)</script>", "{{ 7 * 7 }}{% raise %}", "'; DROP TABLE messages; --", "\u202etxet"]
)
def test_hostile_words_go_as_typed_and_do_nothing(world: World, words: str) -> None:
    world.enrol_sms("P1")
    client = signed_in(world, Role.COORDINATOR)
    sent(client, words)
    world.tick()
    assert received(world) == [f"Harbor Clinic: {words} Reply STOP to stop."]
    page = client.get("/patients/P1").text
    assert "<script>alert" not in page
    assert words in html.unescape(page)


# Taken back, on record, sealed


def test_what_waits_can_be_taken_back(either: World) -> None:
    either.enrol_sms("P1")
    client = signed_in(either, Role.COORDINATOR)
    either.clock.at = new_york(3, 2, 22)
    sent(client)
    (row,) = either.ledger("P1")
    assert asked(client, f"{row.id}/withdraw").status_code == 303
    again = asked(client, f"{row.id}/withdraw")
    assert again.status_code == 422
    assert "does not wait any more" in again.text
    either.run_until(new_york(3, 3, 9, 20))
    assert not any(WORDS in text for text in received(either))
    assert "taken back before it went" in client.get("/patients/P1").text


def test_nobody_takes_back_a_message_of_another_clinic_or_one_that_staff_did_not_write(world: World) -> None:
    ours = world.clinic
    world.enrol_sms("P1", pathways="vitamin_d")
    world.enrol_sms("P2")
    client = signed_in(world, Role.COORDINATOR)
    world.clock.at = new_york(3, 2, 22)
    sent(client)
    (row,) = world.ledger("P1")
    assert post(client, f"/patients/P2/message/{row.id}/withdraw", {}, page="/sign-in").status_code == 422
    stranger = signed_in(world, Role.COORDINATOR, world.add_clinic("theirs"))
    assert post(stranger, f"/patients/P1/message/{row.id}/withdraw", {}, page="/sign-in").status_code == 404
    assert asked(client, "none/withdraw").status_code == 404
    (after,) = world.ledger("P1", clinic=ours)
    assert after.status is MessageStatus.PLANNED


def test_the_thread_names_who_wrote_it_and_the_audit_trail_too(world: World) -> None:
    world.enrol_sms("P1")
    client = signed_in(world, Role.COORDINATOR)
    sent(client)
    world.tick()
    me = address_of(Role.COORDINATOR, world.clinic)
    page = words_of(client.get("/patients/P1").text)
    assert f"{me} wrote it." in page
    assert "the provider took it" in page
    with world.store.reading() as unit:
        actions = [(one[1], one[2]) for one in unit.installation.audit_entries(world.clinic.id)]
    assert (me, "message written") in actions


def test_the_words_are_sealed_in_the_database(world: World) -> None:
    world.enrol_sms("P1")
    sent(signed_in(world, Role.COORDINATOR))
    with reading(world.app.engine) as connection:
        (words,) = connection.execute(select(written_messages.c.words)).scalars()
        assert connection.execute(select(messages.c.body)).scalars().all() == [None]
    assert WORDS.encode() not in words


def test_it_goes_to_the_carer_who_stands_in_for_the_patient(world: World) -> None:
    world.enrol_sms("P1", name="Ruth Adler")
    client = signed_in(world, Role.COORDINATOR)
    wish = CarerWish(
        name="Eva Lund",
        mode=CarerMode.INSTEAD,
        consented_on=MONDAY.date(),
        phone="+16175559876",
        phone_check=PhoneCheck.POSSIBLE,
    )
    by = address_of(Role.COORDINATOR, world.clinic)
    set_carer(world.store, world.rules, world.clinic, "P1", wish, by=by, now=MONDAY)
    shown = words_of(asked(client, "preview", words=WORDS, channel="sms").text)
    assert "To Eva Lund, the carer" in shown
    sent(client)
    world.tick()
    (one,) = world.app.simulated_inbox.received()
    assert one.address == "+16175559876"
    assert WORDS in one.body
    assert "R.A." in one.body


def test_a_viewer_cannot_write(world: World) -> None:
    world.enrol_sms("P1")
    client = signed_in(world, Role.VIEWER)
    assert 'name="words"' not in client.get("/patients/P1").text
    token = form_token(client.get("/").text)
    assert client.post("/patients/P1/message/send", data={"form_token": token}).status_code == 403
