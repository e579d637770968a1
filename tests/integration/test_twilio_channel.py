"""The Twilio channel against a server that speaks Twilio's protocol, well and badly."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from twilio.rest import Client

from scheduler.channels.errors import load_error_table
from scheduler.channels.twilio import TwilioSettings, TwilioSms
from scheduler.channels.twilio import transport as transport_module
from scheduler.channels.twilio.transport import PooledHttpClient
from scheduler.ports import ErrorClass, OutboundSms, Outcome, SendResult, SmsChannel
from tests.support.certificates import make_certificate
from tests.support.twilio_rules import created_answer, message_fields
from tests.support.twilio_server import ACCOUNT, TOKEN, Fault, FaultKind, TwilioServer

ROOT = Path(__file__).parents[2]
ERRORS = load_error_table(ROOT / "config" / "provider_errors.yaml")
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
PHONE = "+15551230001"
SENDER = "+15557650000"
SERVICE = "MG" + "ab" * 16


class StoppedClock:
    def now(self) -> datetime:
        return NOW


def text(
    to: str = PHONE,
    *,
    body: str = "Oak Clinic: move today.",
    sender: str | None = SENDER,
    service: str | None = None,
    valid_for: timedelta | None = timedelta(hours=2),
) -> OutboundSms:
    return OutboundSms(
        attempt_id=uuid4(),
        to=to,
        body=body,
        sender_number=sender,
        messaging_service=service,
        valid_until=None if valid_for is None else NOW + valid_for,
    )


def settings(url: str, **changes: Any) -> TwilioSettings:
    given: dict[str, Any] = {
        "account_sid": ACCOUNT,
        "username": ACCOUNT,
        "password": TOKEN,
        "public_url": "https://care.clinic.example",
        "api_url": url,
        "timeout": 5.0,
    }
    return TwilioSettings(**{**given, **changes})


@contextmanager
def channel_to(url: str, **changes: Any) -> Iterator[TwilioSms]:
    channel = TwilioSms(settings(url, **changes), errors=ERRORS, clock=StoppedClock())
    try:
        yield channel
    finally:
        channel.close()


@pytest.fixture
def server() -> Iterator[TwilioServer]:
    with TwilioServer() as running:
        yield running


@pytest.fixture
def channel(server: TwilioServer) -> Iterator[TwilioSms]:
    with channel_to(server.url) as made:
        yield made


def send_one(channel: SmsChannel, message: OutboundSms) -> SendResult:
    (result,) = channel.send([message])
    assert result.attempt_id == message.attempt_id
    return result


# What is sent


def test_an_accepted_text_gives_twilios_sid(server: TwilioServer, channel: TwilioSms) -> None:
    result = send_one(channel, text())
    assert result.outcome is Outcome.ACCEPTED
    assert result.provider_id == server.messages[0].sid
    assert result.code is None


def test_the_form_has_exactly_what_twilio_needs(server: TwilioServer, channel: TwilioSms) -> None:
    message = text(body="¿Ya caminó? é & + =")
    send_one(channel, message)
    assert server.messages[0].form == {
        "To": PHONE,
        "From": SENDER,
        "Body": "¿Ya caminó? é & + =",
        "ValidityPeriod": "7200",
        "StatusCallback": f"https://care.clinic.example/hooks/twilio/status?a={message.attempt_id}#rc=3&rp=5xx,ct,rt",
    }


def test_a_messaging_service_takes_the_place_of_the_sender(server: TwilioServer, channel: TwilioSms) -> None:
    send_one(channel, text(service=SERVICE))
    assert server.messages[0].form["MessagingServiceSid"] == SERVICE
    assert "From" not in server.messages[0].form


@pytest.mark.parametrize(
    ("valid_for", "field"),
    [
        (None, None),
        (timedelta(seconds=1), "1"),
        (timedelta(seconds=90, milliseconds=900), "90"),
        (timedelta(hours=10), "36000"),
        (timedelta(days=3), "36000"),
    ],
)
def test_the_validity_period_ends_with_the_contact_window(
    server: TwilioServer, channel: TwilioSms, valid_for: timedelta | None, field: str | None
) -> None:
    assert send_one(channel, text(valid_for=valid_for)).outcome is Outcome.ACCEPTED
    assert server.messages[0].form.get("ValidityPeriod") == field


@pytest.mark.parametrize("valid_for", [timedelta(0), timedelta(milliseconds=999), timedelta(hours=-1)])
def test_a_text_whose_window_has_closed_is_not_sent(
    server: TwilioServer, channel: TwilioSms, valid_for: timedelta
) -> None:
    result = send_one(channel, text(valid_for=valid_for))
    assert (result.outcome, result.code) == (Outcome.NOT_HANDED_OVER, "window_closed")
    assert server.requests == 0


def test_a_text_without_any_sender_is_not_sent(server: TwilioServer, channel: TwilioSms) -> None:
    result = send_one(channel, text(sender=None))
    assert (result.outcome, result.code) == (Outcome.NOT_HANDED_OVER, "no_sender")
    assert result.error_class is ErrorClass.CONFIGURATION
    assert server.requests == 0


@pytest.mark.parametrize(
    ("public_url", "has_callback"),
    [
        ("https://care.clinic.example/", True),
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("https://my_clinic.example", False),
        ("https://-clinic.example", False),
        ("https://", False),
    ],
)
def test_receipts_are_asked_for_where_twilio_takes_the_address(
    server: TwilioServer, public_url: str, has_callback: bool
) -> None:
    with channel_to(server.url, public_url=public_url) as channel:
        assert send_one(channel, text()).outcome is Outcome.ACCEPTED
    callback = server.messages[0].form.get("StatusCallback", "")
    assert callback.startswith(public_url.rstrip("/") + "/hooks/twilio/status?a=") is has_callback


def test_an_api_key_signs_in_for_the_account(server: TwilioServer) -> None:
    with TwilioServer(accounts={ACCOUNT: TOKEN, "SK1": "key-secret"}) as with_key:
        with channel_to(with_key.url, username="SK1", password="key-secret") as channel:
            assert send_one(channel, text()).outcome is Outcome.ACCEPTED
        assert (with_key.messages[0].account, with_key.messages[0].username) == (ACCOUNT, "SK1")


def test_our_request_is_the_one_that_the_packages_own_client_makes(
    server: TwilioServer, channel: TwilioSms, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = text(body="¿Sí? 100% & more + ~tilde é\n2", service=SERVICE)
    send_one(channel, ours)
    sent = server.messages[0]
    monkeypatch.setattr("twilio.rest.api.ApiBase.__init__", _api_at(server.url))
    Client(ACCOUNT, TOKEN).messages.create(
        to=ours.to,
        body=ours.body,
        messaging_service_sid=SERVICE,
        validity_period=7200,
        status_callback=sent.form["StatusCallback"],
    )
    theirs = server.messages[1]
    assert sent.form == theirs.form
    for header in ("Authorization", "Content-Type", "Accept", "Accept-Charset", "User-Agent"):
        assert sent.header(header) == theirs.header(header) is not None
    assert sent.head.split(b"\r\n")[0] == theirs.head.split(b"\r\n")[0]


def _api_at(url: str) -> Any:
    """The package's API domain, at another base address."""
    from twilio.base.domain import Domain

    def init(self: Any, twilio: Any) -> None:
        Domain.__init__(self, twilio, url)
        self._v2010 = None

    return init


