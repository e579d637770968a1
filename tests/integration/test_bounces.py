"""Mail that comes back: what the ledger says of it, what staff hear, what the patient gets; what is not believed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from scheduler.domain.messages import MessageStatus
from scheduler.domain.people import Channel
from scheduler.records import LedgerEntry
from scheduler.services.letters.verdicts import Handled, Verdict
from scheduler.store.engine import reading
from scheduler.store.tables import attempts
from tests.support import bounce_mails as mails
from tests.support.bounce_mails import dsn, recipient_fields
from tests.support.smtp_sink import Break, SmtpSink
from tests.support.worlds import MONDAY, World, new_york, world_at

DAY_1 = new_york(3, 3)
FULL = recipient_fields(status="4.2.2", diagnostic="smtp; 452 4.2.2 mailbox full")
POLICY = recipient_fields(status="5.7.1", diagnostic="smtp; 550 5.7.1 no SPF record")


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as running:
        yield running


@pytest.fixture
def world(database_url: str, tmp_path: Path, sink: SmtpSink) -> Iterator[World]:
    """A clinic that mails over a real server."""
    settings = {"BONEWISE_EMAIL": "smtp", "BONEWISE_SMTP_URL": sink.url}
    with world_at(MONDAY, database_url=database_url, folder=tmp_path, settings=settings) as made:
        yield made


@pytest.fixture
def sent(world: World) -> LedgerEntry:
    """A reminder that went to patient E1 by e-mail on Tuesday morning."""
    world.enrol_email()
    return send(world)


def send(world: World, at: datetime = DAY_1, mrn: str = "E1") -> LedgerEntry:
    world.tick_at(at)
    (row,) = [row for row in world.ledger(mrn) if row.sent_at == at]
    assert row.status is MessageStatus.SENT
    return row


def message_id(row: LedgerEntry) -> str:
    assert row.provider_id is not None
    return row.provider_id


def take(world: World, raw: bytes, *, after: timedelta = timedelta(minutes=5)) -> Handled:
    world.clock.at += after
    return world.app.mail_in.take(raw)


def statuses(world: World) -> list[tuple[str, str, str | None]]:
    return [(row.channel.value, row.status.value, row.reason) for row in world.ledger() if row.reason != "budget"]


def snapshot(world: World) -> object:
    """Everything that a bounce could change."""
    patient = world.patient("E1")
    with world.store.reading() as unit:
        consents = unit.patients.latest_consents(patient.clinic_id, [patient.id])
    return patient, world.ledger(), world.tasks(), consents, world.enrolment("vitamin_d", "E1")


# It failed


def test_an_address_that_does_not_exist_is_marked_and_staff_are_asked_for_another(
    world: World, sent: LedgerEntry
) -> None:
    handled = take(world, dsn(message_id(sent)))
    assert handled.verdict is Verdict.UNDELIVERED
    assert statuses(world) == [("email", "undelivered", "550 5.1.1")]
    assert world.patient("E1").email_bad
    assert "check_number" in world.open_tasks("E1")
    world.run_until(new_york(3, 12))
    assert [row.status.value for row in world.ledger()].count("sent") == 0


def test_where_there_is_a_number_the_reminder_goes_by_text(world: World) -> None:
    world.enrol_email(phone="+16175550123", sms_consent="yes", channel="email")
    sent = send(world)
    take(world, dsn(message_id(sent)))
    world.run_until(new_york(3, 3, 20, 0))
    assert [(channel, status) for channel, status, _ in statuses(world)] == [
        ("email", "undelivered"),
        ("sms", "sent"),
    ]


def test_a_full_mailbox_leaves_the_address_as_it_was(world: World, sent: LedgerEntry) -> None:
    handled = take(world, dsn(message_id(sent), FULL))
    assert handled.verdict is Verdict.UNDELIVERED
    assert statuses(world)[0] == ("email", "undelivered", "452 4.2.2")
    assert not world.patient("E1").email_bad
    assert world.open_tasks("E1") == set()


def test_a_refusal_of_our_sender_is_not_the_address_fault(
    world: World, sent: LedgerEntry, caplog: pytest.LogCaptureFixture
) -> None:
    handled = take(world, dsn(message_id(sent), POLICY))
    assert statuses(world)[0] == ("email", "undelivered", "550 5.7.1")
    assert not world.patient("E1").email_bad
    assert "check_number" not in world.open_tasks("E1")
    assert "DNS" in handled.said
    assert "550 5.7.1" in caplog.text
    assert "patients.example" not in caplog.text


def test_a_bare_550_is_no_such_mailbox_unless_it_came_after_the_mail(world: World) -> None:
    fields = recipient_fields(status="5.0.0", diagnostic="smtp; 550 no")
    world.enrol_email()
    take(world, dsn(message_id(send(world)), fields, text="mx said: 550 no (in reply to end of DATA command)"))
    assert not world.patient("E1").email_bad
    world.enrol_email("E2")
    sent = send(world, new_york(3, 4), "E2")
    take(world, dsn(message_id(sent), fields.replace("e1@", "e2@")))
    assert world.patient("E2").email_bad


@pytest.mark.parametrize("make", [mails.qmail, mails.exim])
def test_a_bounce_from_before_the_standard_counts_as_well(world: World, sent: LedgerEntry, make: object) -> None:
    assert callable(make)
    assert take(world, make(message_id(sent))).verdict is Verdict.UNDELIVERED
    assert world.patient("E1").email_bad


def test_an_address_that_was_corrected_meanwhile_is_not_marked(world: World, sent: LedgerEntry) -> None:
    world.enrol("E1", email="new@patients.example", email_consent="yes")
    assert take(world, dsn(message_id(sent))).verdict is Verdict.UNDELIVERED
    assert not world.patient("E1").email_bad
    assert "check_number" not in world.open_tasks("E1")


def test_a_mail_of_which_nobody_knew_whether_it_went_is_settled_by_its_bounce(world: World, sink: SmtpSink) -> None:
    world.enrol_email()
    sink.break_off(Break.AFTER_DOT)
    world.tick_at(DAY_1)
    assert statuses(world) == [("email", "unknown", "answer_lost")]
    assert "delivery_unknown" in world.open_tasks("E1")
    (kept,) = sink.mails
    handled = take(world, dsn(str(kept.message["Message-ID"])))
    assert handled.verdict is Verdict.UNDELIVERED
    assert statuses(world)[0] == ("email", "undelivered", "550 5.1.1")
    assert "delivery_unknown" not in world.open_tasks("E1")


# Again, late, and nothing lost


@pytest.mark.parametrize("group", [recipient_fields(), FULL, POLICY], ids=["bad", "full", "policy"])
def test_the_same_bounce_again_changes_nothing(world: World, sent: LedgerEntry, group: str) -> None:
    raw = dsn(message_id(sent), group)
    take(world, raw)
    before = snapshot(world)
    assert take(world, raw).verdict is Verdict.REPEATED
    assert snapshot(world) == before


def test_a_bounce_that_comes_again_after_the_address_was_corrected_does_not_mark_it(
    world: World, sent: LedgerEntry
) -> None:
    raw = dsn(message_id(sent))
    take(world, raw)
    world.enrol("E1", email="new@patients.example", email_consent="yes")
    assert not world.patient("E1").email_bad
    assert take(world, raw).verdict is Verdict.REPEATED
    assert not world.patient("E1").email_bad


def test_of_two_processes_that_read_the_same_bounce_one_takes_it_in(world: World, sent: LedgerEntry) -> None:
    raw = dsn(message_id(sent))
    other = world.second_process()
    try:
        with ThreadPoolExecutor(2) as both:
            verdicts = list(both.map(lambda one: one.app.mail_in.take(raw).verdict, (world, other)))
    finally:
        other.app.close()
    assert sorted(verdicts) == [Verdict.REPEATED, Verdict.UNDELIVERED]
    assert [task.kind for task in world.tasks("E1")].count("check_number") == 1


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_nothing_follows_while_nothing_is_lost(world: World, sent: LedgerEntry, action: str) -> None:
    before = snapshot(world)
    raw = dsn(message_id(sent), recipient_fields(action=action, status="4.4.1"))
    assert take(world, raw).verdict is Verdict.HARMLESS
    assert snapshot(world) == before


def test_a_delay_and_then_the_end_is_the_end(world: World, sent: LedgerEntry) -> None:
    take(world, dsn(message_id(sent), recipient_fields(action="delayed", status="4.4.1")))
    take(world, dsn(message_id(sent), recipient_fields(status="4.4.7", diagnostic="")), after=timedelta(days=5))
    assert statuses(world)[0] == ("email", "undelivered", "4.4.7")


# What is not believed


def test_a_forged_bounce_changes_nothing(world: World, sent: LedgerEntry) -> None:
    before = snapshot(world)
    real = message_id(sent)
    forged = [
        dsn(f"<{uuid4().hex}@harbor.example>"),  # no such attempt
        dsn("<1234@harbor.example>"),
        dsn("", returned=""),
        dsn(real, recipient_fields(to="somebody@else.example")),  # another address
        dsn(real, recipient_fields(to="", original="rfc822; somebody@else.example")),
        mails.qmail(real, to="somebody@else.example"),
        mails.exim(real, to="somebody@else.example"),
        mails.complaint(real, to="somebody@else.example"),
        mails.complaint(f"<{uuid4().hex}@harbor.example>"),
    ]
    for raw in forged:
        handled = take(world, raw)
        assert handled.verdict is Verdict.FOREIGN, handled
        assert "patients.example" not in handled.said
    assert snapshot(world) == before


def test_a_notification_that_names_several_of_our_mails_is_about_none(world: World, sent: LedgerEntry) -> None:
    other = send(world, new_york(3, 5))
    text = f"Not delivered.\n\nMessage-ID: {message_id(sent)}\nMessage-ID: {message_id(other)}\n"
    before = snapshot(world)
    assert take(world, dsn("", returned="", text=text)).verdict is Verdict.FOREIGN
    assert snapshot(world) == before


def test_a_bounce_says_nothing_about_a_text(database_url: str, tmp_path: Path) -> None:
    with world_at(MONDAY, database_url=database_url, folder=tmp_path) as world:
        world.enrol_sms("E1")
        world.tick_at(DAY_1)
        with reading(world.app.engine) as connection:
            attempt = connection.scalar(select(attempts.c.id).where(attempts.c.channel == Channel.SMS.value))
        assert attempt is not None
        before = world.ledger(), world.tasks()
        raw = dsn(f"<{attempt.hex}@harbor.example>", recipient_fields(to=""))
        assert take(world, raw).verdict is Verdict.FOREIGN
        assert (world.ledger(), world.tasks()) == before


@pytest.mark.parametrize(
    ("make", "verdict"),
    [
        (mails.holiday_notice, Verdict.AUTOMATIC),
        (lambda found: mails.complaint(found, kind="not-spam"), Verdict.AUTOMATIC),
        (lambda _: b"", Verdict.UNCLEAR),
        (lambda _: b"\xff\x00" * 100, Verdict.UNCLEAR),
        (lambda found: mails.plain(f"Lost.\n\nMessage-ID: {found}\n"), Verdict.UNCLEAR),
    ],
    ids=["holiday", "feedback", "empty", "bytes", "no code"],
)
def test_other_mail_changes_nothing_and_is_not_answered(
    world: World, sent: LedgerEntry, sink: SmtpSink, make: object, verdict: Verdict
) -> None:
    assert callable(make)
    before = snapshot(world)
    assert take(world, make(message_id(sent))).verdict is verdict
    assert snapshot(world) == before
    assert len(sink.mails) == 1


# Complaints


def test_a_complaint_takes_consent_to_email_back(world: World, sent: LedgerEntry) -> None:
    handled = take(world, mails.complaint(message_id(sent), to=""))
    assert handled.verdict is Verdict.COMPLAINT
    assert not world.patient("E1").email_consent
    assert statuses(world) == [("email", "sent", None)]
    world.run_until(new_york(3, 12))
    assert [row.status.value for row in world.ledger()].count("sent") == 1


def test_the_same_complaint_again_changes_nothing(world: World, sent: LedgerEntry) -> None:
    raw = mails.complaint(message_id(sent))
    take(world, raw)
    before = snapshot(world)
    assert take(world, raw).verdict is Verdict.REPEATED
    assert snapshot(world) == before


def test_a_complaint_from_before_fresh_consent_does_not_undo_it(world: World, sent: LedgerEntry) -> None:
    raw = mails.complaint(message_id(sent))
    take(world, raw)
    world.clock.at += timedelta(days=2)
    world.enrol("E1", email="e1@patients.example", email_consent="yes", consent_date="2026-03-05")
    assert world.patient("E1").email_consent
    assert take(world, raw).verdict is Verdict.REPEATED
    assert world.patient("E1").email_consent
