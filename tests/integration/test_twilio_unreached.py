"""What never reached Twilio is not handed over, so that another try is safe; and whom a text may reach at all."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scheduler.channels.twilio import handles
from scheduler.ports import ErrorClass, Outcome
from tests.support.certificates import make_certificate
from tests.support.raw_server import CREATED, raw_server, read_request, reset
from tests.support.twilio_channel import channel_to, send_one, text
from tests.support.twilio_server import TwilioServer


@pytest.fixture
def server() -> Iterator[TwilioServer]:
    with TwilioServer() as running:
        yield running


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_refused_connection_is_not_handed_over() -> None:
    with channel_to(f"http://127.0.0.1:{free_port()}") as channel:
        result = send_one(channel, text())
    assert (result.outcome, result.code) == (Outcome.NOT_HANDED_OVER, "connect")
    assert result.error_class is ErrorClass.TRANSIENT
    assert "refused" in str(result.detail)


def test_a_host_that_does_not_exist_is_not_handed_over() -> None:
    with channel_to("http://no-such-host.invalid") as channel:
        result = send_one(channel, text())
    assert (result.outcome, result.code) == (Outcome.NOT_HANDED_OVER, "dns")


def test_an_address_that_is_none_is_not_handed_over() -> None:
    with channel_to("gopher://127.0.0.1") as channel:
        result = send_one(channel, text())
    assert (result.outcome, result.error_class) == (Outcome.NOT_HANDED_OVER, ErrorClass.CONFIGURATION)
    assert "TWILIO_API_URL" in str(result.detail)


def test_a_certificate_that_is_not_trusted_is_not_handed_over(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with TwilioServer(tls=certificate.server_context()) as server:
        with channel_to(server.url) as channel:
            result = send_one(channel, text())
        assert (result.outcome, result.code) == (Outcome.NOT_HANDED_OVER, "tls")
        assert result.error_class is ErrorClass.CONFIGURATION
        assert server.messages == []


def test_a_certificate_for_another_host_is_not_handed_over(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with TwilioServer(tls=certificate.server_context()) as server:
        url = server.url.replace("127.0.0.1", "127.0.0.2")  # reaches nobody, or is not in the certificate
        with channel_to(url, ca_file=str(certificate.certificate)) as channel:
            assert send_one(channel, text()).outcome is Outcome.NOT_HANDED_OVER
        assert server.messages == []


def test_texts_go_over_a_connection_whose_certificate_is_trusted(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with (
        TwilioServer(tls=certificate.server_context()) as server,
        channel_to(server.url, ca_file=str(certificate.certificate)) as channel,
    ):
        assert [r.outcome for r in channel.send([text(), text()])] == [Outcome.ACCEPTED] * 2


def test_certificates_to_trust_are_found_with_and_without_a_system_store(monkeypatch: pytest.MonkeyPatch) -> None:
    found = handles.default_ca_file()
    assert found is not None
    assert "BEGIN CERTIFICATE" in Path(found).read_text()
    nothing = ssl.DefaultVerifyPaths("/nowhere", "/nowhere", "", "", "", "")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: nothing)
    without = handles.default_ca_file()
    assert without is not None
    assert "BEGIN CERTIFICATE" in Path(without).read_text()


@pytest.mark.parametrize("end", [socket.socket.close, reset], ids=["closed", "reset"])
def test_a_handshake_that_breaks_off_is_not_handed_over(end: Callable[[socket.socket], None]) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        connection.recv(65536)
        end(connection)

    with raw_server(serve) as server, channel_to(f"https://127.0.0.1:{server.port}") as channel:
        result = send_one(channel, text())
    assert (result.outcome, result.error_class) == (Outcome.NOT_HANDED_OVER, ErrorClass.TRANSIENT)


def test_a_handshake_that_hangs_is_not_handed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"https://127.0.0.1:{mute.getsockname()[1]}"
        with channel_to(url, timeout=0.3) as channel:
            result = send_one(channel, text())
    assert (result.outcome, result.code) == (Outcome.NOT_HANDED_OVER, "connect_timeout")


def test_a_slow_handshake_takes_nothing_from_the_time_for_the_answer(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    context = certificate.server_context()

    def serve(connection: socket.socket, number: int) -> None:
        pause.wait(0.4)
        with context.wrap_socket(connection, server_side=True) as encrypted:
            read_request(encrypted)
            pause.wait(0.4)
            encrypted.sendall(CREATED)

    pause = threading.Event()
    with (
        raw_server(serve) as server,
        channel_to(f"https://127.0.0.1:{server.port}", timeout=0.6, ca_file=str(certificate.certificate)) as channel,
    ):
        assert send_one(channel, text()).outcome is Outcome.ACCEPTED


def test_no_proxy_of_the_environment_gets_to_see_a_text(
    server: TwilioServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    with channel_to(server.url) as channel:
        assert send_one(channel, text()).outcome is Outcome.ACCEPTED
