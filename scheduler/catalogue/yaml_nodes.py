"""YAML with line numbers: a file becomes plain nodes that know where they stand, and a list of its faults.

Scalars keep the text as it was written, so that an answer called `no` does not become False (YAML
1.1 would have it so). Anchors, aliases and merge keys (`<<`) work; nothing is ever constructed from a tag.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import yaml

from scheduler.domain.faults import Fault

_DEEPEST = 50
_NULL_TAG = "tag:yaml.org,2002:null"
_MERGE_TAG = "tag:yaml.org,2002:merge"


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value, as written. `is_null` tells an empty value from an empty quoted text."""

    text: str
    line: int
    is_null: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    items: tuple[YamlNode, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Entry:
    key: str
    line: int
    value: YamlNode


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping: its entries in file order, each key once."""

    entries: tuple[Entry, ...]
    line: int

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def entry(self, key: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.key == key), None)


YamlNode = Scalar | Listing | Table


@dataclass(slots=True)
class FaultLog:
    """The faults of one file, as they are found."""

    path: str
    faults: list[Fault] = field(default_factory=list)

    def add(self, line: int, message: str) -> None:
        fault = Fault(path=self.path, line=line, message=message)
        if fault not in self.faults:  # an aliased part is read once for each place that uses it
            self.faults.append(fault)


def shown_path(path: Path, config_dir: Path) -> str:
    """How faults name `path`: from the folder that holds `config_dir`, with forward slashes."""
    try:
        return path.relative_to(config_dir.parent).as_posix()
    except ValueError:
        return path.as_posix()


def read_yaml(path: Path, log: FaultLog) -> Table | None:
    """The mapping that the YAML file at `path` holds; None when there is none, and `log` then says why."""
    try:
        data = path.read_bytes()
    except OSError as error:
        log.add(0, f"cannot be read ({error.strerror or error}); check that it exists and who may read it")
        return None
    return parse_yaml(data, log)


def parse_yaml(data: bytes, log: FaultLog) -> Table | None:
    """As `read_yaml`, for the bytes of a file."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        log.add(line, "is not UTF-8 text; save the file as UTF-8")
        return None
    root = _compose(text, log)
    if root is None:
        return None
    node = _Converter(log).convert(root)
    if isinstance(node, Table):
        return node
    log.add(node.line, "the file must be a mapping, lines of the form 'key: value'")
    return None


def did_you_mean(word: str, known: list[str] | tuple[str, ...]) -> str:
    """`; did you mean 'x'?` when one of `known` looks like `word`, else an empty text."""
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def _compose(text: str, log: FaultLog) -> yaml.Node | None:
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    try:
        too_deep = _first_line_too_deep(yaml.parse(text, Loader=loader))
        if too_deep is not None:
            log.add(too_deep, f"brackets or lists are nested more than {_DEEPEST} deep; something is not closed")
            return None
        root = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        lines = text.splitlines()
        line = min(mark.line + 1, len(lines)) if mark else 0
        log.add(line, f"is not valid YAML: {_problem(error, lines[line - 1] if line else '')}")
        return None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        log.add(line, "holds a character that YAML does not allow; delete it")
        return None
    except yaml.YAMLError as error:
        log.add(0, f"is not valid YAML: {type(error).__name__}")
        return None
    if root is None:
        log.add(0, "the file is empty")
    return root


def _first_line_too_deep(events: Iterator[yaml.Event]) -> int | None:
    """Where nesting passes `_DEEPEST`: composing it could overflow the stack, which ends the process."""
    depth = 0
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            return event.start_mark.line + 1 if event.start_mark else 0
    return None


def _problem(error: yaml.MarkedYAMLError, line: str) -> str:
    problem = error.problem or "it breaks off here"
    if "another document" in problem:
        return "a line '---' begins a second document; a file holds one"
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "the line is indented with a tab; use spaces"
    if "alias" in problem:
        return f"{problem}; an alias (*name) needs an anchor (&name) above it"
    hint = "check indentation, colons, brackets and quotes here and in the line above"
    return f"{problem}; {hint}"


class _Converter:
    """Turns PyYAML's node graph into ours; each aliased node once, so that its faults are told once."""

    def __init__(self, log: FaultLog) -> None:
        self._log = log
        self._done: dict[int, YamlNode] = {}
        self._open: set[int] = set()

    def convert(self, node: yaml.Node) -> YamlNode:
        known = self._done.get(id(node))
        if known is not None:
            return known
        line = node.start_mark.line + 1
        if id(node) in self._open:
            self._log.add(line, "this part contains itself through an alias; remove the alias")
            return Scalar("", line, is_null=True)
        self._open.add(id(node))
        made = self._make(node, line)
        self._open.discard(id(node))
        self._done[id(node)] = made
        return made

    def _make(self, node: yaml.Node, line: int) -> YamlNode:
        if isinstance(node, yaml.MappingNode):
            return self._table(node, line)
        if isinstance(node, yaml.SequenceNode):
            return Listing(tuple(self.convert(item) for item in node.value), line)
        return Scalar(str(node.value), line, is_null=node.tag == _NULL_TAG)

    def _table(self, node: yaml.MappingNode, line: int) -> Table:
        own: dict[str, Entry] = {}
        merged: dict[str, Entry] = {}
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + 1
            if key_node.tag == _MERGE_TAG:
                self._merge(self.convert(value_node), merged, key_line)
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                self._log.add(key_line, "a key must be a plain word, not a list or a mapping")
                continue
            key = str(key_node.value)
            if key in own:
                self._log.add(key_line, f"'{key}' stands here twice, first in line {own[key].line}; keep one")
                continue
            own[key] = Entry(key, key_line, self.convert(value_node))
        return Table(tuple((merged | own).values()), line)

    def _merge(self, value: YamlNode, merged: dict[str, Entry], line: int) -> None:
        """YAML 1.1 merge: of several merged mappings, the earlier wins."""
        sources = value.items if isinstance(value, Listing) else (value,)
        for source in sources:
            if not isinstance(source, Table):
                self._log.add(line, "'<<' merges mappings only; name the anchor of a mapping")
                continue
            for entry in source:
                merged.setdefault(entry.key, entry)
