"""Mail to a clinic's own people: handed over once, whatever the mail server answers or does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.domain.staff_mail import StaffMailKind, StaffMailStatus
from scheduler.ports import ErrorClass, OutboundEmail, Outcome, Scope, SendResult
from scheduler.services.counting import count_stale
from scheduler.services.office_findings import LOOKS_BACK, office_findings
from scheduler.services.staff_mail import LEASE, MailsDelivered
from tests.support.fake_email import Answer, FakeEmail, accepted
from tests.support.office import DUTY, TEAM, URL, beside, change, deliver, mails, open_tasks, plan
from tests.support.worlds import MONDAY, World, new_york, world_at


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """Monday, 13:00; the digest goes at 08:00."""
    with world_at(MONDAY, database_url=database_url, folder=tmp_path, settings={"BONEWISE_PUBLIC_URL": URL}) as made:
        change(made, digest_to=TEAM, duty_email=DUTY)
        yield made


def status(world: World) -> StaffMailStatus:
    (one,) = mails(world)
    return one.status


def answer(outcome: Outcome, error_class: ErrorClass | None = None, scope: Scope = Scope.MESSAGE) -> Answer:
    def result(mail: OutboundEmail) -> SendResult:
        return SendResult(
            attempt_id=mail.attempt_id, outcome=outcome, code="550", error_class=error_class, scope=scope
        )

    return result


def crash(mail: OutboundEmail) -> None:
    """The process ends before the mail server has answered."""


def test_of_one_cause_one_mail_is_planned_whatever_became_of_it(world: World) -> None:
    assert plan(world, StaffMailKind.SAFETY)
    assert not plan(world, StaffMailKind.SAFETY)
    email = FakeEmail()
    deliver(world, email)
    assert not plan(world, StaffMailKind.SAFETY)
    deliver(world, email)
    assert len(email.taken) == 1


def test_a_mail_goes_from_the_clinics_address_with_links_that_can_be_followed(world: World) -> None:
    plan(world, StaffMailKind.SAFETY)
    email = FakeEmail()
    assert deliver(world, email) == MailsDelivered(sent=1)
    (mail,) = email.taken
    assert (mail.to, mail.subject, mail.sender_address) == (DUTY, "Look", "care@harbor.example")
    assert (mail.unsubscribe_url, mail.is_reply) == ("", False)
    assert f'<a href="{URL}/tasks?a=1&amp;b=2">' in mail.html


def test_an_alert_goes_before_a_digest(world: World) -> None:
    plan(world, StaffMailKind.DIGEST, "first", to=TEAM)
    plan(world, StaffMailKind.SAFETY, "second")
    email = FakeEmail()
    deliver(world, email)
    assert [mail.to for mail in email.taken] == [DUTY, TEAM]


def test_an_attempt_is_on_record_before_the_mail_server_is_called(world: World) -> None:
    plan(world, StaffMailKind.SAFETY)
    seen: list[tuple[StaffMailStatus, int]] = []

    def look(mail: OutboundEmail) -> SendResult:
        seen.extend((one.status, one.attempts) for one in mails(world))
        return accepted(mail)

    deliver(world, FakeEmail(look))
    assert seen == [(StaffMailStatus.SENDING, 1)]


def test_a_mail_that_was_not_handed_over_is_tried_again_later_and_later(world: World) -> None:
    plan(world, StaffMailKind.SAFETY)
    email = FakeEmail(answer(Outcome.NOT_HANDED_OVER, ErrorClass.TRANSIENT))
    waits = []
    for _ in range(8):
        deliver(world, email)
        with world.store.reading() as unit:
            ready = unit.staff_mail.next_ready()
        assert ready is not None
        waits.append((ready - world.clock.at) // timedelta(minutes=1))
        assert deliver(world, email) == MailsDelivered()  # not before
        world.clock.at = ready
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
    assert deliver(world, FakeEmail()) == MailsDelivered(sent=1)


@pytest.mark.parametrize(
    ("error_class", "scope", "becomes"),
    [
        (ErrorClass.TRANSIENT, Scope.MESSAGE, StaffMailStatus.PLANNED),
        (ErrorClass.CONFIGURATION, Scope.ACCOUNT, StaffMailStatus.PLANNED),
        (ErrorClass.CONFIGURATION, Scope.SENDER, StaffMailStatus.PLANNED),
        (ErrorClass.CONFIGURATION, Scope.MESSAGE, StaffMailStatus.FAILED),
        (ErrorClass.PERMANENT, Scope.MESSAGE, StaffMailStatus.FAILED),
        (ErrorClass.STOPPED, Scope.MESSAGE, StaffMailStatus.FAILED),
    ],
)
def test_a_refusal_that_may_pass_is_waited_out_and_another_is_final(
    world: World, error_class: ErrorClass, scope: Scope, becomes: StaffMailStatus
) -> None:
    plan(world, StaffMailKind.SAFETY)
    deliver(world, FakeEmail(answer(Outcome.REFUSED, error_class, scope)))
    assert status(world) is becomes


@pytest.mark.parametrize("lost", [answer(Outcome.UNKNOWN, ErrorClass.AMBIGUOUS), crash])
def test_an_alert_of_unknown_fate_is_never_sent_again(world: World, lost: Answer) -> None:
    plan(world, StaffMailKind.SAFETY)
    email = FakeEmail(lost, accepted)
    for _ in range(4):
        deliver(world, email)
        world.clock.at += LEASE
    assert len(email.taken) == 1
    assert status(world) is StaffMailStatus.UNKNOWN


@pytest.mark.parametrize("lost", [answer(Outcome.UNKNOWN, ErrorClass.AMBIGUOUS), crash])
def test_a_digest_of_unknown_fate_is_sent_once_more_and_never_again(world: World, lost: Answer) -> None:
    plan(world, StaffMailKind.DIGEST)
    email = FakeEmail(lost)
    for _ in range(6):
        deliver(world, email)
        world.clock.at += LEASE
    assert len(email.taken) == 2
    assert len({mail.message_id for mail in email.taken}) == 2
    assert status(world) is StaffMailStatus.UNKNOWN


def test_a_digest_that_was_sent_once_more_may_wait_for_a_server_that_is_away(world: World) -> None:
    plan(world, StaffMailKind.DIGEST)
    email = FakeEmail(
        answer(Outcome.UNKNOWN, ErrorClass.AMBIGUOUS), answer(Outcome.NOT_HANDED_OVER), answer(Outcome.UNKNOWN)
    )
    for _ in range(6):
        deliver(world, email)
        world.clock.at += LEASE
    assert len(email.taken) == 3
    assert status(world) is StaffMailStatus.UNKNOWN


def test_an_answer_that_comes_after_the_lease_ran_out_changes_nothing(world: World) -> None:
    plan(world, StaffMailKind.SAFETY)
    other = world.second_process()

    def slow(mail: OutboundEmail) -> SendResult:
        world.clock.at += LEASE
        deliver(other, FakeEmail(crash))  # another worker settles what this one seems to have left
        return accepted(mail)

    deliver(world, FakeEmail(slow))
    other.app.close()
    assert status(world) is StaffMailStatus.UNKNOWN


def test_a_mail_that_could_not_go_in_its_time_is_given_up(world: World) -> None:
    plan(world, StaffMailKind.DIGEST, until=world.clock.at + timedelta(hours=1))
    email = FakeEmail(answer(Outcome.NOT_HANDED_OVER))
    deliver(world, email)
    world.clock.at += timedelta(hours=1)
    deliver(world, email)
    assert len(email.taken) == 1
    assert status(world) is StaffMailStatus.EXPIRED
    count_stale(world.store, world.app.rules, world.clock.at, stopping=lambda: False)
    with world.store.reading() as unit:
        assert not unit.gauges.is_office_waiting(world.clock.at)
        assert unit.staff_mail.failed(MONDAY) == {(world.clinic.id, StaffMailKind.DIGEST): 1}


def test_without_a_sender_a_mail_fails_and_others_go(world: World) -> None:
    plan(world, StaffMailKind.SAFETY)
    world.change_clinic(world.clinic, email_from=None)
    world.add_clinic("other")
    plan(world, StaffMailKind.SAFETY)
    assert deliver(world, FakeEmail()) == MailsDelivered(sent=1, failed=1)


def test_workers_beside_each_other_send_each_mail_once(world: World) -> None:
    for number in range(50):
        plan(world, StaffMailKind.SAFETY, f"c{number}")
    email = FakeEmail()
    counts = beside(world, lambda one: deliver(one, email).sent)
    assert sum(counts) == 50
    assert len({mail.attempt_id for mail in email.taken}) == len(email.taken) == 50


def test_what_is_written_to_staff_is_sealed(world: World) -> None:
    plan(world, StaffMailKind.SAFETY)
    with world.app.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT address, subject, body FROM staff_mail").one()
    assert all(DUTY.encode() not in bytes(value) and b"Look" not in bytes(value) for value in row)


# What `doctor` says of it


def said(world: World) -> list[str]:
    with world.store.reading() as unit:
        return [str(one) for one in office_findings(unit, world.rules.holidays, now=world.clock.at)]


def test_an_alert_that_may_not_have_arrived_is_a_finding_for_a_week(world: World) -> None:
    plan(world, StaffMailKind.SAFETY)
    assert said(world) == []
    deliver(world, FakeEmail(answer(Outcome.REFUSED, ErrorClass.PERMANENT)))
    assert said(world) == [
        "clinic main: of the safety alerts to the people of main in the last week, 1 may not have arrived. The log "
        "says why; correct the address with `bonewise clinic set --clinic main --duty-email ADDRESS`."
    ]
    world.clock.at += LOOKS_BACK + timedelta(seconds=1)
    assert said(world) == []


def test_a_calendar_that_is_gone_is_a_finding_and_weekends_stay_free(world: World) -> None:
    world.change_clinic(world.clinic, holidays="gone")
    assert "keeps the holidays of gone, which config/holidays no longer has" in said(world)[0]
    world.clock.at = new_york(3, 6, 12, 0)
    open_tasks(world, "x", kind="unclear_reply")
    assert f"{world.tasks()[0].due}" == "2026-03-09"
