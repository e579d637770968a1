"""The mailbox that undeliverable mail comes back to, over IMAP: well and badly behaved servers, and its URL."""

from __future__ import annotations

import re
import socket

import pytest

from scheduler.channels.smtp import Tls
from scheduler.channels.smtp.mailbox import Mailbox, MailboxError
from scheduler.channels.smtp.mailbox_url import MailboxSettings, MailboxUrlError, parse_mailbox_url
from tests.support.certificates import Certificate, make_certificate
from tests.support.imap_server import ImapServer

MAIL = b"From: someone@example.org\r\nSubject: hello\r\n\r\nA line with \xff and (brackets}\r\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def mailbox_of(server: ImapServer, *, certificate: Certificate | None = None, timeout: float = 5) -> Mailbox:
    context = certificate.client_context() if certificate else None
    return Mailbox(parse_mailbox_url(server.url, timeout=timeout), tls=context)


def read(mailbox: Mailbox, *, largest: int = 1000) -> list[tuple[str, bytes | None]]:
    with mailbox as opened:
        return list(opened.unseen(largest=largest))


# Reading


def test_new_mails_come_oldest_first_and_are_not_marked_by_being_read() -> None:
    with ImapServer() as server:
        uids = [server.deliver(MAIL), server.deliver(b"Subject: 2\r\n\r\n")]
        assert read(mailbox_of(server)) == [(str(uids[0]), MAIL), (str(uids[1]), b"Subject: 2\r\n\r\n")]
        assert server.flags == {uid: set() for uid in uids}
        assert server.commands[-1] == "LOGOUT"


def test_an_empty_mailbox_has_no_mail() -> None:
    with ImapServer() as server:
        assert read(mailbox_of(server)) == []


def test_what_was_dealt_with_is_seen_and_what_was_left_stays_unseen_and_is_not_read_again() -> None:
    with ImapServer() as server:
        done, left = server.deliver(MAIL), server.deliver(MAIL)
        with mailbox_of(server) as mailbox:
            mailbox.mark_seen(str(done))
            mailbox.leave(str(left))
        assert server.flags == {done: {"\\Seen"}, left: {"BonewiseLeft"}}
        assert read(mailbox_of(server)) == []


def test_on_a_server_without_keywords_what_was_left_is_read_again() -> None:
    with ImapServer(has_keywords=False) as server:
        left = server.deliver(MAIL)
        with mailbox_of(server) as mailbox:
            mailbox.leave(str(left))
        assert read(mailbox_of(server)) == [(str(left), MAIL)]


def test_of_a_mail_that_is_too_large_only_the_beginning_is_fetched() -> None:
    with ImapServer() as server:
        uid = server.deliver(MAIL)
        assert read(mailbox_of(server), largest=len(MAIL) - 1) == [(str(uid), MAIL[:-1])]
        assert f"FETCH {uid} (BODY.PEEK[]<0.{len(MAIL) - 1}>)" in server.commands
        assert read(mailbox_of(server), largest=len(MAIL)) == [(str(uid), MAIL)]


def test_a_mail_that_has_gone_meanwhile_has_no_content() -> None:
    with ImapServer() as server:
        uid = server.deliver(MAIL)
        with mailbox_of(server) as mailbox:
            mails = mailbox.unseen(largest=1000)
            server.mails.clear()
            assert list(mails) == [(str(uid), None)]


def test_a_folder_may_have_any_ascii_name() -> None:
    with ImapServer(folder='Returned "mail"/2026') as server:
        uid = server.deliver(MAIL)
        assert read(mailbox_of(server)) == [(str(uid), MAIL)]


# Encryption


def test_the_mailbox_is_read_over_tls_from_the_start_and_over_starttls(certificate: Certificate) -> None:
    for server in (ImapServer(tls=certificate.server_context()), ImapServer(starttls=certificate.server_context())):
        with server:
            uid = server.deliver(MAIL)
            assert read(mailbox_of(server, certificate=certificate)) == [(str(uid), MAIL)]


def test_a_certificate_that_is_not_trusted_stops_before_the_password(certificate: Certificate) -> None:
    with ImapServer(tls=certificate.server_context()) as server:
        with pytest.raises(MailboxError, match=r"certificate of .* was not accepted"):
            read(mailbox_of(server))
        assert "LOGIN" not in server.commands


def test_without_starttls_no_password_is_sent() -> None:
    with ImapServer() as server:
        url = server.url.replace("?starttls=no", "")
        with pytest.raises(MailboxError, match=r"no encryption .* write imaps://"):
            read(Mailbox(parse_mailbox_url(url)))
        assert "LOGIN" not in server.commands


