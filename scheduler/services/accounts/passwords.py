"""Passwords: what makes one acceptable, and hashing them."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
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
_FEWEST_LEFT = SHORTEST // 2  # characters that nobody would guess
_SHORTEST_RUN = 4  # keys that follow each other; three do in many words
_SHORTEST_RUN_OF_DIGITS = 3
_SHORTEST_PIECE = 4  # letters of a name that counts


class PasswordError(ValueError):
    """A password that would be guessed. The text is for the person who chose it."""


def check_password(password: str, *, email: str, clinic: Iterable[str] = ()) -> None:
    """Whether somebody with this address may use `password`; `clinic` is what their clinic is called.

    Length and not being obvious is what counts, not the kinds of characters (NIST SP 800-63B, 3.1.1.2). Raises
    `PasswordError`.
    """
    plain = _normalised(password)
    if len(plain) < SHORTEST:
        raise PasswordError(f"Use at least {SHORTEST} characters. Four words that do not belong together are good.")
    if len(plain) > LONGEST:
        raise PasswordError(f"Use at most {LONGEST} characters.")
    if len(set(plain)) < _FEWEST_KINDS or _repeats(plain):
        raise PasswordError("Use more different characters: this one repeats the same few.")
    theirs, ours = _pieces(email), _pieces(*clinic)
    for words, says in (
        (_OBVIOUS, "Use something less obvious: this one is among the first that somebody would try."),
        (_OBVIOUS | theirs, "Use something other than your e-mail address."),
        (_OBVIOUS | theirs | ours, "Use something other than the name of your clinic."),
    ):
        if _left(plain, words) < _FEWEST_LEFT:
            raise PasswordError(says)


_OBVIOUS = frozenset(
    [
        "password",
        "passwort",
        "contrasena",
        "bonewise",
        "qwerty",
        "qwertz",
        "azerty",
        "letmein",
        "osteoporosis",
        "welcome",
        "admin",
        "changeme",
        "iloveyou",
        "sunshine",
        "princess",
        "dragon",
        "monkey",
        "football",
        "baseball",
        "superman",
        "trustno",
        "master",
        "login",
        "secret",
        "clinic",
        "hospital",
    ]
)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ROWS = ("qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm")
_DIGITS = "01234567890"
# Down the columns of the keyboard, and to and fro between two rows of it.
_COLUMNS = ("1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp", "1q2w3e4r5t6y7u8i9o0p")
_WAYS = (_LETTERS, _DIGITS, *_ROWS, *_COLUMNS, "q1w2e3r4t5y6u7i8o9p0")
_BOTH_WAYS = tuple(way[::step] for way in _WAYS for step in (1, -1))
_SHIFTED = str.maketrans("!@#$%^&*()", "1234567890")
_FOR_LETTERS = tuple(str.maketrans("@4301$57", "aaeo" + one + "sst") for one in "il")


def _left(text: str, words: AbstractSet[str]) -> int:
    """How many characters nobody would guess: those of no word here, no sequence, no row of keys.

    Beside a word its digits count for nothing.
    """
    bare = "".join(_folded(text).split())
    return min(_uncovered(bare, words), _uncovered(_without_doubles(bare), words))


def _uncovered(text: str, words: AbstractSet[str]) -> int:
    said = {at for one in (text, *map(text.translate, _FOR_LETTERS)) for word in words for at in _places(one, word)}
    runs, at = set(said), 0
    keys = text.translate(_SHIFTED)
    while at < len(keys):
        length = _run(keys, at)
        runs.update(range(at, at + length))
        at += length or 1
    return sum(at not in runs and not (said and char.isdigit()) for at, char in enumerate(text))


def _places(text: str, word: str) -> Iterator[int]:
    start = text.find(word)
    while start >= 0:
        yield from range(start, start + len(word))
        start = text.find(word, start + 1)


def _run(text: str, at: int) -> int:
    """How far the keys from here on follow each other in the alphabet or on a keyboard, or are the same; else 0."""
    same = next((n for n in range(1, len(text) - at) if text[at + n] != text[at]), len(text) - at)
    longest = same if same >= _SHORTEST_RUN_OF_DIGITS else 0
    for way in _BOTH_WAYS:
        length = 0
        while at + length < len(text) and text[at : at + length + 1] in way:
            length += 1
        is_digits = text[at : at + length].isdigit()
        if length >= (_SHORTEST_RUN_OF_DIGITS if is_digits else _SHORTEST_RUN):
            longest = max(longest, length)
    return longest


def _repeats(text: str) -> bool:
    """Whether it is one short thing again and again, but for a few characters before and after."""
    bare = "".join(_folded(text).split())
    core = bare.strip("0123456789" + "".join(char for char in bare if not char.isalnum()))
    if len(bare) - len(core) >= _FEWEST_LEFT:
        return False
    shortest = next((n for n in range(1, len(core) // 2 + 1) if core[n:] == core[:-n]), SHORTEST)
    return shortest < SHORTEST


def _without_doubles(text: str) -> str:
    return "".join(char for char, before in zip(text, " " + text, strict=False) if char != before)


def _pieces(*names: str) -> frozenset[str]:
    """The words of names and addresses, and each of them as one word."""
    folded = ["".join(char if char.isalnum() else " " for char in _folded(name)).split() for name in names]
    pieces = {piece for words in folded for piece in (*words, "".join(words))}
    return frozenset(piece for piece in pieces if len(piece) >= _SHORTEST_PIECE)


def _folded(text: str) -> str:
    """In small letters and without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char))


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
