"""How a batch goes: many at once, taken only as there is room, at the pace of whoever gives it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from uuid import UUID

import pytest

from scheduler.channels.twilio import TwilioSms
from scheduler.ports import ErrorClass, OutboundSms, Outcome
from tests.support.twilio_channel import channel_to, send_one, text
from tests.support.twilio_server import Fault, FaultKind, TwilioServer


@pytest.fixture
def server() -> Iterator[TwilioServer]:
    with TwilioServer() as running:
        yield running


@pytest.fixture
def channel(server: TwilioServer) -> Iterator[TwilioSms]:
    with channel_to(server.url) as made:
        yield made


def test_an_empty_batch_is_no_work(channel: TwilioSms) -> None:
    assert list(channel.send([])) == []


def test_a_batch_is_sent_many_at_once() -> None:
    with TwilioServer(latency=0.2) as server, channel_to(server.url, concurrency=8) as channel:
        results = list(channel.send(text(f"+1555123{n:04}") for n in range(16)))
    assert len(results) == 16
    assert server.most_waiting == 8


def test_by_default_enough_go_at_once_for_a_thousand_a_second_at_50_ms_each() -> None:
    with TwilioServer(latency=0.05) as server, channel_to(server.url) as channel:
        results = list(channel.send(text(f"+1555123{n:04}") for n in range(200)))
    assert len(results) == 200
    assert server.most_waiting / server.latency > 1000


def test_each_message_of_a_mixed_batch_gets_its_own_result(server: TwilioServer, channel: TwilioSms) -> None:
    faults = {
        "+15551230001": (Fault(FaultKind.ANSWER, 400, 21610), Outcome.REFUSED),
        "+15551230002": (Fault(FaultKind.CLOSE), Outcome.UNKNOWN),
        "+15551230003": (Fault(FaultKind.ANSWER, 429), Outcome.NOT_HANDED_OVER),
    }
    for to, (fault, _) in faults.items():
        server.fail(fault, to=to)
    batch = [text(f"+1555123{n:04}") for n in range(40)]
    results = {result.attempt_id: result.outcome for result in channel.send(batch)}
    wanted = {m.attempt_id: faults[m.to][1] if m.to in faults else Outcome.ACCEPTED for m in batch}
    assert results == wanted


def test_each_accepted_message_has_the_sid_of_its_own(server: TwilioServer, channel: TwilioSms) -> None:
    batch = [text(f"+1555123{n:04}") for n in range(200)]
    sids = {result.attempt_id: result.provider_id for result in channel.send(batch)}
    assert {message.form["To"]: message.sid for message in server.messages} == {
        message.to: sids[message.attempt_id] for message in batch
    }


def test_two_batches_at_once_do_not_mix_their_results(server: TwilioServer, channel: TwilioSms) -> None:
    batches = [[text() for _ in range(30)] for _ in range(2)]
    seen: list[set[UUID]] = [set(), set()]

    def send(which: int) -> None:
        seen[which] = {result.attempt_id for result in channel.send(batches[which])}

    threads = [threading.Thread(target=send, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert seen == [{message.attempt_id for message in batch} for batch in batches]


def test_no_thread_is_started_for_a_batch(server: TwilioServer, channel: TwilioSms) -> None:
    before = threading.active_count()
    results = channel.send([text() for _ in range(100)])
    next(results)
    assert threading.active_count() == before
    assert len(list(results)) == 99


# The caller stops reading


def test_what_the_caller_no_longer_waits_for_is_not_begun() -> None:
    with TwilioServer(latency=0.05) as server, channel_to(server.url, concurrency=2) as channel:
        results = channel.send([text() for _ in range(50)])
        next(results)
        results.close()  # type: ignore[attr-defined]
        begun = server.requests
        assert begun <= 4
        assert send_one(channel, text()).outcome is Outcome.ACCEPTED
        assert server.requests == begun + 1


def test_what_is_under_way_when_the_caller_stops_is_finished() -> None:
    with TwilioServer(latency=0.1) as server, channel_to(server.url, concurrency=4) as channel:
        server.fail(Fault(FaultKind.ANSWER, 400, 21610))
        results = channel.send([text() for _ in range(4)])
        next(results)
        results.close()  # type: ignore[attr-defined]
        assert len(server.messages) == 3
        assert server.waiting == 0
        assert server.connections_made == 4
        list(channel.send([text() for _ in range(4)]))
        assert server.connections_made == 4  # an answer that was broken off would have cost its connection


def test_what_has_not_been_asked_for_is_not_sent(server: TwilioServer, channel: TwilioSms) -> None:
    channel.send([text()])
    assert server.requests == 0


# The pace of whoever gives the batch


def test_the_next_message_is_taken_only_when_there_is_room() -> None:
    taken = 0

    def batch() -> Iterator[OutboundSms]:
        nonlocal taken
        for _ in range(20):
            taken += 1
            yield text()

    with TwilioServer(latency=0.1) as server, channel_to(server.url, concurrency=3) as channel:
        results = channel.send(batch())
        for done in range(1, 18):
            next(results)
            assert taken <= done + 3


def test_nothing_yet_is_not_the_end(server: TwilioServer, channel: TwilioSms) -> None:
    messages = [text() for _ in range(6)]
    batch = [None, *messages[:3], None, None, *messages[3:], None]
    results = list(channel.send(batch))
    assert {result.attempt_id for result in results} == {message.attempt_id for message in messages}
    assert [result.outcome for result in results] == [Outcome.ACCEPTED] * 6


def test_a_batch_that_has_nothing_yet_is_asked_again_soon_and_not_all_the_time(channel: TwilioSms) -> None:
    asked = 0

    def batch() -> Iterator[OutboundSms | None]:
        nonlocal asked
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            asked += 1
            yield None
        yield text()

    (result,) = channel.send(batch())
    assert result.outcome is Outcome.ACCEPTED
    assert 3 <= asked <= 70  # every 5 ms, or less often on a busy machine


def test_results_come_while_the_batch_has_nothing_yet(server: TwilioServer, channel: TwilioSms) -> None:
    known: list[UUID] = []
    first = text()

    def batch() -> Iterator[OutboundSms | None]:
        yield first
        until = time.monotonic() + 20
        while not known and time.monotonic() < until:
            yield None
        yield text()

    for result in channel.send(batch()):
        known.append(result.attempt_id)
        assert known[0] == first.attempt_id
    assert len(known) == 2


def test_those_under_way_move_on_while_the_batch_takes_its_time(server: TwilioServer, channel: TwilioSms) -> None:
    """A text is on its way to Twilio before the next one is waited for for long."""
    seen_before_each: list[int] = []

    def batch() -> Iterator[OutboundSms]:
        pause = threading.Event()
        for _ in range(5):
            yield text()
            pause.wait(0.05)
            seen_before_each.append(server.requests)

    assert len(list(channel.send(batch()))) == 5
    assert seen_before_each[-1] >= 3


def test_a_batch_that_fails_raises_after_the_results_of_what_it_gave() -> None:
    def batch() -> Iterator[OutboundSms]:
        yield text()
        yield text()
        raise LookupError("no more")

    with TwilioServer(latency=0.05) as server, channel_to(server.url) as channel:
        results = channel.send(batch())
        assert [next(results).outcome for _ in range(2)] == [Outcome.ACCEPTED] * 2
        with pytest.raises(LookupError):
            next(results)
        assert send_one(channel, text()).outcome is Outcome.ACCEPTED
        assert server.requests == 3


# Messages that cannot go do not stop the others


def test_a_text_that_cannot_be_encoded_is_not_handed_over_and_the_others_go(
    server: TwilioServer, channel: TwilioSms
) -> None:
    broken = text(body="half a pair: \ud83e")
    results = {result.attempt_id: result for result in channel.send([text(), broken, text()])}
    assert (results[broken.attempt_id].outcome, results[broken.attempt_id].code) == (
        Outcome.NOT_HANDED_OVER,
        "not_built",
    )
    assert results[broken.attempt_id].error_class is ErrorClass.CONFIGURATION
    assert len(server.messages) == 2


def test_a_caller_that_is_busy_for_longer_than_the_timeout_loses_no_answer(server: TwilioServer) -> None:
    with channel_to(server.url, timeout=0.2, concurrency=4) as channel:
        outcomes = []
        pause = threading.Event()
        for number, result in enumerate(channel.send([text() for _ in range(12)])):
            outcomes.append(result.outcome)
            if number % 4 == 0:
                pause.wait(0.3)
    assert outcomes == [Outcome.ACCEPTED] * 12
