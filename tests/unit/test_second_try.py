"""Whether, when and how a message that did not arrive is tried once more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.contact import Contact
from scheduler.domain.messages import MessageKind
from scheduler.domain.people import Channel, PatientStatus, Reach
from scheduler.domain.second_try import SecondTry, second_try
from scheduler.domain.sending import Pending
from scheduler.domain.when import instant, is_inside_window, window_bounds

ZONE = ZoneInfo("America/New_York")
DAY = date(2026, 3, 3)
HOUR = timedelta(hours=1)
PATIENT = Contact(zone=ZONE, contact_time=time(9, 30), reach=Reach(sms=True, email=True), stop_line_on=DAY)


def at(hour: int, minute: int = 0, *, day: date = DAY) -> datetime:
    return instant(day, time(hour, minute), ZONE)


def missed(kind: MessageKind = MessageKind.REMINDER, *, until: datetime | None = None) -> Pending:
    closes = window_bounds(DAY, ZONE, PATIENT.window)[1]
    return Pending(kind=kind, channel=Channel.SMS, pathway="dexa", due_date=DAY, send_until=until or closes)


def test_it_goes_after_the_wait_and_until_the_window_closes() -> None:
    assert second_try(missed(), PATIENT, at(9, 45), wait=HOUR) == SecondTry(
        channel=Channel.SMS, send_from=at(10, 45), send_until=at(20), stop_line=False
    )


def test_the_other_channel_takes_over_when_the_first_is_closed() -> None:
    mail_only = replace(PATIENT, reach=Reach(sms=False, email=True))
    found = second_try(missed(), mail_only, at(9, 45))
    assert found is not None
    assert (found.channel, found.send_from, found.stop_line) == (Channel.EMAIL, at(9, 45), False)


def test_a_text_says_how_to_stop_when_the_first_one_should_have() -> None:
    never_said = replace(PATIENT, stop_line_on=None)
    found = second_try(missed(), never_said, at(10))
    assert found is not None
    assert found.stop_line


@pytest.mark.parametrize(
    "now", [at(19), at(19, 30), at(23), at(8, 59, day=date(2026, 3, 4)), at(10, day=date(2026, 3, 4))]
)
def test_a_reminder_needs_room_on_its_own_day(now: datetime) -> None:
    assert second_try(missed(), PATIENT, now, wait=HOUR) is None


def test_a_reminder_that_was_to_end_sooner_still_does() -> None:
    assert second_try(missed(until=at(12)), PATIENT, at(11, 1), wait=HOUR) is None
    found = second_try(missed(until=at(12)), PATIENT, at(10), wait=HOUR)
    assert found is not None
    assert found.send_until == at(12)


def test_the_clinics_news_waits_for_the_next_window() -> None:
    found = second_try(missed(MessageKind.NOTICE), PATIENT, at(19, 30), wait=HOUR)
    assert found is not None
    assert (found.send_from, found.stop_line) == (at(9, day=date(2026, 3, 4)), False)


def test_an_answer_to_the_patient_is_not_repeated() -> None:
    assert second_try(missed(MessageKind.REPLY), PATIENT, at(10)) is None


@pytest.mark.parametrize("status", [status for status in PatientStatus if status is not PatientStatus.ACTIVE])
def test_whoever_gets_no_reminders_gets_no_second_try(status: PatientStatus) -> None:
    assert second_try(missed(), replace(PATIENT, status=status), at(10)) is None


def test_without_an_open_channel_there_is_none() -> None:
    assert second_try(missed(), replace(PATIENT, reach=Reach(sms=False, email=False)), at(10)) is None


@given(
    minutes=st.integers(0, 3 * 24 * 60),
    wait=st.integers(0, 180),
    zone=st.sampled_from(["America/New_York", "Europe/Berlin", "Pacific/Auckland", "Asia/Kolkata"]),
)
def test_a_reminder_is_never_tried_again_at_night_or_on_another_day(minutes: int, wait: int, zone: str) -> None:
    contact = replace(PATIENT, zone=ZoneInfo(zone))
    closes = window_bounds(DAY, contact.zone, contact.window)[1]
    now = at(0) + timedelta(minutes=minutes)
    found = second_try(replace(missed(), send_until=closes), contact, now, wait=timedelta(minutes=wait))
    if found is not None:
        assert is_inside_window(found.send_from, contact.zone, contact.window)
        assert found.send_from >= now + timedelta(minutes=wait)
        assert found.send_from < found.send_until <= closes
        assert found.send_from.astimezone(contact.zone).date() == DAY
