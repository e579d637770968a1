"""Passwords: what makes one acceptable, and hashing them."""

from __future__ import annotations

import os
import unicodedata
from functools import cache

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

SHORTEST = 12  # characters
LONGEST = 256

# OWASP Password Storage Cheat Sheet, Argon2id: 19 MiB, two passes, one lane.
_MEMORY_KIB = 19 * 1024
_PASSES = 2
_LANES = 1
_HASH_BYTES = 32
_SALT_BYTES = 16
_FEWEST_KINDS = 5  # different characters


class PasswordError(ValueError):
    """A password that would be guessed. The text is for the person who chose it."""


def check_password(password: str, *, email: str) -> None:
    """Whether somebody with this address may use `password`. Raises `PasswordError`.

    Length and not being obvious is what counts, not the kinds of characters (NIST SP 800-63B, 3.1.1.2).
    """
    plain = _normalised(password)
    if len(plain) < SHORTEST:
        raise PasswordError(f"Use at least {SHORTEST} characters. Four words that do not belong together are good.")
    if len(plain) > LONGEST:
        raise PasswordError(f"Use at most {LONGEST} characters.")
    if len(set(plain)) < _FEWEST_KINDS:
        raise PasswordError("Use more different characters: this one repeats the same few.")
    if _bare(email.partition("@")[0]) in _bare(plain) and len(plain) - len(email.partition("@")[0]) < SHORTEST // 2:
        raise PasswordError("Use something other than your e-mail address.")
    if any(word in _bare(plain) and len(plain) - len(word) < SHORTEST // 2 for word in _OBVIOUS):
        raise PasswordError("Use something less obvious: this one is among the first that somebody would try.")


_OBVIOUS = ("password", "passwort", "contrasena", "bonewise", "qwertyuiop", "1234567890", "letmein", "osteoporosis")


def hashed(password: str) -> str:
    """The password's hash in the PHC string format, with a salt of its own."""
    return _hasher(os.urandom(_SALT_BYTES)).derive_phc_encoded(_normalised(password).encode())


def is_right(password: str, phc: str | None) -> bool:
    """Whether `hashed` made this of the password. Where there is no hash it takes the same time to say no."""
    try:
        Argon2id.verify_phc_encoded(_normalised(password).encode(), phc or _nobodys())
    except InvalidKey:
        return False
    return phc is not None


@cache
def _nobodys() -> str:
    return hashed(os.urandom(_SALT_BYTES).hex())


def _hasher(salt: bytes) -> Argon2id:
    return Argon2id(salt=salt, length=_HASH_BYTES, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB)


def _normalised(password: str) -> str:
    """As other keyboards type the same characters (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def _bare(text: str) -> str:
    return "".join(each for each in text.lower() if each.isalnum())
