"""Loads `config/replies/<language>.yaml`: the words patients answer with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from scheduler.catalogue.reply_checks import File, check_languages, check_pathways_named, check_words
from scheduler.catalogue.reply_lists import ListReader
from scheduler.catalogue.yaml_fields import Fields
from scheduler.catalogue.yaml_nodes import FaultLog, read_yaml, shown_path
from scheduler.domain.calendar import Weekday
from scheduler.domain.faults import Fault
from scheduler.domain.languages import DEFAULT_LANGUAGE, base_language, normalise_language
from scheduler.domain.pathway import Pathway
from scheduler.domain.replies.words import (
    DAY_GROUPS,
    UNITS,
    Clock,
    Command,
    DateOrder,
    DateWord,
    Phrase,
    ReplyWords,
    WordList,
)

_NAMED = ("groups", "commands", "phrases", "answers", "sentences", "topics", "clock", "dates")
_COUNTED = ("digits", "numbers", "amounts", "units", "weekdays", "day_groups", "months")
_TOP_KEYS = ("language", *_NAMED, *_COUNTED, "date_order", *(kind.value for kind in WordList))
_REQUIRED = ("language", "commands", "phrases", "answers", "units", "weekdays")
_REQUIRED_PHRASES = frozenset({Phrase.STOP, Phrase.WRONG_NUMBER, Phrase.SAFETY})
_PLAIN_LISTS = frozenset(
    {
        WordList.POLITE,
        WordList.JOINERS,
        WordList.OPENERS,
        WordList.NEGATIONS,
        WordList.UNDONE,
        WordList.DOUBTS,
        WordList.FILLERS,
        WordList.EVERYTHING,
        WordList.REACTIONS,
        WordList.TAPS,
        WordList.SIGNATURES,
        WordList.QUOTED_HEADERS,
        WordList.ORDINARY,
    }
)
_LARGEST_NUMBER = 31


@dataclass(frozen=True, slots=True)
class LoadedReplyWords:
    """The reply words by language. With any fault the service must not start."""

    words: dict[str, ReplyWords]
    faults: list[Fault]


def load_reply_words(config_dir: Path, pathways: Mapping[str, Pathway]) -> LoadedReplyWords:
    """Read `config_dir`/replies and check it against the answers that `pathways` understand.

    Every language must have words for every command and every answer, and each list that English has. Never raises
    for what a file holds.
    """
    folder = config_dir / "replies"
    files: dict[str, File] = {}
    logs: list[FaultLog] = []
    for path in sorted(folder.glob("*.yaml")) if folder.is_dir() else ():
        log = FaultLog(shown_path(path, config_dir))
        logs.append(log)
        file = _read(path, log)
        if file is not None:
            files[file.words.language] = file
    written = {path.stem for path in (config_dir / "pathways").glob("*.yaml")}  # also those with faults of their own
    for file in files.values():
        check_words(file, files, pathways)
        check_pathways_named(file, written | set(pathways))
    check_languages(files, DEFAULT_LANGUAGE)
    faults = [fault for log in logs for fault in log.faults]
    if DEFAULT_LANGUAGE not in files and not any(fault.path.endswith("/en.yaml") for fault in faults):
        missing = shown_path(folder / f"{DEFAULT_LANGUAGE}.yaml", config_dir)
        faults.append(Fault(missing, 0, "is missing; every patient falls back to English, so add it"))
    return LoadedReplyWords({name: file.words for name, file in files.items()}, sorted(faults))


def languages_of_replies(config_dir: Path) -> frozenset[str]:
    """The languages of which there is a file of reply words."""
    tags = (normalise_language(path.stem) for path in (config_dir / "replies").glob("*.yaml"))
    return frozenset(tag for tag in tags if tag)


def missing_reply_words(config_dir: Path, languages: Collection[str]) -> list[Fault]:
    """Of which languages there is no file; a region uses its language's. English is asked for when words are read."""
    there = languages_of_replies(config_dir)
    return [
        Fault(
            shown_path(config_dir / "replies" / f"{language}.yaml", config_dir),
            0,
            f"is missing, and nobody who writes in {language} would be understood; copy en.yaml and translate it",
        )
        for language in languages
        if language != DEFAULT_LANGUAGE and not {language, base_language(language)} & there
    ]


def _read(path: Path, log: FaultLog) -> File | None:
    table = read_yaml(path, log)
    if table is None:
        return None
    top = Fields(table, log, where="", allowed=_TOP_KEYS)
    top.require(*_REQUIRED)
    language = _read_language(top, path)
    reader = ListReader(top)
    words = ReplyWords(
        language=language,
        groups=reader.groups,
        commands=reader.by_member("commands", Command),
        phrases=reader.by_member("phrases", Phrase, optional=frozenset(Phrase) - _REQUIRED_PHRASES),
        answers=reader.named("answers"),
        sentences=reader.named("sentences"),
        topics=reader.named("topics"),
        lists={kind: _read_list(reader, kind) for kind in WordList},
        digits={word: digit for digit, word in reader.pairs("digits", _DIGITS)},
        numbers={word: int(number) for number, word in reader.pairs("numbers", _NUMBERS)},
        amounts={word: int(number) for number, word in reader.pairs("amounts", _NUMBERS)},
        units={word: UNITS[unit] for unit, word in reader.pairs("units", tuple(UNITS))},
        weekdays={word: Weekday[day.upper()] for day, word in reader.pairs("weekdays", _DAYS)},
        day_groups={word: DAY_GROUPS[name] for name, word in reader.pairs("day_groups", tuple(DAY_GROUPS))},
        months={word: int(month) for month, word in reader.pairs("months", _MONTHS)},
        clock=reader.by_member("clock", Clock, optional=frozenset(Clock)),
        dates=reader.by_member("dates", DateWord, optional=frozenset(DateWord)),
        date_order=top.choice("date_order", DateOrder) or DateOrder.MONTH_FIRST,
    )
    return File(words=words, seen=tuple(reader.seen), top=top)


_DIGITS = tuple("123456789")
_NUMBERS = tuple(str(number) for number in range(1, _LARGEST_NUMBER + 1))
_MONTHS = _NUMBERS[:12]
_DAYS = tuple(day.name.lower() for day in Weekday)


def _read_list(reader: ListReader, kind: WordList) -> frozenset[str]:
    if kind is WordList.GESTURES:
        return reader.emoji(kind)
    return reader.list_of(kind, phrases=kind not in _PLAIN_LISTS)


def _read_language(top: Fields, file: Path) -> str:
    written = top.text("language") or file.stem
    language = normalise_language(written)
    if language is None:
        top.fault(top.line("language"), f"language: '{written}' is not a language tag such as en or es-MX")
    elif language != file.stem:
        remedy = "differs from the file's name; rename one of them"
        top.fault(top.line("language"), f"language: '{written}' {remedy}")
    return language or file.stem
