"""No second holds more segments than its sender's pace allows, however long the provider takes to accept them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scheduler.domain.pace import Pace

_A_HAIR = 1e-9  # seconds: what floating point may take from a window


@dataclass(frozen=True, slots=True)
class Text:
    """A message to send: it is answered `takes` seconds after its start, and accepted at that share of the way."""

    segments: int = 1
    takes: float = 0.0
    accepted_after: float = 0.0  # 0: with the first byte, 1: with the answer
    looked_for_after: float = 0.0  # seconds until the sender looks again whether there is room


@dataclass
class Sender:
    """Sends texts at a pace, many at once, as a channel does; notes when each was accepted."""

    pace: Pace
    at_once: int = 64
    now: float = 0.0
    accepted: list[tuple[float, int]] = field(default_factory=list)
    _under_way: list[tuple[float, int]] = field(default_factory=list)  # when it is answered, and which
    _begun: int = 0

    def send(self, texts: Sequence[Text]) -> None:
        for text in texts:
            self.now += text.looked_for_after
            self._hear_answers()
            while len(self._under_way) >= self.at_once or not self.pace.has_room(text.segments, now=self.now):
                self._wait()
            self._begin(text)

    def hear_all(self) -> None:
        while self._under_way:
            self._wait()

    def _begin(self, text: Text) -> None:
        self.pace.start(self._begun, text.segments)
        heapq.heappush(self._under_way, (self.now + text.takes, self._begun))
        self.accepted.append((self.now + text.takes * text.accepted_after, text.segments))
        self._begun += 1

    def _wait(self) -> None:
        """Until the next answer, or for a moment as short as makes no difference."""
        soon = self.now + 1 / 64
        self.now = min(soon, max(self.now, self._under_way[0][0])) if self._under_way else soon
        self._hear_answers()

    def _hear_answers(self) -> None:
        while self._under_way and self._under_way[0][0] <= self.now:
            self.pace.end(heapq.heappop(self._under_way)[1], now=self.now)


def windows(accepted: Sequence[tuple[float, int]], length: float) -> Iterator[list[int]]:
    """What every window of `length` seconds holds: it is enough to look at those that begin with a message."""
    ordered = sorted(accepted)
    for number, (begin, _) in enumerate(ordered):
        yield [segments for at, segments in ordered[number:] if at < begin + length - _A_HAIR]


def assert_never_too_many(accepted: Sequence[tuple[float, int]], rate: float) -> None:
    """No window holds more than the rate's whole segments; a message that is longer stands alone in its own."""
    capacity = max(1, int(rate))
    for held in windows(accepted, max(1.0, 1 / rate)):
        assert sum(held) <= capacity or len(held) == 1, (rate, held)


rates = st.one_of(
    st.sampled_from([0.1, 0.5, 1, 1.5, 1.999, 2, 3, 10, 20, 100]),
    st.floats(0.05, 40, allow_nan=False, allow_infinity=False),
)
texts = st.builds(
    Text,
    segments=st.integers(1, 12),
    takes=st.one_of(st.just(0.0), st.floats(0, 3)),
    accepted_after=st.floats(0, 1),
    looked_for_after=st.one_of(st.just(0.0), st.floats(0, 2)),
)


@settings(max_examples=200)
@given(rate=rates, batch=st.lists(texts, max_size=40), at_once=st.integers(1, 64))
@example(rate=1.5, batch=[Text()] * 4, at_once=64)  # two thirds of a second would be too short a rest
@example(rate=2.0, batch=[Text(5), Text(), Text()], at_once=64)
@example(rate=3.0, batch=[Text(2, takes=3.0, accepted_after=1.0), Text(), Text(2), Text(3)], at_once=64)
def test_no_window_ever_holds_more_than_the_rate(rate: float, batch: list[Text], at_once: int) -> None:
    sender = Sender(Pace(rate), at_once=at_once)
    sender.send(batch)
    assert_never_too_many(sender.accepted, rate)
    assert len(sender.accepted) == len(batch)


@given(
    rate=rates,
    before=st.lists(texts, min_size=1, max_size=15),
    after=st.lists(texts, min_size=1, max_size=15),
)
def test_whoever_takes_over_after_the_rest_exceeds_nothing_either(
    rate: float, before: list[Text], after: list[Text]
) -> None:
    first = Sender(Pace(rate))
    first.send(before)
    first.hear_all()
    second = Sender(Pace(rate), now=first.now + first.pace.rests_for())
    second.send(after)
    assert_never_too_many([*first.accepted, *second.accepted], rate)


@given(rate=rates, before=st.lists(texts, max_size=15), after=st.lists(texts, min_size=1, max_size=15))
def test_who_dies_with_texts_under_way_is_followed_by_nobody_too_soon(
    rate: float, before: list[Text], after: list[Text]
) -> None:
    first = Sender(Pace(rate))
    first.send(before)
    last_answer = max((at for at, _ in first._under_way), default=first.now)
    second = Sender(Pace(rate), now=last_answer + Pace(rate).rests_for())
    second.send([text for text in after if text.segments <= second.pace.capacity])
    assert_never_too_many([*first.accepted, *second.accepted], rate)


@pytest.mark.parametrize("rate", [0.5, 1, 2, 20])
def test_the_rate_is_used_to_the_full_where_answers_come_at_once(rate: float) -> None:
    sender = Sender(Pace(rate))
    sender.send([Text() for _ in range(round(rate * 10) + 1)])
    assert sender.now == pytest.approx(10, abs=0.5)


def test_a_long_message_counts_for_as_long_as_its_segments_need() -> None:
    pace = Pace(2)
    pace.start("long", 7)
    pace.end("long", now=0)
    assert not pace.has_room(1, now=3.49)
    assert pace.has_room(1, now=3.5)


def test_a_message_longer_than_a_window_waits_until_nothing_else_counts() -> None:
    pace = Pace(3)
    pace.start("short", 1)
    pace.end("short", now=0)
    assert pace.has_room(2, now=0.5)
    assert not pace.has_room(4, now=0.5)
    assert pace.has_room(4, now=1.0)


def test_nothing_is_forgotten_while_its_answer_is_awaited() -> None:
    pace = Pace(1)
    pace.start("slow", 1)
    assert not pace.has_room(1, now=1_000.0)
    pace.end("slow", now=1_000.0)
    assert not pace.has_room(1, now=1_000.9)
    assert pace.has_room(1, now=1_001.0)


def test_an_answer_about_nothing_that_was_started_takes_no_room() -> None:
    pace = Pace(1)
    pace.end("never begun", now=0)
    assert pace.has_room(1, now=0)


def test_who_takes_over_rests_until_the_longest_message_has_counted() -> None:
    pace = Pace(2)
    assert pace.rests_for() == 1
    pace.start("long", 7)
    assert pace.rests_for() == 3.5
    pace.end("long", now=0)
    assert pace.rests_for() == 3.5
    assert Pace(0.1).rests_for() == 10
