"""While much comes in, what can wait takes only a small share of the time."""

from __future__ import annotations

from scheduler.services.traffic import HEAVY, LONGEST_REST, SHARE, WITHIN, Traffic


def test_traffic_is_heavy_when_many_came_within_a_moment_and_for_no_longer() -> None:
    now = [100.0]
    traffic = Traffic(steady=lambda: now[0])
    assert not traffic.is_heavy
    for _ in range(HEAVY - 1):
        traffic.passed()
    assert not traffic.is_heavy
    traffic.passed()
    assert traffic.is_heavy
    now[0] += WITHIN + 0.01
    assert not traffic.is_heavy


def test_what_can_wait_rests_in_proportion_to_its_work_and_not_at_all_when_it_is_quiet() -> None:
    traffic = Traffic(steady=lambda: 0.0)
    assert traffic.rest_after(0.05) == 0
    for _ in range(HEAVY):
        traffic.passed()
    assert traffic.rest_after(0.05) == 0.05 * (SHARE - 1)
    assert traffic.rest_after(10) == LONGEST_REST