def test_the_packages_list_and_fetch_work_through_our_client(server: TwilioServer, channel: TwilioSms) -> None:
    list(channel.send([text(f"+1555123{n:04}") for n in range(25)]))
    http = PooledHttpClient(timeout=5, connections=1, api_url=server.url)
    client = Client(ACCOUNT, TOKEN, http_client=http)
    assert len(list(client.messages.list(page_size=10))) == 25
    (found,) = client.messages.list(to="+15551230007", date_sent_after=datetime.now(UTC) - timedelta(hours=1))
    assert client.messages(found.sid).fetch().to == "+15551230007"
    assert client.messages.list(date_sent_before=datetime.now(UTC) - timedelta(hours=1)) == []
    http.close()


# What comes back


@pytest.mark.parametrize(
    ("fault", "code", "error_class"),
    [
        (Fault(FaultKind.ANSWER, 400, 21211), "21211", ErrorClass.PERMANENT),
        (Fault(FaultKind.ANSWER, 400, 21610), "21610", ErrorClass.STOPPED),
        (Fault(FaultKind.ANSWER, 401, 20003), "20003", ErrorClass.CONFIGURATION),
        (Fault(FaultKind.ANSWER, 400, 21611), "21611", ErrorClass.TRANSIENT),
        (Fault(FaultKind.ANSWER, 400, 54321), "54321", ErrorClass.AMBIGUOUS),
        (Fault(FaultKind.ANSWER, 403), "403", ErrorClass.CONFIGURATION),
        (
            Fault(FaultKind.ANSWER, 400, body='{"code": null, "message": "x"}'),
            "400",
            ErrorClass.CONFIGURATION,
        ),
        (Fault(FaultKind.ANSWER, 404, body="<html>no</html>"), "404", ErrorClass.CONFIGURATION),
        (Fault(FaultKind.ANSWER, 302), "302", ErrorClass.CONFIGURATION),
        (
            Fault(
                FaultKind.ANSWER,
                400,
                body='{"type": "about:blank", "title": "Bad", "status": 400, "code": 21614}',
            ),
            "21614",
            ErrorClass.PERMANENT,
        ),
    ],
    ids=lambda value: value.body or str(value.status) if isinstance(value, Fault) else None,
)
def test_a_refusal_has_twilios_code_and_its_class(
    server: TwilioServer, channel: TwilioSms, fault: Fault, code: str, error_class: ErrorClass
) -> None:
    server.fail(fault)
    result = send_one(channel, text())
    assert (result.outcome, result.code, result.error_class) == (Outcome.REFUSED, code, error_class)
    assert server.messages == []


