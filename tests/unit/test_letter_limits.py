"""Files, large mails and mails made to do harm: what is left out, how much is read, and that nothing breaks."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.services.bounces_mail import read_mail
from scheduler.services.letters.flowed import unflowed
from scheduler.services.letters.letter import Letter
from scheduler.services.letters.markup import words_of_html
from scheduler.services.letters.quotes import newest
from scheduler.services.letters.wording import LONGEST, words_of_letter
from tests.support import letters
from tests.support.letter_words import OUR_ID, read, words
from tests.support.letters import HTML, PLAIN, letter, multipart, photo

# Files


def test_files_are_counted_and_left_out() -> None:
    raw = multipart(
        "mixed",
        (PLAIN, "see this"),
        photo(),
        photo("filename*=utf-8''l%C3%A1mina%20STOP.pdf", kind="application/pdf"),
    )
    assert (words(raw), read(raw).content.files) == ("see this", 2)


@pytest.mark.parametrize(
    "name",
    [
        "filename*0*=utf-8'en'a%20; filename*1*=%C3%B1; filename*2=.pdf",
        "filename*=x-unknown''%FF%FE.pdf",
        "filename*=bad",
        'filename="=?utf-8?B?bMOhbWluYQ==?="',
        "filename*x*=1; filename*99999999999999999999=2",
    ],
)
def test_names_of_files_however_they_are_written_break_nothing(name: str) -> None:
    raw = multipart("mixed", (PLAIN, "see this"), photo(name))
    assert (words(raw), read(raw).content.files) == ("see this", 1)


def test_a_file_alone_is_a_mail_without_words() -> None:
    raw = multipart("mixed", photo("filename=IMG_1.jpg", disposition="inline"), answers=OUR_ID)
    assert (words(raw), read(raw).content.files) == ("", 1)


def test_pictures_in_a_signature_and_signatures_themselves_are_no_files() -> None:
    inner = f'--i\n{HTML}\n\n<p>yes</p><img src="cid:a">\n--i\n{photo(disposition="inline")[0]}\n/9j/\n--i--\n'
    raw = multipart("mixed", ('Content-Type: multipart/related; boundary="i"', inner))
    assert (words(raw), read(raw).content.files) == ("yes", 0)
    assert read(letters.signed("yes")).content.files == 0


def test_a_file_beside_the_html_form_of_a_text_counts() -> None:
    inner = f"--i\n{HTML}\n\n<p>yes</p>\n--i\n{photo()[0]}\n/9j/\n--i--\n"
    raw = multipart("alternative", (PLAIN, "yes"), ('Content-Type: multipart/mixed; boundary="i"', inner))
    assert (words(raw), read(raw).content.files) == ("yes", 1)


def test_a_text_that_came_as_a_file_is_a_file() -> None:
    about = f"{PLAIN}\nContent-Disposition: attachment; filename=notes.txt"
    raw = multipart("mixed", (PLAIN, "see the notes"), (about, "STOP"))
    assert (words(raw), read(raw).content.files) == ("see the notes", 1)


def test_a_mail_that_is_passed_on_whole_is_a_file() -> None:
    raw = multipart("mixed", (PLAIN, "this came"), ("Content-Type: message/rfc822", "Subject: STOP\n\nSTOP\n"))
    assert (words(raw), read(raw).content.files) == ("this came", 1)


def test_an_encrypted_mail_is_a_mail_without_words() -> None:
    raw = letter(
        "MIAGCSqGSIb3", kind="application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", answers=OUR_ID
    )
    assert (words(raw), read(raw).content.files) == ("", 1)


# Large mails


def test_a_megabyte_of_words_is_cut_and_says_so() -> None:
    began = time.monotonic()
    said = words(letter("word " * 200_000))
    assert len(said) == LONGEST
    assert said.endswith("(The mail is longer; the rest is left out.)")
    assert time.monotonic() - began < 5


def test_of_a_hundred_parts_and_more_the_first_count() -> None:
    raw = multipart("mixed", *[(PLAIN, f"part {number}") for number in range(300)])
    began = time.monotonic()
    assert words(raw).startswith("part 0\n\npart 1")
    assert "part 250" not in words(raw)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("kind", ["intricate", "huge"])
def test_of_a_mail_that_cannot_be_read_whole_its_beginning_counts(kind: str) -> None:
    rest = "\n--x" * 20_000 if kind == "intricate" else "x" * (10 * 1024 * 1024)
    raw = multipart("mixed", (PLAIN, "1"), (photo()[0], rest), answers=OUR_ID)
    found = read(raw)
    assert found.flaw
    assert words(raw) == ("1" if kind == "huge" else "")
    assert found.answers


@pytest.mark.parametrize(
    "piece", ["<a ", "<!--", "<style>", "<div>", '<p style="', "<blockquote type=cite>", "<", "&#x"]
)
def test_markup_made_to_keep_it_busy_does_not(piece: str) -> None:
    began = time.monotonic()
    words_of_html(piece * 200_000)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "line", ["On 1.1.2026 a@b wrote:", "From: x", "> ", "a@b 10:00:", "", "Sent from my phone" * 9]
)
def test_lines_made_to_keep_it_busy_do_not(line: str) -> None:
    began = time.monotonic()
    newest(f"{line}\n" * 100_000)
    assert time.monotonic() - began < 5


@given(st.text())
def test_any_text_is_quoted_and_unflowed_without_an_error(text: str) -> None:
    assert len(newest(text)) <= len(text)
    unflowed(text, delete_space=True)
    words_of_html(text)


_PIECES = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<blockquote type='cite'>",
        "</blockquote>",
        "<",
        ">",
        "&",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        '"',
        "'",
        "\n> ",
        "\nOn 1, 2026 x wrote:\n",
        "-- \n",
        "From: a\nTo: b\nDate: c\n",
        "word ",
        "\x00",
        "é",
        "�",
    ]
)


@given(st.lists(_PIECES, max_size=40).map("".join))
def test_pieces_of_mails_in_any_order_break_nothing(text: str) -> None:
    newest(text)
    words_of_html(text)


_BYTES = st.sampled_from(
    [
        b"From: a@b.example\n",
        b"Subject: =?utf-8?q?",
        b"?=",
        b"\n",
        b"\n\n",
        b"Content-Type: multipart/mixed; boundary=b\n",
        b"--b\n",
        b"--b--\n",
        b"Content-Type: text/html; charset=",
        b"utf-16",
        b"Content-Transfer-Encoding: base64\n",
        b"=\xff",
        b"\x00",
        b"Content-Type: message/rfc822\n",
        b"In-Reply-To: ",
        OUR_ID.encode(),
        b"\xed\xa0\x80",
        b"Content-Disposition: attachment; filename*0*=",
        b"x''%",
        b"Message-ID: <",
        b"; boundary*0*=b",
        b"\r",
        b";",
    ]
)


@given(st.lists(_BYTES, max_size=30).map(b"".join))
def test_no_mail_at_all_breaks_it(raw: bytes) -> None:
    found = read_mail(b"From: pat@patients.example\n" + raw)
    if isinstance(found, Letter):
        said = words_of_letter(found, answered="", is_pressing=lambda text: False)
        said.encode()
        assert found.provider_id.startswith("mail:")
        assert len(said) <= LONGEST
