"""The words of a letter as they are kept and understood: what is new in it, else its subject."""

from __future__ import annotations

from collections.abc import Callable

from scheduler.services.letters.letter import Letter
from scheduler.services.letters.quotes import newest

LONGEST = 20_000  # characters that are kept
_MORE = "\n(The mail is longer; the rest is left out.)"
_SHORT = 3  # words: so few may be the answer to a question, which words beside them would spoil


def words_of_letter(letter: Letter, *, answered: str, is_pressing: Callable[[str], bool]) -> str:
    """What the writer says. `answered` is the text of the mail of ours that it answers, if any.

    `is_pressing` tells words that count wherever they stand: a wish to be left alone, and a cry for help.
    """
    text = _unsigned(newest(letter.content.text, answered=answered), letter.name)
    subject = letter.own_subject
    is_in_thread = bool(letter.answers)
    if not text:
        # A mail program that does not mark answers repeats our own subject, which is longer than a word or two.
        if not subject and _is_short(letter.bare_subject) and is_pressing(letter.bare_subject):
            return letter.bare_subject
        return _cut(subject) if not is_in_thread or _is_short(subject) or is_pressing(subject) else ""
    if subject and is_pressing(subject):
        return _cut(f"{subject}\n{text}")
    if subject and not is_in_thread and not _is_short(text):
        return _cut(f"{text}\n({subject})")
    return _cut(text)


def _unsigned(text: str, name: str) -> str:
    """The text without the writer's own name under it, which would spoil a short answer."""
    known = {_bare(word) for word in name.split()} - {""}
    lines = text.split("\n")
    while len(lines) > 1 and all(_bare(word) in known for word in lines[-1].split()):
        lines.pop()
    return "\n".join(lines).rstrip()


def _bare(word: str) -> str:
    return word.strip(".,;-–—*").casefold()


def _is_short(text: str) -> bool:
    return len(text.split()) <= _SHORT


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - len(_MORE)] + _MORE
