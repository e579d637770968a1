"""Delivery against a provider that misbehaves: what the ledger says, what the patient gets, what people hear of.

Everything is real but the clock: the store, the Twilio client and a server that speaks Twilio's protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel, PatientStatus
from tests.support.over_twilio import DAY_1, look_now_and_then, statuses, texts_by_day, world_over
from tests.support.smtp_sink import SmtpSink
from tests.support.twilio_server import Fault, FaultKind, TwilioServer
from tests.support.worlds import World, new_york


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    with TwilioServer() as server:
        yield server


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path, twilio: TwilioServer) -> Iterator[World]:
    with world_over(twilio.url, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


# It goes


def test_an_accepted_message_has_its_provider_id_its_time_and_its_words(world: World, twilio: TwilioServer) -> None:
    patient = world.enrol_sms()
    report = world.tick_at(DAY_1)
    assert (report.planned, report.sent) == (1, 1)
    row = world.ledger()[0]
    assert row.status is MessageStatus.SENT
    assert row.provider_id == twilio.messages[0].sid
    assert row.sent_at == DAY_1
    assert row.body == twilio.messages[0].form["Body"]
    assert twilio.messages[0].form["To"] == patient.phone


def test_the_provider_may_keep_a_text_only_until_the_window_closes(world: World, twilio: TwilioServer) -> None:
    world.enrol_sms(contact_time="18:00")
    world.tick_at(new_york(3, 3, 18, 0))
    assert twilio.messages[0].form["ValidityPeriod"] == str(2 * 3600)


# The provider is down


def test_a_provider_that_is_back_the_same_day_gets_the_text_inside_the_window(
    database_url: str, tmp_path: Path
) -> None:
    with TwilioServer() as soon_down:
        port, url = soon_down.port, soon_down.url
    with world_over(url, database_url=database_url, folder=tmp_path) as world:
        world.enrol_sms()
        world.run_until(new_york(3, 3, 10, 30))
        world.tick_at(new_york(3, 3, 15, 0))
        waiting = world.ledger()[0]
        assert waiting.status is MessageStatus.PLANNED
        assert waiting.attempts > 5
        with TwilioServer(port=port) as twilio:
            world.run_until(new_york(3, 3, 20, 0))
            assert len(twilio.messages) == 1
        sent = world.ledger()[0]
        assert sent.status is MessageStatus.SENT
        assert sent.sent_at is not None
        assert new_york(3, 3, 15, 0) <= sent.sent_at <= new_york(3, 3, 15, 16)  # tried every quarter of an hour


def test_a_question_that_missed_its_day_goes_the_next_and_silence_counts_from_there(tmp_path: Path) -> None:
    with TwilioServer() as soon_down:
        port, url = soon_down.port, soon_down.url
    with world_over(url, database_url=f"sqlite:///{tmp_path / 'b.db'}", folder=tmp_path) as world:
        world.enrol_sms()
        look_now_and_then(world, days=[3])
        assert statuses(world) == [("vitamin_d", "expired")]
        with TwilioServer(port=port):
            world.run_until(new_york(3, 12, 9, 0))
        sent = texts_by_day(world)
        assert sent[date(2026, 3, 4)] == "vitamin_d ask"
        assert sent[date(2026, 3, 5)] == "dexa ask"
        assert sent[date(2026, 3, 10)] == "exercise activity"  # a week after the day that it missed: nothing
        assert sent[date(2026, 3, 11)] == "vitamin_d again"


def test_a_nudge_that_missed_its_day_is_gone_and_does_not_count_as_unanswered(tmp_path: Path) -> None:
    with TwilioServer() as soon_down:
        port, url = soon_down.port, soon_down.url
    with world_over(url, database_url=f"sqlite:///{tmp_path / 'b.db'}", folder=tmp_path) as world:
        world.enrol_sms(pathways="exercise")
        look_now_and_then(world, days=[3])
        assert statuses(world) == [("exercise", "expired")]
        assert world.enrolment("exercise").unanswered == 0
        with TwilioServer(port=port) as twilio:
            world.run_until(new_york(3, 4, 23, 0))
            assert len(twilio.messages) == 1
        assert texts_by_day(world) == {date(2026, 3, 4): "exercise activity"}


def test_after_days_without_a_provider_there_is_still_one_text_a_day(tmp_path: Path) -> None:
    with TwilioServer() as soon_down:
        port, url = soon_down.port, soon_down.url
    with world_over(url, database_url=f"sqlite:///{tmp_path / 'b.db'}", folder=tmp_path) as world:
        world.enrol_sms()
        look_now_and_then(world, days=[3, 4, 5, 6])
        world.tick_at(new_york(3, 7))  # Saturday, day 5
        with TwilioServer(port=port) as twilio:
            world.run_until(new_york(3, 11, 12, 0))
            assert len(twilio.messages) == 5
        assert texts_by_day(world) == {
            date(2026, 3, 7): "supplement ask",  # planned for its own day, in the order of priority from then on
            date(2026, 3, 8): "vitamin_d ask",
            date(2026, 3, 9): "dexa ask",
            date(2026, 3, 10): "exercise activity",
            date(2026, 3, 11): "exercise activity",
        }


# The service itself was down


def test_a_service_that_comes_back_days_later_sends_one_text_and_says_what_was_too_late(
    world: World, twilio: TwilioServer
) -> None:
    world.enrol_sms()
    report = world.tick_at(new_york(3, 6, 11, 0))  # day 4; vitamin D was due on day 1, dexa on day 3
    assert (report.sent, len(twilio.messages)) == (1, 1)
    assert texts_by_day(world) == {date(2026, 3, 6): "vitamin_d ask"}
    late = {(row.pathway, row.due_date.day) for row in world.ledger() if row.reason == "too_late"}
    assert {("vitamin_d", 3), ("dexa", 5)} <= late
    assert {("exercise", day) for day in (3, 4, 5)} <= late
    world.run_until(new_york(3, 9, 12, 0))
    assert list(texts_by_day(world).values())[1:] == ["supplement ask", "dexa ask", "exercise activity"]


def test_a_service_that_comes_back_at_night_sends_nothing_before_the_morning(
    world: World, twilio: TwilioServer
) -> None:
    world.enrol_sms()
    world.tick_at(new_york(3, 3, 22, 0))
    world.run_until(new_york(3, 4, 9, 29))
    assert twilio.messages == []
    world.run_until(new_york(3, 4, 9, 31))
    assert texts_by_day(world) == {date(2026, 3, 4): "vitamin_d ask"}


# The provider says something else


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.ANSWER, status=500),
        Fault(FaultKind.ANSWER, status=503, body="<html>down</html>"),
        Fault(FaultKind.HANG),
        Fault(FaultKind.CLOSE),
        Fault(FaultKind.CUT),
        Fault(FaultKind.GARBAGE),
        Fault(FaultKind.DROP),
    ],
    ids=lambda fault: f"{fault.kind.value}{fault.status if fault.kind is FaultKind.ANSWER else ''}",
)
def test_without_a_readable_answer_a_text_is_unknown_and_never_sent_again(
    world: World, twilio: TwilioServer, fault: Fault
) -> None:
    world.enrol_sms()
    twilio.clock = lambda: world.clock.now().timestamp()
    twilio.fail(fault)
    assert world.tick_at(DAY_1).unknown == 1
    assert world.ledger()[0].status is MessageStatus.UNKNOWN
    assert world.open_tasks() == set()
    posts = twilio.posts
    world.run_until(new_york(3, 3, 23, 0))
    assert twilio.posts == posts
    taken = len(twilio.messages)
    settled = ("vitamin_d", "sent" if taken else "not_sent")
    assert statuses(world)[0] == settled  # by the provider's own list
    world.run_until(new_york(3, 4, 10, 0))
    assert len(twilio.messages) == taken + 1


def test_a_number_that_does_not_exist_is_never_tried_again_and_staff_ask_for_another(
    world: World, twilio: TwilioServer
) -> None:
    world.enrol_sms()
    twilio.fail(Fault(FaultKind.ANSWER, status=400, code=21211))
    assert world.tick_at(DAY_1).failed == 1
    patient = world.patient()
    assert patient.phone_bad
    assert patient.status is PatientStatus.UNREACHABLE
    assert world.ledger()[0].reason == "21211"
    assert world.open_tasks() == {"check_number"}
    requests = twilio.requests
    world.run_until(new_york(3, 20, 10, 0))
    assert twilio.requests == requests


def test_a_new_number_brings_an_unreachable_patient_back(world: World, twilio: TwilioServer) -> None:
    world.enrol_sms()
    twilio.fail(Fault(FaultKind.ANSWER, status=400, code=21211))
    world.tick_at(DAY_1)
    world.clock.at = new_york(3, 5, 12, 0)
    world.enrol(phone="+16175559999", sms_consent="yes")
    world.run_until(new_york(3, 6, 12, 0))
    assert world.patient().status is PatientStatus.ACTIVE
    assert [message.form["To"] for message in twilio.messages] == ["+16175559999"]
    assert texts_by_day(world) == {date(2026, 3, 6): "vitamin_d ask"}


def test_a_bad_number_beside_an_agreed_mailbox_moves_the_reminder_to_mail(tmp_path: Path) -> None:
    with TwilioServer() as twilio, SmtpSink() as sink:
        url = f"sqlite:///{tmp_path / 'b.db'}"
        with world_over(twilio.url, database_url=url, folder=tmp_path, smtp_url=sink.url) as world:
            world.enrol_sms(email="pat@patients.example", email_consent="yes", channel="sms")
            twilio.fail(Fault(FaultKind.ANSWER, status=400, code=21614))
            world.tick_at(DAY_1)
            assert world.patient().status is PatientStatus.ACTIVE
            world.run_until(new_york(3, 4, 10, 0))
            assert [mail.recipients for mail in sink.mails] == [("pat@patients.example",), ("pat@patients.example",)]
            assert texts_by_day(world) == {date(2026, 3, 3): "vitamin_d ask", date(2026, 3, 4): "exercise activity"}


def test_a_mailbox_that_does_not_exist_is_never_tried_again(tmp_path: Path) -> None:
    with SmtpSink() as sink:
        url = f"sqlite:///{tmp_path / 'b.db'}"
        with world_over("http://127.0.0.1:9", database_url=url, folder=tmp_path, smtp_url=sink.url) as world:
            patient = world.enrol_email("P1")
            sink.reply_to(str(patient.email), "550 5.1.1 no such user")
            assert world.tick_at(DAY_1).failed == 1
            assert world.patient().email_bad
            assert world.patient().status is PatientStatus.UNREACHABLE
            assert world.open_tasks() == {"check_number"}


def test_an_opt_out_that_the_provider_holds_is_recorded_as_the_patients_own(
    world: World, twilio: TwilioServer
) -> None:
    patient = world.enrol_sms()
    twilio.fail(Fault(FaultKind.ANSWER, status=400, code=21610))
    world.tick_at(DAY_1)
    after = world.patient()
    assert not after.sms_consent
    assert after.status is PatientStatus.STOPPED
    with world.store.reading() as unit:
        latest = unit.patients.latest_consents(world.clinic.id, [patient.id])
    assert latest[patient.id, Channel.SMS] == (False, date(2026, 3, 3))
    requests = twilio.requests
    world.run_until(new_york(3, 10, 10, 0))
    assert twilio.requests == requests


def test_refused_credentials_keep_texts_planned_until_they_are_mended(
    world: World, twilio: TwilioServer, caplog: pytest.LogCaptureFixture
) -> None:
    world.enrol_sms()
    twilio.fail(Fault(FaultKind.ANSWER, status=401, code=20003), times=3)
    report = world.tick_at(DAY_1)
    assert (report.failed, report.retried) == (0, 1)
    assert "20003" in caplog.text
    assert not world.patient().phone_bad
    assert world.open_tasks() == {"sender_refused"}
    world.run_until(new_york(3, 3, 10, 0))
    assert world.open_tasks() == set()
    assert world.ledger()[0].status is MessageStatus.SENT
    assert len(twilio.messages) == 1


def test_too_many_requests_are_tried_again_a_little_later(world: World, twilio: TwilioServer) -> None:
    world.enrol_sms()
    twilio.fail(Fault(FaultKind.ANSWER, status=429, code=20429, retry_after="1"), times=2)
    world.run_until(new_york(3, 3, 9, 40))
    assert world.ledger()[0].status is MessageStatus.SENT
    assert (world.ledger()[0].attempts, len(twilio.messages)) == (3, 1)


def test_a_code_that_nobody_has_heard_of_fails_one_text_and_stops_nothing(world: World, twilio: TwilioServer) -> None:
    world.enrol_sms("P1")
    world.enrol_sms("P2")
    twilio.fail(Fault(FaultKind.ANSWER, status=400, code=99_999), to=str(world.patient("P1").phone))
    report = world.tick_at(DAY_1)
    assert (report.failed, report.sent) == (1, 1)
    assert world.ledger("P1")[0].reason == "99999"
    assert not world.patient("P1").phone_bad
    assert texts_by_day(world, "P2") == {date(2026, 3, 3): "vitamin_d ask"}
