"""Delivery against a provider that misbehaves: what the ledger says, what the patient gets, what people hear of.

Everything is real but the clock: the store, the Twilio client and a server that speaks Twilio's protocol.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel, PatientStatus
from scheduler.ports import OutboundSms, SendResult
from scheduler.services.claiming import LEASE
from tests.support.smtp_sink import SmtpSink
from tests.support.twilio_server import ACCOUNT, TOKEN, Fault, FaultKind, TwilioServer
from tests.support.worlds import MONDAY, NEW_YORK, World, new_york, world_at

DAY_1 = new_york(3, 3)  # vitamin D is asked about, at 09:30
TIMEOUT = 0.3  # seconds the provider has to answer


@pytest.fixture
def twilio() -> Iterator[TwilioServer]:
    with TwilioServer() as server:
        yield server


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path, twilio: TwilioServer) -> Iterator[World]:
    with world_over(twilio.url, database_url=sqlite_url, folder=tmp_path) as world:
        yield world


@contextmanager
def world_over(twilio_url: str, *, database_url: str, folder: Path, smtp_url: str = "") -> Iterator[World]:
    """A clinic on Monday, the day before anything is due, that texts over a server at `twilio_url`."""
    settings = {
        "BONEWISE_SMS": "twilio",
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_API_URL": twilio_url,
        "BONEWISE_PROVIDER_TIMEOUT": str(TIMEOUT),
    }
    if smtp_url:
        settings |= {"BONEWISE_EMAIL": "smtp", "BONEWISE_SMTP_URL": smtp_url}
    with world_at(MONDAY, database_url=database_url, folder=folder, settings=settings) as world:
        yield world


def statuses(world: World, mrn: str = "P1") -> list[tuple[str, str]]:
    """(pathway, status) of the patient's reminders, oldest first, without those that gave way to another."""
    return [(row.pathway, row.status.value) for row in world.ledger(mrn) if row.reason != "budget"]


def look_now_and_then(world: World, *, days: Iterable[int]) -> None:
    """Ticks at 09:30, 13:00 and 20:05 of these days of March, as retries would come to but fewer."""
    for day in days:
        for at in (new_york(3, day), new_york(3, day, 13, 0), new_york(3, day, 20, 5)):
            world.tick_at(at)


def fates(world: World, mrn: str = "P1") -> list[tuple[str, str | None]]:
    """(status, reason) of the patient's reminders, without those that gave way to another."""
    return [(row.status.value, row.reason) for row in world.ledger(mrn) if row.reason != "budget"]


def texts_by_day(world: World, mrn: str = "P1") -> dict[date, str]:
    """What was sent on which day in New York; fails when a day has two."""
    found: dict[date, str] = {}
    for row in world.ledger(mrn):
        if row.sent_at is not None:
            day = row.sent_at.astimezone(NEW_YORK).date()
            assert day not in found, f"two reminders on {day}"
            found[day] = f"{row.pathway} {row.template}"
    return found


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
    twilio.fail(fault)
    assert world.tick_at(DAY_1).unknown == 1
    row = world.ledger()[0]
    assert row.status is MessageStatus.UNKNOWN
    assert world.open_tasks() == {"delivery_unknown"}
    requests = twilio.requests
    world.run_until(new_york(3, 3, 23, 0))
    assert twilio.requests == requests
    world.run_until(new_york(3, 4, 10, 0))
    assert statuses(world) == [("vitamin_d", "unknown"), ("exercise", "sent")]  # the pathway believes that it went


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
            assert [mail.recipients for mail in sink.mails] == [("pat@patients.example",)]
            assert texts_by_day(world) == {date(2026, 3, 4): "vitamin_d ask"}


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
    assert world.tasks() == []
    world.run_until(new_york(3, 3, 10, 0))
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


# Something changed between planning and sending


@pytest.fixture
def planned(world: World, twilio: TwilioServer) -> World:
    """A patient whose text is planned and was refused for a moment, at 09:30 on the first day."""
    world.enrol_sms()
    twilio.fail(Fault(FaultKind.ANSWER, status=429))
    world.tick_at(DAY_1)
    assert world.ledger()[0].status is MessageStatus.PLANNED
    return world


def test_a_stop_voids_what_is_planned_and_only_its_confirmation_goes(planned: World, twilio: TwilioServer) -> None:
    planned.receive("P1", "STOP")
    planned.run_until(new_york(3, 20, 12, 0))
    assert planned.ledger()[0].status is MessageStatus.SKIPPED
    assert [row.template for row in planned.ledger() if row.sent_at] == ["stopped"]
    assert len(twilio.messages) == 1


