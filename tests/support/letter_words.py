"""Reading letters in tests."""

from __future__ import annotations

from scheduler.services.bounces_mail import read_mail
from scheduler.services.letters.letter import Letter
from scheduler.services.letters.wording import words_of_letter

OUR_ID = "<0123456789abcdef0123456789abcdef@harbor.example>"


def read(raw: bytes) -> Letter:
    found = read_mail(raw)
    assert isinstance(found, Letter), found
    return found


def words(raw: bytes, *, answered: str = "") -> str:
    return words_of_letter(read(raw), answered=answered, is_pressing=lambda text: "stop" in text.lower())
