"""The one transition table of outbound messages: statuses only move forward."""

from __future__ import annotations

from graphlib import TopologicalSorter

import pytest

from scheduler.domain.messages import TRANSITIONS, MessageStatus, sources_of

S = MessageStatus
ENDS = {S.DELIVERED, S.FAILED, S.NOT_SENT, S.SKIPPED, S.EXPIRED}
RETRY = (S.SENDING, S.PLANNED)  # surely not handed over: the only way back


def test_every_status_has_its_moves() -> None:
    assert set(TRANSITIONS) == set(MessageStatus)


def test_statuses_only_move_forward_but_for_a_retry() -> None:
    forward = {
        status: {target for target in targets if (status, target) != RETRY} for status, targets in TRANSITIONS.items()
    }
    order = list(TopologicalSorter(forward).static_order())  # raises CycleError when there is a way back
    assert set(order) == set(MessageStatus)
    assert RETRY[1] in TRANSITIONS[RETRY[0]]


def test_nothing_moves_on_from_an_end() -> None:
    assert {status for status, targets in TRANSITIONS.items() if not targets} == ENDS


def test_every_status_but_the_first_can_be_reached() -> None:
    reached, fresh = {S.PLANNED}, {S.PLANNED}
    while fresh:
        fresh = {target for status in fresh for target in TRANSITIONS[status]} - reached
        reached |= fresh
    assert reached == set(MessageStatus)


@pytest.mark.parametrize("target", MessageStatus)
def test_sources_are_the_moves_read_backwards(target: MessageStatus) -> None:
    assert sources_of(target) == {status for status in MessageStatus if target in TRANSITIONS[status]}


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (S.PLANNED, S.SENDING),
        (S.PLANNED, S.SKIPPED),
        (S.PLANNED, S.EXPIRED),
        (S.SENDING, S.SENT),
        (S.SENDING, S.UNKNOWN),
        (S.SENDING, S.FAILED),
        (S.UNKNOWN, S.SENT),
        (S.UNKNOWN, S.NOT_SENT),
        (S.SENT, S.DELIVERED),
        (S.SENT, S.UNDELIVERED),
        (S.UNDELIVERED, S.DELIVERED),
        (S.SENDING, S.DELIVERED),
    ],
)
def test_the_moves_that_the_service_relies_on_are_allowed(source: MessageStatus, target: MessageStatus) -> None:
    assert source in sources_of(target)


@pytest.mark.parametrize("source", [S.SENT, S.UNKNOWN, S.DELIVERED, S.UNDELIVERED, S.FAILED, S.NOT_SENT])
def test_what_may_have_left_is_never_sent_again(source: MessageStatus) -> None:
    assert source not in sources_of(S.SENDING) | sources_of(S.PLANNED)


def test_a_receipt_that_says_delivered_is_never_undone() -> None:
    assert all(S.DELIVERED not in sources_of(target) for target in MessageStatus)


@pytest.mark.parametrize("target", [S.SENT, S.DELIVERED, S.UNKNOWN])
def test_news_of_an_earlier_attempt_stops_the_next_one(target: MessageStatus) -> None:
    assert S.PLANNED in sources_of(target)


def test_bad_news_of_an_earlier_attempt_leaves_the_next_one_planned() -> None:
    assert S.PLANNED not in sources_of(S.UNDELIVERED) | sources_of(S.FAILED) | sources_of(S.NOT_SENT)


def test_only_what_was_unknown_can_be_proven_never_to_have_left() -> None:
    assert sources_of(S.NOT_SENT) == {S.UNKNOWN}
