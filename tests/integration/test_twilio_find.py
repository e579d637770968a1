"""What Twilio says it holds: every text to one number, whatever its state and however many pages it takes."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pycurl
import pytest

from scheduler.channels.twilio import TwilioSms, listing
from scheduler.channels.twilio.statuses import status_of
from scheduler.domain.messages import MessageStatus
from scheduler.ports import Handed, ProviderUnavailable
from tests.support.certificates import make_certificate
from tests.support.twilio_channel import PHONE, SENDER, SERVICE, channel_to, send_one, text
from tests.support.twilio_listing import Age
from tests.support.twilio_rules import POOL_NUMBER
from tests.support.twilio_server import TOKEN, Fault, FaultKind, TwilioServer

MINUTE = timedelta(minutes=1)


@pytest.fixture
def server() -> Iterator[TwilioServer]:
    with TwilioServer() as running:
        yield running


@pytest.fixture
def channel(server: TwilioServer) -> Iterator[TwilioSms]:
    with channel_to(server.url) as made:
        yield made


def find(channel: TwilioSms, to: str = PHONE, *, ago: timedelta = MINUTE, ahead: timedelta = MINUTE) -> list[Handed]:
    now = datetime.now(UTC)
    return channel.find(to=to, since=now - ago, until=now + ahead)


def test_a_text_whose_answer_was_lost_is_found_with_all_that_tells_it_from_others(
    server: TwilioServer, channel: TwilioSms
) -> None:
    server.fail(Fault(FaultKind.CLOSE))
    send_one(channel, text(body="¿Ya caminó? 🦴"))
    (found,) = find(channel)
    (message,) = server.messages
    assert found == Handed(
        provider_id=message.sid,
        body="¿Ya caminó? 🦴",
        sender=SENDER,
        messaging_service=None,
        status=MessageStatus.SENT,
        code=None,
        created_at=datetime.fromtimestamp(int(message.at), UTC),
    )


def test_a_text_of_a_messaging_service_names_it_and_the_number_it_chose(
    server: TwilioServer, channel: TwilioSms
) -> None:
    send_one(channel, text(service=SERVICE))
    (found,) = find(channel)
    assert (found.messaging_service, found.sender) == (SERVICE, POOL_NUMBER)
    server.age = Age(sent_after=3600)
    (waiting,) = find(channel)
    assert (waiting.messaging_service, waiting.sender) == (SERVICE, None)


def test_a_text_that_waits_to_be_sent_is_found_although_it_has_no_date_of_sending(
    server: TwilioServer, channel: TwilioSms
) -> None:
    server.age = Age(sent_after=3600)
    send_one(channel, text())
    (found,) = find(channel)
    assert found.status is MessageStatus.SENT


def test_a_text_that_is_not_listed_yet_is_not_found_and_then_is(server: TwilioServer, channel: TwilioSms) -> None:
    server.age = Age(listed_after=3600)
    send_one(channel, text())
    assert find(channel) == []
    server.age = Age()
    assert len(find(channel)) == 1


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("queued", MessageStatus.SENT),
        ("accepted", MessageStatus.SENT),
        ("scheduled", MessageStatus.SENT),
        ("sending", MessageStatus.SENT),
        ("sent", MessageStatus.SENT),
        ("delivered", MessageStatus.DELIVERED),
        ("read", MessageStatus.DELIVERED),
        ("undelivered", MessageStatus.UNDELIVERED),
        ("failed", MessageStatus.UNDELIVERED),
        ("canceled", MessageStatus.UNDELIVERED),
        ("a word of next year", None),
    ],
)
def test_twilios_word_becomes_a_status_of_ours(
    server: TwilioServer, channel: TwilioSms, word: str, status: MessageStatus | None
) -> None:
    send_one(channel, text())
    server.messages[0].status, server.messages[0].error_code = word, 30003
    (found,) = find(channel)
    assert (found.status, found.code) == (status, "30003")
    assert status_of(word) is status


def test_only_texts_to_the_number_are_found(server: TwilioServer, channel: TwilioSms) -> None:
    list(channel.send([text(), text("+15551239999"), text()]))
    assert {found.provider_id for found in find(channel)} == {
        message.sid for message in server.messages if message.form["To"] == PHONE
    }
    assert find(channel, "+15550000000") == []


def test_texts_of_the_time_are_found_and_what_is_named_beside_them(server: TwilioServer, channel: TwilioSms) -> None:
    list(channel.send([text() for _ in range(5)]))
    base = datetime(2026, 11, 20, 23, 59, 58, tzinfo=UTC)
    for seconds, message in enumerate(server.messages):
        message.at = (base + timedelta(seconds=seconds, milliseconds=700)).timestamp()
    found = channel.find(to=PHONE, since=base + timedelta(seconds=1.9), until=base + timedelta(seconds=3))
    assert [each.created_at for each in found] == [base + timedelta(seconds=n) for n in range(5)]


def test_instants_of_other_zones_are_understood(server: TwilioServer, channel: TwilioSms) -> None:
    send_one(channel, text())
    far = datetime.now(UTC).astimezone(ZoneInfo("Pacific/Kiritimati"))
    assert len(channel.find(to=PHONE, since=far - MINUTE, until=far + MINUTE)) == 1


def test_every_page_is_read(server: TwilioServer, channel: TwilioSms) -> None:
    count = listing._PAGE_SIZE * 2 + 17
    list(channel.send([text() for _ in range(count)]))
    before = server.requests
    found = find(channel)
    assert {each.provider_id for each in found} == {message.sid for message in server.messages}
    assert found == sorted(found, key=lambda each: each.created_at)
    assert server.requests == before + 6  # three pages by date, and the same without


def test_old_texts_to_a_number_are_not_paged_through(server: TwilioServer, channel: TwilioSms) -> None:
    list(channel.send([text() for _ in range(listing._PAGE_SIZE * 4)]))
    for message in server.messages:
        message.at -= 86_400 * 30
    send_one(channel, text())
    before = server.requests
    assert len(find(channel)) == 2 * listing._PAGE_SIZE  # the first two of its pages
    assert server.requests == before + 3


def test_twilio_is_asked_for_whole_days_that_hold_the_time_and_its_queue(
    server: TwilioServer, channel: TwilioSms, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    fetch = listing.MessageList._fetch

    def recorded(self: listing.MessageList, handle: pycurl.Curl, url: str) -> dict[str, Any]:
        asked.append(url)
        return fetch(self, handle, url)

    monkeypatch.setattr(listing.MessageList, "_fetch", recorded)
    since = datetime(2026, 3, 8, 23, 30, tzinfo=UTC)
    channel.find(to=PHONE, since=since, until=since + timedelta(hours=2))
    first, second = (dict(parse_qsl(urlsplit(url).query)) for url in asked)
    assert first == {"To": PHONE, "DateSent>": "2026-03-08", "DateSent<": "2026-03-10", "PageSize": "100"}
    assert second == {"To": PHONE, "PageSize": "100"}


def test_texts_from_a_number_that_we_also_write_to_are_no_texts_of_ours(
    server: TwilioServer, channel: TwilioSms
) -> None:
    inbound = {"direction": "inbound", "sid": "SM1", "date_created": format_datetime(datetime.now(UTC))}
    body = json.dumps({"messages": [inbound], "next_page_uri": None})
    server.fail_list(Fault(FaultKind.ANSWER, 200, body=body), times=2)
    assert find(channel) == []


# When it cannot be asked


@pytest.mark.parametrize(
    ("fault", "words", "wait"),
    [
        (Fault(FaultKind.ANSWER, 429, 20429, retry_after="7"), "429 (error 20429)", timedelta(seconds=7)),
        (Fault(FaultKind.ANSWER, 503, retry_after="90000"), "503", timedelta(hours=1)),
        (Fault(FaultKind.ANSWER, 500, 20500), "500 (error 20500)", None),
        (Fault(FaultKind.ANSWER, 404, 20404), "404 (error 20404)", None),
        (Fault(FaultKind.ANSWER, 302), "302", None),
        (Fault(FaultKind.GARBAGE), "201", None),
        (Fault(FaultKind.ANSWER, 200, body="<html>"), "cannot be read", None),
        (Fault(FaultKind.ANSWER, 200, body='{"messages": null}'), "cannot be read", None),
        (Fault(FaultKind.ANSWER, 200, body='{"messages": [{"direction": "outbound-api"}]}'), "cannot be read", None),
        (
            Fault(FaultKind.ANSWER, 200, body='{"messages": [{"direction": "outbound-api", "date_created": "x"}]}'),
            "cannot be read",
            None,
        ),
        (
            Fault(FaultKind.ANSWER, 200, body='{"messages": [], "next_page_uri": "https://elsewhere.example/"}'),
            "not its own",
            None,
        ),
        (
            Fault(FaultKind.ANSWER, 200, body='{"messages": [], "next_page_uri": "//elsewhere.example/"}'),
            "not its own",
            None,
        ),
        (Fault(FaultKind.CLOSE), "connection closed", None),
        (Fault(FaultKind.DROP), "connection closed", None),
        (Fault(FaultKind.CUT), "connection closed", None),
        (Fault(FaultKind.HANG), "no answer within 0.3 s", None),
    ],
    ids=lambda value: f"{value.kind}-{value.status}" if isinstance(value, Fault) else None,
)
def test_a_list_that_cannot_be_read_to_the_end_is_no_list(
    server: TwilioServer, fault: Fault, words: str, wait: timedelta | None
) -> None:
    server.fail_list(fault)
    with channel_to(server.url, timeout=0.3) as channel:
        with pytest.raises(ProviderUnavailable) as caught:
            find(channel)
        assert words in str(caught.value)
        assert caught.value.retry_after == wait
        assert find(channel) == []


def test_a_failure_on_a_later_page_loses_the_whole_list(server: TwilioServer, channel: TwilioSms) -> None:
    list(channel.send([text() for _ in range(listing._PAGE_SIZE + 1)]))
    server.fail_list(Fault(FaultKind.ANSWER, 200, body=_first_page_only(server)))
    server.fail_list(Fault(FaultKind.ANSWER, 500))
    with pytest.raises(ProviderUnavailable):
        find(channel)


def _first_page_only(server: TwilioServer) -> str:
    account = server.messages[0].account
    return json.dumps({"messages": [], "next_page_uri": f"/2010-04-01/Accounts/{account}/Messages.json?Page=1"})


def test_a_list_without_end_is_given_up(server: TwilioServer, channel: TwilioSms) -> None:
    send_one(channel, text())
    endless = Fault(FaultKind.ANSWER, 200, body=_first_page_only(server))
    server.fail_list(endless, times=1000)
    before = server.requests
    with pytest.raises(ProviderUnavailable, match="pages"):
        find(channel)
    assert server.requests == before + listing.MOST_PAGES


def test_a_wrong_token_is_said_and_not_shown(server: TwilioServer) -> None:
    with (
        channel_to(server.url, password="wrong-and-secret") as channel,
        pytest.raises(ProviderUnavailable, match=r"401 \(error 20003\)") as caught,
    ):
        find(channel)
    assert "wrong-and-secret" not in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_provider_that_is_not_there_cannot_be_asked() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        with channel_to(url) as channel, pytest.raises(ProviderUnavailable, match="refused"):
            find(channel)


def test_the_list_is_read_over_a_trusted_connection_only(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    with TwilioServer(tls=certificate.server_context()) as server:
        with channel_to(server.url) as channel, pytest.raises(ProviderUnavailable, match="certificate"):
            find(channel)
        with channel_to(server.url, ca_file=str(certificate.certificate)) as channel:
            send_one(channel, text())
            assert len(find(channel)) == 1


def test_one_connection_serves_all_pages_and_the_next_search(server: TwilioServer, channel: TwilioSms) -> None:
    for _ in range(3):
        find(channel)
    assert server.connections_made == 1
