"""Which mails no person wrote, and which a person wrote although they look otherwise."""

from __future__ import annotations

import pytest

from scheduler.services.bounces_mail import Automatic, Unclear, read_mail
from scheduler.services.letters.letter import Letter
from scheduler.services.letters.marks import Mark
from tests.support import letters
from tests.support.letters import OURS, PATIENT, automatic, letter

OUR_ID = "<0123456789abcdef0123456789abcdef@harbor.example>"


def mark(raw: bytes) -> Mark | None:
    found = read_mail(raw)
    assert isinstance(found, Automatic | Letter), found
    return found.mark


def without_return(raw: bytes) -> bytes:
    return raw.replace(f"Return-Path: <{PATIENT}>".encode(), b"Return-Path: <>")


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("Auto-Submitted: auto-replied", Mark.AUTO_SUBMITTED),
        ("Auto-Submitted: Auto-Generated; owner-token=x", Mark.AUTO_SUBMITTED),
        ("auto-submitted:\n auto-notified", Mark.AUTO_SUBMITTED),
        ("Precedence: bulk", Mark.BULK),
        ("Precedence: JUNK", Mark.BULK),
        ("Precedence: auto_reply", Mark.BULK),
        ("X-Autoreply: yes", Mark.AUTO_REPLY),
        ("X-Autorespond: x", Mark.AUTO_REPLY),
        ("Precedence: list", Mark.LIST),
        ("List-Id: <ms.lists.example>", Mark.LIST),
        ("List-Unsubscribe: <https://news.example/u>", Mark.LIST),
    ],
)
def test_headers_that_give_a_machine_away(head: str, expected: Mark) -> None:
    assert mark(automatic(head, answers=OUR_ID)) is expected


@pytest.mark.parametrize(
    "head",
    [
        "Auto-Submitted: no",
        "Auto-Submitted: No (a person)",
        "X-Auto-Response-Suppress: All",
        "X-Auto-Response-Suppress: DR, OOF, AutoReply",
        "Precedence: normal",
        "Precedence: first-class",
        "X-Priority: 1",
        "",
    ],
)
def test_headers_that_mails_of_people_have_too(head: str) -> None:
    assert mark(automatic(head, answers=OUR_ID)) is None


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: A reminder from Harbor Clinic",
        "AUTO: Pat is out of the office",
        "Auto-Reply: hello",
        "Out of Office: back on Monday",
        "Abwesenheitsnotiz: A reminder",
        "Automatische Antwort: A reminder",
        "=?utf-8?q?Respuesta_autom=C3=A1tica=3A_Un_recordatorio?=",
        "Respuesta automática: Un recordatorio",
        "Fuera de la oficina: vuelvo el lunes",
        "Réponse automatique : absence",
    ],
)
def test_the_subject_of_a_holiday_notice_is_the_last_hint(subject: str) -> None:
    assert mark(automatic("", subject=subject)) is Mark.SUBJECT


@pytest.mark.parametrize(
    "subject",
    ["Re: Automatic reply: x", "I am out of office from May", "autumn plans", "automatic doors", "absent", "Away"],
)
def test_a_person_may_write_about_such_things(subject: str) -> None:
    assert mark(automatic("", subject=subject)) is None


def test_a_mail_without_a_return_path_is_a_machines() -> None:
    assert mark(without_return(letter("yes"))) is Mark.NO_RETURN
    noted = b"From MAILER-DAEMON  Tue Mar  3 15:00:00 2026\n" + letter("yes")
    assert mark(noted) is Mark.NO_RETURN
    assert mark(f"From {PATIENT}  Tue Mar  3 15:00:00 2026\n".encode() + letter("yes")) is None


@pytest.mark.parametrize("sender", ["noreply@shop.example", "No-Reply@shop.example", "do-not-reply+1@shop.example"])
def test_who_wants_no_reply_gets_none(sender: str) -> None:
    assert mark(letter("yes", sender=sender)) is Mark.NO_REPLY
    assert mark(letter("yes", sender="noreplyson@patients.example")) is None


@pytest.mark.parametrize("sender", ["MAILER-DAEMON@mx.example", "Postmaster <postmaster@mx.example>"])
def test_a_mail_server_that_says_what_is_not_understood_is_for_a_person(sender: str) -> None:
    assert isinstance(read_mail(letter("your quota", sender=sender)), Unclear)


def test_who_says_not_who_they_are_is_for_a_person() -> None:
    assert isinstance(read_mail(letter("yes", sender="Pat")), Unclear)
    assert isinstance(read_mail(b"Subject: x\n\nyes\n"), Unclear)


def test_a_read_receipt_is_automatic() -> None:
    raw = letters.multipart(
        "report; report-type=disposition-notification",
        (letters.PLAIN, "Your mail was read."),
        (
            "Content-Type: message/disposition-notification",
            f"Final-Recipient: rfc822;{PATIENT}\nDisposition: x/y; z\n",
        ),
    )
    assert mark(raw) is Mark.READ_RECEIPT


# Headers that say whose it is


def read(raw: bytes) -> Letter:
    found = read_mail(raw)
    assert isinstance(found, Letter), found
    return found


def test_the_same_mail_has_the_same_identity_however_it_came() -> None:
    once, again = letter("1"), b"Delivered-To: care@harbor.example\nReceived: from x\n" + letter("1")
    assert read(once).provider_id == read(again).provider_id
    assert read(letter("1", message_id="<b@c>")).provider_id != read(once).provider_id
    nameless = letter("1", message_id="")
    assert read(nameless).provider_id == read(nameless).provider_id
    assert read(letter("2", message_id="")).provider_id != read(nameless).provider_id


def test_the_mail_that_is_answered_comes_before_the_others_of_its_thread() -> None:
    ids = [f"<{letter * 32}@harbor.example>" for letter in "abc"]
    head = f"In-Reply-To: {ids[0]} (Harbor Clinic's message)\nReferences: {ids[1]}\n <x@y>\n {ids[2]} {ids[0]}\n"
    assert [one.hex[0] for one in read(letter("1", head=head)).answers] == ["a", "c", "b"]


def test_all_recipients_count_those_of_the_envelope_first() -> None:
    head = (
        "Delivered-To: harbor@box.example\nX-Original-To: CARE+1@harbor.example\nCc: a@b.example, C <c@d.example>\n"
    )
    found = read(letter("1", head=head, to=f"Harbor Clinic <{OURS}>, undisclosed:;")).recipients
    assert found[:2] == ("harbor@box.example", "care+1@harbor.example")
    assert {OURS, "a@b.example", "c@d.example"} <= set(found)


def test_a_domain_may_disown_a_mail() -> None:
    head = "Authentication-Results: mx.harbor.example; spf=pass; dmarc={} header.from=patients.example\n"
    assert read(letter("1", head=head.format("fail (p=reject)"))).is_disowned
    assert not read(letter("1", head=head.format("pass"))).is_disowned
    assert not read(letter("dmarc=fail")).is_disowned
