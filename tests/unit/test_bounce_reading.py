"""What a mail that came back is taken to say: every form of notification, broken ones, and anything at all."""

from __future__ import annotations

import base64
import time
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.services.bounces_mail import Automatic, Bounce, Complaint, Unclear, read_mail
from scheduler.services.bounces_notice import Code, Fate, Notice, code_in, comparable, field_groups, named_addresses
from scheduler.services.letters.letter import Letter
from scheduler.services.letters.marks import Mark
from scheduler.services.letters.reading import LARGEST
from tests.support import bounce_mails as mails
from tests.support.bounce_mails import PATIENT, dsn, recipient_fields
from tests.support.letters import letter

ATTEMPT = uuid4()
MESSAGE_ID = f"<{ATTEMPT.hex}@harbor.example>"


def bounce(raw: bytes) -> Bounce:
    found = read_mail(raw)
    assert isinstance(found, Bounce), found
    assert found.attempts == {ATTEMPT}
    return found


def notice(raw: bytes) -> Notice:
    (only,) = bounce(raw).notices
    return only


# RFC 3464


@pytest.mark.parametrize(
    "returned", ["text/rfc822-headers", "message/rfc822", "message/global", "message/global-headers"]
)
@pytest.mark.parametrize("status_type", ["message/delivery-status", "message/global-delivery-status", "text/plain"])
def test_a_notification_names_the_mail_the_address_and_the_reason(returned: str, status_type: str) -> None:
    found = notice(dsn(MESSAGE_ID, returned=returned, status_type=status_type))
    assert found == Notice(fate=Fate.FAILED, code=Code(status="5.1.1", reply=550), addresses=frozenset({PATIENT}))
    assert str(found.code) == "550 5.1.1"


@pytest.mark.parametrize(
    ("action", "fate"),
    [
        ("failed", Fate.FAILED),
        ("FAILED (given up)", Fate.FAILED),
        ("delayed", Fate.DELAYED),
        ("delivered", Fate.REACHED),
        ("relayed", Fate.REACHED),
        ("expanded", Fate.REACHED),
    ],
)
def test_the_action_says_what_became_of_the_mail(action: str, fate: Fate) -> None:
    assert notice(dsn(MESSAGE_ID, recipient_fields(action=action, status="4.4.1"))).fate is fate


def test_each_recipient_has_a_group_of_its_own() -> None:
    other = recipient_fields(to="other@patients.example", action="delivered", status="2.0.0", diagnostic="")
    found = bounce(dsn(MESSAGE_ID, recipient_fields(), other))
    assert [(one.fate, set(one.addresses)) for one in found.notices] == [
        (Fate.FAILED, {PATIENT}),
        (Fate.REACHED, {"other@patients.example"}),
    ]


@pytest.mark.parametrize(
    ("status", "diagnostic", "code"),
    [
        ("5.2.2", "smtp; 552 mailbox full", Code(status="5.2.2", reply=552)),
        ("5.0.0", "smtp; 550 5.1.1 no such user", Code(status="5.1.1", reply=550)),
        ("5.0.0", "smtp; 550 no such user", Code(status="5.0.0", reply=550)),
        ("4.4.7", "smtp; 451 4.7.1 greylisted", Code(status="4.4.7", reply=451)),
        ("5.0.0", "smtp; 451 4.7.1 greylisted", Code(status="5.0.0", reply=451)),  # another class: it gave up
        ("", "smtp; 550 5.1.1 no such user", Code(status="5.1.1", reply=550)),
        ("5.1.1 (bad destination mailbox)", "", Code(status="5.1.1")),
        ("", "X-Notes; User not listed in the directory", Code()),
        ("5.4.310", "smtp; 550 5.4.310 DNS domain not found", Code(status="5.4.310", reply=550)),
        ("", "dns; 192.0.5.1.1 did not answer", Code()),
    ],
)
def test_the_code_is_the_most_telling_one(status: str, diagnostic: str, code: Code) -> None:
    assert notice(dsn(MESSAGE_ID, recipient_fields(status=status, diagnostic=diagnostic))).code == code


