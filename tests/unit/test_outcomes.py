"""What an answer means for its message: every outcome with every class of error and every scope."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.messages import TRANSITIONS, MessageStatus
from scheduler.ids import new_id, new_ids
from scheduler.ports import ErrorClass, Outcome, Scope, SendResult
from scheduler.services.outcomes import (
    FIRST_RETRY,
    LAST_MOMENT,
    LONGEST_RETRY,
    OPERATOR_RETRY,
    FollowUp,
    Settled,
    settle,
)

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
EVENING = NOW + timedelta(hours=10)
CLASSES: tuple[ErrorClass | None, ...] = (None, *ErrorClass)
OUTCOMES = (Outcome.REFUSED, Outcome.NOT_HANDED_OVER)
ATTEMPT = new_id()


def settled(
    outcome: Outcome,
    error_class: ErrorClass | None = None,
    scope: Scope = Scope.MESSAGE,
    *,
    attempt_id: UUID = ATTEMPT,
    retry_after: timedelta | None = None,
    tries: int = 1,
    now: datetime = NOW,
    until: datetime = EVENING,
) -> Settled:
    result = SendResult(
        attempt_id=attempt_id, outcome=outcome, error_class=error_class, scope=scope, retry_after=retry_after
    )
    return settle(result, attempt_id, tries=tries, now=now, until=until)


def waits(settled: Settled) -> timedelta:
    """How long until the message is tried again."""
    assert settled.status is MessageStatus.PLANNED
    assert settled.retry_at is not None
    return settled.retry_at - NOW


# What is over


@pytest.mark.parametrize(("error_class", "scope"), list(product(CLASSES, Scope)))
def test_what_was_taken_is_sent_whatever_else_was_said(error_class: ErrorClass | None, scope: Scope) -> None:
    assert settled(Outcome.ACCEPTED, error_class, scope) == Settled(MessageStatus.SENT)


@pytest.mark.parametrize(("error_class", "scope"), list(product(CLASSES, Scope)))
def test_what_nobody_knows_is_never_tried_again_whatever_else_was_said(
    error_class: ErrorClass | None, scope: Scope
) -> None:
    found = settled(Outcome.UNKNOWN, error_class, scope, retry_after=timedelta(seconds=1))
    assert found == Settled(MessageStatus.UNKNOWN, FollowUp.UNSETTLED)


@pytest.mark.parametrize(("outcome", "scope"), list(product(OUTCOMES, Scope)))
def test_an_address_that_will_never_work_is_marked_and_not_tried_again(outcome: Outcome, scope: Scope) -> None:
    found = settled(outcome, ErrorClass.PERMANENT, scope)
    assert found == Settled(MessageStatus.FAILED, FollowUp.BAD_ADDRESS)


@pytest.mark.parametrize(("outcome", "scope"), list(product(OUTCOMES, Scope)))
def test_an_opt_out_is_mirrored_and_not_tried_again(outcome: Outcome, scope: Scope) -> None:
    assert settled(outcome, ErrorClass.STOPPED, scope) == Settled(MessageStatus.FAILED, FollowUp.OPTED_OUT)


@pytest.mark.parametrize("error_class", [None, ErrorClass.AMBIGUOUS])
def test_a_refusal_that_says_nothing_useful_is_not_tried_again(error_class: ErrorClass | None) -> None:
    assert settled(Outcome.REFUSED, error_class) == Settled(MessageStatus.FAILED)


# What is tried again


def test_a_fault_of_one_message_is_looked_at_again_in_minutes_and_somebody_is_told() -> None:
    for outcome in OUTCOMES:
        found = settled(outcome, ErrorClass.CONFIGURATION, Scope.MESSAGE)
        assert found == Settled(MessageStatus.PLANNED, FollowUp.OPERATOR, NOW + OPERATOR_RETRY)


@pytest.mark.parametrize(("outcome", "scope"), list(product(OUTCOMES, [Scope.SENDER, Scope.ACCOUNT])))
def test_a_refused_account_or_sender_costs_a_message_nothing_at_any_hour(outcome: Outcome, scope: Scope) -> None:
    for until in (EVENING, NOW + timedelta(seconds=1), NOW - timedelta(hours=1)):
        found = settled(outcome, ErrorClass.CONFIGURATION, scope, until=until)
        assert found == Settled(MessageStatus.PLANNED, FollowUp.NONE, NOW)


@pytest.mark.parametrize("error_class", [None, ErrorClass.TRANSIENT, ErrorClass.AMBIGUOUS])
def test_what_never_left_is_tried_again_whatever_the_reason(error_class: ErrorClass | None) -> None:
    assert FIRST_RETRY / 2 <= waits(settled(Outcome.NOT_HANDED_OVER, error_class)) < FIRST_RETRY


def test_a_refusal_for_the_moment_is_tried_again_soon() -> None:
    assert FIRST_RETRY / 2 <= waits(settled(Outcome.REFUSED, ErrorClass.TRANSIENT)) < FIRST_RETRY


@pytest.mark.parametrize("error_class", [ErrorClass.TRANSIENT, ErrorClass.CONFIGURATION])
def test_a_refusal_too_near_the_end_of_the_window_fails_instead(error_class: ErrorClass) -> None:
    found = settled(Outcome.REFUSED, error_class, until=NOW + LAST_MOMENT)
    assert (found.status, found.retry_at) == (MessageStatus.FAILED, None)


def test_the_last_moment_for_a_retry_is_a_minute_before_the_window_ends() -> None:
    just = NOW + OPERATOR_RETRY + LAST_MOMENT
    assert waits(settled(Outcome.REFUSED, ErrorClass.CONFIGURATION, until=just)) == OPERATOR_RETRY
    late = just - timedelta(microseconds=1)
    assert settled(Outcome.REFUSED, ErrorClass.CONFIGURATION, until=late).status is MessageStatus.FAILED


def test_what_never_left_comes_back_at_the_end_of_its_window_so_that_it_expires_then() -> None:
    soon = NOW + timedelta(seconds=5)
    assert settled(Outcome.NOT_HANDED_OVER, ErrorClass.TRANSIENT, until=soon).retry_at == soon


# How long it waits


def test_the_wait_doubles_with_every_try_up_to_a_quarter_of_an_hour() -> None:
    bounds = [FIRST_RETRY * factor for factor in (1, 2, 4, 8, 16)] + [LONGEST_RETRY] * 20
    for tries, bound in enumerate(bounds, start=1):
        assert bound / 2 <= waits(settled(Outcome.NOT_HANDED_OVER, tries=tries)) < bound


@pytest.mark.parametrize("tries", [-1, 0, 1, 11, 32_767])
def test_any_number_of_tries_has_a_wait(tries: int) -> None:
    assert FIRST_RETRY / 2 <= waits(settled(Outcome.NOT_HANDED_OVER, tries=tries)) < LONGEST_RETRY


def test_those_who_failed_together_come_back_spread_evenly_over_half_of_the_wait() -> None:
    found = [waits(settled(Outcome.NOT_HANDED_OVER, attempt_id=one)) for one in new_ids(2_000)]
    eighths = [int((wait - FIRST_RETRY / 2) / (FIRST_RETRY / 2) * 8) for wait in found]
    counts = [eighths.count(place) for place in range(8)]
    assert sum(counts) == 2_000  # none outside
    assert min(counts) > 150, counts  # 250 each, on average


def test_the_same_attempt_always_waits_as_long() -> None:
    assert settled(Outcome.NOT_HANDED_OVER) == settled(Outcome.NOT_HANDED_OVER)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_provider_that_says_when_is_not_asked_before(outcome: Outcome) -> None:
    asked = timedelta(minutes=40)
    assert waits(settled(outcome, ErrorClass.TRANSIENT, retry_after=asked)) == asked


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_provider_that_asks_for_less_is_still_given_time(outcome: Outcome) -> None:
    short = waits(settled(outcome, ErrorClass.TRANSIENT, retry_after=timedelta(seconds=1)))
    assert short >= FIRST_RETRY / 2


def test_a_provider_that_says_to_wait_beyond_the_window_gets_nothing_more_today() -> None:
    hour = timedelta(hours=1)
    until = NOW + timedelta(minutes=30)
    assert settled(Outcome.REFUSED, ErrorClass.TRANSIENT, retry_after=hour, until=until).status is (
        MessageStatus.FAILED
    )
    assert settled(Outcome.NOT_HANDED_OVER, ErrorClass.TRANSIENT, retry_after=hour, until=until).retry_at == until


# Whatever happens


@given(
    outcome=st.sampled_from(list(Outcome)),
    error_class=st.sampled_from(CLASSES),
    scope=st.sampled_from(list(Scope)),
    retry_after=st.none() | st.timedeltas(timedelta(0), timedelta(hours=1)),
    tries=st.integers(1, 40),
    left=st.timedeltas(-timedelta(days=2), timedelta(hours=12)),
)
def test_every_answer_moves_a_message_on_and_nothing_is_tried_again_after_its_window(
    outcome: Outcome,
    error_class: ErrorClass | None,
    scope: Scope,
    retry_after: timedelta | None,
    tries: int,
    left: timedelta,
) -> None:
    until = NOW + left
    found = settled(outcome, error_class, scope, retry_after=retry_after, tries=tries, until=until)
    assert found.status in TRANSITIONS[MessageStatus.SENDING]
    assert (found.retry_at is not None) == (found.status is MessageStatus.PLANNED)
    stops_lane = error_class is ErrorClass.CONFIGURATION and scope is not Scope.MESSAGE
    if found.retry_at is not None and not stops_lane:
        assert found.retry_at <= until
    if outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN):
        assert found.status is not MessageStatus.PLANNED
