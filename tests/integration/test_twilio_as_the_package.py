"""Our requests are those of the `twilio` package, and we read its answers as the package does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from twilio.base.exceptions import TwilioRestException, TwilioServiceException
from twilio.base.values import unset
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from scheduler.channels.twilio import TwilioSms
from scheduler.ports import OutboundSms, Outcome
from tests.support.twilio_channel import ERRORS, PHONE, SERVICE, channel_to, send_one, text
from tests.support.twilio_server import ACCOUNT, TOKEN, Fault, FaultKind, TwilioServer

API = "https://api.twilio.com"


@dataclass
class RecordingClient(HttpClient):  # type: ignore[misc]
    """Answers every request of the package alike, and keeps it."""

    status: int = 201
    body: str = '{"sid": "SM1"}'
    requests: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(None, False, None)

    def request(self, method: str, uri: str, **details: Any) -> Response:
        self.requests.append({"method": method, "uri": uri, **details})
        return Response(self.status, self.body)


@pytest.fixture
def server() -> Iterator[TwilioServer]:
    with TwilioServer() as running:
        yield running


@pytest.fixture
def channel(server: TwilioServer) -> Iterator[TwilioSms]:
    with channel_to(server.url) as made:
        yield made


def made_by_the_package(message: OutboundSms, *, validity: int | None, callback: str | None) -> dict[str, Any]:
    http = RecordingClient()
    Client(ACCOUNT, TOKEN, http_client=http).messages.create(
        to=message.to,
        body=message.body,
        from_=unset if message.messaging_service else message.sender_number,
        messaging_service_sid=message.messaging_service or unset,
        validity_period=unset if validity is None else validity,
        status_callback=callback or unset,
    )
    return http.requests[0]


EVERY_ASCII = "".join(map(chr, range(32, 127)))

MESSAGES = {
    "plain": text(),
    "every ASCII character": text(body=EVERY_ASCII),
    "reserved": text(body="100% & more = a+b; c/d? #1 [x] {y} ~z *!'()"),
    "lines": text(body="one\ntwo\r\nthree\tfour"),
    "Spanish": text(body="¿Ya caminó? ¡Sí! mañana"),
    "emoji": text(body="🦴 bones 👩🏽‍🦽 and 🏳️‍🌈"),
    "other scripts": text(body="骨密度 عظم ossa Ωμέγα"),
    "spaces": text(body="  two  spaces  "),
    "percent": text(body="%20 %2B %zz + %"),
    "long": text(body="é" * 1600),
    "NUL and others": text(body="a\0b\x7fc\u00a0d\u2028e\ufefff"),
    "looks like a form": text(body="x&To=+15550000000&From=1"),
    "messaging service": text(service=SERVICE),
    "service and number": text(service=SERVICE, sender="+15557650000"),
    "short code": text(sender="12345"),
    "alphanumeric sender": text(sender="Oak Clinic"),
    "no validity": text(valid_for=None),
    "one second": text(valid_for=timedelta(seconds=1)),
    "more than ten hours": text(valid_for=timedelta(days=1)),
    "channel address": text("whatsapp:+15551230001"),
}


@pytest.mark.parametrize("with_callback", [True, False])
@pytest.mark.parametrize("name", MESSAGES)
def test_our_request_is_the_one_that_the_package_makes(server: TwilioServer, name: str, with_callback: bool) -> None:
    message = MESSAGES[name]
    public_url = "https://care.clinic.example" if with_callback else "https://not_valid.example"
    with channel_to(server.url, public_url=public_url) as channel:
        assert send_one(channel, message).outcome is Outcome.ACCEPTED
    sent = server.messages[0]
    validity = {"no validity": None, "one second": 1, "more than ten hours": 36_000}.get(name, 7200)
    callback = f"{public_url}/hooks/twilio/status?a={message.attempt_id}#rc=3&rp=5xx,ct,rt"
    theirs = made_by_the_package(message, validity=validity, callback=callback if with_callback else None)

    method, target, _ = sent.head.split(b"\r\n")[0].decode().split(" ")
    assert (method, target) == (theirs["method"], theirs["uri"].removeprefix(API))
    assert sent.form == {key: str(value) for key, value in theirs["data"].items()}
    assert sent.header("Authorization") == f"Basic {_basic(*theirs['auth'])}"
    for header in ("Content-Type", "Accept", "Accept-Charset"):
        assert sent.header(header) == theirs["headers"][header]


def _basic(username: str, password: str) -> str:
    from requests.auth import _basic_auth_str

    return str(_basic_auth_str(username, password)).removeprefix("Basic ")


def test_the_body_is_a_form_that_any_reader_understands_alike(server: TwilioServer, channel: TwilioSms) -> None:
    """The test server has a parser of its own; the standard library's has to see the same."""
    from scheduler.channels.twilio.form import FormEncoder

    message = text(body=EVERY_ASCII + "\n¿é 🦴")
    form = FormEncoder("https://care.clinic.example/hooks/twilio/status?a=").encode(message, validity=90)
    send_one(channel, message)
    ours = dict(parse_qsl(form.decode(), keep_blank_values=True, strict_parsing=True, encoding="utf-8"))
    assert ours == {**server.messages[0].form, "ValidityPeriod": "90"}