@pytest.mark.parametrize(
    ("text", "of_content"),
    [
        ("host mx said: 550 no such user (in reply to RCPT TO command)", False),
        ("host mx said: 550 looks like spam (in reply to end of DATA command)", True),
        ("SMTP error from remote mail server after pipelined end of data: 550 spam", True),
    ],
)
def test_a_refusal_after_the_end_of_the_mail_is_about_its_content(text: str, of_content: bool) -> None:
    found = notice(dsn(MESSAGE_ID, recipient_fields(status="5.0.0", diagnostic="smtp; 550 no"), text=text))
    assert found.code.of_content is of_content


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("rfc822; ann@example.org", "ann@example.org"),
        ("RFC822;<Ann@Example.ORG>", "ann@example.org"),
        ("ann@example.org", "ann@example.org"),
        ("rfc822; ann+2Bspam@example.org", "ann+spam@example.org"),  # xtext
        ("rfc822; ann+spam@example.org", "ann+spam@example.org"),
        ("utf-8; ann@münchen.example", "ann@xn--mnchen-3ya.example"),
        (r"utf-8; j\x{F6}rg@example.org", "jörg@example.org"),
        ("rfc822;\n\t ann@example.org", "ann@example.org"),
    ],
)
def test_an_address_is_read_in_each_way_that_it_may_be_written(written: str, address: str) -> None:
    assert comparable(address) in named_addresses(written)


@pytest.mark.parametrize(
    "written", ["", "rfc822; nobody", "x400; /C=us/O=x/@y", "rfc822; a b@c.org", "a@" * 5000, r"\x{FFFFFF}"]
)
def test_what_is_no_address_names_nobody(written: str) -> None:
    assert named_addresses(written) == frozenset()


def test_the_original_recipient_counts_beside_the_final_one() -> None:
    group = recipient_fields(to="forwarded@elsewhere.example", original=f"rfc822;{PATIENT}")
    assert notice(dsn(MESSAGE_ID, group)).addresses == {PATIENT, "forwarded@elsewhere.example"}


def test_a_utf8_notification_is_read_as_such() -> None:
    group = recipient_fields(to="").replace("Action", "Final-Recipient: utf-8; jörg@münchen.example\nAction")
    raw = dsn(MESSAGE_ID, group, status_type="message/global-delivery-status", returned="message/global-headers")
    assert notice(raw).addresses == {"jörg@xn--mnchen-3ya.example"}


# Which mail


def test_without_returned_headers_the_envelope_id_names_the_mail() -> None:
    assert bounce(dsn(MESSAGE_ID, returned="", envelope_id=ATTEMPT.hex)).notices


def test_without_either_the_mail_that_is_answered_is_meant() -> None:
    assert bounce(dsn(MESSAGE_ID, returned="", head=f"In-Reply-To: {MESSAGE_ID}\n")).notices


def test_headers_quoted_in_the_text_will_do() -> None:
    text = f"Your mail was not delivered.\n\n> From: {mails.OURS}\n> Message-Id: {MESSAGE_ID}\n"
    assert bounce(dsn(MESSAGE_ID, returned="", text=text)).notices


def test_a_message_id_that_is_not_of_our_making_names_nothing() -> None:
    found = read_mail(dsn("<20260303.1@elsewhere.example>"))
    assert isinstance(found, Bounce)
    assert found.attempts == frozenset()


# Broken and old forms


def test_fields_without_an_empty_line_between_them_are_one_recipient() -> None:
    status = (
        f"Reporting-MTA: dns;ex.patients.example\nFinal-Recipient: rfc822;{PATIENT}\nAction: failed\nStatus: 5.1.1\n"
    )
    raw = mails.multipart(
        [
            "Content-Type: text/html\n\n<p>Delivery has failed.</p>\n",
            f"Content-Type: message/delivery-status\n\n{status}",
            f"Content-Type: message/rfc822\n\n{mails.returned_headers(MESSAGE_ID)}\nMove today.\n",
        ],
        subtype="report; report-type=delivery-status",
    )
    assert notice(raw).addresses == {PATIENT}


def test_a_status_encoded_against_the_rules_is_decoded() -> None:
    status = base64.encodebytes(b"Reporting-MTA: dns; x\n\n" + recipient_fields().encode()).decode()
    raw = mails.multipart(
        [
            f"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n{status}",
            f"Content-Type: text/rfc822-headers\n\n{mails.returned_headers(MESSAGE_ID)}",
        ],
        subtype="report; report-type=delivery-status",
    )
    assert notice(raw).code.status == "5.1.1"