def test_a_refusal_never_repeats_the_number_or_the_text(server: TwilioServer, channel: TwilioSms) -> None:
    result = send_one(channel, text("+123", body="very private"))
    assert result.code == "21211"
    assert "+123" not in str(result.detail)
    assert "private" not in str(result.detail)


def test_a_wrong_token_is_the_operators_problem(server: TwilioServer) -> None:
    with channel_to(server.url, password="wrong") as channel:
        result = send_one(channel, text())
    assert (result.outcome, result.code) == (Outcome.REFUSED, "20003")
    assert result.error_class is ErrorClass.CONFIGURATION


@pytest.mark.parametrize("body", [None, '{"code": 20429, "message": "x", "status": 429}'])
def test_too_many_requests_is_safe_to_try_again_and_says_when(
    server: TwilioServer, channel: TwilioSms, body: str | None
) -> None:
    server.fail(Fault(FaultKind.ANSWER, 429, retry_after="3", body=body))
    result = send_one(channel, text())
    assert (result.outcome, result.code) == (Outcome.NOT_HANDED_OVER, "20429")
    assert result.error_class is ErrorClass.TRANSIENT
    assert "retry after 3 s" in str(result.detail)
    assert send_one(channel, text()).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.ANSWER, 500, 20500),
        Fault(FaultKind.ANSWER, 500),
        Fault(FaultKind.ANSWER, 502, body="<html>bad gateway</html>"),
        Fault(FaultKind.ANSWER, 503, retry_after="10"),
        Fault(FaultKind.DROP),
        Fault(FaultKind.CLOSE),
        Fault(FaultKind.CUT),
        Fault(FaultKind.GARBAGE),
        Fault(FaultKind.GARBAGE, body=" "),
        Fault(FaultKind.GARBAGE, body="{}"),
        Fault(FaultKind.GARBAGE, body="[]"),
        Fault(FaultKind.GARBAGE, body="null"),
        Fault(FaultKind.GARBAGE, body='{"sid": null}'),
        Fault(FaultKind.GARBAGE, body='{"sid": 7}'),
        Fault(FaultKind.GARBAGE, body='{"sid": "SM1", "date_created": 5}'),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.body}",
)
def test_without_a_readable_answer_nobody_knows_and_nothing_is_sent_again(
    server: TwilioServer, channel: TwilioSms, fault: Fault
) -> None:
    server.fail(fault)
    result = send_one(channel, text())
    assert (result.outcome, result.error_class) == (Outcome.UNKNOWN, ErrorClass.AMBIGUOUS)
    assert result.provider_id is None
    assert server.requests == 1


def test_an_answer_that_does_not_come_in_time_is_unknown(server: TwilioServer) -> None:
    server.fail(Fault(FaultKind.HANG))
    with channel_to(server.url, timeout=0.3) as channel:
        result = send_one(channel, text())
    assert (result.outcome, result.code) == (Outcome.UNKNOWN, "timeout")
    assert [message.answered for message in server.messages] == [False]


def test_a_text_that_failed_at_once_is_refused_though_it_has_a_sid(server: TwilioServer, channel: TwilioSms) -> None:
    body = json.dumps({"sid": "SM" + "1" * 32, "status": "failed", "error_code": 30006})
    server.fail(Fault(FaultKind.GARBAGE, body=body))
    result = send_one(channel, text())
    assert (result.outcome, result.code) == (Outcome.REFUSED, "30006")
    assert (result.error_class, result.provider_id) == (ErrorClass.PERMANENT, "SM" + "1" * 32)


# What never left


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


