"""`receive-mail` and `bounce`: what they print, how they end, and what a mail server makes of that."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from scheduler.services.letters.reading import LARGEST
from scheduler.services.mail_in import MailIn
from tests.support import bounce_mails as mails
from tests.support import letters
from tests.support.bounce_mails import dsn, recipient_fields
from tests.support.cli import MAIN, Cli, Ran
from tests.support.commands import Commands
from tests.support.imap_server import ImapServer
from tests.support.letters import letter
from tests.support.smtp_sink import SmtpSink
from tests.support.worlds import MONDAY, new_york, world_at

TRY_AGAIN = 75


@dataclass(frozen=True, slots=True)
class Installation:
    """A clinic that has sent one mail to `mails.PATIENT`."""

    folder: Path
    settings: dict[str, str]
    message_id: str

    def pipe(self, raw: bytes, *options: str, command: str = "bounce", **settings: str) -> Ran:
        """Run the command as a mail server does: a process with the mail on its standard input."""
        done = subprocess.run(
            [sys.executable, "-c", MAIN, command, *options],
            cwd=self.folder,
            env=Cli(self.folder, self.settings | settings).environment,
            input=raw,
            capture_output=True,
            timeout=60,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    @property
    def commands(self) -> Commands:
        return Commands(self.folder, self.settings)

    def statuses(self) -> list[str]:
        rows = self.commands.done("messages", "--clinic", "main", "--json").json
        return [row["status"] for row in rows if row["status"] not in ("skipped", "received")]


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    url = f"sqlite:///{tmp_path / 'bonewise.db'}"
    with SmtpSink() as sink:
        over = {"BONEWISE_EMAIL": "smtp", "BONEWISE_SMTP_URL": sink.url}
        with world_at(MONDAY, database_url=url, folder=tmp_path, settings=over) as world:
            world.enrol_email()
            world.tick_at(new_york(3, 3))
        (kept,) = sink.mails
    settings = {"BONEWISE_DATABASE_URL": url, "BONEWISE_DATA_DIR": str(tmp_path / "var")}
    yield Installation(tmp_path, settings, str(kept.message["Message-ID"]))


# From a mail server


def test_a_bounce_on_standard_input_is_taken_in_once(installation: Installation) -> None:
    raw = dsn(installation.message_id)
    first, again = installation.pipe(raw), installation.pipe(raw)
    assert (first.code, first.err) == (0, "")
    assert "came back: 550 5.1.1; " in first.out
    assert installation.statuses() == ["undelivered"]
    assert (again.code, again.err) == (0, "")
    assert "Nothing new about message" in again.out


def test_the_line_that_local_delivery_puts_before_a_mail_is_no_hindrance(installation: Installation) -> None:
    ran = installation.pipe(
        b"From MAILER-DAEMON  Tue Mar  3 15:00:00 2026\n" + dsn(installation.message_id), "--json"
    )
    assert ran.code == 0
    assert ran.json == {
        "mails": 1,
        "reply": 0,
        "task": 0,
        "kept": 0,
        "undelivered": 1,
        "complaint": 0,
        "repeated": 0,
        "harmless": 0,
        "automatic": 0,
        "foreign": 0,
        "unclear": 0,
    }


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "not understood"),
        (b"Subject: hello\n\nhow are you\n", "says not who wrote it"),
        (b"\xff\xfe\x00" * 50, "not understood"),
        (b"x" * (LARGEST + 1), "larger than 10 MB"),
        (dsn(f"<{uuid4().hex}@harbor.example>"), "names no mail that was sent from here"),
    ],
    ids=["empty", "nobody's", "bytes", "huge", "forged"],
)
def test_what_is_not_understood_is_one_sentence_and_exit_code_1(
    installation: Installation, raw: bytes, words: str
) -> None:
    ran = installation.pipe(raw)
    assert (ran.code, ran.out) == (1, "")
    assert words in ran.err
    assert ran.err.count("\n") == 1
    assert installation.statuses() == ["sent"]


def test_an_automatic_answer_is_said_to_be_one_and_is_no_failure(installation: Installation) -> None:
    ran = installation.pipe(mails.holiday_notice(installation.message_id))
    assert (ran.code, ran.err) == (0, "")
    assert "automatic mail" in ran.out


def test_what_is_said_names_no_address_for_a_mail_server_may_send_it_on(installation: Installation) -> None:
    for raw in (dsn(installation.message_id), dsn(installation.message_id, recipient_fields(to="eve@else.example"))):
        ran = installation.pipe(raw)
        assert not any(name in ran.out + ran.err for name in ("patients.example", "else.example", "Pat E1"))


def test_a_letter_is_taken_in_whichever_command_the_mail_server_was_told(installation: Installation) -> None:
    for number, command in enumerate(("receive-mail", "bounce")):
        raw = letter("2", answers=installation.message_id, message_id=f"<{number}@x>")
        ran = installation.pipe(raw, command=command)
        assert (ran.code, ran.out, ran.err) == (0, "A patient's reply; it was taken in.\n", "")
    again = installation.pipe(raw, "--json", command="receive-mail")
    assert (again.code, again.json["repeated"]) == (0, 1)
    bounced = installation.pipe(dsn(installation.message_id), command="receive-mail")
    assert "came back: 550 5.1.1; " in bounced.out
    found = installation.commands.done("replies", "--clinic", "main", "--json").json
    assert [(row["patient"], row["body"]) for row in found] == [("E1", "2"), ("E1", "2")]


def test_a_letter_for_no_clinic_is_kept_and_said_and_not_sent_back(installation: Installation) -> None:
    for code in ("two", "three"):
        installation.commands.done("clinic", "add", "--code", code, "--name", "X", "--timezone", "Europe/Madrid")
    ran = installation.pipe(letter("hello", sender="sam@else.example", to="x@y.example"), command="receive-mail")
    assert (ran.code, ran.out) == (0, "")
    assert "its words are kept" in ran.err
    assert "else.example" not in ran.err


def test_a_mail_of_any_size_is_read_to_its_end_so_that_no_pipe_breaks(installation: Installation) -> None:
    raw = letters.multipart(
        "mixed", (letters.PLAIN, "2"), (letters.photo()[0], "x" * (2 * LARGEST)), answers=installation.message_id
    )
    ran = installation.pipe(raw, command="receive-mail")
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00" * 1000,
        b"From: pat@patients.example\n\n\xff\xfe",
        b"From: =?x?q?\xff?= <a@b>\nContent-Type: text/html; charset=\xff\n\n<p \xed\xa0\x80",
        b"From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: \x00/\x00\n\n\x00",
        b"From: a@b.example\nSubject: =?utf-7?b?////?=\nMessage-ID: \xff\nIn-Reply-To: <" + b"0" * 32 + b"@>\n\n",
        b"From: " + b"<" * 100_000 + b"\n\nSTOP",
        b"From: a@b.example\nTo: " + b"(" * 50_000 + b"\n\nSTOP",
        b"From: a@b.example, " * 20_000 + b"\n\nSTOP",
        b"From: a@b.example\nContent-Transfer-Encoding: base64\n\n" + b"=" * 100_000,
    ],
)
def test_no_bytes_end_it_with_a_traceback_or_have_them_sent_again(installation: Installation, raw: bytes) -> None:
    ran = installation.pipe(raw, command="receive-mail")
    assert ran.code in (0, 1)
    assert "Traceback" not in ran.err
    assert "fault in Bonewise" not in ran.err


@pytest.mark.parametrize(
    "settings",
    [
        {"BONEWISE_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none"},
        {"BONEWISE_DATABASE_URL": "sqlite:////proc/nowhere/bonewise.db"},
        {"BONEWISE_DATABASE_URL": "nonsense"},
        {"BONEWISE_TICK_SECONDS": "often"},
        {"BONEWISE_DATA_DIR": "elsewhere"},
        {"BONEWISE_CONFIG_DIR": "elsewhere"},
    ],
    ids=["no server", "no file", "no url", "no number", "no keys", "no config"],
)
def test_when_bonewise_cannot_work_the_mail_server_is_asked_to_try_again(
    installation: Installation, settings: dict[str, str]
) -> None:
    ran = installation.pipe(dsn(installation.message_id), **settings)
    assert (ran.code, ran.out) == (TRY_AGAIN, "")
    assert ran.err.startswith("bonewise: ")
    assert "Traceback" not in ran.err
    assert installation.statuses() == ["sent"]


def test_with_debug_a_failure_shows_where_it_happened(installation: Installation) -> None:
    ran = installation.pipe(dsn(installation.message_id), "--debug", BONEWISE_DATA_DIR="elsewhere")
    assert "Traceback" in ran.err


def test_without_a_mail_on_a_terminal_the_command_says_what_it_wants(installation: Installation) -> None:
    ours, terminal = os.openpty()
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "bounce"],
        cwd=installation.folder,
        env=Cli(installation.folder, installation.settings).environment,
        stdin=terminal,
        capture_output=True,
        text=True,
        timeout=60,
    )
    os.close(ours)
    os.close(terminal)
    assert done.returncode == 2
    assert "--mailbox" in done.stderr


# From a mailbox


def test_a_mailbox_is_read_and_only_what_needs_a_person_stays_unseen(installation: Installation) -> None:
    with ImapServer() as server:
        bounce = server.deliver(dsn(installation.message_id))
        holiday = server.deliver(mails.holiday_notice(installation.message_id))
        unclear = server.deliver(mails.plain("Over quota\n"))
        answer = server.deliver(letter("2", answers=installation.message_id))
        ran = installation.commands.given(BONEWISE_BOUNCE_MAILBOX=server.url)("bounce", "--mailbox", "--json")
        assert server.flags == {
            bounce: {"\\Seen"},
            holiday: {"\\Seen"},
            unclear: {"BonewiseLeft"},
            answer: {"\\Seen"},
        }
        assert ran.code == 1
        counts = {"mails": 4, "undelivered": 1, "automatic": 1, "unclear": 1, "reply": 1}
        assert {name: number for name, number in ran.json.items() if number} == counts
        assert "have a person read it" in ran.err
        assert installation.statuses() == ["undelivered"]
        again = installation.commands("bounce", "--mailbox", server.url)
        assert (again.code, again.out) == (0, "There is no new mail.\n")


def test_a_mail_that_could_not_be_marked_is_taken_again_without_effect(installation: Installation) -> None:
    with ImapServer() as server:
        server.deliver(dsn(installation.message_id))
        server.breaks_at = "STORE"
        broken = installation.commands("bounce", "--mailbox", server.url)
        assert (broken.code, broken.out) == (1, "")
        assert "connection to the mail server 127.0.0.1 broke" in broken.err
        assert installation.statuses() == ["undelivered"]
        server.breaks_at = ""
        again = installation.commands.done("bounce", "--mailbox", server.url, "--json").json
        assert (again["mails"], again["repeated"]) == (1, 1)


def test_a_notification_too_large_to_read_is_left(installation: Installation) -> None:
    with ImapServer() as server:
        uid = server.deliver(mails.plain("y" * LARGEST))
        ran = installation.commands("receive-mail", "--mailbox", server.url)
        assert ran.code == 1
        assert "larger than 10 MB" in ran.err
        assert server.flags == {uid: {"BonewiseLeft"}}


def test_one_mail_that_cannot_be_taken_in_does_not_hold_up_the_others(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = MailIn.take

    def fail(self: MailIn, raw: bytes) -> object:
        if b"POISON" in raw:
            raise RuntimeError("as if something were wrong")
        return take(self, raw)

    monkeypatch.setattr(MailIn, "take", fail)
    with ImapServer() as server:
        poison = server.deliver(letter("POISON"))
        answer = server.deliver(letter("2", answers=installation.message_id))
        ran = installation.commands("receive-mail", "--mailbox", server.url)
        assert ran.code == 1
        assert "it stays as it is, for the next look" in ran.err
        assert server.flags == {poison: set(), answer: {"\\Seen"}}


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (["--mailbox"], {}, "BONEWISE_BOUNCE_MAILBOX is missing"),
        (["--mailbox", "imaps://u:hunter2@"], {}, "--mailbox: the mail server's host is missing"),
        (["--mailbox"], {"BONEWISE_BOUNCE_MAILBOX": "mail.example"}, "BONEWISE_BOUNCE_MAILBOX: it must begin with"),
        (
            ["--mailbox", "imap://u:hunter2@127.0.0.1:1/?starttls=no"],
            {},
            "127.0.0.1:1 of the mailbox cannot be",
        ),
    ],
)
def test_a_mailbox_that_cannot_be_read_is_one_sentence(
    installation: Installation, arguments: list[str], settings: dict[str, str], words: str
) -> None:
    ran = installation.commands.given(**settings)("bounce", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert words in ran.err
    assert "hunter2" not in ran.err


def test_check_finds_faults_in_the_bounce_settings(installation: Installation) -> None:
    settings = {
        "BONEWISE_EMAIL": "smtp",
        "BONEWISE_SMTP_URL": "smtp://127.0.0.1:25",
        "BONEWISE_BOUNCE_ADDRESS": "bounces",
        "BONEWISE_BOUNCE_MAILBOX": "imaps://mail.example",
    }
    ran = installation.commands.given(**settings)("check")
    assert ran.code == 1
    assert "BONEWISE_BOUNCE_ADDRESS: not a usable e-mail address" in ran.out + ran.err
    assert "BONEWISE_BOUNCE_MAILBOX: the user name is missing" in ran.out + ran.err