def test_windows_line_ends_change_nothing() -> None:
    raw = dsn(MESSAGE_ID)
    assert read_mail(raw.replace(b"\n", b"\r\n")) == read_mail(raw)


def test_a_group_without_an_action_is_a_failure_only_with_a_permanent_status() -> None:
    assert notice(dsn(MESSAGE_ID, recipient_fields(action=""))).fate is Fate.FAILED
    assert isinstance(read_mail(dsn(MESSAGE_ID, recipient_fields(action="", status="4.2.2", diagnostic=""))), Unclear)


def test_qmail_names_the_address_and_the_reason_in_a_paragraph() -> None:
    assert notice(mails.qmail(MESSAGE_ID)) == Notice(
        fate=Fate.FAILED, code=Code(status="5.1.1"), addresses=frozenset({PATIENT})
    )


def test_qmail_with_the_reply_of_another_server() -> None:
    why = "192.0.2.25 does not like recipient.\nRemote host said: 550 no such user\nGiving up on 192.0.2.25."
    assert notice(mails.qmail(MESSAGE_ID, why=why)).code == Code(reply=550)


def test_exim_names_the_failed_recipients_in_a_header() -> None:
    assert notice(mails.exim(MESSAGE_ID)) == Notice(
        fate=Fate.FAILED, code=Code(reply=550), addresses=frozenset({PATIENT})
    )


def test_exim_says_when_it_was_the_content() -> None:
    assert notice(mails.exim(MESSAGE_ID, after="end of data", reply="550 spam")).code.of_content


def test_a_mail_daemons_free_text_needs_a_permanent_code_and_our_message_id() -> None:
    text = "Delivery failed: {}\n\nMessage-ID: {}\n"
    assert notice(mails.plain(text.format("550 5.1.1 unknown user", MESSAGE_ID))).code.status == "5.1.1"
    for why, message_id in [
        ("451 4.7.1 will try again", MESSAGE_ID),
        ("it could not be delivered", MESSAGE_ID),
        ("550 5.1.1 unknown user", "<x@y.example>"),
    ]:
        assert isinstance(read_mail(mails.plain(text.format(why, message_id))), Unclear)


def test_a_person_who_quotes_our_mail_and_a_number_is_no_mail_server() -> None:
    text = f"I moved, my new flat is 550 5.1.1.\n\n> Message-ID: {MESSAGE_ID}\n"
    assert isinstance(read_mail(letter(text)), Letter)


def test_a_code_in_the_returned_mail_is_not_the_reason() -> None:
    text = f"Could not deliver.\n\nReceived: by 550 5.1.1\nMessage-ID: {MESSAGE_ID}\n"
    assert isinstance(read_mail(mails.plain(text)), Unclear)


# Automatic mail and complaints


@pytest.mark.parametrize(
    ("head", "mark"),
    [
        ("Auto-Submitted: auto-generated", Mark.AUTO_SUBMITTED),
        ("X-Autoreply: yes", Mark.AUTO_REPLY),
        ("Precedence: auto_reply", Mark.BULK),
    ],
)
def test_automatic_mail_is_recognised(head: str, mark: Mark) -> None:
    raw = letter("I am away.\n", answers=MESSAGE_ID, head=f"{head}\n")
    assert read_mail(raw) == Automatic(mark)


def test_a_holiday_notice_is_never_a_bounce() -> None:
    assert read_mail(mails.holiday_notice(MESSAGE_ID)) == Automatic(Mark.AUTO_SUBMITTED)


def test_a_notice_that_the_mail_was_read_is_automatic() -> None:
    raw = mails.multipart(
        [
            "Content-Type: text/plain\n\nDisplayed.\n",
            "Content-Type: message/disposition-notification\n\nDisposition: x\n",
        ],
        subtype="report; report-type=disposition-notification",
    ).replace(b"MAILER-DAEMON@relay.harbor.example (Mail Delivery System)", PATIENT.encode())
    assert read_mail(raw.replace(b"Auto-Submitted: auto-replied\n", b"")) == Automatic(Mark.READ_RECEIPT)


