"""An account or sender that is refused: when one message may try it again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from scheduler.domain.breaker import CLOSED, FIRST_PROBE, LONGEST_PROBE, PROBE_TAKES, Breaker

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
A_MOMENT = timedelta(microseconds=1)


def refused_at_every_probe(times: int) -> list[Breaker]:
    """The states after each of so many refusals, every one at the instant that the one before asked for."""
    found, now = [CLOSED.refused("20003", NOW)], NOW
    while len(found) < times:
        assert found[-1].probe_at is not None
        now = found[-1].probe_at
        found.append(found[-1].probing(now).refused("20003", now))
    return found


def test_what_nobody_refused_is_closed_and_has_nothing_to_probe() -> None:
    assert not CLOSED.is_open
    assert not CLOSED.may_probe(NOW + timedelta(days=365))


def test_the_first_refusal_opens_it_with_its_code_and_the_first_probe_follows_in_a_minute() -> None:
    opened = CLOSED.refused("20003", NOW)
    assert opened == Breaker(open_since=NOW, code="20003", probe_at=NOW + FIRST_PROBE, probes=0)
    assert opened.is_open
    assert not opened.may_probe(NOW + FIRST_PROBE - A_MOMENT)
    assert opened.may_probe(NOW + FIRST_PROBE)


def test_each_probe_that_is_refused_doubles_the_wait_up_to_a_limit() -> None:
    instants = [state.probe_at for state in refused_at_every_probe(9) if state.probe_at is not None]
    waits = [later - earlier for earlier, later in pairwise([NOW, *instants])]
    doubling = [FIRST_PROBE * 2**times for times in range(9)]
    assert waits == [min(wait, LONGEST_PROBE) for wait in doubling]
    assert waits[:2] == [timedelta(minutes=1), timedelta(minutes=2)]
    assert timedelta(minutes=2) < waits[-1] <= timedelta(minutes=15)


def test_after_years_of_refusals_the_wait_is_still_the_longest() -> None:
    often = Breaker(open_since=NOW, code="20003", probe_at=NOW, probes=32_000)
    assert often.refused("20003", NOW).probe_at == NOW + LONGEST_PROBE


def test_it_is_open_since_the_first_refusal_with_the_code_of_the_last() -> None:
    later = NOW + timedelta(hours=2)
    again = CLOSED.refused("20003", NOW).refused("20005", later)
    assert (again.open_since, again.code) == (NOW, "20005")


def test_while_one_probes_nobody_else_does_until_the_probe_must_be_over() -> None:
    opened = CLOSED.refused("20003", NOW)
    at = NOW + FIRST_PROBE
    probing = opened.probing(at)
    assert probing.is_open
    assert not probing.may_probe(at)
    assert not probing.may_probe(at + PROBE_TAKES - A_MOMENT)
    assert probing.may_probe(at + PROBE_TAKES)  # who took it is gone


def test_a_probe_that_came_to_nothing_does_not_lengthen_the_wait() -> None:
    opened = CLOSED.refused("20003", NOW)
    after_two_lost_probes = opened.probing(NOW).probing(NOW + PROBE_TAKES)
    refused = after_two_lost_probes.refused("20003", NOW)
    assert refused.probe_at == opened.refused("20003", NOW).probe_at


@pytest.mark.parametrize("code", ["20003", None])
def test_a_refusal_without_a_code_opens_it_all_the_same(code: str | None) -> None:
    assert CLOSED.refused(code, NOW).is_open
