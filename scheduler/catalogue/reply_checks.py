"""Checks on reply words: none has two meanings or is a carrier's, no stop or danger is hidden, nothing is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scheduler.catalogue.yaml_fields import Fields
from scheduler.catalogue.yaml_nodes import did_you_mean
from scheduler.domain.pathway import Pathway, Step
from scheduler.domain.replies import agreement
from scheduler.domain.replies.alarms import Alarms, alarms
from scheduler.domain.replies.meaning import ANY
from scheduler.domain.replies.patterns import examples
from scheduler.domain.replies.words import CARRIER_WORDS, CarrierMeaning, Command, Phrase, ReplyWords, WordList

_CARRIERS_PLACES: Mapping[CarrierMeaning, frozenset[tuple[str, str]]] = {
    CarrierMeaning.OPT_OUT: frozenset({("commands", Command.STOP), ("phrases", Phrase.STOP)}),
    CarrierMeaning.OPT_IN: frozenset({("commands", Command.START)}),
    CarrierMeaning.HELP: frozenset({("commands", Command.HELP)}),
}
_STOP = ("commands", Command.STOP)
_NOT_STOP = ("phrases", Phrase.NOT_STOP)
_NOT_SAFETY = ("phrases", Phrase.NOT_SAFETY)
_MEANINGFUL = ("commands", "answers")  # sections whose words are a whole reply
_ONE_PLACE = ("topics", "digits", "numbers", "units", "weekdays", "months")
_MOST_EXAMPLES = 60  # of one phrase


@dataclass(frozen=True, slots=True)
class Word:
    """One word or phrase as it stands in the file. `name` is the command or answer that it stands for."""

    text: str  # as `reply_patterns.plain` leaves it
    section: str
    name: str
    line: int

    @property
    def place(self) -> tuple[str, str]:
        return (self.section, self.name)

    @property
    def where(self) -> str:
        return f"{self.section}, {self.name}" if self.section != self.name else self.section


@dataclass(frozen=True, slots=True)
class File:
    """One language's file, as it was read."""

    words: ReplyWords
    seen: Sequence[Word]
    top: Fields

    def texts(self, word: Word) -> Iterator[str]:
        """The texts that `word` stands for."""
        return examples(word.text, self.words.groups, most=_MOST_EXAMPLES)

    def fault(self, line: int, message: str) -> None:
        self.top.log.add(line, message)


def check_words(file: File, files: Mapping[str, File], pathways: Mapping[str, Pathway]) -> None:
    """Report every fault of one language's words; what is heard in every language is heard with all `files`."""
    urgent = alarms(tuple(files[name].words for name in sorted(files)))
    _check_carriers(file)
    _check_heard_as_urgent(file, urgent)
    _check_exceptions(file, urgent)
    _check_two_meanings(file)
    _check_steps(file, pathways)
    _check_one_place(file)
    _check_ordinary(file)
    _check_missing(file, pathways)


def _check_carriers(file: File) -> None:
    for word in file.seen:
        meaning = CARRIER_WORDS.get(word.text) if word.section in ("commands", "phrases", "answers") else None
        if meaning is not None and word.place not in _CARRIERS_PLACES[meaning]:
            taken = f"phone carriers treat '{word.text}' as {meaning.value}"
            file.fault(word.line, f"{word.where}: {taken}, so it cannot mean anything else; remove it here")


def _check_heard_as_urgent(file: File, urgent: Alarms) -> None:
    """A word that is heard as a wish to stop, or as danger, would never get as far as its own meaning."""
    for word in file.seen:
        if word.section not in _MEANINGFUL or word.place == _STOP or word.text in CARRIER_WORDS:
            continue
        for text in file.texts(word):
            if urgent.hears(Phrase.STOP, text):
                file.fault(word.line, f"{word.where}: '{text}' is heard as a wish to stop; choose another word")
                break
            if urgent.hears(Phrase.SAFETY, text):
                file.fault(word.line, f"{word.where}: '{text}' is heard as words of danger; choose another word")
                break


def _check_exceptions(file: File, urgent: Alarms) -> None:
    """What follows a plain wish to stop cannot take it back; and danger cannot be danger and none."""
    for word in file.seen:
        if word.place == _NOT_STOP:
            hidden = next(filter(None, (_hidden_wish(text, urgent) for text in file.texts(word))), None)
            if hidden is not None:
                remedy = "let what takes it back stand before it, or remove it"
                file.fault(
                    word.line, f"{word.where}: '{word.text}' would swallow the wish to stop '{hidden}'; {remedy}"
                )
        if word.place == _NOT_SAFETY and any(_is_danger_itself(text, urgent) for text in file.texts(word)):
            both = f"'{word.text}' also stands under phrases, safety"
            file.fault(word.line, f"{word.where}: {both}; it cannot be danger and none")


def _hidden_wish(text: str, urgent: Alarms) -> str | None:
    """The wish to stop of two words or more that `text` begins with."""
    ends = [end for start, end in urgent.places(Phrase.STOP, text) if start == 0]
    return " ".join(text.split()[: max(ends)]) if max(ends, default=0) > 1 else None


