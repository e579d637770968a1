"""From what a step asks for to rows: times, the stop line, channels, changes to the worklist."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.contact import ClearanceOpened, TaskClosed, TaskEscalated, TaskOpened
from scheduler.domain.effects import REPLY_LIFETIME, message, needs_stop_line, says, sendable, task_changes
from scheduler.domain.enrolment import CloseTask, EscalateTask, OpenClearance, OpenTask, Outcome, Say, Send
from scheduler.domain.messages import MessageKind
from scheduler.domain.people import Channel, Reach
from scheduler.domain.when import is_inside_window, local_date
from tests.support.domain_factories import at, contact, day, enrolled

NOON, NIGHT = time(12), time(23)


# When


def test_an_answer_may_go_at_once_for_four_hours() -> None:
    assert timedelta(hours=4) == REPLY_LIFETIME
    assert sendable(contact(), MessageKind.REPLY, at(1, NIGHT)) == (at(1, NIGHT), at(1, NIGHT) + REPLY_LIFETIME)


@pytest.mark.parametrize("kind", [MessageKind.REMINDER, MessageKind.NOTICE])
def test_everything_else_may_go_from_the_opening_of_the_window_to_its_end(kind: MessageKind) -> None:
    assert sendable(contact(), kind, at(1, NOON)) == (at(1, NOON), at(1, time(20)))
    assert sendable(contact(), kind, at(1, time(5))) == (at(1, time(9)), at(1, time(20)))
    assert sendable(contact(), kind, at(1, NIGHT)) == (at(2, time(9)), at(2, time(20)))


@given(now=st.datetimes(at(-400).replace(tzinfo=None), at(2000).replace(tzinfo=None), timezones=st.just(UTC)))
def test_the_time_to_send_begins_and_stays_inside_one_window(now: datetime) -> None:
    patient = contact()
    send_from, send_until = sendable(patient, MessageKind.NOTICE, now)
    assert now <= send_from < send_until
    last = send_until - timedelta(seconds=1)
    assert is_inside_window(send_from, patient.zone, patient.window)
    assert is_inside_window(last, patient.zone, patient.window)
    assert local_date(send_from, patient.zone) == local_date(last, patient.zone)


# The line about STOP


@pytest.mark.parametrize(
    ("last", "today", "needed"),
    [
        (None, date(2026, 3, 3), True),
        (date(2026, 3, 3), date(2026, 3, 3), False),
        (date(2026, 3, 3), date(2026, 4, 2), False),
        (date(2026, 3, 3), date(2026, 4, 3), True),
        (date(2026, 1, 31), date(2026, 2, 28), True),
        (date(2026, 3, 3), date(2027, 1, 1), True),
    ],
)
def test_a_text_says_how_to_stop_the_first_time_and_once_a_month(
    last: date | None, today: date, needed: bool
) -> None:
    assert needs_stop_line(contact(stop_line_on=last), Channel.SMS, today) is needed


def test_an_e_mail_has_its_own_way_to_unsubscribe() -> None:
    assert not needs_stop_line(contact(), Channel.EMAIL, day(1))


# The row


def test_a_reminder_s_row_says_where_it_comes_from_and_when_it_may_go() -> None:
    one = enrolled("exercise", fired=3, cycle=2)
    row = message(
        contact(),
        one,
        Send("activity", turn=7, count=2),
        kind=MessageKind.REMINDER,
        channel=Channel.SMS,
        now=at(1),
    )
    assert (row.enrolment_id, row.pathway, row.step, row.cycle, row.fired) == (one.id, "exercise", "daily", 2, 3)
    assert (row.template, row.turn, row.count, row.stop_line) == ("activity", 7, 2, True)
    assert (row.due_date, row.send_from, row.send_until) == (day(1), at(1), at(1, time(20)))


def test_an_answer_s_row_has_the_count_and_no_line_about_stop() -> None:
    row = message(
        contact(),
        enrolled("exercise"),
        Say("well_done", count=3),
        kind=MessageKind.REPLY,
        channel=Channel.SMS,
        now=at(1, NIGHT),
    )
    assert (row.turn, row.count, row.stop_line) == (0, 3, False)
    assert row.due_date == day(1)


def test_news_decided_in_the_evening_is_due_the_next_day() -> None:
    row = message(
        contact(),
        enrolled("supplement"),
        Say("cleared"),
        kind=MessageKind.NOTICE,
        channel=Channel.EMAIL,
        now=at(1, NIGHT),
    )
    assert (row.due_date, row.channel) == (day(2), Channel.EMAIL)


def test_only_what_is_said_becomes_an_answer() -> None:
    one = enrolled("dexa")
    outcome = Outcome(one.state, (OpenTask("scan_declined"), Say("respected"), Send("ask")))
    rows = says(contact(), one, outcome, kind=MessageKind.REPLY, now=at(3))
    assert [row.template for row in rows] == ["respected"]


def test_nothing_is_said_where_no_channel_is_open() -> None:
    one = enrolled("dexa")
    outcome = Outcome(one.state, (Say("respected"),))
    silent = contact(reach=Reach(sms=False, email=False))
    assert says(silent, one, outcome, kind=MessageKind.NOTICE, now=at(3)) == ()


# The worklist


def test_each_effect_on_the_worklist_becomes_its_change() -> None:
    effects = (OpenTask("a"), EscalateTask("b"), CloseTask("c"), OpenClearance(), Send("ask"), Say("thanks"))
    assert task_changes("supplement", effects) == (
        TaskOpened("a", "supplement"),
        TaskEscalated("b", "supplement"),
        TaskClosed("c", "supplement"),
        ClearanceOpened("supplement"),
    )
