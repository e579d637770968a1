"""The Twilio channel against a server that speaks Twilio's protocol, well and badly."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest

from scheduler.channels.twilio import TwilioSms
from scheduler.ports import ErrorClass, Outcome
from tests.support.twilio_channel import PHONE, ROOT, SENDER, SERVICE, channel_to, send_one, settings, text
from tests.support.twilio_server import ACCOUNT, TOKEN, Fault, FaultKind, TwilioServer


@pytest.fixture
def server() -> Iterator[TwilioServer]:
    with TwilioServer() as running:
        yield running


@pytest.fixture
def channel(server: TwilioServer) -> Iterator[TwilioSms]:
    with channel_to(server.url) as made:
        yield made


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
    assert result.retry_after == timedelta(seconds=3)
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


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        (Fault(FaultKind.ANSWER, 503, 20503, retry_after="90"), timedelta(seconds=90)),
        (Fault(FaultKind.ANSWER, 503, retry_after="Sun, 22 Nov 2026 15:00:20 GMT"), timedelta(seconds=20)),
        (Fault(FaultKind.ANSWER, 429, retry_after="86400"), timedelta(hours=1)),
        (Fault(FaultKind.ANSWER, 429, retry_after="soon"), None),
        (Fault(FaultKind.ANSWER, 429), None),
        (Fault(FaultKind.ANSWER, 500, retry_after="90"), None),
        (Fault(FaultKind.ANSWER, 400, 21211, retry_after="90"), None),
    ],
)
def test_the_wait_that_twilio_asks_for_is_in_the_result(
    server: TwilioServer, channel: TwilioSms, fault: Fault, wait: timedelta | None
) -> None:
    server.fail(fault)
    assert send_one(channel, text()).retry_after == wait


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


def test_an_empty_batch_is_no_work(channel: TwilioSms) -> None:
    assert list(channel.send([])) == []


def test_the_environment_does_not_redirect_our_texts(server: TwilioServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    with channel_to(server.url) as channel:
        assert send_one(channel, text()).outcome is Outcome.ACCEPTED


def test_sending_does_not_need_the_slow_package(server: TwilioServer) -> None:
    code = (
        "import sys; from tests.support.twilio_channel import channel_to, send_one, text\n"
        f"with channel_to({server.url!r}) as channel: print(send_one(channel, text()).outcome)\n"
        "sys.exit('twilio' in sys.modules or 'urllib3' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("accepted\n", "", 0)


def test_settings_never_show_the_secret() -> None:
    assert TOKEN not in repr(settings("https://api.twilio.com"))