def test_a_consent_withdrawn_elsewhere_is_seen_at_the_moment_of_sending(planned: World, twilio: TwilioServer) -> None:
    with planned.store.writing() as unit:
        unit.patients.set_consent(planned.clinic.id, planned.patient().id, Channel.SMS, granted=False)
    planned.run_until(new_york(3, 3, 23, 0))
    assert fates(planned) == [("skipped", "no_consent")]
    assert twilio.messages == []


@pytest.mark.parametrize("status", [PatientStatus.DECEASED, PatientStatus.DISCHARGED])
def test_nothing_goes_to_somebody_who_has_meanwhile_left(
    planned: World, twilio: TwilioServer, status: PatientStatus
) -> None:
    planned.store_patient(replace(planned.patient(), status=status))
    planned.run_until(new_york(3, 20, 12, 0))
    assert fates(planned) == [("skipped", "inactive")]
    assert twilio.messages == []


def test_a_pause_by_staff_holds_the_question_back_until_it_ends(planned: World, twilio: TwilioServer) -> None:
    paused = replace(planned.patient(), status=PatientStatus.PAUSED, paused_until=date(2026, 3, 9))
    planned.store_patient(paused)
    planned.run_until(new_york(3, 9, 9, 0))
    assert fates(planned) == [("skipped", "paused")]
    planned.run_until(new_york(3, 11, 9, 0))
    assert texts_by_day(planned) == {date(2026, 3, 9): "supplement ask", date(2026, 3, 10): "vitamin_d ask"}


def test_a_changed_number_is_the_one_that_is_texted(planned: World, twilio: TwilioServer) -> None:
    planned.enrol(phone="+16175559999", sms_consent="yes")
    planned.run_until(new_york(3, 3, 10, 0))
    assert [message.form["To"] for message in twilio.messages] == ["+16175559999"]


def test_a_window_that_now_opens_later_is_waited_for(planned: World, twilio: TwilioServer) -> None:
    planned.change_clinic(planned.clinic, window_start=time(12))
    planned.run_until(new_york(3, 3, 11, 59))
    assert twilio.messages == []
    planned.run_until(new_york(3, 3, 12, 30))
    assert texts_by_day(planned) == {date(2026, 3, 3): "vitamin_d ask"}


def test_a_window_that_has_meanwhile_closed_moves_the_question_to_the_next_day(
    planned: World, twilio: TwilioServer
) -> None:
    planned.change_clinic(planned.clinic, window_start=time(8), window_end=time(9, 30))
    planned.run_until(new_york(3, 4, 12, 0))
    assert texts_by_day(planned) == {date(2026, 3, 4): "vitamin_d ask"}


def test_a_result_that_came_in_makes_the_question_pointless(planned: World, twilio: TwilioServer) -> None:
    from scheduler.services.facts import ResultKind, add_result

    add_result(
        planned.store,
        planned.rules,
        planned.clinic,
        mrn="P1",
        kind=ResultKind.VITAMIN_D,
        taken_on=date(2026, 3, 2),
        value=None,
        unit=None,
        next_months=None,
        by="test",
        now=planned.clock.at,
    )
    planned.run_until(new_york(3, 3, 23, 0))
    assert planned.ledger()[0].reason == "superseded"
    assert twilio.messages == []


def test_a_patient_who_now_prefers_mail_gets_the_planned_reminder_there(tmp_path: Path) -> None:
    with TwilioServer() as twilio, SmtpSink() as sink:
        url = f"sqlite:///{tmp_path / 'b.db'}"
        with world_over(twilio.url, database_url=url, folder=tmp_path, smtp_url=sink.url) as world:
            world.enrol_sms()
            twilio.fail(Fault(FaultKind.ANSWER, status=429))
            world.tick_at(DAY_1)
            world.enrol(email="pat@patients.example", email_consent="yes", channel="email")
            world.run_until(new_york(3, 3, 12, 0))
            assert (len(twilio.messages), len(sink.mails)) == (0, 1)
            assert texts_by_day(world) == {date(2026, 3, 3): "vitamin_d ask"}
            world.enrol(channel="sms")
            world.run_until(new_york(3, 4, 12, 0))
            assert "STOP" in twilio.messages[0].form["Body"]  # the first text says how to stop, whatever was planned


