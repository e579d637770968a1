"""Passwords, one-time codes, locks and sessions."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.accounts import IDLE, LONGEST, Role, ends_at, locked_for
from scheduler.services.accounts.codes import code_at, new_secret, setup_address, step_of
from scheduler.services.accounts.passwords import PasswordError, check_password, hashed, is_right

NOW = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B: "12345678901234567890"


def test_a_password_is_known_again_and_no_other_is() -> None:
    phc = hashed("four words of my own")
    assert phc.startswith("$argon2id$")
    assert is_right("four words of my own", phc)
    assert not is_right("four words of my owm", phc)
    assert hashed("four words of my own") != phc, "each has a salt of its own"


def test_the_same_characters_typed_on_another_keyboard_are_the_same_password() -> None:
    assert is_right("cafe\u0301 au lait demain", hashed("caf\u00e9 au lait demain"))


def test_without_a_hash_every_password_is_wrong() -> None:
    assert not is_right("four words of my own", None)


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short", "at least 12"),
        ("x" * 300, "at most 256"),
        ("abababababab", "more different"),
        ("mypassword123", "less obvious"),
        ("Maria.Santos!!", "other than your e-mail"),
        ("passwordpassword", "repeats"),
        ("dragondragon12", "repeats"),
        ("password123456", "less obvious"),
        ("P@ssw0rd20261124", "less obvious"),
        ("Contraseña 2026", "less obvious"),
        ("qwerty123456", "less obvious"),
        ("abcdefghijkl", "less obvious"),
        ("mlkjihgfedcba", "less obvious"),
        ("1q2w3e4r5t6y", "less obvious"),
        ("1qaz2wsx3edc", "less obvious"),
        ("!@#$%^&*()qwerty", "less obvious"),
        ("112233445566", "less obvious"),
        ("aabbccddeeff", "less obvious"),
        ("santos83649127", "other than your e-mail"),
        ("harborside2026", "name of your clinic"),
        ("Harborside-Lake-9482!", "name of your clinic"),
        ("harborsidelake1", "name of your clinic"),
    ],
)
def test_a_password_that_would_be_guessed_is_refused(password: str, says: str) -> None:
    with pytest.raises(PasswordError, match=says):
        check_password(password, email="maria.santos@clinic.example", clinic=("Harborside Lake", "hl"))


@pytest.mark.parametrize(
    "password",
    [
        "password managers are kind to tired people",
        "Harborside is where the ferries sleep",
        "correct horse battery staple",
        "four words of their own",
        "k3v9x123p7q2",
        "839271640583",
        "Tr0ub4dor&3xyz",
        "кіт спить на теплій печі",
    ],
)
def test_what_nobody_would_guess_is_taken_also_with_an_obvious_word_in_it(password: str) -> None:
    check_password(password, email="maria.santos@clinic.example", clinic=("Harborside Lake", "hl"))


@given(st.text(min_size=12, max_size=256))
def test_any_text_is_taken_or_refused_with_a_reason(password: str) -> None:
    with contextlib.suppress(PasswordError):
        check_password(password, email="maria.santos@clinic.example", clinic=("Harborside Lake", ""))


@pytest.mark.parametrize(("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert code_at(RFC_SECRET, at) == code
    assert step_of(RFC_SECRET, code, now=at, after=0) == seconds // 30


def test_a_code_is_taken_once_and_a_little_early_or_late_but_no_more() -> None:
    secret = new_secret()
    code = code_at(secret, NOW)
    step = step_of(secret, f"{code[:3]} {code[3:]}", now=NOW, after=0)
    assert step is not None
    assert step_of(secret, code, now=NOW, after=step) is None
    for off in (-30, 30):
        assert step_of(secret, code, now=NOW + timedelta(seconds=off), after=0) == step
    for off in (-90, 90):
        assert step_of(secret, code, now=NOW + timedelta(seconds=off), after=0) is None
    assert step_of(secret, "ｘ２３４５６", now=NOW, after=0) is None


def test_an_app_learns_whose_account_it_is() -> None:
    address = setup_address("ABC", account="a@clinic.example", issuer="Bonewise Río")
    assert address == "otpauth://totp/Bonewise%20R%C3%ADo%3Aa%40clinic.example?secret=ABC&issuer=Bonewise%20R%C3%ADo"


def test_the_first_wrong_tries_are_free_and_then_each_doubles_the_wait() -> None:
    assert [locked_for(n).total_seconds() for n in (0, 4, 5, 6, 7)] == [0, 0, 30, 60, 120]
    assert locked_for(40) == timedelta(minutes=15)


def test_a_session_ends_when_idle_and_in_any_case() -> None:
    assert ends_at(started_at=NOW, seen_at=NOW) == NOW + IDLE
    assert ends_at(started_at=NOW, seen_at=NOW + LONGEST) == NOW + LONGEST


def test_whoever_signs_or_lets_people_in_needs_a_second_factor() -> None:
    assert {role for role in Role if role.needs_second_factor} == {Role.ADMIN, Role.CLINICIAN}