def _is_danger_itself(text: str, urgent: Alarms) -> bool:
    return (0, len(text.split())) in urgent.places(Phrase.SAFETY, text)


def _check_two_meanings(file: File) -> None:
    """Commands are understood whatever was asked, so none of their words may be another's."""
    commands: dict[str, Word] = {}
    for word, text in _texts(file, "commands"):
        first = commands.setdefault(text, word)
        if first.name != word.name:
            _two_meanings(file, word, first, text)
    for word, text in _texts(file, "answers"):
        if text in commands:
            _two_meanings(file, word, commands[text], text)
        if text.isdecimal():
            file.fault(word.line, f"{word.where}: '{text}' is a digit; digits are the pathway's, remove it")


def _texts(file: File, section: str) -> Iterator[tuple[Word, str]]:
    return ((word, text) for word in file.seen if word.section == section for text in file.texts(word))


def _two_meanings(file: File, word: Word, other: Word, text: str) -> None:
    both = f"'{text}' also stands under {other.where} (line {other.line})"
    file.fault(word.line, f"{word.where}: {both}; a word can have one meaning only")


def _check_steps(file: File, pathways: Mapping[str, Pathway]) -> None:
    """Two answers to the same question must not share a word."""
    answers = list(_texts(file, "answers"))
    for pathway, step in _asking(pathways):
        first: dict[str, Word] = {}
        own = {name for answer in step.answers for name in (answer.name, f"{pathway.name}.{answer.name}")}
        for word, text in answers:
            other = first.setdefault(text, word) if word.name in own else word
            if _answer_of(other) != _answer_of(word):
                asked = f"pathway '{pathway.name}', step '{step.name}'"
                both = f"'{text}' is also a word for '{_answer_of(other)}' (line {other.line})"
                file.fault(word.line, f"{word.where}: {both}, and {asked} understands both; keep one")


def _answer_of(word: Word) -> str:
    return word.name.rpartition(".")[2]


def check_pathways_named(file: File, pathways: Collection[str]) -> None:
    """Report what is written for a pathway that is not there: it would never be heard."""
    for section in ("answers", "sentences", "topics"):
        if not file.top.has(section):
            continue
        for entry in file.top.mapping(section) or ():
            pathway = entry.key if section == "topics" else entry.key.rpartition(".")[0]
            if pathway and pathway not in (*pathways, agreement.PLACE):
                hint = did_you_mean(pathway, list(pathways))
                file.fault(entry.line, f"{section}: there is no pathway '{pathway}'{hint}")


def _check_one_place(file: File) -> None:
    """A word of a topic, a unit, a day, a month or a number stands for one of them."""
    for section in _ONE_PLACE:
        first: dict[str, Word] = {}
        for word, text in _texts(file, section):
            other = first.setdefault(text, word)
            if other.name != word.name:
                _two_meanings(file, word, other, text)


def _check_ordinary(file: File) -> None:
    """A word that has a meaning here cannot be left alone as an ordinary one."""
    meaningful = {text: word for section in _MEANINGFUL for word, text in _texts(file, section)}
    for word in file.seen:
        if word.section == WordList.ORDINARY and word.text in meaningful:
            _two_meanings(file, word, meaningful[word.text], word.text)


def _check_missing(file: File, pathways: Mapping[str, Pathway]) -> None:
    names = list(file.words.answers)
    for pathway, step in _asking(pathways):
        for answer in step.answers:
            if answer.name != ANY and not file.words.answer_words(pathway.name, answer.name):
                used = f"pathway '{pathway.name}', step '{step.name}'"
                hint = did_you_mean(answer.name, names)
                file.fault(file.top.line("answers"), f"answers: no words for '{answer.name}' of {used}{hint}")


def _asking(pathways: Mapping[str, Pathway]) -> Iterator[tuple[Pathway, Step]]:
    for pathway in pathways.values():
        for step in pathway.steps.values():
            if step.answers:
                yield pathway, step


def check_languages(files: Mapping[str, File], model: str) -> None:
    """Report each list that the file of the language `model` has and another file lacks."""
    if model not in files:
        return
    wanted = [place for place in _lists(files[model]) if place[0] not in _TOLD_OR_FREE]
    for file in files.values():
        present = set(_lists(file))
        for section, name in wanted:
            if (section, name) in present:
                continue
            is_all_missing = not file.top.has(section)
            missing = f"'{section}'" if is_all_missing or not name else f"{section}: '{name}'"
            remedy = f"{model}.yaml has it, so give its words in this language"
            file.fault(file.top.line(section), f"{missing} is missing; {remedy}")


# Commands and answers are asked for by other checks; numbers and words of the clock differ from language to language.
_TOLD_OR_FREE = frozenset({"groups", "commands", "answers", "numbers", "amounts", "clock"})


def _lists(file: File) -> Iterable[tuple[str, str]]:
    """The lists of a file that hold words: (section, name), the name empty for a list at the top."""
    return dict.fromkeys((word.section, "" if word.section == word.name else word.name) for word in file.seen)
