"""Mail servers that refuse, hang and break off: what each mail comes to, and how often the server saw it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from scheduler.channels.smtp import SmtpEmail
from scheduler.ports import ErrorClass, OutboundEmail, Outcome, Scope
from tests.support.over_smtp import UP_TO_THE_MAIL, channel_to, mail, scripted_server, send_one
from tests.support.smtp_sink import Break, SmtpSink

SENDER = "care@clinic.example"
P, T, C, A = ErrorClass.PERMANENT, ErrorClass.TRANSIENT, ErrorClass.CONFIGURATION, ErrorClass.AMBIGUOUS


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as running:
        yield running


@pytest.fixture
def channel(sink: SmtpSink) -> Iterator[SmtpEmail]:
    with channel_to(sink.url) as made:
        yield made


def ids(sink: SmtpSink) -> list[str]:
    return [str(kept.message["Message-ID"]) for kept in sink.mails]


# Refused


@pytest.mark.parametrize(
    ("reply", "error_class"),
    [
        ("451 4.7.1 greylisted, try again", T),
        ("450 4.2.0 greylisted", T),
        ("452 4.2.2 mailbox full", T),
        ("552 5.2.2 mailbox full", T),
        ("421 4.3.2 closing", T),
        ("452 4.5.3 too many recipients", T),
        ("550 5.1.1 no such user", P),
        ("550 5.1.10 null MX", P),
        ("556 5.1.2 no such domain", P),
        ("550 5.2.1 disabled", P),
        ("553 5.1.3 malformed", P),
        ("550 no such user", P),
        ("550 5.7.1 not authorised", C),
        ("550 5.7.26 no DMARC", C),
        ("550 5.7.515 sender is not authenticated", C),
        ("554 5.5.1 bad sequence", C),
        ("554 no", A),
    ],
)
def test_what_a_refused_recipient_means_for_the_message(
    sink: SmtpSink, channel: SmtpEmail, reply: str, error_class: ErrorClass
) -> None:
    sink.reply_to("gone@example.org", reply)
    result = send_one(channel, mail("gone@example.org"))
    assert (result.outcome, result.error_class, result.scope) == (Outcome.REFUSED, error_class, Scope.MESSAGE)
    assert sink.mails == []


@pytest.mark.parametrize("reply", ["550 5.1.1 unknown user", "553 5.1.0 rejected", "550 5.2.1 disabled", "554 no"])
def test_a_refused_sender_never_marks_the_patients_address(sink: SmtpSink, channel: SmtpEmail, reply: str) -> None:
    sink.reply_to(SENDER, reply)
    result = send_one(channel, mail())
    assert (result.outcome, result.error_class, result.scope) == (Outcome.REFUSED, C, Scope.SENDER)
    assert "sender" in str(result.detail)


@pytest.mark.parametrize("greeting", [b"550 5.1.1 go away\r\n", b"554 5.2.1 no\r\n", b"554 no\r\n"])
def test_a_greeting_that_sends_us_away_never_marks_the_patients_address(greeting: bytes) -> None:
    with scripted_server(greeting) as url, channel_to(url) as channel:
        result = send_one(channel, mail())
    assert (result.outcome, result.error_class, result.scope) == (Outcome.NOT_HANDED_OVER, C, Scope.ACCOUNT)


@pytest.mark.parametrize(
    ("reply", "error_class"),
    [
        ("550 5.1.1 no such user after all", P),
        ("552 5.2.2 over quota", T),
        ("552 5.3.4 too big", C),
        ("552 too big", C),
        ("421 4.3.0 closing", T),
        ("550 spam", A),
    ],
)
def test_a_mail_refused_after_its_end_has_not_gone_and_the_next_one_goes(
    sink: SmtpSink, channel: SmtpEmail, reply: str, error_class: ErrorClass
) -> None:
    sink.reply_to_content(reply)
    first, second = mail(), mail()
    refused, fine = channel.send([first, second])
    assert (refused.outcome, refused.error_class) == (Outcome.REFUSED, error_class)
    assert fine.outcome is Outcome.ACCEPTED
    assert ids(sink) == [second.message_id]


# Broken off in the middle of a batch


@pytest.mark.parametrize("where", [Break.AT_SENDER, Break.AT_RECIPIENT, Break.BEFORE_CONTENT])
def test_a_break_in_the_middle_of_a_batch_costs_no_mail_and_doubles_none(
    sink: SmtpSink, channel: SmtpEmail, where: Break
) -> None:
    batch = [mail() for _ in range(6)]
    results = []
    for result in channel.send(batch):
        results.append(result.outcome)
        if len(results) == 2:
            sink.break_off(where)
    assert results == [Outcome.ACCEPTED] * 6
    assert ids(sink) == [one.message_id for one in batch]
    assert sink.connections_made == 2


def test_after_a_break_that_leaves_doubt_the_rest_goes_over_a_new_connection(
    sink: SmtpSink, channel: SmtpEmail
) -> None:
    batch = [mail() for _ in range(6)]
    results = []
    for result in channel.send(batch):
        results.append(result.outcome)
        if len(results) == 2:
            sink.break_off(Break.AFTER_DOT)
    assert results == [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.UNKNOWN, *[Outcome.ACCEPTED] * 3]
    assert ids(sink) == [one.message_id for one in batch]
    assert sink.connections_made == 2


def test_when_the_server_goes_away_in_the_middle_the_rest_is_not_handed_over() -> None:
    with ExitStack() as channels, ExitStack() as servers:
        sink = servers.enter_context(SmtpSink())
        channel = channels.enter_context(channel_to(sink.url, timeout=2))
        results = channel.send([mail() for _ in range(5)])
        first = next(results)
        servers.close()
        rest = list(results)
    assert first.outcome is Outcome.ACCEPTED
    assert [one.outcome for one in rest] == [Outcome.NOT_HANDED_OVER] * 4
    assert len(sink.mails) == 1


# Hanging


@pytest.mark.alone
@pytest.mark.parametrize("answers", range(5), ids=["greeting", "EHLO", "MAIL", "RCPT", "DATA"])
def test_a_server_that_hangs_before_the_mail_costs_the_timeout_and_nothing_else(answers: int) -> None:
    with scripted_server(*UP_TO_THE_MAIL[:answers]) as url, channel_to(url, timeout=0.2) as channel:
        began = time.monotonic()
        result = send_one(channel, mail())
        took = time.monotonic() - began
    assert (result.outcome, result.error_class) == (Outcome.NOT_HANDED_OVER, ErrorClass.TRANSIENT)
    assert "within 0.2 s" in str(result.detail)
    assert took < 2


@pytest.mark.alone
def test_a_server_that_hangs_holds_a_batch_up_for_a_few_timeouts_only() -> None:
    with scripted_server() as url, channel_to(url, timeout=0.2) as channel:
        began = time.monotonic()
        results = list(channel.send([mail() for _ in range(100)]))
        took = time.monotonic() - began
    assert {one.outcome for one in results} == {Outcome.NOT_HANDED_OVER}
    assert took < 2


# A source that has nothing for now


def test_a_source_without_mail_for_now_is_asked_again(sink: SmtpSink, channel: SmtpEmail) -> None:
    batch = [mail(), mail()]

    def source() -> Iterator[OutboundEmail | None]:
        for one in batch:
            yield from (None, None, one, None)

    assert [one.outcome for one in channel.send(source())] == [Outcome.ACCEPTED] * 2
    assert ids(sink) == [one.message_id for one in batch]


def test_a_mail_is_taken_from_the_source_only_after_the_one_before_was_answered(
    sink: SmtpSink, channel: SmtpEmail
) -> None:
    kept_when_asked: list[int] = []

    def source() -> Iterator[OutboundEmail]:
        for _ in range(3):
            kept_when_asked.append(len(sink.mails))
            yield mail()

    list(channel.send(source()))
    assert kept_when_asked == [0, 1, 2]


# What a bounce will say


def test_a_server_that_sends_notifications_is_told_what_they_should_say() -> None:
    with SmtpSink(offers_dsn=True) as sink, channel_to(sink.url) as channel:
        message = mail("ann+ms=1@example.org")
        assert send_one(channel, message).outcome is Outcome.ACCEPTED
    assert sink.commands == [
        f"MAIL FROM:<{SENDER}> RET=HDRS ENVID={message.attempt_id.hex}",
        "RCPT TO:<ann+ms=1@example.org> NOTIFY=FAILURE ORCPT=rfc822;ann+2Bms+3D1@example.org",
    ]


def test_a_server_that_does_not_is_told_nothing(sink: SmtpSink, channel: SmtpEmail) -> None:
    send_one(channel, mail())
    assert sink.commands == [f"MAIL FROM:<{SENDER}>", "RCPT TO:<ann@example.org>"]


def test_undeliverable_mail_comes_back_to_an_address_of_its_own(sink: SmtpSink) -> None:
    with channel_to(sink.url, bounce_address="bounces@münchen.example") as channel:
        send_one(channel, mail())
    (kept,) = sink.mails
    assert kept.sender == "bounces@xn--mnchen-3ya.example"
    assert kept.message["From"].addresses[0].addr_spec == SENDER
