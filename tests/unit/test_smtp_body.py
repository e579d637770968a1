"""The body of a mail: as the standard library would build it, in less time."""

from __future__ import annotations

from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP, default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.channels.smtp.body import mime_body

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text("ab .=\r\n\té_-F", max_size=300)


def as_the_library_builds_it(text: str, html: str) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail.set_content(text, subtype="plain", charset="utf-8", cte="quoted-printable")
    if html:
        mail.add_alternative(html, subtype="html", charset="utf-8", cte="quoted-printable")
    return mail.as_bytes()


def parsed(raw: bytes) -> object:
    """Everything that a mail program goes by: types, encodings, texts, and that nothing is wrong with it."""
    mail = BytesParser(policy=default).parsebytes(raw)
    parts = [
        (
            part.get_content_type(),
            part.get_content_charset(),
            part["Content-Transfer-Encoding"],
            None if part.is_multipart() else part.get_content().replace("\r\n", "\n"),
            part.defects,
        )
        for part in mail.walk()
    ]
    return mail["MIME-Version"], parts


@given(TEXTS, TEXTS)
def test_a_body_says_the_same_as_one_of_the_standard_library(text: str, html: str) -> None:
    assert parsed(mime_body(text, html)) == parsed(as_the_library_builds_it(text, html))


@given(TEXTS, TEXTS)
def test_a_body_keeps_the_limits_of_the_mail_standards(text: str, html: str) -> None:
    body = mime_body(text, html)
    assert body.isascii()
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
    assert not {b"\r", b"\n"} & {bytes([byte]) for byte in body.replace(b"\r\n", b"")}
    assert body.endswith(b"\r\n")


def test_a_text_that_looks_like_the_boundary_does_not_end_its_part() -> None:
    text = "--=_bonewise\n--=_bonewise--\n"
    assert parsed(mime_body(text, "<p>x</p>")) == parsed(as_the_library_builds_it(text, "<p>x</p>"))


def test_half_of_a_character_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        mime_body("\ud83e", "")
