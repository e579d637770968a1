"""Several people on one number or address: how they are told apart, and whose an answer can be. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from scheduler.domain.conversation import open_questions
from scheduler.domain.facts import FactKind
from scheduler.domain.folding import normalise
from scheduler.domain.people import Channel, PatientStatus
from scheduler.domain.reacting import Situation
from scheduler.domain.replies.interpret import Interpretation, Meaning, interpret
from scheduler.domain.replies.words import ReplyWords
from scheduler.domain.wishes import repeats

WHO = "who"  # the service message: which of you wrote this
OF_THE_NUMBER = frozenset({WHO, "stopped", "help", "safety", "unclear"})
"""Service messages that go to whoever has the number: they name nobody."""

EVERYBODYS = frozenset({Meaning.STOP, Meaning.WRONG_NUMBER, Meaning.SAFETY, Meaning.HELP})
"""What holds for all who have the number, whoever of them wrote it."""

MOST_NAMED = 6  # people that one question can list; of more, a person sorts the replies out
_LONGEST_NAME = 12  # characters of a first name in a text
_SERVED = frozenset({PatientStatus.ACTIVE, PatientStatus.PAUSED})


# Telling people apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Somebody among those who share an address; `born` is a year."""

    name: str
    born: int | None = None


def first_name(name: str) -> str:
    """The first of the names, as a message may call somebody."""
    return name.split()[0] if name.split() else ""


def marks(people: Sequence[Named]) -> list[str]:
    """A short mark for each, different from all others: initials, as `A.M.`

    Where two have the same, more letters of the first name stand in it; where the names are the same, the year of
    birth stands behind it, or else a count.
    """
    found = [_initials(one.name, 1) for one in people]
    for length in range(2, _LONGEST_NAME):
        if not (again := _repeated(found)):
            break
        found = [
            _initials(one.name, length) if mark in again else mark for one, mark in zip(people, found, strict=True)
        ]
    again = _repeated(found)
    initials = [_initials(one.name, 1) if mark in again else mark for one, mark in zip(people, found, strict=True)]
    again = _repeated(initials)
    born = [
        f"{mark} {one.born}" if mark in again and one.born else mark
        for one, mark in zip(people, initials, strict=True)
    ]
    again, numbers = _repeated(born), Counter[str]()
    return [_numbered(mark, numbers) if mark in again else mark for mark in born]


def _numbered(mark: str, numbers: Counter[str]) -> str:
    numbers[mark] += 1
    return f"{mark} ({numbers[mark]})"


def first_names(people: Sequence[Named]) -> list[str]:
    """The first name of each; empty where another's is the same, or it is too long for a text."""
    found = [first_name(one.name) for one in people]
    again = _repeated([normalise(name) for name in found])
    return ["" if normalise(name) in again or len(name) > _LONGEST_NAME else name for name in found]


def _initials(name: str, length: int) -> str:
    parts = [part for part in name.replace("-", " ").split() if part[0].isalnum()]
    if not parts:
        return "?"
    first, last = parts[0], parts[-1]
    begin = first[0].upper() + first[1:length].lower()
    return f"{begin}." if len(parts) == 1 else f"{begin}.{last[0].upper()}."


def _repeated(values: Sequence[str]) -> frozenset[str]:
    return frozenset(value for value, times in Counter(values).items() if times > 1)


# The letters that an answer names somebody by


def letters(people: Sequence[Named], words: Mapping[str, ReplyWords]) -> list[str]:
    """A letter for each: their initial where that is nobody else's, and else the first that is nobody's initial.

    No letter means anything else in any language.
    """
    free = [letter for letter in _LETTERS if _is_free(letter, words)]
    own = [normalise(first_name(one.name))[:1].upper() for one in people]
    others = iter([letter for letter in free if letter not in own])
    again = _repeated(own)
    found = [letter if letter in free and letter not in again else next(others, "") for letter in own]
    return found[: found.index("")] if "" in found else found


# Without vowels and Y, which are words of their own in English or Spanish; without what people write for no, yes, OK,
# quit, an hour, the afternoon and a kiss; and without the names of vitamins.
_LETTERS = "FGJLMRTVWZ"


