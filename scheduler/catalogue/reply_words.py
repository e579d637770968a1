"""Loads `config/replies/<language>.yaml`: the words patients answer with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from scheduler.catalogue.reply_checks import Word, check_words
from scheduler.catalogue.yaml_fields import Fields, describe
from scheduler.catalogue.yaml_nodes import Entry, FaultLog, Listing, Scalar, read_yaml, shown_path
from scheduler.domain.calendar import Weekday
from scheduler.domain.faults import Fault
from scheduler.domain.languages import DEFAULT_LANGUAGE, normalise_language
from scheduler.domain.pathway import Pathway
from scheduler.domain.reply_words import UNITS, Command, Phrase, ReplyWords, normalise

_TOP_KEYS = (
    "language",
    "commands",
    "phrases",
    "answers",
    "polite",
    "reactions",
    "units",
    "numbers",
    "weekdays",
)
_REQUIRED = ("language", "commands", "phrases", "answers", "units", "weekdays")
_OPTIONAL_PHRASES = frozenset({Phrase.NOT_STOP})
_LARGEST_NUMBER = 31

K = TypeVar("K", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class LoadedReplyWords:
    """The reply words by language. With any fault the service must not start."""

    words: dict[str, ReplyWords]
    faults: list[Fault]


def load_reply_words(config_dir: Path, pathways: Mapping[str, Pathway]) -> LoadedReplyWords:
    """Read `config_dir`/replies and check it against the answers that `pathways` understand.

    Every language must have words for every command and every answer. Never raises for what a file holds.
    """
    folder = config_dir / "replies"
    words: dict[str, ReplyWords] = {}
    faults: list[Fault] = []
    for file in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        log = FaultLog(shown_path(file, config_dir))
        read = _read(file, log, pathways)
        if read is not None:
            words[read.language] = read
        faults.extend(log.faults)
    if DEFAULT_LANGUAGE not in words and not any(fault.path.endswith("/en.yaml") for fault in faults):
        path = shown_path(folder / f"{DEFAULT_LANGUAGE}.yaml", config_dir)
        faults.append(Fault(path, 0, "is missing; every patient falls back to English, so add it"))
    return LoadedReplyWords(words, sorted(faults))


def _read(file: Path, log: FaultLog, pathways: Mapping[str, Pathway]) -> ReplyWords | None:
    table = read_yaml(file, log)
    if table is None:
        return None
    top = Fields(table, log, where="", allowed=_TOP_KEYS)
    top.require(*_REQUIRED)
    language = _read_language(top, file)
    reader = _Reader(top)
    words = ReplyWords(
        language=language,
        commands=reader.by_name("commands", Command),
        phrases=reader.by_name("phrases", Phrase, optional=_OPTIONAL_PHRASES),
        answers=reader.answers(),
        polite=frozenset(reader.words_of("polite")),
        reactions=frozenset(reader.words_of("reactions")),
        units={word: UNITS[unit] for unit, word in reader.pairs("units", tuple(UNITS))},
        numbers={word: int(number) for number, word in reader.pairs("numbers", _NUMBERS)},
        weekdays={word: Weekday[day.upper()] for day, word in reader.pairs("weekdays", _DAYS)},
    )
    check_words(words, reader.seen, pathways, log, answers_line=top.line("answers"))
    return words


_NUMBERS = tuple(str(number) for number in range(1, _LARGEST_NUMBER + 1))
_DAYS = tuple(day.name.lower() for day in Weekday)


def _read_language(top: Fields, file: Path) -> str:
    written = top.text("language") or file.stem
    language = normalise_language(written)
    if language is None:
        top.fault(top.line("language"), f"language: '{written}' is not a language tag such as en or es-MX")
    elif language != file.stem:
        remedy = "differs from the file's name; rename one of them"
        top.fault(top.line("language"), f"language: '{written}' {remedy}")
    return language or file.stem


class _Reader:
    """Reads the lists of words of one file, keeping each word's place in `seen`."""

    def __init__(self, top: Fields) -> None:
        self._top = top
        self.seen: list[Word] = []

    def by_name(
        self, section: str, kind: type[K], *, optional: frozenset[K] = frozenset()
    ) -> dict[K, frozenset[str]]:
        """The words of each member of `kind`; a member without words is a fault unless `optional`."""
        table = self._top.mapping(section)
        if table is None:
            return {}
        names = [member.value for member in kind]
        fields = Fields(table, self._top.log, where=section, allowed=names)
        found = {kind(entry.key): frozenset(self._words(entry, section)) for entry in table if entry.key in names}
        for member in kind:
            if not found.get(member) and member not in optional:
                fields.fault(table.line, f"'{member}' has no words; give at least one")
        return found

    def answers(self) -> dict[str, frozenset[str]]:
        table = self._top.mapping("answers")
        return {entry.key: frozenset(self._words(entry, "answers")) for entry in table or ()}

    def words_of(self, section: str) -> tuple[str, ...]:
        entry = self._top.entry(section)
        return tuple(self._words(entry, "")) if entry else ()

    def pairs(self, section: str, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """(name, word) for each word that stands for one of `names`."""
        table = self._top.mapping(section)
        if table is None:
            return
        Fields(table, self._top.log, where=section, allowed=names)
        for entry in table:
            if entry.key in names:
                yield from ((entry.key, word) for word in self._words(entry, section))

    def _words(self, entry: Entry, section: str) -> Iterator[str]:
        where = f"{section}, {entry.key}" if section else entry.key
        if not isinstance(entry.value, Listing):
            wanted = "must be a list of words, as in [done, finished]"
            self._top.fault(entry.line, f"{where}: {wanted}, not {describe(entry.value)}")
            return
        for item in entry.value.items:
            text = normalise(item.text) if isinstance(item, Scalar) else ""
            if not text:
                self._top.fault(item.line, f"{where}: {describe(item)} is not a word")
                continue
            self.seen.append(Word(text, section or entry.key, entry.key, item.line))
            yield text