ANSWERS = [
    (400, '{"code": 21211, "message": "x", "more_info": "y", "status": 400}'),
    (400, '{"code": 21610, "message": "x", "status": 400}'),
    (400, '{"message": "no code", "status": 400}'),
    (400, '{"code": null, "message": "x"}'),
    (400, "[]"),
    (400, '"text"'),
    (400, ""),
    (401, '{"code": 20003, "message": "Authenticate", "status": 401}'),
    (403, "<html>Forbidden</html>"),
    (404, '{"code": 20404, "message": "x", "status": 404}'),
    (400, '{"type": "about:blank", "title": "Bad", "status": 400, "code": 21614, "detail": "x"}'),
    (422, '{"type": "about:blank", "title": "Bad", "status": 422, "code": 30500}'),
    (429, '{"code": 20429, "message": "x", "status": 429}'),
    (429, ""),
    (307, ""),
    (500, '{"code": 20500, "message": "x", "status": 500}'),
    (503, '{"type": "about:blank", "title": "Down", "status": 503, "code": 20503}'),
    (504, "gateway timeout"),
]


@pytest.mark.parametrize(("status", "body"), ANSWERS)
def test_an_error_answer_means_what_the_packages_exception_says(
    server: TwilioServer, channel: TwilioSms, status: int, body: str
) -> None:
    with pytest.raises((TwilioRestException, TwilioServiceException)) as raised:
        Client(ACCOUNT, TOKEN, http_client=RecordingClient(status, body)).messages.create(
            to=PHONE, from_="+1", body="x"
        )
    error = raised.value
    server.fail(Fault(FaultKind.ANSWER, status, body=body))
    result = send_one(channel, text())
    assert error.status == status
    if status == 429:
        assert (result.outcome, result.code) == (Outcome.NOT_HANDED_OVER, "20429")
    else:
        assert result.code == str(error.code or error.status)
        assert result.outcome is (Outcome.UNKNOWN if status >= 500 else Outcome.REFUSED)
    if result.outcome is Outcome.REFUSED:
        assert result.error_class is ERRORS.twilio(error.code or error.status)


def test_the_packages_list_and_fetch_work_on_the_test_server(
    server: TwilioServer, channel: TwilioSms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that what we ask that server is what Twilio would be asked."""
    monkeypatch.setattr("twilio.rest.api.ApiBase.__init__", _api_at(server.url))
    list(channel.send([text(f"+1555123{n:04}") for n in range(25)]))
    client = Client(ACCOUNT, TOKEN)
    assert len(list(client.messages.list(page_size=10))) == 25
    theirs = {message.sid: message for message in client.messages.list(to="+15551230007")}
    (message,) = (each for each in server.messages if each.form["To"] == "+15551230007")
    assert list(theirs) == [message.sid]
    created = theirs[message.sid].date_created
    ours = channel.find(to="+15551230007", since=created, until=created)
    assert [(each.provider_id, each.body, each.created_at) for each in ours] == [
        (message.sid, theirs[message.sid].body, created)
    ]
    assert client.messages(message.sid).fetch().to == "+15551230007"
    assert client.messages.list(date_sent_before=created - timedelta(hours=1)) == []


def _api_at(url: str) -> Any:
    """The package's API domain, at another base address."""
    from twilio.base.domain import Domain

    def init(self: Any, twilio: Any) -> None:
        Domain.__init__(self, twilio, url)
        self._v2010 = None

    return init
