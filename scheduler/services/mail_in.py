"""Mail that comes in, of whatever kind: each is told apart and taken to where it belongs, once.

The address that mails come from is open to anybody. What a letter may do therefore follows from what its writer has
shown:

- An address of the patient's own (of their record, or the one that the answered mail went to): it is their reply.
- Nothing but a mail of ours, which it answers by an id that nobody can guess: the clinic reads it, and nothing
  changes, with one exception. A wish to be left alone ends the e-mails: whoever holds the mail can do the same by the
  link at its foot; people answer from another address of theirs, and mean it; and stopping by mistake is put right by
  a word, while going on by mistake is not.
- Neither: the clinic reads it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Protocol

from scheduler.domain.replies.interpret import Meaning, interpret
from scheduler.ports import Clock, Store
from scheduler.services.bounces import Bounces
from scheduler.services.bounces_mail import Automatic, Bounce, Complaint, Unclear, read_mail
from scheduler.services.letters.letter import Letter
from scheduler.services.letters.marks import Mark
from scheduler.services.letters.origin import Origin, origin_of
from scheduler.services.letters.reading import LARGEST
from scheduler.services.letters.taking import Letterbox
from scheduler.services.letters.verdicts import Handled, Verdict
from scheduler.services.letters.wording import words_of_letter
from scheduler.services.rules import Rules

_log = logging.getLogger(__name__)

_PRESSING = frozenset({Meaning.STOP, Meaning.SAFETY, Meaning.WRONG_NUMBER})
_MOST_FAILURES = 2  # in a row: then it is not the mails
_FAILED = Handled(Verdict.UNCLEAR, "a mail could not be taken in; it stays as it is, for the next look")
_OURS = "our own mail, which came back; it was not answered"


class Mailbox(Protocol):
    """The mailbox that mail comes back to, open."""

    def unseen(self, *, largest: int) -> Iterator[tuple[str, bytes | None]]:
        """The id and content of each new mail, of a larger one the beginning; none of a mail that has gone."""
        ...

    def mark_seen(self, uid: str) -> None: ...

    def leave(self, uid: str) -> None:
        """Leave the mail for a person."""
        ...


class MailIn:
    """Takes mails in, one by one, in any order and any number of times."""

    def __init__(self, *, store: Store, rules: Rules, bounces: Bounces, clock: Clock) -> None:
        self._store = store
        self._rules = rules
        self._bounces = bounces
        self._letterbox = Letterbox(store=store, rules=rules, clock=clock)

    def take(self, raw: bytes) -> Handled:
        """Read one mail, headers and all, and do what follows from it. Never raises for its content."""
        match read_mail(raw):
            case Bounce() | Complaint() as notification:
                handled = self._bounces.take(notification)
            case Automatic(mark):
                handled = _automatic(mark)
            case Letter() as letter:
                handled = self._letter(letter)
            case Unclear(reason):
                handled = Handled(Verdict.UNCLEAR, f"not understood: {reason}; have a person read it")
        _log.info("a mail came in: %s", handled.verdict)
        return handled

    def take_all(self, mailbox: Mailbox) -> Iterator[Handled]:
        """Take each new mail of a mailbox. It is marked after what follows from it is written, so none is lost."""
        failures = 0
        for uid, raw in mailbox.unseen(largest=LARGEST + 1):
            if raw is None:
                continue  # somebody has deleted it meanwhile
            try:
                handled = self.take(raw)
            except Exception:
                failures += 1
                if failures >= _MOST_FAILURES:
                    raise
                _log.exception("a mail could not be taken in")
                yield _FAILED
                continue
            failures = 0
            if handled.verdict.is_left_over:
                mailbox.leave(uid)
            else:
                mailbox.mark_seen(uid)
            yield handled

    def _letter(self, letter: Letter) -> Handled:
        with self._store.writing() as unit:
            origin = origin_of(unit, letter)
        if origin.is_ours:
            return Handled(Verdict.AUTOMATIC, _OURS)
        words = words_of_letter(letter, answered=origin.text, is_pressing=self._is_pressing)
        if letter.mark is not None and not self._is_for_people(letter, origin, words):
            return _automatic(letter.mark)
        return self._letterbox.take(letter, origin, words, is_stop=self._means(words) is Meaning.STOP)

    def _is_for_people(self, letter: Letter, origin: Origin, words: str) -> bool:
        """Whether a letter with a weak mark may be a person's: it is then read by one, and never answered.

        A clinic's address may stand behind a mailing list, which puts its headers on what patients write.
        """
        is_known = origin.is_known or origin.answered is not None
        return is_known and (letter.mark is Mark.LIST or self._means(words) is Meaning.STOP)

    def _is_pressing(self, text: str) -> bool:
        return self._means(text) in _PRESSING

    def _means(self, text: str) -> Meaning:
        return interpret(text, (), self._rules.reply_words).meaning


def _automatic(mark: Mark) -> Handled:
    return Handled(Verdict.AUTOMATIC, f"an automatic mail that needs nothing ({mark}); it was not answered")
