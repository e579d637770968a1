"""The last look: what has changed between planning a message and sending it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import pytest

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel, PatientStatus
from scheduler.services.facts import ResultKind, add_result
from tests.support.over_twilio import DAY_1, fates, statuses, texts_by_day, world_over
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
