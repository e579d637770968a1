"""Reading the keys of one mapping, one by one; whatever is wrong goes into the fault log with its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

from scheduler.catalogue.yaml_nodes import (
    Entry,
    FaultLog,
    Listing,
    Scalar,
    Table,
    YamlNode,
    did_you_mean,
)

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
NAME_RULE = "names are lower-case letters, digits and underscores, beginning with a letter, at most 40"
_YES = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}

E = TypeVar("E", bound=StrEnum)


class Fields:
    """The keys of `table`. `where` names the place for people, such as `step 'ask'`; empty for the file.

    `misplaced` maps keys that belong elsewhere to the reason they are not wanted here.
    """

    def __init__(
        self,
        table: Table,
        log: FaultLog,
        *,
        where: str,
        allowed: Iterable[str],
        misplaced: Mapping[str, str] | None = None,
    ) -> None:
        self.table, self.log, self.where = table, log, where
        self._allowed = tuple(allowed)
        for entry in table:
            if entry.key in self._allowed:
                continue
            reason = (misplaced or {}).get(entry.key)
            if reason:
                self.fault(entry.line, f"'{entry.key}' cannot stand here: {reason}")
            else:
                known = did_you_mean(entry.key, self._allowed) or f"; known here: {', '.join(self._allowed)}"
                self.fault(entry.line, f"'{entry.key}' is not a word of this place{known}")

    def fault(self, line: int, message: str) -> None:
        self.log.add(line, f"{self.where}: {message}" if self.where else message)

    def has(self, key: str) -> bool:
        return key in self._allowed and self.table.entry(key) is not None

    def line(self, key: str) -> int:
        """The line of `key`, or of the mapping when the key is missing."""
        entry = self.table.entry(key)
        return entry.line if entry else self.table.line

    def entry(self, key: str) -> Entry | None:
        return self.table.entry(key) if key in self._allowed else None

    def require(self, *keys: str) -> None:
        """Report each of `keys` that is missing."""
        for key in keys:
            if not self.has(key):
                self.fault(self.table.line, f"'{key}' is missing")

    def text(self, key: str) -> str | None:
        """A value that is one word or one line of text; None when missing or faulty."""
        entry = self.entry(key)
        if entry is None:
            return None
        value = entry.value
        if isinstance(value, Scalar) and not value.is_null and value.text.strip():
            return value.text.strip()
        self.fault(entry.line, f"'{key}' must be one text, not {describe(value)}")
        return None

    def name(self, key: str) -> str | None:
        """A name, such as of a step, a message or a task kind."""
        text = self.text(key)
        if text is None or NAME.fullmatch(text):
            return text
        self.fault(self.line(key), f"{key}: '{text}' is not a name; {NAME_RULE}")
        return None

    def names(self, key: str) -> tuple[str, ...]:
        """One name or a list of names."""
        entry = self.entry(key)
        if entry is None:
            return ()
        if isinstance(entry.value, Scalar):
            name = self.name(key)
            return (name,) if name else ()
        items = entry.value.items if isinstance(entry.value, Listing) else ()
        texts = [item.text for item in items if isinstance(item, Scalar)]
        if not items or len(texts) != len(items) or not all(NAME.fullmatch(text) for text in texts):
            self.fault(entry.line, f"'{key}' must be a name or a list of names; {NAME_RULE}")
            return ()
        if len(set(texts)) != len(texts):
            self.fault(entry.line, f"'{key}' names something twice")
        return tuple(texts)

    def integer(self, key: str, *, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`."""
        text = self.text(key)
        if text is None:
            return None
        if re.fullmatch(r"-?[0-9]{1,9}", text) and low <= int(text) <= high:
            return int(text)
        self.fault(self.line(key), f"{key}: '{text}' must be a whole number from {low} to {high}")
        return None

    def yes_or_no(self, key: str, *, default: bool) -> bool:
        text = self.text(key)
        if text is None:
            return default
        if text.lower() not in _YES:
            self.fault(self.line(key), f"{key}: '{text}' must be yes or no")
        return _YES.get(text.lower(), default)

    def choice(self, key: str, kind: type[E]) -> E | None:
        """One of the values of the enum `kind`."""
        text = self.text(key)
        if text is None:
            return None
        values = [member.value for member in kind]
        if text in values:
            return kind(text)
        self.fault(self.line(key), f"{key}: '{text}' must be one of {', '.join(values)}{did_you_mean(text, values)}")
        return None

    def mapping(self, key: str) -> Table | None:
        """A mapping under `key`; None when missing or something else."""
        entry = self.entry(key)
        return as_table(entry, self) if entry else None

    def listing(self, key: str) -> tuple[YamlNode, ...]:
        """The items of a list under `key`."""
        entry = self.entry(key)
        if entry is None:
            return ()
        if isinstance(entry.value, Listing):
            return entry.value.items
        self.fault(entry.line, f"'{key}' must be a list, lines that begin with '- ', not {describe(entry.value)}")
        return ()


def as_table(entry: Entry, fields: Fields) -> Table | None:
    """The value of `entry` if it is a mapping; else a fault at its line."""
    if isinstance(entry.value, Table):
        return entry.value
    wanted = "must be keys and values, as in {go: ask}"
    fields.fault(entry.line, f"'{entry.key}' {wanted}, not {describe(entry.value)}")
    return None


def describe(node: YamlNode) -> str:
    """What stands there, for a fault."""
    if isinstance(node, Listing):
        return "a list"
    if isinstance(node, Table):
        return "keys and values"
    return f"'{node.text}'" if node.text.strip() and not node.is_null else "nothing"
