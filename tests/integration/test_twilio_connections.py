"""What becomes of a text when connections fail: it never goes twice, and never counts as gone when it stayed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from scheduler.channels.twilio import TwilioSms, handles
from scheduler.ports import Outcome
from tests.support.raw_server import CREATED, raw_server, read_request, reset
from tests.support.twilio_channel import channel_to, send_one, text
from tests.support.twilio_server import Fault, FaultKind, TwilioServer
from tests.support.waiting import wait_until


@pytest.fixture
def server() -> Iterator[TwilioServer]:
    with TwilioServer() as running:
        yield running


@pytest.fixture
def channel(server: TwilioServer) -> Iterator[TwilioSms]:
    with channel_to(server.url, concurrency=1) as made:
        yield made


# Never twice


@pytest.mark.parametrize("end", [socket.socket.close, reset], ids=["closed", "reset"])
@pytest.mark.parametrize("texts_before", [0, 1, 5])
def test_a_server_that_takes_a_text_and_ends_the_connection_gets_it_once(
    end: Callable[[socket.socket], None], texts_before: int
) -> None:
    """Also on a connection used before, where libcurl would repeat the request by itself."""
    posted: list[bytes] = []

    def serve(connection: socket.socket, number: int) -> None:
        while body := read_request(connection):
            posted.append(body)
            if len(posted) > texts_before:
                end(connection)
                return
            connection.sendall(CREATED)

    with raw_server(serve) as server, channel_to(server.url, concurrency=1) as channel:
        for _ in range(texts_before):
            assert send_one(channel, text()).outcome is Outcome.ACCEPTED
        result = send_one(channel, text(body="The one that is lost."))
        assert (result.outcome, result.code) == (Outcome.UNKNOWN, "closed")
        assert server.accepted == 1
    assert len(posted) == len(set(posted)) == texts_before + 1


@pytest.mark.parametrize("kind", [FaultKind.CLOSE, FaultKind.CUT, FaultKind.DROP])
def test_of_many_texts_over_used_connections_none_goes_twice(kind: FaultKind) -> None:
    with TwilioServer() as server, channel_to(server.url, concurrency=8) as channel:
        assert len(list(channel.send([text() for _ in range(8)]))) == 8  # every connection has been used
        server.fail(Fault(kind), times=8)
        batch = [text() for _ in range(40)]
        outcomes = [result.outcome for result in channel.send(batch)]
        assert outcomes.count(Outcome.UNKNOWN) == 8
        assert outcomes.count(Outcome.ACCEPTED) == 32
        assert server.requests == 48


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 201 Cre",
        b"HTTP/1.1 201 Created\r\nContent-Le",
        b"HTTP/1.1 201 Created\r\n\r\n",
        CREATED[:-5],
        b"\0",
    ],
    ids=["status line", "headers", "no body", "cut body", "no HTTP"],
)
def test_a_part_of_an_answer_is_no_answer(answer: bytes) -> None:
    posted: list[bytes] = []

    def serve(connection: socket.socket, number: int) -> None:
        posted.append(read_request(connection))
        connection.sendall(answer)

    with raw_server(serve) as server, channel_to(server.url) as channel:
        assert send_one(channel, text()).outcome is Outcome.UNKNOWN
    assert len(posted) == 1


def test_an_answer_that_trickles_in_for_ever_is_unknown_in_time() -> None:
    over = threading.Event()

    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n")
        while not over.wait(0.05):
            try:
                connection.sendall(b" ")
            except OSError:
                return

    with raw_server(serve) as server, channel_to(server.url, timeout=0.3) as channel:
        result = send_one(channel, text())
        over.set()
    assert (result.outcome, result.code) == (Outcome.UNKNOWN, "timeout")


def test_a_redirect_is_not_followed(server: TwilioServer) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        head = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {server.url}/x\r\nContent-Length: 0\r\n\r\n"
        connection.sendall(head.encode())

    with raw_server(serve) as redirecting, channel_to(redirecting.url) as channel:
        result = send_one(channel, text())
    assert (result.outcome, result.code, server.requests) == (Outcome.REFUSED, "307", 0)


def test_a_hundred_continue_before_the_answer_changes_nothing() -> None:
    def serve(connection: socket.socket, number: int) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" + CREATED)

    with raw_server(serve) as server, channel_to(server.url) as channel:
        assert send_one(channel, text()).outcome is Outcome.ACCEPTED


# Connections that last


def test_one_connection_serves_many_texts(server: TwilioServer, channel: TwilioSms) -> None:
    results = list(channel.send(text() for _ in range(20)))
    assert [result.outcome for result in results] == [Outcome.ACCEPTED] * 20
    assert server.connections_made == 1


def test_the_next_batch_goes_over_the_connections_of_the_last(server: TwilioServer, channel: TwilioSms) -> None:
    for _ in range(5):
        assert send_one(channel, text()).outcome is Outcome.ACCEPTED
    assert server.connections_made == 1


def test_a_connection_that_the_server_closed_meanwhile_costs_no_message(
    server: TwilioServer, channel: TwilioSms
) -> None:
    for _ in range(5):
        assert send_one(channel, text()).outcome is Outcome.ACCEPTED
        server.close_connections()
    assert server.requests == len(server.messages) == 5
    assert server.connections_made == 5


def test_a_connection_that_was_idle_for_long_is_not_used_again(
    server: TwilioServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handles, "IDLE_SECONDS", 1)
    with channel_to(server.url, concurrency=1) as channel:

        def connections_after_a_text() -> int:
            assert send_one(channel, text()).outcome is Outcome.ACCEPTED
            return server.connections_made

        assert connections_after_a_text() == connections_after_a_text() == 1
        idle = threading.Event()
        idle.wait(2.1)  # libcurl counts whole seconds
        assert connections_after_a_text() == 2


def test_a_closed_channel_leaves_no_connection_open(server: TwilioServer) -> None:
    with channel_to(server.url, concurrency=4) as channel:
        list(channel.send([text() for _ in range(20)]))
        assert server.open_connections
    wait_until(lambda: not server.open_connections, what="the connections to close")


def test_a_channel_that_is_closed_in_the_middle_of_a_batch_closes_its_connections_after_it(
    server: TwilioServer,
) -> None:
    with channel_to(server.url, concurrency=2) as channel:
        results = channel.send([text() for _ in range(20)])
        next(results)
        channel.close()
        assert len(list(results)) == 19
    wait_until(lambda: not server.open_connections, what="the connections to close")
