"""Checks on one language's reply words: none has two meanings, none is a carrier's, no answer lacks words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scheduler.catalogue.yaml_nodes import FaultLog, did_you_mean
from scheduler.domain.interpret import ANY, hears_stop
from scheduler.domain.pathway import Pathway, Step
from scheduler.domain.reply_words import CARRIER_WORDS, CarrierMeaning, Command, Phrase, ReplyWords

_CARRIERS_PLACES: Mapping[CarrierMeaning, frozenset[tuple[str, str]]] = {
    CarrierMeaning.OPT_OUT: frozenset({("commands", Command.STOP), ("phrases", Phrase.STOP)}),
    CarrierMeaning.OPT_IN: frozenset({("commands", Command.START)}),
    CarrierMeaning.HELP: frozenset({("commands", Command.HELP)}),
}
_STOP = ("commands", "stop")
_MEANINGFUL = ("commands", "answers")  # sections whose words are a whole reply


@dataclass(frozen=True, slots=True)
class Word:
    """One word or phrase as it stands in the file. `name` is the command or answer that it stands for."""

    text: str  # normalised
    section: str
    name: str
    line: int

    @property
    def place(self) -> tuple[str, str]:
        return (self.section, self.name)

    @property
    def where(self) -> str:
        return f"{self.section}, {self.name}" if self.section != self.name else self.section


def check_words(
    words: ReplyWords,
    seen: Sequence[Word],
    pathways: Mapping[str, Pathway],
    log: FaultLog,
    *,
    answers_line: int,
) -> None:
    """Report every fault of one language's words; answers without words are told at `answers_line`."""
    _check_carriers(seen, log)
    _check_stop(words, seen, log)
    _check_two_meanings(seen, log)
    _check_steps(seen, pathways, log)
    _check_missing(words, pathways, log, answers_line)


def _check_carriers(seen: Sequence[Word], log: FaultLog) -> None:
    for word in seen:
        meaning = CARRIER_WORDS.get(word.text)
        if meaning is not None and word.place not in _CARRIERS_PLACES[meaning]:
            taken = f"phone carriers treat '{word.text}' as {meaning.value}"
            log.add(word.line, f"{word.where}: {taken}, so it cannot mean anything else; remove it here")


def _check_stop(words: ReplyWords, seen: Sequence[Word], log: FaultLog) -> None:
    """A word that is heard as a wish to stop would never get as far as its own meaning."""
    for word in seen:
        has_own_meaning = word.section in _MEANINGFUL and word.place != _STOP
        if has_own_meaning and word.text not in CARRIER_WORDS and hears_stop(word.text, words):
            heard = f"'{word.text}' is heard as a wish to stop"
            log.add(word.line, f"{word.where}: {heard}; choose another word")


def _check_two_meanings(seen: Sequence[Word], log: FaultLog) -> None:
    """Commands are understood whatever was asked, so none of their words may be another's."""
    commands: dict[str, Word] = {}
    for word in seen:
        if word.section != "commands":
            continue
        first = commands.setdefault(word.text, word)
        if first.name != word.name:
            _two_meanings(word, first, log)
    for word in seen:
        if word.section == "answers" and word.text in commands:
            _two_meanings(word, commands[word.text], log)
        if word.section == "answers" and word.text.isdecimal():
            log.add(word.line, f"{word.where}: '{word.text}' is a digit; digits are the pathway's, remove it")


def _two_meanings(word: Word, other: Word, log: FaultLog) -> None:
    both = f"'{word.text}' also stands under {other.where} (line {other.line})"
    log.add(word.line, f"{word.where}: {both}; a word can have one meaning only")


def _check_steps(seen: Sequence[Word], pathways: Mapping[str, Pathway], log: FaultLog) -> None:
    """Two answers to the same question must not share a word."""
    for pathway, step in _asking(pathways):
        first: dict[str, Word] = {}
        for answer in step.answers:
            for word in seen:
                own = (answer.name, f"{pathway.name}.{answer.name}")
                if word.section != "answers" or word.name not in own:
                    continue
                other = first.setdefault(word.text, word)
                if _answer_of(other) != _answer_of(word):
                    asked = f"pathway '{pathway.name}', step '{step.name}'"
                    both = f"'{word.text}' is also a word for '{_answer_of(other)}' (line {other.line})"
                    log.add(word.line, f"{word.where}: {both}, and {asked} understands both; keep one")


def _answer_of(word: Word) -> str:
    return word.name.rpartition(".")[2]


def _check_missing(words: ReplyWords, pathways: Mapping[str, Pathway], log: FaultLog, line: int) -> None:
    names = list(words.answers)
    for pathway, step in _asking(pathways):
        for answer in step.answers:
            if answer.name != ANY and not words.answer_words(pathway.name, answer.name):
                used = f"pathway '{pathway.name}', step '{step.name}'"
                hint = did_you_mean(answer.name, names)
                log.add(line, f"answers: no words for '{answer.name}' of {used}{hint}")


def _asking(pathways: Mapping[str, Pathway]) -> Iterator[tuple[Pathway, Step]]:
    for pathway in pathways.values():
        for step in pathway.steps.values():
            if step.answers:
                yield pathway, step
