"""Reads the lists of words of one reply file, keeping each word's place."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import TypeVar

from scheduler.catalogue.reply_checks import Word
from scheduler.catalogue.yaml_fields import Fields, describe
from scheduler.catalogue.yaml_nodes import Entry, Listing, Scalar
from scheduler.domain.folding import normalise
from scheduler.domain.replies.patterns import PhraseError, plain, read_phrase

K = TypeVar("K", bound=StrEnum)


class ListReader:
    """Reads the lists of words of one file, keeping each word's place in `seen`."""

    def __init__(self, top: Fields) -> None:
        self._top = top
        self.seen: list[Word] = []
        self.groups: dict[str, frozenset[str]] = {}
        self.groups = self.named("groups", phrases=False)

    def by_member(self, section: str, kind: type[K], *, optional: Collection[K] = ()) -> dict[K, frozenset[str]]:
        """The phrases of each member of `kind`; a member without words is a fault unless `optional`."""
        table = self._top.mapping(section)
        if table is None:
            return {}
        names = [member.value for member in kind]
        fields = Fields(table, self._top.log, where=section, allowed=names)
        found = {kind(entry.key): frozenset(self._phrases(entry, section)) for entry in table if entry.key in names}
        for member in kind:
            if not found.get(member) and member not in optional:
                fields.fault(table.line, f"'{member}' has no words; give at least one")
        return found

    def named(self, section: str, *, phrases: bool = True) -> dict[str, frozenset[str]]:
        """The phrases, or plain words, under each name of a section."""
        table = self._top.mapping(section)
        read = self._phrases if phrases else self._words
        return {entry.key: frozenset(read(entry, section)) for entry in table or ()}

    def list_of(self, key: str, *, phrases: bool = True) -> frozenset[str]:
        """The phrases, or plain words, of a list that stands at the top of the file."""
        entry = self._top.entry(key)
        if entry is None:
            return frozenset()
        return frozenset(self._phrases(entry, "") if phrases else self._words(entry, ""))

    def emoji(self, key: str) -> frozenset[str]:
        """A list of emoji, each without the sign that asks for its coloured form."""
        entry = self._top.entry(key)
        found: set[str] = set()
        for item in self._items(entry, key) if entry else ():
            text = item.text.replace("\ufe0f", "").strip()
            if len(text) == 1 and unicodedata.category(text) == "So":
                found.add(text)
            else:
                self._top.fault(item.line, f"{key}: {describe(item)} is not one emoji")
        return frozenset(found)

    def pairs(self, section: str, names: Collection[str], *, phrases: bool = False) -> Iterator[tuple[str, str]]:
        """(name, word) for each word that stands for one of `names`."""
        table = self._top.mapping(section)
        if table is None:
            return
        Fields(table, self._top.log, where=section, allowed=names)
        read = self._phrases if phrases else self._words
        for entry in table:
            if entry.key in names:
                yield from ((entry.key, word) for word in read(entry, section))

    def _words(self, entry: Entry, section: str) -> Iterator[str]:
        for item in self._items(entry, section):
            text = normalise(item.text)
            if text:
                yield self._seen(text, entry, section, item.line)
            else:
                self._top.fault(item.line, f"{_where(entry, section)}: {describe(item)} is not a word")

    def _phrases(self, entry: Entry, section: str) -> Iterator[str]:
        for item in self._items(entry, section):
            text = plain(item.text)
            try:
                if not text:
                    raise PhraseError("is not a word")
                read_phrase(text, self.groups)
            except PhraseError as error:
                self._top.fault(item.line, f"{_where(entry, section)}: {describe(item)} {error}")
                continue
            yield self._seen(text, entry, section, item.line)

    def _items(self, entry: Entry, section: str) -> Iterator[Scalar]:
        if not isinstance(entry.value, Listing):
            wanted = "must be a list of words, as in [done, finished]"
            self._top.fault(entry.line, f"{_where(entry, section)}: {wanted}, not {describe(entry.value)}")
            return
        for item in entry.value.items:
            if isinstance(item, Scalar):
                yield item
            else:
                self._top.fault(item.line, f"{_where(entry, section)}: {describe(item)} is not a word")

    def _seen(self, text: str, entry: Entry, section: str, line: int) -> str:
        self.seen.append(Word(text, section or entry.key, entry.key, line))
        return text


def _where(entry: Entry, section: str) -> str:
    return f"{section}, {entry.key}" if section else entry.key