def test_mail_of_a_person_is_a_letter() -> None:
    found = read_mail(letter("Thank you!\n"))
    assert isinstance(found, Letter)
    assert (found.sender, found.content.text.strip(), found.mark) == (PATIENT, "Thank you!", None)


def test_a_mail_that_nobody_signs_is_not_understood() -> None:
    found = read_mail(b"Subject: hello\n\nThank you!\n")
    assert found == Unclear("it is no notification of a mail server, and says not who wrote it")


def test_a_complaint_names_the_mail_and_the_address() -> None:
    assert read_mail(mails.complaint(MESSAGE_ID)) == Complaint(frozenset({ATTEMPT}), frozenset({PATIENT}))


def test_a_complaint_whose_address_was_blacked_out_names_none() -> None:
    assert read_mail(mails.complaint(MESSAGE_ID, to="[redacted]")) == Complaint(frozenset({ATTEMPT}), frozenset())


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "fraud", "virus", ""])
def test_other_feedback_is_no_complaint_about_the_mail(kind: str) -> None:
    assert read_mail(mails.complaint(MESSAGE_ID, kind=kind)) == Automatic(Mark.FEEDBACK)


# Anything


def test_a_notification_that_is_too_large_is_not_read() -> None:
    assert read_mail(b"x" * (LARGEST + 1)) == Unclear("it is larger than 10 MB")
    assert read_mail(dsn(MESSAGE_ID) + b"x" * LARGEST) == Unclear("it is larger than 10 MB")


@given(st.binary(max_size=2000))
def test_no_bytes_at_all_break_it(raw: bytes) -> None:
    assert isinstance(read_mail(raw), Bounce | Complaint | Automatic | Letter | Unclear)


SOUND = [
    dsn(MESSAGE_ID),
    dsn(MESSAGE_ID, returned="message/rfc822"),
    mails.qmail(MESSAGE_ID),
    mails.exim(MESSAGE_ID),
    mails.complaint(MESSAGE_ID),
]


@given(st.sampled_from(SOUND), st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 80), st.binary(max_size=30))))
def test_a_damaged_notification_names_no_mail_that_does_not_stand_in_it(
    raw: bytes, damage: list[tuple[int, int, bytes]]
) -> None:
    for at, length, instead in damage:
        raw = raw[:at] + instead + raw[at + length :]
    found = read_mail(raw)
    named = found.attempts if isinstance(found, Bounce | Complaint) else ()
    assert all(attempt.hex.encode() in raw.lower() for attempt in named)


@pytest.mark.alone
@pytest.mark.parametrize(
    "piece",
    [b"action:\n", b"final-recipient:\n", b"\n", b"> ", b" \n", b"--=_b\n", b"<", b"5.", b"550 ", b"Message-ID:\n"],
)
@pytest.mark.parametrize("subtype", ["report; report-type=delivery-status", "mixed"])
def test_a_mail_made_to_keep_it_busy_does_not(piece: bytes, subtype: str) -> None:
    raw = mails.multipart(["Content-Type: text/plain\n\n@@\n"], subtype=subtype)
    began = time.process_time()
    read_mail(raw.replace(b"@@", piece * (1_000_000 // len(piece))))
    assert time.process_time() - began < 10


@pytest.mark.alone
@pytest.mark.parametrize(
    "raw",
    [
        b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(20_000)),
        b"Content-Type: message/rfc822\n\n" * 50_000,
        b'Content-Type: multipart/mixed; boundary="b"\n\n' + b"--b\n\n\n" * 200_000,
        b"Content-Type: multipart/mixed" + b"; a=b" * 200_000 + b"\n\n",
        b"Content-Type: multipart/mixed" + b";\n a=b" * 200_000 + b"\n\n",
        b"Content-Type: message/delivery-status\n\n" + b"A: b\n\n" * 200_000,
    ],
    ids=["deep", "nested", "many", "long", "folded", "groups"],
)
def test_a_mail_of_absurd_structure_is_put_aside_quickly(raw: bytes) -> None:
    began = time.process_time()
    assert isinstance(read_mail(raw), Unclear)
    assert time.process_time() - began < 5


@given(st.text(max_size=300))
def test_fields_are_found_in_any_text_without_an_error(text: str) -> None:
    field_groups(text)
    code_in(text, status=text, around=text)
    named_addresses(text)
