"""The e-mails: neutral subjects, two halves that say the same, and HTML that anyone can read."""

from __future__ import annotations

import re

import pytest

from scheduler.catalogue.template_tree import Piece
from tests.support.message_texts import (
    CLINIC,
    LANGUAGES,
    MESSAGES,
    PHONE,
    UNSUBSCRIBE,
    render,
    seen,
    values,
)

each_message = pytest.mark.parametrize("message", MESSAGES)
each_language = pytest.mark.parametrize("language", LANGUAGES)

TOO_TELLING_FOR_A_SUBJECT = re.compile(
    r"vitamin|scan|bone|densit|exercis|mov|activit|supplement|blood|clinician|therap"
    r"|hueso|densidad|ejercicio|suplemento|sangre|examen|prueba|m[eé]dico",
    re.IGNORECASE,
)


@each_language
@each_message
def test_a_subject_is_short_and_tells_nothing_about_health(message: str, language: str) -> None:
    subject = render(message, language, Piece.SUBJECT, values())
    assert CLINIC in subject
    assert len(subject) <= 70
    assert not TOO_TELLING_FOR_A_SUBJECT.search(subject)


@each_language
@each_message
def test_a_mail_says_who_writes_greets_the_reader_and_tells_how_to_end_it(message: str, language: str) -> None:
    greeting = {"en": "Hello Ana,", "es": "Hola, Ana:"}[language]
    text = render(message, language, Piece.TEXT, values())
    assert text.startswith(f"{CLINIC}\n\n{greeting}\n")
    assert text.splitlines()[-1].endswith(f": {UNSUBSCRIBE}")
    html = render(message, language, Piece.HTML, values())
    words = seen(html, Piece.HTML)
    assert words.index(CLINIC) < words.index(greeting)
    assert f'href="{UNSUBSCRIBE}"' in html
    assert PHONE in text
    assert PHONE in html


@each_language
@each_message
def test_both_halves_of_a_mail_say_the_same(message: str, language: str) -> None:
    def body(piece: Piece) -> list[str]:
        words_seen = seen(render(message, language, piece, values(activity="Walk.", phone="")), piece)
        words = re.findall(r"\w+", words_seen)
        closing = {"en": "Thank", "es": "Gracias"}[language] if piece is Piece.TEXT else None
        start = words.index("Ana") + 1
        footer = {"en": ["This", "e", "mail"], "es": ["Este", "correo", "es"]}[language]
        end = next(at for at in range(start, len(words)) if words[at : at + 3] == footer)
        if closing:
            end = max(at for at in range(start, end) if words[at] == closing)
        return words[start:end]

    assert body(Piece.TEXT) == body(Piece.HTML)


@each_language
def test_a_mail_declares_its_language_and_loads_nothing_from_outside(language: str) -> None:
    html = render("vitamin_d/ask", language, Piece.HTML, values())
    assert f'<html lang="{language}"' in html
    assert not re.search(r"<(?:img|script|style|link|iframe|object|form)\b|url\(|@import|\bsrc=", html)
    assert re.findall(r"https?://[^\"<\s]+", html) == [UNSUBSCRIBE]


def test_a_mail_is_large_narrow_and_leaves_the_colours_to_the_reader() -> None:
    html = render("vitamin_d/ask", "en", Piece.HTML, values())
    assert "font: 18px/1.6" in html
    assert "max-width: 36em" in html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert not re.search(r"(?<![-\w])(?:color|background(?:-color)?)\s*:", html)


def test_a_name_with_markup_is_shown_and_not_obeyed() -> None:
    html = render("service/call_us", "en", Piece.HTML, values(clinic="A & <b>B</b>", name="<i>Ana</i>"))
    assert "A &amp; &lt;b&gt;B" in html
    assert "&lt;i&gt;Ana" in html
