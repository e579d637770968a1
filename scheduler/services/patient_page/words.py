"""A message as the page shows it: what the mail says, without what only a mail needs.

A mail opens with the clinic's name and a greeting, and ends with thanks and how to end the e-mails. In between, what
asks for an answer by e-mail gives way to buttons, which are named as the mail names the numbers: "1: it is done".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_OPENING = 2  # paragraphs
_ENDING = 2
_NUMBERED = re.compile(r"(\d)\s*:\s*(.+)")
_SENTENCES = re.compile(r"(?<=[.?!:])\s+")


@dataclass(frozen=True, slots=True)
class Words:
    """What a message says, and what it calls its answers, by number."""

    paragraphs: tuple[str, ...]
    choices: dict[str, str] = field(default_factory=dict)


def read_mail(text: str, *, mail: str) -> Words:
    """The words of a mail's text. `mail` is what e-mail is called in its language, in lower case."""
    paragraphs: list[str] = []
    choices: dict[str, str] = {}
    for paragraph in _inner(text):
        said = []
        for line in paragraph:
            numbered = _NUMBERED.fullmatch(line)
            if numbered:
                choices[numbered[1]] = numbered[2]
            else:
                said.append(line)
        kept = _without_instructions(" ".join(said), mail)
        if kept:
            paragraphs.append(kept)
    return Words(tuple(paragraphs), choices)


def _inner(text: str) -> Iterator[list[str]]:
    paragraphs = [paragraph.split("\n") for paragraph in text.strip().split("\n\n")]
    for lines in paragraphs[_OPENING:-_ENDING]:
        yield [line.strip() for line in lines if line.strip()]


def _without_instructions(paragraph: str, mail: str) -> str:
    """A sentence that leads to the numbers is left out; one that asks for a word goes with its whole paragraph."""
    sentences = _SENTENCES.split(paragraph)
    about_mail = [sentence for sentence in sentences if mail in sentence.lower()]
    if any(not sentence.endswith(":") for sentence in about_mail):
        return ""
    return " ".join(sentence for sentence in sentences if sentence not in about_mail)
