"""What of a text the patient typed: without quoted mail, signatures, and a phone's report of a tap. Pure.

Everything here looks at each line a fixed number of times; no pattern can run away on a long or odd text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from scheduler.domain.folding import normalise
from scheduler.domain.replies.words import ReplyWords, WordList

LONGEST = 20_000  # characters that are looked at; a patient's own words are never more
_OPENING, _CLOSING = '"“”«„', '"“”»'
_LONGEST_TAP = 60  # characters before the quoted message
_ATTRIBUTION_LINES = 3  # that a mail program may break "On ... wrote:" into
_HEADER_LINES = 5  # within which a quoted head has two fields
_DIVIDER = re.compile(r"[-_=*]{5,}.{0,60}", re.DOTALL)  # -----Original Message-----, ________________
_DIVIDES = frozenset("-_=*")
_LONGEST_DIVIDER = 200


def is_reaction(text: str, languages: Sequence[ReplyWords]) -> bool:
    """Whether `text` is what a phone sends for a tap on a message of ours, such as Liked "..."."""
    stripped = text.strip()
    opening = next((at for at, char in enumerate(stripped[: _LONGEST_TAP + 1]) if char in _OPENING), None)
    if opening is None:
        return len(stripped) <= _LONGEST_TAP and _is_one_of(stripped, WordList.TAPS, languages)
    quotes = stripped[-1] in _CLOSING and len(stripped) > opening + 1
    return quotes and _is_one_of(stripped[:opening], WordList.REACTIONS, languages)


def _is_one_of(text: str, kind: WordList, languages: Sequence[ReplyWords]) -> bool:
    words = normalise(text)
    return any(words in each.of(kind) for each in languages)


def own_words(text: str, languages: Sequence[ReplyWords]) -> str:
    """`text` without what a mail program added: lines quoted with `>`, the quoted mail below "On ... wrote:", a
    quoted mail's head, and the signature (below `-- `, RFC 3676 section 4.3, or "Sent from my phone").

    Own words below quoted lines are kept. Only the first `LONGEST` characters are looked at.
    """
    text = text[:LONGEST].strip()
    if "\n" not in text and "\r" not in text and not text.startswith(">"):
        return text
    known = _mail_words(tuple(languages))
    lines = text.splitlines()
    kept: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        start = normalise(line[:_LONGEST_TAP]) if line else ""
        attribution = _attribution(lines, at, start, known)
        if attribution:
            at += attribution
            if not _quotes_follow(lines, at):
                break
            continue
        if line == "--" or _is_divider(line) or start.startswith(known.signatures) or _is_head(lines, at, known):
            break
        if not line.startswith(">"):
            kept.append(lines[at])
        at += 1
    return "\n".join(kept).strip()


@dataclass(frozen=True, slots=True)
class _MailWords:
    attributions: tuple[tuple[str, str], ...]  # how a line begins and how it, or one of the next, ends
    signatures: tuple[str, ...]
    headers: frozenset[str]


@lru_cache(maxsize=8)
def _mail_words(languages: tuple[ReplyWords, ...]) -> _MailWords:
    attributions = [phrase.partition(" ... ") for words in languages for phrase in words.of(WordList.ATTRIBUTIONS)]
    return _MailWords(
        attributions=tuple((f"{begins} ", f" {ends}") for begins, _, ends in attributions),
        signatures=tuple(phrase for words in languages for phrase in words.of(WordList.SIGNATURES)),
        headers=frozenset(name for words in languages for name in words.of(WordList.QUOTED_HEADERS)),
    )


def _attribution(lines: Sequence[str], at: int, start: str, known: _MailWords) -> int:
    """How many lines from `at` are a mail program's "On ... wrote:"; 0 when they are not. `start` is normalised."""
    for begins, ends in known.attributions:
        if not start.startswith(begins):
            continue
        for count, line in enumerate(lines[at : at + _ATTRIBUTION_LINES], start=1):
            if line.rstrip().endswith(":") and f" {normalise(line)}".endswith(ends):
                return count
    return 0


def _quotes_follow(lines: Sequence[str], at: int) -> bool:
    following = next((line for line in lines[at:] if line.strip()), "")
    return following.lstrip().startswith(">")


def _is_divider(line: str) -> bool:
    return line[:1] in _DIVIDES and len(line) <= _LONGEST_DIVIDER and _DIVIDER.fullmatch(line) is not None


def _is_head(lines: Sequence[str], at: int, known: _MailWords) -> bool:
    """Whether a quoted mail's head begins here: a field in this line and another in the next ones."""
    if not _is_field(lines[at], known):
        return False
    return any(_is_field(line, known) for line in lines[at + 1 : at + _HEADER_LINES])


def _is_field(line: str, known: _MailWords) -> bool:
    name, colon, value = line.strip().strip("*").partition(":")
    return bool(colon and value.strip()) and len(name) <= _LONGEST_TAP and normalise(name) in known.headers