def _is_free(letter: str, words: Mapping[str, ReplyWords]) -> bool:
    low = letter.lower()
    named = (each for one in words.values() for names in (one.answers, one.groups) for each in names.values())
    return interpret(low, (), words, languages=()).meaning is Meaning.UNCLEAR and not any(
        low in each for each in named
    )


def read_choice(text: str, choices: Sequence[Sequence[str]]) -> tuple[int, str] | None:
    """Which of the `choices`, each some words for one person, a text names, and what else it says; None: no one.

    The words stand alone, or at the beginning or end of the text: `A`, `Ana`, `A 1`, `done, Ana`.
    """
    said = normalise(text).split()
    found: dict[int, str] = {}
    for n, each in enumerate(choices):
        for name in filter(None, (normalise(word).split() for word in each)):
            if said[: len(name)] == name:
                found[n] = " ".join(text.split()[_tokens(text, len(name)) :])
            elif len(said) > len(name) and said[-len(name) :] == name:
                found[n] = " ".join(text.split()[: -len(name)])
    return next(iter(found.items())) if len(found) == 1 else None


def _tokens(text: str, words: int) -> int:
    """How many of the written words, parted by spaces, hold the first `words` of the normalised ones."""
    written = text.split()
    for count in range(1, len(written) + 1):
        if len(normalise(" ".join(written[:count])).split()) >= words:
            return count
    return len(written)


# Whose an answer can be


class Fit(IntEnum):
    """How well a text can be somebody's."""

    NOT = 0  # nothing of theirs waits for it
    LOOSELY = 1  # any text would do
    PLAINLY = 2


def fit(situation: Situation, meaning: Interpretation, channel: Channel) -> Fit:
    """How well a text that came over `channel` can be this person's, if it means `meaning` to them."""
    contact = situation.contact
    is_open = contact.reach.has(channel)
    if meaning.meaning is Meaning.START:
        is_served = is_open and contact.status in _SERVED and not situation.is_own_pause
        return Fit.NOT if is_served else Fit.PLAINLY
    if not is_open or contact.status not in _SERVED:
        return Fit.NOT
    if meaning.meaning is Meaning.ANSWER and meaning.answer is None:
        return Fit.LOOSELY
    return Fit.PLAINLY if _waits_for(situation, meaning) else Fit.NOT


def _waits_for(situation: Situation, meaning: Interpretation) -> bool:
    repeating = [one for one in situation.enrolments if repeats(situation, one)]
    match meaning.meaning:
        case Meaning.ANSWER | Meaning.TIME | Meaning.REFERRAL:
            return True
        case Meaning.DONE | Meaning.PAUSE | Meaning.DAYS:
            return bool(meaning.pathway or repeating)
        case Meaning.RESUME:
            return situation.is_own_pause or any(one.state.is_paused for one in repeating)
        case Meaning.LATER:
            return bool(open_questions(situation))
        case Meaning.SUPPLEMENT:
            return any(situation.listens(one, FactKind.SUPPLEMENT_NAMED) for one in situation.enrolments)
        case _:
            return False


def whose(read: Sequence[tuple[Situation, Interpretation]], channel: Channel) -> list[int]:
    """Which of several people a text can be from, each with what it would mean; empty: nobody waits for such a text.

    Who has today's DONE on record does not wait for another, as long as somebody else does.
    """
    fits = [fit(situation, meaning, channel) for situation, meaning in read]
    if any(each and meaning.meaning is Meaning.DONE for each, (_, meaning) in zip(fits, read, strict=True)):
        # The daily text asks for this very word; to another question it is but one way of saying it.
        fits = [
            min(each, Fit.LOOSELY) if meaning.meaning is Meaning.ANSWER else each
            for each, (_, meaning) in zip(fits, read, strict=True)
        ]
    best = max(fits, default=Fit.NOT)
    if best is Fit.NOT:
        return []
    found = [n for n, each in enumerate(fits) if each is best]
    waiting = [n for n in found if not _is_done_today(*read[n])]
    return waiting or found


def _is_done_today(situation: Situation, meaning: Interpretation) -> bool:
    return meaning.meaning is Meaning.DONE and any(
        one.state.done_on == situation.today for one in situation.enrolments
    )


def listed(choices: Iterable[tuple[str, str]]) -> str:
    """Letters and whom they stand for, as a text lists them."""
    return ", ".join(f"{letter} = {name}" for letter, name in choices)