def test_a_certificate_that_is_not_trusted_is_not_handed_over(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with TwilioServer(tls=certificate.server_context()) as server:
        with channel_to(server.url) as channel:
            result = send_one(channel, text())
        assert (result.outcome, result.code) == (Outcome.NOT_HANDED_OVER, "tls")
        assert result.error_class is ErrorClass.CONFIGURATION
        assert server.messages == []


def test_texts_go_over_a_connection_whose_certificate_is_trusted(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with TwilioServer(tls=certificate.server_context()) as server:
        channel = TwilioSms(
            settings(server.url), errors=ERRORS, clock=StoppedClock(), tls=certificate.client_context()
        )
        assert [r.outcome for r in channel.send([text(), text()])] == [Outcome.ACCEPTED] * 2
        channel.close()


def test_a_handshake_that_hangs_is_not_handed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"https://127.0.0.1:{mute.getsockname()[1]}"
        channel = TwilioSms(settings(url, timeout=0.3), errors=ERRORS, clock=StoppedClock())
        result = send_one(channel, text())
        channel.close()
    assert result.outcome is Outcome.NOT_HANDED_OVER


# Connections


def test_one_connection_serves_many_texts(server: TwilioServer) -> None:
    with channel_to(server.url, threads=1) as channel:
        results = list(channel.send(text() for _ in range(20)))
    assert [result.outcome for result in results] == [Outcome.ACCEPTED] * 20
    assert server.connections_made == 1


def test_a_connection_that_the_server_closed_meanwhile_costs_no_message(server: TwilioServer) -> None:
    with channel_to(server.url, threads=1) as channel:
        for _ in range(5):
            assert send_one(channel, text()).outcome is Outcome.ACCEPTED
            server.close_connections()
    assert server.requests == len(server.messages) == 5
    assert server.connections_made == 5


def test_a_connection_that_was_idle_for_long_is_not_used_again(
    server: TwilioServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with channel_to(server.url, threads=1) as channel:
        send_one(channel, text())
        monkeypatch.setattr(transport_module, "IDLE_SECONDS", 0.0)
        assert send_one(channel, text()).outcome is Outcome.ACCEPTED
    assert server.connections_made == 2


def test_a_batch_is_sent_many_at_once() -> None:
    with TwilioServer(latency=0.2) as server, channel_to(server.url, threads=8) as channel:
        results = list(channel.send(text(f"+1555123{n:04}") for n in range(16)))
    assert len(results) == 16
    assert 1 < server.most_waiting <= 8


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


def test_what_the_caller_no_longer_waits_for_is_not_begun() -> None:
    with TwilioServer(latency=0.05) as server:
        with channel_to(server.url, threads=1) as channel:
            results = channel.send([text() for _ in range(50)])
            next(results)
            results.close()  # type: ignore[attr-defined]
        assert server.requests <= 3


def test_an_empty_batch_is_no_work(channel: TwilioSms) -> None:
    assert list(channel.send([])) == []


def test_the_environment_does_not_redirect_our_texts(server: TwilioServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    with channel_to(server.url) as channel:
        assert send_one(channel, text()).outcome is Outcome.ACCEPTED


def test_importing_the_channel_does_not_import_the_slow_package() -> None:
    code = "import sys, scheduler.channels.twilio; sys.exit('twilio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_settings_never_show_the_secret() -> None:
    assert TOKEN not in repr(settings("https://api.twilio.com"))


# The test server itself


@pytest.mark.parametrize("changes", [{}, {"service": SERVICE}, {"body": '@to@ "quoted" \\ é 🦴 ' * 20}])
def test_the_quick_answer_of_the_server_is_the_full_resource(
    server: TwilioServer, channel: TwilioSms, changes: dict[str, Any]
) -> None:
    send_one(channel, text(**changes))
    (message,) = server.messages
    assert json.loads(created_answer(message)) == message_fields(message, created=True)


def test_the_server_process_keeps_a_journal_and_takes_faults(tmp_path: Path) -> None:
    import urllib3

    journal = tmp_path / "journal.jsonl"
    command = [sys.executable, "-m", "tests.support.twilio_server", "--journal", str(journal)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            fault = {"kind": "answer", "status": 400, "code": 21614}
            urllib3.request("POST", f"{url}/_faults", json=fault)
            with channel_to(url) as channel:
                assert send_one(channel, text()).code == "21614"
                sid = send_one(channel, text()).provider_id
        finally:
            process.kill()
    (line,) = journal.read_text().splitlines()
    assert (json.loads(line)["sid"], json.loads(line)["form"]["To"]) == (sid, PHONE)
