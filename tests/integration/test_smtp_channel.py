"""The SMTP channel against a real mail server on the loopback address, well and badly behaved."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from email.header import decode_header, make_header
from email.parser import BytesParser
from email.policy import compat32
from email.utils import parseaddr
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.channels.smtp import SmtpEmail, SmtpSettings, SmtpUrlError, Tls, parse_smtp_url
from scheduler.channels.smtp import connection as connection_module
from scheduler.channels.smtp.message import build_message
from scheduler.ports import ErrorClass, Outcome
from tests.support.certificates import Certificate, make_certificate
from tests.support.over_smtp import NOW, ROOT, UP_TO_THE_MAIL, channel_to, mail, scripted_server, send_one
from tests.support.smtp_sink import Break, SmtpSink

LOGIN = ("clinic@mail", "p@ss/w:rd")


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as running:
        yield running


@pytest.fixture
def channel(sink: SmtpSink) -> Iterator[SmtpEmail]:
    with channel_to(sink.url) as made:
        yield made


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


# The mail


def test_an_accepted_mail_is_known_by_its_message_id(sink: SmtpSink, channel: SmtpEmail) -> None:
    message = mail()
    result = send_one(channel, message)
    assert (result.outcome, result.provider_id) == (Outcome.ACCEPTED, message.message_id)
    (kept,) = sink.mails
    assert (kept.sender, kept.recipients) == ("care@clinic.example", ("ann@example.org",))


def test_the_headers_are_those_that_mail_programs_rely_on(sink: SmtpSink, channel: SmtpEmail) -> None:
    message = mail()
    send_one(channel, message)
    headers = dict(sink.mails[0].message.items())
    assert headers == {
        "From": "Oak Clinic <care@clinic.example>",
        "To": "ann@example.org",
        "Subject": "A reminder",
        "Date": "Sun, 22 Nov 2026 15:00:00 +0000",
        "Message-ID": message.message_id,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply",
        "List-Unsubscribe": "<https://clinic.example/u/token>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "MIME-Version": "1.0",
        "Content-Type": headers["Content-Type"],
    }


def test_a_reply_says_that_it_is_one_and_may_lack_an_unsubscribe_address(sink: SmtpSink, channel: SmtpEmail) -> None:
    send_one(channel, mail(is_reply=True, unsubscribe_url=""))
    message = sink.mails[0].message
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["List-Unsubscribe"] is None
    assert message["List-Unsubscribe-Post"] is None


def test_the_text_comes_before_the_html_and_both_survive(sink: SmtpSink, channel: SmtpEmail) -> None:
    text = ".starts with a dot\n..two\n¿Ya? é 🦴 = \n" + "long " * 400 + "\n.\nafter a lone dot\n"
    html = "<p>Ñandú – “quoted”</p>\n.\n"
    send_one(channel, mail(text=text, html=html))
    message = sink.mails[0].message
    assert message.get_content_type() == "multipart/alternative"
    parts = [(part.get_content_type(), unix(part.get_content())) for part in message.iter_parts()]
    assert parts == [("text/plain", text), ("text/html", html)]


def unix(text: str) -> str:
    return text.replace("\r\n", "\n")


def test_what_goes_over_the_wire_keeps_the_limits_of_the_mail_standards(sink: SmtpSink, channel: SmtpEmail) -> None:
    token = "A_b-9" * 60
    subject = " ".join(["Recordatorio de la clínica: ¿ya le hicieron el análisis?"] * 4)
    send_one(
        channel,
        mail(
            subject=subject,
            text="ñ" * 3000,
            html="<p>" + "é" * 3000 + "</p>",
            unsubscribe_url=f"https://clinic.example/u/{token}",
            message_id=f"<{'m' * 120}@clinic.example>",
            sender_name="Clínica Ósea",
        ),
    )
    content = sink.mails[0].content
    head, _, body = content.partition(b"\r\n\r\n")
    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert f"List-Unsubscribe: <https://clinic.example/u/{token}>\r\n".encode() in content
    assert f"Message-ID: <{'m' * 120}@clinic.example>\r\n".encode() in content
    assert all(len(word) <= 75 for word in re.findall(rb"=\?[^ ]+\?=", head))
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
    assert sink.mails[0].message["Subject"] == subject
    assert sink.mails[0].message["From"].addresses[0].display_name == "Clínica Ósea"


@pytest.mark.parametrize(
    "name", ["Oak, Clinic", 'Oak "Bones" \\ Clinic', "a@b", "=?utf-8?q?x?=", "ñ" * 90, "骨" * 50]
)
def test_any_clinics_name_arrives_as_it_was_written(sink: SmtpSink, channel: SmtpEmail, name: str) -> None:
    send_one(channel, mail(sender_name=name, sender_address="care@ñandú.example"))
    # The library's newer parser puts a space between two encoded words of a name; this one does not.
    raw = BytesParser(policy=compat32).parsebytes(sink.mails[0].content)["From"]
    written, address = parseaddr(raw)
    assert (str(make_header(decode_header(written))), address) == (name, "care@xn--and-6ma2c.example")


WORDS = st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), min_size=1, max_size=30)


@given(WORDS.map(" ".join))
def test_any_subject_arrives_as_it_was_written_in_lines_that_mail_servers_take(subject: str) -> None:
    message = mail(subject=subject)
    content = build_message(message, to=message.to, sender=message.sender_address, now=NOW)
    head = content.partition(b"\r\n\r\n")[0]
    raw = re.search(rb"\r\nSubject: (.*?)\r\n(?! )", head, re.DOTALL)
    assert raw is not None
    unfolded = raw[1].decode("ascii").replace("\r\n", "")
    assert str(make_header(decode_header(unfolded))) == subject
    assert all(len(line) <= 76 for line in head.split(b"\r\n") if b"=?" in line)
    assert max(len(line) for line in head.split(b"\r\n")) <= 998


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Hello\r\nBcc: all@example.org"},
        {"subject": "Hello\nBcc: all@example.org"},
        {"sender_name": "Oak\r\nBcc: all@example.org"},
        {"message_id": "<a@b>\r\nBcc: all@example.org"},
        {"message_id": "no brackets"},
        {"unsubscribe_url": "https://x.example/\r\nBcc: all@example.org"},
        {"unsubscribe_url": "https://x.example/>,<mailto:all@example.org"},
        {"unsubscribe_url": "https://x.example/" + "a" * 1000},
        {"sender_address": "care"},
        {"sender_address": "care@clinic.example\r\nBcc: all@example.org"},
        {"text": "\ud800"},
        {"subject": "\ud800"},
        {"subject": "Hello\0"},
    ],
    ids=repr,
)
def test_a_mail_that_cannot_be_built_is_refused_alone(
    sink: SmtpSink, channel: SmtpEmail, changes: dict[str, str]
) -> None:
    bad, good = mail(**changes), mail()
    results = {result.attempt_id: result for result in channel.send([bad, good])}
    refused = results[bad.attempt_id]
    assert (refused.outcome, refused.error_class) == (Outcome.REFUSED, ErrorClass.CONFIGURATION)
    assert results[good.attempt_id].outcome is Outcome.ACCEPTED
    assert [kept.message["Message-ID"] for kept in sink.mails] == [good.message_id]


@pytest.mark.parametrize(
    "to",
    [
        *("", "ann", "@example.org", "ann@", "ann@@example.org", "a@example.org, b@example.org"),
        *("ann <a@b.org>", "ann lee@example.org", "änn@example.org", "a@b..org"),
        "ann@example.org\r\nRCPT TO:<eve@example.org>",
    ],
)
def test_an_impossible_address_is_a_permanent_refusal_without_asking_the_server(
    sink: SmtpSink, channel: SmtpEmail, to: str
) -> None:
    result = send_one(channel, mail(to))
    assert (result.outcome, result.error_class) == (Outcome.REFUSED, ErrorClass.PERMANENT)
    assert sink.connections_made == 0


def test_a_domain_outside_ascii_goes_in_its_idna_form(sink: SmtpSink, channel: SmtpEmail) -> None:
    assert send_one(channel, mail("ann@münchen.example")).outcome is Outcome.ACCEPTED
    assert sink.mails[0].recipients == ("ann@xn--mnchen-3ya.example",)


# What the server answers


@pytest.mark.parametrize(
    ("reply", "code", "error_class"),
    [
        ("550 5.1.1 no such user", "550 5.1.1", ErrorClass.PERMANENT),
        ("550 no such user", "550", ErrorClass.PERMANENT),
        ("550 5.7.1 relaying denied", "550 5.7.1", ErrorClass.CONFIGURATION),
        ("552 5.2.2 mailbox full", "552 5.2.2", ErrorClass.TRANSIENT),
        ("451 4.7.1 greylisted", "451 4.7.1", ErrorClass.TRANSIENT),
        ("450 try later", "450", ErrorClass.TRANSIENT),
        ("554 no", "554", ErrorClass.AMBIGUOUS),
    ],
)
def test_a_refused_recipient_has_its_class_and_does_not_stop_the_batch(
    sink: SmtpSink, channel: SmtpEmail, reply: str, code: str, error_class: ErrorClass
) -> None:
    sink.reply_to("gone@example.org", reply)
    batch = [mail("a@example.org"), mail("gone@example.org"), mail("b@example.org")]
    first, refused, last = channel.send(batch)
    assert (refused.outcome, refused.code, refused.error_class) == (Outcome.REFUSED, code, error_class)
    assert "gone" not in str(refused.detail)
    assert (first.outcome, last.outcome) == (Outcome.ACCEPTED, Outcome.ACCEPTED)
    assert [kept.recipients for kept in sink.mails] == [("a@example.org",), ("b@example.org",)]
    assert sink.connections_made == 1


def test_a_refused_sender_is_the_operators_problem(sink: SmtpSink, channel: SmtpEmail) -> None:
    sink.reply_to("care@clinic.example", "550 not your address")
    result = send_one(channel, mail())
    assert (result.outcome, result.error_class) == (Outcome.REFUSED, ErrorClass.CONFIGURATION)


def test_refused_content_is_refused_and_the_next_mail_goes(sink: SmtpSink, channel: SmtpEmail) -> None:
    sink.reply_to_content("554 5.7.1 looks like spam", "452 4.3.1 disk full")
    spam, full, fine = channel.send([mail(), mail(), mail()])
    assert (spam.outcome, spam.error_class) == (Outcome.REFUSED, ErrorClass.CONFIGURATION)
    assert (full.outcome, full.error_class) == (Outcome.REFUSED, ErrorClass.TRANSIENT)
    assert fine.outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("where", [Break.AT_SENDER, Break.AT_RECIPIENT, Break.BEFORE_CONTENT, Break.AFTER_GO_AHEAD])
def test_a_break_before_the_final_dot_is_not_handed_over_or_begun_again(
    sink: SmtpSink, channel: SmtpEmail, where: Break
) -> None:
    sink.break_off(where)
    message = mail()
    result = send_one(channel, message)
    if where is Break.AFTER_GO_AHEAD:  # the write may succeed before the break is noticed
        assert result.outcome in (Outcome.NOT_HANDED_OVER, Outcome.UNKNOWN)
    else:
        assert (result.outcome, result.error_class) == (Outcome.NOT_HANDED_OVER, ErrorClass.TRANSIENT)
    assert sink.mails == []
    assert send_one(channel, message).outcome is Outcome.ACCEPTED


def test_a_break_after_the_final_dot_is_unknown_and_never_sent_again(sink: SmtpSink, channel: SmtpEmail) -> None:
    first, second = mail(), mail()
    send_one(channel, mail())  # so that the connection is a used one, which may be replaced
    sink.break_off(Break.AFTER_DOT)
    lost, next_one = channel.send([first, second])
    assert (lost.outcome, lost.error_class) == (Outcome.UNKNOWN, ErrorClass.AMBIGUOUS)
    assert lost.provider_id is None
    assert next_one.outcome is Outcome.ACCEPTED
    ids = [kept.message["Message-ID"] for kept in sink.mails]
    assert ids.count(first.message_id) == 1


def test_an_answer_that_does_not_come_in_time_is_unknown() -> None:
    with scripted_server(*UP_TO_THE_MAIL) as url, channel_to(url, timeout=0.3) as channel:
        result = send_one(channel, mail())
    assert result.outcome is Outcome.UNKNOWN
    assert "within 0.3 s" in str(result.detail)


def test_a_garbled_answer_to_the_mail_is_unknown() -> None:
    with scripted_server(*UP_TO_THE_MAIL, b"what?\r\n") as url, channel_to(url) as channel:
        assert send_one(channel, mail()).outcome is Outcome.UNKNOWN


def test_a_garbled_answer_before_the_mail_is_not_handed_over() -> None:
    with scripted_server(b"220 hi\r\n", b"250 hi\r\n", b"what?\r\n") as url, channel_to(url) as channel:
        assert send_one(channel, mail()).outcome is Outcome.NOT_HANDED_OVER


# Connections


def test_one_connection_serves_many_mails_and_batches(sink: SmtpSink, channel: SmtpEmail) -> None:
    for _ in range(3):
        assert [r.outcome for r in channel.send([mail() for _ in range(10)])] == [Outcome.ACCEPTED] * 10
    assert (sink.connections_made, len(sink.mails)) == (1, 30)


def test_a_server_that_ends_a_connection_after_some_mails_gets_them_all_once() -> None:
    with SmtpSink(mails_per_connection=4) as sink, channel_to(sink.url) as channel:
        batch = [mail() for _ in range(10)]
        assert [result.outcome for result in channel.send(batch)] == [Outcome.ACCEPTED] * 10
        assert [m.message["Message-ID"] for m in sink.mails] == [m.message_id for m in batch]
        assert sink.connections_made == 3


def test_a_connection_that_the_server_closed_meanwhile_costs_no_mail(sink: SmtpSink, channel: SmtpEmail) -> None:
    for _ in range(3):
        assert send_one(channel, mail()).outcome is Outcome.ACCEPTED
        sink.close_connections()
    assert (sink.connections_made, len(sink.mails)) == (3, 3)


def test_after_a_pause_the_server_is_asked_first(
    sink: SmtpSink, channel: SmtpEmail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "IDLE_SECONDS", 0.0)
    send_one(channel, mail())
    send_one(channel, mail())
    assert sink.connections_made == 1
    sink.close_connections()
    assert send_one(channel, mail()).outcome is Outcome.ACCEPTED


def test_an_unreachable_server_is_tried_once_for_a_batch() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with channel_to(f"smtp://127.0.0.1:{port}") as channel:
        results = list(channel.send([mail() for _ in range(100)]))
    assert {(r.outcome, r.code, r.error_class) for r in results} == {
        (Outcome.NOT_HANDED_OVER, "connect", ErrorClass.TRANSIENT)
    }
    assert "refused" in str(results[0].detail)


def test_a_server_that_keeps_breaking_off_is_left_alone_for_the_batch(sink: SmtpSink, channel: SmtpEmail) -> None:
    sink.break_off(Break.AT_SENDER, times=100)
    results = list(channel.send([mail() for _ in range(20)]))
    assert {result.outcome for result in results} == {Outcome.NOT_HANDED_OVER}
    assert sink.connections_made == 3


def test_a_batch_that_is_not_read_to_its_end_leaves_the_connection_usable(sink: SmtpSink, channel: SmtpEmail) -> None:
    results = channel.send([mail() for _ in range(5)])
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(sink.mails) == 1
    assert send_one(channel, mail()).outcome is Outcome.ACCEPTED
    assert sink.connections_made == 1


def test_a_greeting_that_sends_us_away_is_not_handed_over() -> None:
    with scripted_server(b"554 5.7.1 not you\r\n") as url, channel_to(url) as channel:
        result = send_one(channel, mail())
    assert (result.outcome, result.code) == (Outcome.NOT_HANDED_OVER, "554 5.7.1")
    assert result.error_class is ErrorClass.CONFIGURATION


# Encryption and login


def test_mail_goes_encrypted_and_logged_in_over_starttls(certificate: Certificate) -> None:
    with SmtpSink(tls=certificate.server_context(), login=LOGIN) as sink:
        with channel_to(sink.url, certificate=certificate) as channel:
            assert send_one(channel, mail()).outcome is Outcome.ACCEPTED
        assert (sink.mails[0].was_encrypted, sink.mails[0].login) == (True, LOGIN[0])


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # aiosmtpd does not see that it is encrypted already
def test_mail_goes_encrypted_from_the_start_over_smtps(certificate: Certificate) -> None:
    with SmtpSink(tls=certificate.server_context(), implicit=True, login=LOGIN) as sink:
        assert sink.url.startswith("smtps://")
        with channel_to(sink.url, certificate=certificate) as channel:
            assert send_one(channel, mail()).outcome is Outcome.ACCEPTED
        assert sink.mails[0].was_encrypted


def test_a_wrong_password_hands_nothing_over(certificate: Certificate) -> None:
    with SmtpSink(tls=certificate.server_context(), login=LOGIN) as sink:
        url = sink.url.replace("p%40ss", "wrong")
        with channel_to(url, certificate=certificate) as channel:
            first, second = channel.send([mail(), mail()])
    assert (first.outcome, first.error_class) == (Outcome.NOT_HANDED_OVER, ErrorClass.CONFIGURATION)
    assert str(first.code).startswith("535")
    assert second.outcome is Outcome.NOT_HANDED_OVER
    assert sink.connections_made == 1


@pytest.mark.parametrize("starttls", ["required", "optional"])
def test_a_password_never_travels_unencrypted(starttls: str) -> None:
    with SmtpSink() as sink:
        url = f"smtp://user:pass@127.0.0.1:{sink.port}?starttls={starttls}"
        with channel_to(url) as channel:
            result = send_one(channel, mail())
        assert (result.outcome, result.code) == (Outcome.NOT_HANDED_OVER, "no_starttls")
        assert result.error_class is ErrorClass.CONFIGURATION
        assert "starttls" in str(result.detail)
        assert sink.mails == []


def test_a_certificate_that_is_not_trusted_stops_the_mail(certificate: Certificate) -> None:
    with SmtpSink(tls=certificate.server_context()) as sink:
        with channel_to(sink.url + "?starttls=required") as channel:
            result = send_one(channel, mail())
        assert (result.outcome, result.code) == (Outcome.NOT_HANDED_OVER, "tls")
        assert result.error_class is ErrorClass.CONFIGURATION
        assert sink.mails == []


def test_optional_encryption_is_used_when_offered_and_missed_when_not(certificate: Certificate) -> None:
    with SmtpSink(tls=certificate.server_context()) as offering, SmtpSink() as plain:
        for sink in (offering, plain):
            with channel_to(sink.url) as channel:
                assert send_one(channel, mail()).outcome is Outcome.ACCEPTED
        assert (offering.mails[0].was_encrypted, plain.mails[0].was_encrypted) == (True, False)


# The URL


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("smtp://127.0.0.1:2525", SmtpSettings(host="127.0.0.1", port=2525, tls=Tls.OPTIONAL)),
        ("smtp://mail.example", SmtpSettings(host="mail.example", port=25, tls=Tls.OPTIONAL)),
        ("smtp://mail.example:587", SmtpSettings(host="mail.example", port=587, tls=Tls.REQUIRED)),
        (
            "smtp://me%40x:p%2F%3A@mail.example",
            SmtpSettings(host="mail.example", port=25, tls=Tls.REQUIRED, username="me@x", password="p/:"),
        ),
        (
            "smtps://u:p@mail.example",
            SmtpSettings(host="mail.example", port=465, tls=Tls.IMPLICIT, username="u", password="p"),
        ),
        (
            "smtp://mail.example:587/?starttls=no",
            SmtpSettings(host="mail.example", port=587, tls=Tls.NO),
        ),
        ("smtp://[::1]:2525", SmtpSettings(host="::1", port=2525, tls=Tls.OPTIONAL)),
    ],
)
def test_a_url_says_where_and_how(url: str, wanted: SmtpSettings) -> None:
    assert parse_smtp_url(url) == wanted


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "smtp://"),
        ("mail.example:587", "smtp://"),
        ("http://mail.example", "smtp://"),
        ("smtp://", "host is missing"),
        ("smtp://:587", "host is missing"),
        ("smtp://mail.example:port", "malformed"),
        ("smtp://mail.example:99999", "malformed"),
        ("smtp://user@mail.example", "password is missing"),
        ("smtp://:hunter2@mail.example", "user name is missing"),
        ("smtp://u:hunter2/x@mail.example", "malformed"),
        ("smtp://u:hunter2@mail.example?starttls=no", "unencrypted"),
        ("smtp://mail.example?starttls=maybe", "starttls=maybe"),
        ("smtp://mail.example?tls=1", "unknown option 'tls'"),
        ("smtps://mail.example?starttls=required", "from the start"),
        ("smtp://mail.example/inbox", "after the host"),
    ],
)
def test_a_bad_url_is_refused_in_words_that_do_not_show_the_password(url: str, words: str) -> None:
    with pytest.raises(SmtpUrlError, match=re.escape(words)) as caught:
        parse_smtp_url(url)
    assert "hunter2" not in str(caught.value)


def test_settings_never_show_the_password() -> None:
    assert "hunter2" not in repr(parse_smtp_url("smtps://u:hunter2@mail.example"))


# The test sink as a process of its own


def test_the_sink_process_keeps_a_journal_and_the_mails(tmp_path: Path) -> None:
    journal, folder = tmp_path / "journal.jsonl", tmp_path / "mails"
    command = [sys.executable, "-m", "tests.support.smtp_sink", "--journal", str(journal)]
    command += ["--maildir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            with channel_to(process.stdout.readline().strip()) as channel:
                message_id = send_one(channel, mail()).provider_id
        finally:
            process.kill()
    (line,) = journal.read_text().splitlines()
    assert json.loads(line)["message_id"] == message_id
    (kept,) = folder.iterdir()
    assert str(message_id).encode() in kept.read_bytes()
