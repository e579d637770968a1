"""What follows a text that the carrier did not deliver, by what the error table says of the reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel, PatientStatus
from scheduler.services.receipts import FREQUENT, Receipt, Taken
from scheduler.store.engine import reading, writing
from scheduler.store.tables import audit, messages
from tests.support.attempts import DAY_1, begun, ended, entry_of, message_of, second_tries, sending
from tests.support.web import TWILIO
from tests.support.worlds import MONDAY, World, new_york, world_at

S = MessageStatus
BY_MAIL_TOO = {"email": "pat@patients.example", "email_consent": "yes", "channel": "sms"}


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path, settings=TWILIO) as world:
        yield world


def told(world: World, attempt: UUID, word: str, code: str | None = None) -> Taken:
    """Twilio reports on an attempt."""
    target, error_class = world.app.read_twilio_status(word, code)
    assert target is not None
    one = Receipt(
        attempt_id=attempt, provider_id=f"SM{attempt.hex}", target=target, code=code, error_class=error_class
    )
    return world.app.receipts.record(one, now=world.clock.at)


def sent(world: World, mrn: str = "P1", **cells: str) -> tuple[UUID, UUID]:
    """A message that Twilio has accepted; (attempt, message)."""
    attempt = sending(world, mrn, **cells)
    ended(world, attempt, S.SENT, f"SM{attempt.hex}")
    return attempt, message_of(world, attempt)


def audited(world: World) -> int:
    with reading(world.app.engine) as connection:
        return connection.execute(select(func.count()).select_from(audit)).scalar_one()


# The number will never work


def test_a_number_that_does_not_work_is_marked_and_staff_ask_for_another(world: World) -> None:
    attempt, message = sent(world)
    told(world, attempt, "undelivered", "30005")
    assert entry_of(world, message).reason == "30005"
    assert world.patient().phone_bad
    assert world.patient().status is PatientStatus.UNREACHABLE
    assert world.open_tasks() == {"check_number"}
    assert second_tries(world, message) == []


def test_the_reminder_goes_by_mail_the_same_day_where_the_patient_agreed_to_that(world: World) -> None:
    attempt, message = sent(world, **BY_MAIL_TOO)
    world.clock.at = DAY_1 + timedelta(hours=2)
    told(world, attempt, "failed", "30006")
    assert second_tries(world, message) == [("email", "planned")]
    report = world.tick_at(world.clock.at + timedelta(seconds=1))
    assert report.sent == 1
    assert second_tries(world, message) == [("email", "sent")]
    world.run_until(new_york(3, 9, 9, 0))
    assert [row.template for row in world.ledger()] == ["ask", "ask"]  # the pathway counts silence from that day


def test_after_the_window_it_goes_by_mail_the_next_day(world: World) -> None:
    attempt, message = sent(world, **BY_MAIL_TOO)
    world.clock.at = new_york(3, 3, 20, 30)
    told(world, attempt, "undelivered", "30005")
    assert second_tries(world, message) == []
    world.run_until(new_york(3, 4, 10, 0))
    assert [(row.channel, row.status, row.due_date) for row in world.ledger()] == [
        (Channel.SMS, S.UNDELIVERED, date(2026, 3, 3)),
        (Channel.EMAIL, S.SENT, date(2026, 3, 4)),
    ]


def test_a_number_that_was_corrected_meanwhile_is_not_marked_and_gets_the_reminder(world: World) -> None:
    attempt, message = sent(world)
    world.enrol("P1", phone="+16175550199", sms_consent="yes", pathways="vitamin_d")
    told(world, attempt, "undelivered", "30005")
    assert not world.patient().phone_bad
    assert world.open_tasks() == set()
    assert second_tries(world, message) == [("sms", "planned")]


# The patient said no


def test_an_opt_out_that_only_the_carrier_knew_of_is_recorded(world: World) -> None:
    attempt, message = sent(world, **BY_MAIL_TOO)
    told(world, attempt, "undelivered", "21610")
    patient = world.patient()
    assert (patient.sms_consent, patient.email_consent) == (False, True)
    assert second_tries(world, message) == []
    with world.store.reading() as unit:
        latest = unit.patients.latest_consents(world.clinic.id, [patient.id])
    assert latest[patient.id, Channel.SMS][0] is False


def test_an_opt_out_is_of_the_day_it_is_where_the_patient_lives(world: World) -> None:
    attempt, _ = sent(world)
    world.clock.at = new_york(3, 3, 21, 0)  # the next day by UTC
    told(world, attempt, "undelivered", "21610")
    patient = world.patient()
    with world.store.reading() as unit:
        latest = unit.patients.latest_consents(world.clinic.id, [patient.id])
    assert latest[patient.id, Channel.SMS] == (False, date(2026, 3, 3))


def test_an_opt_out_that_is_on_record_is_not_recorded_again(world: World) -> None:
    attempt, _ = sent(world)
    world.receive("P1", "STOP")
    before = audited(world)
    told(world, attempt, "undelivered", "21610")
    assert audited(world) == before


# It may work later


def test_a_phone_that_was_off_is_tried_once_more_after_an_hour(world: World) -> None:
    attempt, message = sent(world)
    told(world, attempt, "undelivered", "30003")
    assert entry_of(world, message).status is S.UNDELIVERED
    assert second_tries(world, message) == [("sms", "planned")]
    with world.store.reading() as unit:
        assert unit.gauges.next_ready() == DAY_1 + timedelta(hours=1)
    assert world.enrolment("vitamin_d").fired == 1
    world.clock.at = DAY_1 + timedelta(hours=1)
    second = begun(world)
    ended(world, second, S.SENT, f"SM{second.hex}")
    told(world, second, "undelivered", "30003")
    assert second_tries(world, message_of(world, second)) == []
    world.run_until(new_york(3, 9, 9, 0))
    assert len(world.ledger()) == 2  # the pathway goes on by silence, and asks again after a week


def test_a_second_try_says_how_to_stop_when_the_first_did(world: World) -> None:
    attempt, message = sent(world)
    told(world, attempt, "undelivered", "30003")
    with reading(world.app.engine) as connection:
        lines = connection.execute(select(messages.c.stop_line).order_by(messages.c.planned_at, messages.c.id))
        assert list(lines.scalars()) == [True, True]
    assert world.patient().stop_line_on == date(2026, 3, 3)
    assert message


def test_delivered_after_all_stops_the_second_try(world: World) -> None:
    attempt, message = sent(world)
    told(world, attempt, "undelivered", "30003")
    told(world, attempt, "delivered")
    assert entry_of(world, message).status is S.DELIVERED
    assert second_tries(world, message) == [("sms", "skipped")]
    world.run_until(new_york(3, 9, 9, 0))
    assert [row.status for row in world.ledger()] == [S.DELIVERED, S.SKIPPED]


def test_delivered_after_all_stops_the_second_try_of_a_second_try(world: World) -> None:
    attempt, message = sent(world, **BY_MAIL_TOO)
    told(world, attempt, "undelivered", "30003")
    world.clock.at = DAY_1 + timedelta(hours=1)
    second = begun(world)
    told(world, second, "undelivered", "30005")
    assert second_tries(world, message_of(world, second)) == [("email", "planned")]
    told(world, attempt, "delivered")
    assert second_tries(world, message_of(world, second)) == [("email", "skipped")]
    assert second_tries(world, message) == [("sms", "undelivered")]


def test_an_answer_meanwhile_makes_the_second_try_pointless(world: World) -> None:
    attempt, message = sent(world)
    world.receive("P1", "1")
    told(world, attempt, "undelivered", "30003")
    assert second_tries(world, message) == []
    assert world.enrolment("vitamin_d").step != "ask"


def test_an_answer_after_the_refusal_stops_the_second_try(world: World) -> None:
    attempt, message = sent(world)
    told(world, attempt, "undelivered", "30003")
    world.receive("P1", "1")
    assert second_tries(world, message) == [("sms", "skipped")]


def test_without_room_for_it_today_the_pathways_own_rule_decides(world: World) -> None:
    attempt, message = sent(world)
    world.clock.at = new_york(3, 3, 19, 30)
    told(world, attempt, "undelivered", "30003")
    assert second_tries(world, message) == []
    assert world.enrolment("vitamin_d").timer_on == date(2026, 3, 4)  # slides


def test_a_nudge_without_room_for_it_today_is_dropped(world: World) -> None:
    attempt, message = sent(world, pathways="exercise")
    world.clock.at = new_york(3, 3, 19, 30)
    told(world, attempt, "undelivered", "30003")
    assert second_tries(world, message) == []
    assert world.enrolment("exercise").unanswered == 0
    assert world.enrolment("exercise").timer_on == date(2026, 3, 4)


def test_a_number_that_is_often_out_of_reach_is_for_staff_to_check(world: World) -> None:
    attempt, _ = sent(world, pathways="exercise")
    with writing(world.app.engine) as connection:
        (row,) = connection.execute(select(messages)).mappings()
        for earlier in range(1, FREQUENT):
            old = {
                **row,
                "id": UUID(int=earlier),
                "due_date": date(2026, 2, earlier + 1),
                "planned_at": datetime(2026, 2, earlier + 1, 14, 30, tzinfo=UTC),
                "status": S.UNDELIVERED.value,
                "reason": "30003",
                "provider_id": None,
            }
            connection.execute(messages.insert().values(old))
    told(world, attempt, "undelivered", "30003")
    assert world.open_tasks() == {"check_number"}
    assert not world.patient().phone_bad
    assert second_tries(world, message_of(world, attempt)) == []


# Our side is wrong


def test_a_refused_sender_alarms_once_for_each_cause_and_clinic(world: World) -> None:
    for mrn in ("P1", "P2"):
        attempt, _ = sent(world, mrn)
        told(world, attempt, "undelivered", "30034")
    attempt, _ = sent(world, "P3")
    told(world, attempt, "undelivered", "30007")
    alarms = [task for task in world.tasks() if task.kind == "sender_refused"]
    assert [(task.patient, task.note) for task in alarms] == [(None, "sms: 30034"), (None, "sms: 30007")]
    assert not any(world.patient(mrn).phone_bad for mrn in ("P1", "P2", "P3"))
    assert all(row.status is S.UNDELIVERED for row in world.ledger())


# Nobody can say


@pytest.mark.parametrize("code", ["30008", "99999", None])
def test_a_reason_that_says_nothing_is_recorded_and_nothing_else(world: World, code: str | None) -> None:
    attempt, message = sent(world)
    before = world.enrolment("vitamin_d")
    told(world, attempt, "undelivered", code)
    assert (entry_of(world, message).status, entry_of(world, message).reason) == (S.UNDELIVERED, code)
    assert world.enrolment("vitamin_d") == before
    assert world.tasks() == []
    assert second_tries(world, message) == []


# Replays


@pytest.mark.parametrize("code", ["30003", "30005", "21610", "30034", "30008"])
def test_a_receipt_that_is_replayed_changes_nothing(world: World, code: str) -> None:
    attempt, message = sent(world, **BY_MAIL_TOO)
    assert told(world, attempt, "undelivered", code) is Taken.MOVED
    seen = (world.ledger(), world.tasks(), world.patient(), audited(world), second_tries(world, message))
    for word in ("undelivered", "sent", "failed", "queued", "undelivered"):
        assert told(world, attempt, word, code) is Taken.KEPT
    assert (world.ledger(), world.tasks(), world.patient(), audited(world), second_tries(world, message)) == seen


def test_a_task_that_staff_have_done_is_not_opened_again_by_a_replay(world: World) -> None:
    attempt, _ = sent(world)
    told(world, attempt, "undelivered", "30005")
    with world.store.writing() as unit:
        unit.worklist.close(world.clinic.id, [f"{world.patient().id.hex}:check_number"], now=DAY_1, by="pat")
    told(world, attempt, "undelivered", "30005")
    assert world.open_tasks() == set()


def test_a_message_is_taken_over_once_only(world: World) -> None:
    """The database itself forbids two."""
    attempt, message = sent(world)
    told(world, attempt, "undelivered", "30003")
    with writing(world.app.engine) as connection:
        connection.execute(update(messages).where(messages.c.id == message).values(status="sent"))
    with pytest.raises(Exception, match=r"(?i)unique"):
        told(world, attempt, "undelivered", "30003")