# What goes wrong


def test_a_wrong_password_is_said_without_it() -> None:
    with ImapServer() as server:
        url = server.url.replace("p%40ss", "hunter2")
        with pytest.raises(MailboxError, match="does not accept the user name and password") as caught:
            read(Mailbox(parse_mailbox_url(url)))
        assert "hunter2" not in str(caught.value)


def test_a_folder_that_is_not_there_is_named() -> None:
    with ImapServer() as server:
        url = server.url.replace("INBOX", "Returns")
        with pytest.raises(MailboxError, match="has no folder Returns"):
            read(Mailbox(parse_mailbox_url(url)))


def test_a_folder_that_may_only_be_read_is_refused_before_anything_is_done() -> None:
    with ImapServer(read_only=True) as server:
        server.deliver(MAIL)
        with pytest.raises(MailboxError, match="may only be read"):
            read(mailbox_of(server))


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(MailboxError, match=f"127.0.0.1:{port} .* cannot be reached"):
        read(Mailbox(parse_mailbox_url(f"imap://u:p@127.0.0.1:{port}/?starttls=no")))


@pytest.mark.parametrize("command", ["CAPABILITY", "LOGIN", "SELECT", "SEARCH", "FETCH", "STORE"])
def test_a_server_that_falls_silent_or_breaks_off_costs_no_more_than_the_timeout(command: str) -> None:
    for misbehaviour in ("stops_at", "breaks_at"):
        with ImapServer() as server:
            server.deliver(MAIL)
            setattr(server, misbehaviour, command)
            with pytest.raises(MailboxError), mailbox_of(server, timeout=0.2) as mailbox:
                for uid, _ in mailbox.unseen(largest=1000):
                    mailbox.mark_seen(uid)


def test_a_server_that_says_nothing_at_all_costs_no_more_than_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        url = f"imap://u:p@127.0.0.1:{listener.getsockname()[1]}/?starttls=no"
        mailbox = Mailbox(parse_mailbox_url(url, timeout=0.2))
        with pytest.raises(MailboxError, match="did not answer within"):
            read(mailbox)


# The URL


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("imaps://u:p@mail.example/INBOX", {"port": 993, "tls": Tls.IMPLICIT}),
        ("imaps://u:p@mail.example", {"port": 993, "tls": Tls.IMPLICIT}),
        ("imap://u:p@mail.example/", {"port": 143, "tls": Tls.REQUIRED}),
        ("imap://u:p@mail.example:1143/Junk%20mail/a", {"port": 1143, "tls": Tls.REQUIRED, "folder": "Junk mail/a"}),
        ("imap://u:p@localhost/?starttls=no", {"host": "localhost", "port": 143, "tls": Tls.NO}),
        (
            "imaps://a%40b:%2F%3A@mail.example",
            {"port": 993, "tls": Tls.IMPLICIT, "username": "a@b", "password": "/:"},
        ),
    ],
)
def test_a_url_says_which_mailbox(url: str, wanted: dict[str, object]) -> None:
    given = {"host": "mail.example", "username": "u", "password": "p", "folder": "INBOX"}
    assert parse_mailbox_url(url) == MailboxSettings(**(given | wanted))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "imaps://"),
        ("pop3://u:hunter2@mail.example", "imaps://"),
        ("imaps://u:hunter2@", "host is missing"),
        ("imaps://u:hunter2@mail.example:x", "malformed"),
        ("imaps://:hunter2@mail.example", "user name is missing"),
        ("imaps://u@mail.example", "password is missing"),
        ("imaps://u:hunter2@mail.example?tls=no", "only starttls="),
        ("imap://u:hunter2@mail.example?starttls=maybe", "starttls=maybe"),
        ("imap://u:hunter2@mail.example?starttls=no", "unencrypted"),
        ("imaps://u:hunter2%0d%0a@mail.example", "password has characters"),
        ("imaps://u:hunter2@mail.example/Zurück", "folder has characters"),
    ],
)
def test_a_bad_url_is_refused_in_words_that_do_not_show_the_password(url: str, words: str) -> None:
    with pytest.raises(MailboxUrlError, match=re.escape(words)) as caught:
        parse_mailbox_url(url)
    assert "hunter2" not in str(caught.value)


def test_settings_never_show_the_password() -> None:
    assert "hunter2" not in repr(parse_mailbox_url("imaps://u:hunter2@mail.example"))
