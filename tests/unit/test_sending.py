"""The last look: consent, window, pause, budget and channel as they are when a message is about to go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scheduler.domain.effects import REPLY_LIFETIME
from scheduler.domain.messages import MessageKind, SkipReason
from scheduler.domain.people import Channel, PatientStatus, Reach
from scheduler.domain.sending import SERVICE_MESSAGES, Expire, Go, Pending, Reroute, Skip, Verdict, Wait, last_look
from tests.support.domain_factories import at, contact, day

NOBODY = Reach(sms=False, email=False)
NOT_A_REPLY = [MessageKind.REMINDER, MessageKind.NOTICE]
NIGHT = time(3)
ON_TIME = at(1)


def pending(kind: MessageKind = MessageKind.REMINDER, **changes: Any) -> Pending:
    """A text planned for day 1, which may go until the window ends at 20:00."""
    usual = Pending(kind=kind, channel=Channel.SMS, pathway="dexa", due_date=day(1), send_until=at(1, time(20)))
    return replace(usual, **changes)


def look(message: Pending, *, now: datetime = ON_TIME, **patient: Any) -> Verdict:
    return last_look(message, contact(**patient), now)


@pytest.mark.parametrize("kind", MessageKind)
def test_inside_the_window_with_consent_everything_goes(kind: MessageKind) -> None:
    assert look(pending(kind)) == Go()


@pytest.mark.parametrize("kind", MessageKind)
@pytest.mark.parametrize("status", [PatientStatus.DECEASED, PatientStatus.DISCHARGED])
def test_nothing_ever_goes_to_the_deceased_and_the_discharged(kind: MessageKind, status: PatientStatus) -> None:
    assert look(pending(kind, pathway=SERVICE_MESSAGES), status=status) == Skip(SkipReason.INACTIVE)


@pytest.mark.parametrize("kind", NOT_A_REPLY)
@pytest.mark.parametrize("status", [PatientStatus.STOPPED, PatientStatus.UNREACHABLE])
def test_nothing_that_the_service_begins_goes_to_who_stopped_or_cannot_be_reached(
    kind: MessageKind, status: PatientStatus
) -> None:
    assert look(pending(kind), status=status) == Skip(SkipReason.INACTIVE)


# Consent and channels


@pytest.mark.parametrize("kind", NOT_A_REPLY)
@pytest.mark.parametrize(("has_address", "reason"), [(True, SkipReason.NO_CONSENT), (False, SkipReason.NO_CHANNEL)])
def test_consent_withdrawn_since_it_was_planned_is_respected(
    kind: MessageKind, has_address: bool, reason: SkipReason
) -> None:
    assert look(pending(kind), reach=NOBODY, has_address=has_address) == Skip(reason)


@pytest.mark.parametrize("kind", NOT_A_REPLY)
def test_when_only_another_channel_is_open_the_message_takes_it(kind: MessageKind) -> None:
    assert look(pending(kind), reach=Reach(sms=False, email=True)) == Reroute(Channel.EMAIL)


def test_when_the_patient_prefers_another_channel_by_now_the_message_takes_it() -> None:
    assert look(pending(), channel=Channel.EMAIL, reach=Reach(sms=True, email=True)) == Reroute(Channel.EMAIL)


def test_a_message_outside_the_window_waits_before_it_is_rerouted() -> None:
    verdict = look(pending(MessageKind.NOTICE), now=at(1, NIGHT), reach=Reach(sms=False, email=True))
    assert isinstance(verdict, Wait)


# The window


def test_a_reminder_before_the_window_waits_for_it_on_the_same_day() -> None:
    assert look(pending(), now=at(1, NIGHT)) == Wait(at(1, time(9)), at(1, time(20)))


@pytest.mark.parametrize("now", [at(1, time(20)), at(1, time(23)), at(2, NIGHT), at(2), at(9)])
def test_a_reminder_whose_window_is_over_expires(now: datetime) -> None:
    assert look(pending(), now=now) == Expire()


def test_the_last_minute_of_the_window_still_counts() -> None:
    assert look(pending(), now=at(1, time(19, 59, 59))) == Go()


@pytest.mark.parametrize(
    ("now", "opens", "closes"),
    [
        (at(1, NIGHT), at(1, time(9)), at(1, time(20))),
        (at(1, time(20)), at(2, time(9)), at(2, time(20))),
        (at(5, time(23)), at(6, time(9)), at(6, time(20))),
        (at(5), at(5), at(5, time(20))),
    ],
)
def test_news_waits_for_the_next_window_however_late(now: datetime, opens: datetime, closes: datetime) -> None:
    assert look(pending(MessageKind.NOTICE), now=now) == Wait(opens, closes)


def test_a_wait_always_lies_ahead_or_lets_the_message_go_at_once() -> None:
    for hours in range(24 * 4):
        now = at(0, time(0)) + timedelta(hours=hours)
        for kind in NOT_A_REPLY:
            verdict = look(pending(kind), now=now)
            if isinstance(verdict, Wait):
                assert now <= verdict.send_from < verdict.send_until
                later = pending(kind, send_until=verdict.send_until)
                assert look(later, now=verdict.send_from) == Go()


def test_a_reminder_does_not_go_on_the_next_date_of_a_patient_who_moved_east() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")  # 09:30 on day 2 there is 18:30 on day 1 in Chicago
    now = at(2, zone=tokyo)
    assert now < pending().send_until
    assert look(pending(), now=now, zone=tokyo) == Expire()


def test_a_reminder_does_not_wait_into_the_next_date_of_a_patient_who_moved_east() -> None:
    auckland = ZoneInfo("Pacific/Auckland")  # 20:00 on day 1 in Chicago is in the afternoon of day 2 there
    now = at(2, time(4, 30), zone=auckland)
    assert look(pending(), now=now, zone=auckland) == Expire()


def test_a_patient_who_moved_west_gets_it_when_their_own_window_opens() -> None:
    honolulu = ZoneInfo("Pacific/Honolulu")
    assert look(pending(), now=at(1, time(9, 30)), zone=honolulu) == Wait(
        at(1, time(9), zone=honolulu), at(1, time(20))
    )


# Pauses


def test_a_reminder_planned_before_staff_paused_the_patient_does_not_go() -> None:
    for until in (None, day(9)):
        verdict = look(pending(), status=PatientStatus.PAUSED, paused_until=until)
        assert verdict == Skip(SkipReason.PAUSED)


def test_news_waits_for_the_end_of_a_pause_of_staff() -> None:
    verdict = look(pending(MessageKind.NOTICE), status=PatientStatus.PAUSED, paused_until=day(9))
    assert verdict == Wait(at(9, time(9)), at(9, time(20)))


def test_news_goes_when_the_pause_is_over_and_nobody_has_noted_it_yet() -> None:
    message = pending(MessageKind.NOTICE, send_until=at(9, time(20)))
    assert look(message, now=at(9), status=PatientStatus.PAUSED, paused_until=day(9)) == Go()


def test_news_in_a_pause_without_an_end_is_skipped_with_the_reason() -> None:
    assert look(pending(MessageKind.NOTICE), status=PatientStatus.PAUSED) == Skip(SkipReason.PAUSED)


def test_an_answer_goes_in_a_pause_of_staff_too() -> None:
    assert look(pending(MessageKind.REPLY), status=PatientStatus.PAUSED) == Go()


# The budget


def test_the_reminder_that_used_the_day_s_budget_goes() -> None:
    assert look(pending(), contacted_on=day(1), contacts_that_day=1) == Go()


def test_a_reminder_over_the_budget_does_not_go() -> None:
    assert look(pending(), contacted_on=day(1), contacts_that_day=2) == Skip(SkipReason.BUDGET)
    assert look(pending(), contacted_on=day(1), contacts_that_day=2, daily_budget=2) == Go()


def test_another_day_s_reminders_do_not_count() -> None:
    assert look(pending(), contacted_on=day(0), contacts_that_day=5) == Go()


@pytest.mark.parametrize("kind", [MessageKind.NOTICE, MessageKind.REPLY])
def test_only_reminders_have_a_budget(kind: MessageKind) -> None:
    assert look(pending(kind), contacted_on=day(1), contacts_that_day=9) == Go()


# Replies


@pytest.mark.parametrize("hour", range(24))
def test_an_answer_goes_at_any_hour(hour: int) -> None:
    now = at(1, time(hour))
    assert look(pending(MessageKind.REPLY, send_until=now + REPLY_LIFETIME), now=now) == Go()


def test_an_answer_that_is_late_expires() -> None:
    asked = datetime(2026, 3, 3, 2, tzinfo=UTC)
    reply = pending(MessageKind.REPLY, send_until=asked + REPLY_LIFETIME)
    assert look(reply, now=asked + REPLY_LIFETIME) == Expire()


def test_a_pathway_s_answer_needs_consent_for_the_channel_it_goes_by() -> None:
    assert look(pending(MessageKind.REPLY), reach=Reach(sms=False, email=True)) == Skip(SkipReason.NO_CONSENT)
    by_mail = pending(MessageKind.REPLY, channel=Channel.EMAIL)
    assert look(by_mail, reach=Reach(sms=False, email=True)) == Go()


def test_the_confirmation_of_a_stop_goes_without_consent() -> None:
    stopped = pending(MessageKind.REPLY, pathway=SERVICE_MESSAGES)
    assert look(stopped, status=PatientStatus.STOPPED, reach=NOBODY) == Go()


@pytest.mark.parametrize("status", [PatientStatus.STOPPED, PatientStatus.UNREACHABLE])
def test_an_answer_of_a_pathway_does_not_follow_a_stop(status: PatientStatus) -> None:
    assert look(pending(MessageKind.REPLY), status=status, reach=NOBODY) == Skip(SkipReason.NO_CONSENT)
