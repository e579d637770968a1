"""What a letter is taken to say: the words of its writer, and nothing of what the mail program put around them."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from scheduler.services.letters.flowed import unflowed
from scheduler.services.letters.markup import words_of_html
from tests.support import letters
from tests.support.letter_words import OUR_ID, words
from tests.support.letters import HTML, PLAIN, letter, multipart

# Mail programs


@pytest.mark.parametrize("said", ["2", "Ya está. ¿Mañana también? Sí.", "I did.\nTwo questions though.", "STOP"])
@pytest.mark.parametrize("program", letters.PROGRAMS, ids=lambda program: program.__name__)
def test_of_an_answer_only_what_is_new_counts_in_every_mail_program(program: Callable[..., bytes], said: str) -> None:
    found = words(program(said, answers=OUR_ID))
    assert found.split() == said.split()


@pytest.mark.parametrize("program", [letters.gmail, letters.outlook])
def test_a_mail_without_a_text_part_says_the_same(program: Callable[..., bytes]) -> None:
    assert words(program("2", answers=OUR_ID, is_html_only=True)) == "2"


def test_what_stands_between_the_lines_of_our_mail_counts() -> None:
    text = (
        "On Tue, Mar 3, 2026 Harbor Clinic wrote:\n> Did you have it done?\nyes\n> Booked?\nnot needed\n> Thank you\n"
    )
    assert words(letter(text, answers=OUR_ID)) == "yes\nnot needed"


def test_words_right_above_the_attribution_are_kept() -> None:
    text = f"3\nOn Tue, Mar 3, 2026 at 9:30 AM Harbor Clinic <\n{letters.OURS}> wrote:\n{letters.quoted()}"
    assert words(letter(text, answers=OUR_ID)) == "3"


def test_an_attribution_in_an_unknown_language_is_told_by_its_address_and_time() -> None:
    wrote = f"Ti, 3. maalisk. 2026 klo 9:30 Harbor Clinic <{letters.OURS}> kirjoitti:"
    assert words(letter(f"1\n\n{wrote}\n\n{letters.OUR_TEXT}", answers=OUR_ID)) == "1"


def test_our_own_sentences_are_never_the_patients_even_where_nothing_marks_them() -> None:
    text = f"thank you\n\n{letters.OUR_TEXT}"
    assert "STOP" in words(letter(text, answers=OUR_ID))
    assert "STOP" not in words(letter(text, answers=OUR_ID), answered=letters.OUR_TEXT)


def test_a_person_who_tells_what_somebody_wrote_is_not_quoting() -> None:
    text = "I saw Dr. Webb and she wrote:\ntake it with food.\nIs that right?"
    assert words(letter(text, answers=OUR_ID)) == text


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone",
        "Sent from Outlook for Android",
        "Sent from Yahoo Mail on Android",
        "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "Enviado desde mi Galaxy A52",
        "Enviado desde Correo para Windows",
        "Von meinem iPhone gesendet",
        "Gesendet mit der GMX Mail App",
        "Envoyé de mon iPhone",
    ],
)
def test_the_line_in_which_a_program_names_itself_is_left_out(line: str) -> None:
    assert words(letter(f"1\n\n{line}\n", answers=OUR_ID)) == "1"


def test_the_writers_name_under_an_answer_is_left_out() -> None:
    raw = letter("2\n\nMaria G. López\n", answers=OUR_ID, sender=f'"López, Maria G." <{letters.PATIENT}>')
    assert words(raw) == "2"


def test_a_signature_is_left_out_unless_nothing_stands_above_it() -> None:
    assert words(letter("2\n-- \nPat\nStop by any time\n")).startswith("2")
    assert "Stop by" not in words(letter("2\n-- \nPat\nStop by any time\n"))
    assert words(letter("--\nSTOP\n")) == "--\nSTOP"


# Forms of text


def test_text_counts_before_html() -> None:
    assert words(multipart("alternative", (HTML, "<p>in html</p>"), (PLAIN, "in text"))) == "in text"


def test_html_counts_where_the_text_is_empty() -> None:
    assert words(multipart("alternative", (PLAIN, " \n"), (HTML, "<p>in html</p>"))) == "in html"


def test_html_without_its_styles_scripts_and_hidden_words() -> None:
    page = """<html><head><title>T</title><style>p{x:STOP}</style><script>stop()</script></head><body>
    <!-- STOP --><div style="display:none">STOP</div>
    <p>One&nbsp;&amp;<br>two <b>thr</b>ee</p><ul><li>a<li>b</ul></body>"""
    assert words_of_html(page) == "One &\ntwo three\n\na\nb"


def test_a_blockquote_that_only_indents_is_the_writers() -> None:
    page = (
        '<blockquote style="margin:0 0 0 40px;border:none;padding:0">see you</blockquote><blockquote type="cite">STOP'
    )
    assert words_of_html(page) == "see you"


def test_a_less_than_sign_is_no_tag() -> None:
    assert words_of_html("<p>weight < 60 kg, ok") == "weight < 60 kg, ok"


def test_lines_that_a_program_broke_are_joined() -> None:
    raw = letter("PAUSE 2 \nweeks\n", kind="text/plain; charset=utf-8; format=flowed")
    assert words(raw) == "PAUSE 2 weeks"
    assert unflowed("a \nb\n> c \n> d\n>e\n-- \nf", delete_space=False) == "a b\n> c d\n> e\n-- \nf"
    assert unflowed("日 \n本", delete_space=True) == "日本"
    assert unflowed(" From x\n  y", delete_space=False) == "From x\n y"


@pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable"])
def test_encodings_are_undone(encoding: str) -> None:
    assert words(letter("¿Mañana? Sí, 1 €", encoding=encoding)) == "¿Mañana? Sí, 1 €"


@pytest.mark.parametrize(
    ("charset", "content"),
    [
        ("iso-8859-1", "mañana".encode("latin-1")),
        ("windows-1252", "mañana".encode("cp1252")),
        ("utf-16", "mañana".encode("utf-16")),
        ("us-ascii", "mañana".encode()),  # a lie
        ("utf-8", "mañana".encode("cp1252")),  # another
        ("x-unknown", "mañana".encode()),
        ("zlib", "mañana".encode()),
        ("unicode_escape", "mañana".encode()),
        ('"', "mañana".encode()),
    ],
)
def test_a_charset_that_is_wrong_or_unknown_costs_no_words(charset: str, content: bytes) -> None:
    raw = letter("", kind=f"text/plain; charset={charset}", encoding="base64") + base64.encodebytes(content)
    assert words(raw) == "mañana"


def test_zeros_and_half_characters_do_not_come_through() -> None:
    raw = letter(
        "a\x00b \udce9 c".encode("utf-8", "surrogatepass").decode("latin-1"), kind="text/plain; charset=utf-8"
    )
    assert not {"\x00", "\udce9"} & set(words(raw))


# Subjects


@pytest.mark.parametrize(
    ("subject", "text", "answers", "said"),
    [
        ("STOP", "", "", "STOP"),
        ("STOP", "Sent from my iPhone", "", "STOP"),
        ("unsubscribe", "\n\n", "", "unsubscribe"),
        ("=?utf-8?q?Estoy_de_vacaciones=2C_ma=C3=B1ana_llamo?=", "", "", "Estoy de vacaciones, mañana llamo"),
        ("Re: STOP", "", OUR_ID, "STOP"),
        ("STOP", "thanks", OUR_ID, "STOP\nthanks"),
        ("please stop", "Thank you for all your kind help", "", "please stop\nThank you for all your kind help"),
        ("Re: A reminder from Harbor Clinic", "", OUR_ID, ""),
        ("A reminder from Harbor Clinic", "", OUR_ID, ""),
        ("A reminder from Harbor Clinic", "1", OUR_ID, "1"),
        ("hello", "1", "", "1"),
        ("My next visit", "Can I come on Friday instead?", "", "Can I come on Friday instead?\n(My next visit)"),
        ("Re: a reminder", "Can I come on Friday instead?", "", "Can I come on Friday instead?"),
    ],
)
def test_a_subject_counts_when_the_writer_wrote_it(subject: str, text: str, answers: str, said: str) -> None:
    assert words(letter(text, subject=subject, answers=answers)) == said