def test_a_reminder_planned_as_mail_and_sent_as_the_first_text_says_how_to_stop(tmp_path: Path) -> None:
    with TwilioServer() as twilio, SmtpSink() as sink:
        url = f"sqlite:///{tmp_path / 'b.db'}"
        with world_over(twilio.url, database_url=url, folder=tmp_path, smtp_url=sink.url) as world:
            patient = world.enrol_email("P1")
            sink.reply_to(str(patient.email), "451 4.3.0 later")
            world.tick_at(DAY_1)
            assert world.ledger()[0].status is MessageStatus.PLANNED
            world.enrol(phone="+16175559999", sms_consent="yes", channel="sms")
            world.run_until(new_york(3, 3, 12, 0))
            assert "STOP" in twilio.messages[0].form["Body"]
            world.run_until(new_york(3, 4, 12, 0))
            assert "STOP" not in twilio.messages[1].form["Body"]


def test_a_message_whose_template_has_gone_does_not_hold_up_the_others(
    world: World, twilio: TwilioServer, caplog: pytest.LogCaptureFixture
) -> None:
    world.enrol_sms("P1")
    world.enrol_sms("P2", pathways="exercise")
    renderer = world.app.composer._renderer
    real = renderer.sms

    def without_vitamin_d(pathway: str, *rest: object, **more: object) -> object:
        if pathway == "vitamin_d":
            raise LookupError("no template vitamin_d/ask")
        return real(pathway, *rest, **more)  # type: ignore[arg-type]

    renderer.sms = without_vitamin_d  # type: ignore[method-assign, assignment]
    report = world.tick_at(DAY_1)
    assert (report.sent, report.skipped) == (1, 1 + 1)  # beside P1's exercise, which gave way
    assert [message.form["To"] for message in twilio.messages] == [world.patient("P2").phone]
    assert ("vitamin_d", "skipped") in statuses(world)


# A worker dies


class DyingSms:
    """Takes the first so many texts, then the process is gone."""

    def __init__(self, *, after: int) -> None:
        self.taken: list[OutboundSms] = []
        self._after = after

    def send(self, batch: Iterable[OutboundSms]) -> Iterator[SendResult]:
        for message in batch:
            self.taken.append(message)
            if len(self.taken) > self._after:
                raise KeyboardInterrupt
            from scheduler.ports import Outcome

            yield SendResult(attempt_id=message.attempt_id, outcome=Outcome.ACCEPTED, provider_id=f"ID{message.to}")

    def close(self) -> None:
        """Nothing is held open."""


def die_at(world: World, at: datetime, *, after: int) -> DyingSms:
    """A tick whose process dies after the provider took `after` texts and got one more."""
    dying = DyingSms(after=after)
    world.app.delivery._sms = dying
    world.clock.at = at
    with pytest.raises(KeyboardInterrupt):
        world.tick()
    return dying


def test_what_the_provider_answered_before_a_worker_died_is_recorded(database_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        for number in range(4):
            world.enrol_sms(f"P{number}")
        die_at(world, DAY_1, after=2)
        found = sorted(row.status.value for row in world.ledger() if row.reason != "budget")
        assert found == ["sending", "sending", "sent", "sent"]


def test_nobody_touches_what_a_worker_holds_before_its_lease_has_run_out(database_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world, TwilioServer() as twilio:
        world.enrol_sms()
        die_at(world, DAY_1, after=0)
        other = world.second_process()
        other.clock.at = DAY_1 + LEASE - timedelta(seconds=1)
        assert other.tick().rescued == 0
        assert world.ledger()[0].status is MessageStatus.SENDING
        assert twilio.messages == []


def test_what_a_dead_worker_left_is_unknown_and_never_sent_again(database_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        world.enrol_sms()
        dying = die_at(world, DAY_1, after=0)
        other = world.second_process()
        other.clock.at = DAY_1 + LEASE
        assert other.tick().rescued == 1
        other.run_until(new_york(3, 3, 23, 0))
        row = world.ledger()[0]
        assert (row.status, row.reason, row.attempts) == (MessageStatus.UNKNOWN, "interrupted", 1)
        assert world.open_tasks() == {"delivery_unknown"}
        assert len(dying.taken) == 1
        other.app.close()


def test_a_worker_thought_dead_that_still_gets_its_answer_has_it_recorded(tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=f"sqlite:///{tmp_path / 'b.db'}", folder=tmp_path) as world:
        world.enrol_sms()
        other = world.second_process()

        class SlowSms(DyingSms):
            def send(self, batch: Iterable[OutboundSms]) -> Iterator[SendResult]:
                for result in super().send(batch):
                    world.clock.at = DAY_1 + LEASE + timedelta(seconds=1)
                    assert other.app.delivery.rescue() == 1
                    yield result

        world.app.delivery._sms = SlowSms(after=9)
        world.clock.at = DAY_1
        world.tick()
        row = world.ledger()[0]
        assert (row.status, row.provider_id) == (MessageStatus.SENT, f"ID{world.patient().phone}")
        other.app.close()
