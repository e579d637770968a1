"""`config/content_rules.yaml`: the words that no message, no subject or no question may hold, by language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from scheduler.catalogue.yaml_fields import Fields
from scheduler.catalogue.yaml_nodes import FaultLog, Listing, Scalar, Table, YamlNode, read_yaml, shown_path
from scheduler.domain.faults import Fault
from scheduler.domain.languages import base_language

FILE_NAME = "content_rules.yaml"
ANY_LANGUAGE = "any"
_RULE_LISTS = ("forbidden", "subjects")
_WORD_LISTS = ("carrier_words", "reply_words")

_ACCENTS = re.compile("[\u0300-\u036f]+")  # the combining marks of Latin letters

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class WordRule:
    """Words that may not stand in a text, and why not."""

    why: str
    patterns: tuple[re.Pattern[str], ...]

    def hits(self, text: str) -> Iterator[str]:
        """The words of `text` that this rule forbids, as they stand there but without accents."""
        folded = fold(text)
        for pattern in self.patterns:
            for match in pattern.finditer(folded):
                yield match.group()


@dataclass(frozen=True, slots=True)
class ContentRules:
    """The lists of the file, by language or `any`."""

    forbidden: Mapping[str, tuple[WordRule, ...]]
    subjects: Mapping[str, tuple[WordRule, ...]]
    carrier_words: Mapping[str, tuple[str, ...]]
    reply_words: Mapping[str, tuple[str, ...]]

    def forbidden_in(self, language: str) -> tuple[WordRule, ...]:
        """What no message in `language` may say."""
        return _for_language(self.forbidden, language)

    def subject_rules(self, language: str) -> tuple[WordRule, ...]:
        """What a subject in `language` may not say, beside what nothing may say."""
        return _for_language(self.subjects, language)

    def carrier_words_in(self, text: str, language: str) -> list[str]:
        """The carrier words that `text` offers in capitals."""
        words = _for_language(self.carrier_words, language)
        return [word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)]

    def offered_digits(self, text: str, language: str) -> list[str]:
        """The digits that `text` asks to reply with."""
        words = _for_language(self.reply_words, language)
        if not words:
            return []
        verbs = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
        return re.findall(rf"(?<!\w)(?:{verbs})[\s:]+[\"'“(]?(\d)(?!\w)", text, re.IGNORECASE)

    def missing_for(self, language: str) -> list[str]:
        """The lists that do not know `language`."""
        base = base_language(language)
        known = {"forbidden": self.forbidden, "subjects": self.subjects, "reply_words": self.reply_words}
        return [name for name, lists in known.items() if base not in lists]


NO_RULES = ContentRules(forbidden={}, subjects={}, carrier_words={}, reply_words={})


def _for_language(lists: Mapping[str, tuple[_Item, ...]], language: str) -> tuple[_Item, ...]:
    return (*lists.get(ANY_LANGUAGE, ()), *lists.get(base_language(language), ()))


def fold(text: str) -> str:
    """`text` without accents: á is a, ñ is n. Most letters stay where they are."""
    return text if text.isascii() else _ACCENTS.sub("", unicodedata.normalize("NFKD", text))


def word_rule(why: str, words: Iterable[str]) -> WordRule:
    """A rule from words as the file writes them: `*` is any ending, capitals alone mean capitals."""
    exact: list[str] = []
    loose: list[str] = []
    for word in words:
        folded = fold(word)
        (exact if folded.isupper() else loose).append(_as_pattern(folded))
    compiled = [(exact, 0), (loose, re.IGNORECASE)]
    return WordRule(why, tuple(_whole_words(parts, flags) for parts, flags in compiled if parts))


def _as_pattern(word: str) -> str:
    return r"\s+".join(re.escape(part).replace(r"\*", r"\w*") for part in word.split())


def _whole_words(parts: list[str], flags: int) -> re.Pattern[str]:
    # A digit may stand right in front of a letter, as in 50mg; nothing else may stand in front of anything.
    return re.compile(rf"(?:(?<!\w)|(?<=\d)(?=[^\W\d_]))(?:{'|'.join(parts)})(?!\w)", flags)


def read_content_rules(config_dir: Path) -> tuple[ContentRules, list[Fault]]:
    """The rules in `config_dir`, and what is wrong with their file; a part that is wrong is left out."""
    path = config_dir / FILE_NAME
    log = FaultLog(shown_path(path, config_dir))
    table = read_yaml(path, log)
    if table is None:
        return NO_RULES, log.faults
    top = Fields(table, log, where="", allowed=(*_RULE_LISTS, *_WORD_LISTS))
    found: dict[str, Table] = {}
    for name in (*_RULE_LISTS, *_WORD_LISTS):
        entry = table.entry(name)
        if entry is None:
            top.fault(0, f"'{name}' is missing; write it as in the file that Bonewise ships")
        elif isinstance(entry.value, Table):
            found[name] = entry.value
        else:
            top.fault(entry.line, f"'{name}' must be a mapping of languages to lists")
    rules = ContentRules(
        forbidden=_rules_by_language(found.get("forbidden"), log),
        subjects=_rules_by_language(found.get("subjects"), log),
        carrier_words=_words_by_language(found.get("carrier_words"), log),
        reply_words=_words_by_language(found.get("reply_words"), log),
    )
    return rules, log.faults


def _rules_by_language(table: Table | None, log: FaultLog) -> dict[str, tuple[WordRule, ...]]:
    return {entry.key: tuple(_rules(entry.value, log)) for entry in table or ()}


def _rules(node: YamlNode, log: FaultLog) -> Iterator[WordRule]:
    for item in node.items if isinstance(node, Listing) else (node,):
        why, words = (item.entry("why"), item.entry("words")) if isinstance(item, Table) else (None, None)
        if why is None or words is None or not isinstance(why.value, Scalar):
            log.add(item.line, "a rule must be of the form '- why: the reason' and below it 'words: [one, two]'")
            continue
        yield word_rule(why.value.text, _words(words.value, log))


def _words_by_language(table: Table | None, log: FaultLog) -> dict[str, tuple[str, ...]]:
    return {entry.key: _words(entry.value, log) for entry in table or ()}


def _words(node: YamlNode, log: FaultLog) -> tuple[str, ...]:
    if not isinstance(node, Listing):
        log.add(node.line, "words must be a list, as in [one, two]")
        return ()
    words: list[str] = []
    for item in node.items:
        if isinstance(item, Scalar) and item.text.strip(" *"):
            words.append(item.text)
        else:
            log.add(item.line, "a word of this list is empty or no word; write a word or a phrase")
    return tuple(words)
