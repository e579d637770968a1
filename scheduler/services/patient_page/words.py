"""A message as the page shows it: what the mail says, without what only a mail needs.

A mail opens with the clinic's name and a greeting, and ends with thanks and how to end the e-mails. In between, what
leads to the numbers gives way to buttons, which are named as the mail names the numbers: "1: it is done". What asks
for a word in an e-mail is said as the page takes it: "reply here with its name".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

_OPENING = 2  # paragraphs
_ENDING = 2
_NUMBERED = re.compile(r"(\d)\s*:\s*(.+)")
_SENTENCES = re.compile(r"(?<=[.?!:])\s+")


class Takes(Enum):
    """What the page takes beside numbers as an answer to a message."""

    NOTHING = auto()
    TEXT = auto()
    DONE = auto()  # by a button


@dataclass(frozen=True, slots=True)
class Speech:
    """How mails of one language ask for an answer, and what the page says instead. In lower case but for DONE."""

    mail: str  # e-mail
    to_mail: str  # to this e-mail
    here: str
    elsewhere: str  # to one of our messages
    reply_done: str  # reply to this e-mail with the word DONE
    press: str  # press the button below

    def on_page(self, sentence: str, takes: Takes) -> str:
        """A sentence of a mail as the page says it."""
        if takes is Takes.DONE:
            sentence = _instead(self.reply_done, self.press, sentence)
        return _instead(self.to_mail, self.here if takes is Takes.TEXT else self.elsewhere, sentence)

    def leads_to_numbers(self, sentence: str) -> bool:
        """Whether it says no more than that one of the numbers below is the answer."""
        return sentence.endswith(":") and self.mail in sentence.lower()


@dataclass(frozen=True, slots=True)
class Words:
    """What a message says, and what it calls its answers, by number."""

    paragraphs: tuple[str, ...]
    choices: dict[str, str] = field(default_factory=dict)


def read_mail(text: str, speech: Speech, *, takes: Takes = Takes.NOTHING) -> Words:
    """The words of a mail's text. `speech` is that of its language."""
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
        sentences = [one for one in _SENTENCES.split(" ".join(said)) if not speech.leads_to_numbers(one)]
        kept = " ".join(speech.on_page(one, takes) for one in sentences)
        if kept:
            paragraphs.append(kept)
    return Words(tuple(paragraphs), choices)


def _inner(text: str) -> Iterator[list[str]]:
    paragraphs = [paragraph.split("\n") for paragraph in text.strip().split("\n\n")]
    for lines in paragraphs[_OPENING:-_ENDING]:
        yield [line.strip() for line in lines if line.strip()]


def _instead(asked: str, shown: str, sentence: str) -> str:
    """`shown` in place of `asked`, with a capital letter where that has one."""

    def as_written(found: re.Match[str]) -> str:
        return shown[:1].upper() + shown[1:] if found[0][0].isupper() else shown

    return re.sub(rf"\b{re.escape(asked)}\b", as_written, sentence, flags=re.IGNORECASE)
