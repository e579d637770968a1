"""Reads `config/provider_errors.yaml` and collects every fault in it, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import yaml

from scheduler.domain.faults import Fault
from scheduler.ports import ErrorClass, Scope


class SmtpStage(StrEnum):
    """What had been said to the mail server when it answered."""

    CONNECT = "connect"  # nothing yet, or EHLO or STARTTLS
    LOGIN = "login"  # AUTH
    SENDER = "sender"  # MAIL FROM
    RECIPIENT = "recipient"  # RCPT TO
    CONTENT = "content"  # DATA, or the mail itself


_REPLY_CODE = (re.compile(r"[2-5](\d\d|xx)"), "three digits such as 550, or 5xx")
_SECTIONS = {
    "twilio": (re.compile(r"\d{5}"), "a five-digit Twilio error code such as 21610"),
    "http": (re.compile(r"[1-5](\d\d|xx)"), "an HTTP status such as 404, or 4xx"),
    "smtp_status": (
        re.compile(r"[45](\.\d{1,3}\.(\d{1,3}|x)|\.x\.x)"),
        "a mail status such as 5.1.1, 5.7.x or 4.x.x",
    ),
}
_FIELDS = ("class", "scope", "meaning", "action")


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One line of the table. `meaning` is plain words without a number, name or text of a message."""

    error_class: ErrorClass
    meaning: str
    action: str = ""
    scope: Scope = Scope.MESSAGE  # of a configuration fault: how far it reaches


@dataclass(slots=True)
class ErrorFile:
    """What was read: entries by section (`twilio`, `smtp_reply.sender`) and code, and what was wrong."""

    path: Path
    sections: dict[str, dict[str, ErrorEntry]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, node: yaml.Node | None, message: str) -> None:
        line = node.start_mark.line + 1 if node is not None else 0
        self.faults.append(Fault(str(self.path), line, message))


def read_error_file(path: Path) -> ErrorFile:
    """Read the file at `path`; never raises for its content, nor when it is missing: see `faults`."""
    file = ErrorFile(path)
    root = _compose(file)
    if root is None:
        return file
    expected = (*_SECTIONS, "smtp_reply")
    if not isinstance(root, yaml.MappingNode):
        file.fault(root, f"the error table must have the sections {', '.join(expected)}")
        return file
    for name, key, value in _pairs(file, root, "the error table"):
        if name in _SECTIONS:
            file.sections[name] = _read_section(file, value, name, _SECTIONS[name])
        elif name == "smtp_reply":
            _read_replies(file, value)
        else:
            file.fault(key, f"unknown section {name!r}: use {', '.join(expected)}")
    wanted = (*_SECTIONS, *(f"smtp_reply.{stage}" for stage in SmtpStage))
    for name in wanted:
        if name not in file.sections:
            file.fault(None, f"section {name} is missing: restore it from the shipped file")
    return file


def _compose(file: ErrorFile) -> yaml.Node | None:
    try:
        loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
        root = yaml.compose(file.path.read_text("utf-8"), Loader=loader)
    except OSError as error:
        file.fault(None, f"the error table cannot be read ({error.strerror}): restore it from the shipped file")
        return None
    except UnicodeDecodeError:
        file.fault(None, "the error table is not UTF-8 text: save it as UTF-8")
        return None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        file.faults.append(Fault(str(file.path), line, f"not valid YAML: {error.problem}"))
        return None
    except yaml.YAMLError as error:
        file.fault(None, f"not valid YAML: {error}")
        return None
    if root is None:
        file.fault(None, "the error table is empty: restore it from the shipped file")
    return root


def _pairs(file: ErrorFile, node: yaml.Node, what: str) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """The entries of a mapping as (key as written, key, value); of two equal keys the first counts."""
    if not isinstance(node, yaml.MappingNode):
        file.fault(node, f"{what} must be a list of 'name: value' lines")
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            file.fault(key, f"{what} has a name that is not plain text")
        elif key.value in seen:
            file.fault(key, f"{key.value} stands twice, first in line {seen[key.value]}: remove one")
        else:
            seen[key.value] = line
            yield key.value, key, value


def _read_replies(file: ErrorFile, node: yaml.Node) -> None:
    for stage, key, value in _pairs(file, node, "smtp_reply"):
        if stage in set(SmtpStage):
            file.sections[f"smtp_reply.{stage}"] = _read_section(file, value, f"smtp_reply.{stage}", _REPLY_CODE)
        else:
            file.fault(key, f"unknown stage {stage!r} in smtp_reply: use {', '.join(SmtpStage)}")


def _read_section(
    file: ErrorFile, node: yaml.Node, name: str, codes: tuple[re.Pattern[str], str]
) -> dict[str, ErrorEntry]:
    pattern, wanted = codes
    entries = {}
    for code, key, value in _pairs(file, node, f"section {name}"):
        if not pattern.fullmatch(code):
            file.fault(key, f"{code!r} in section {name} is not {wanted}")
            continue
        entry = _read_entry(file, value, code)
        if entry is not None:
            entries[code] = entry
    return entries


def _read_entry(file: ErrorFile, node: yaml.Node, code: str) -> ErrorEntry | None:
    texts: dict[str, str] = {}
    for name, key, value in _pairs(file, node, f"code {code}"):
        if name not in _FIELDS:
            file.fault(key, f"code {code} has an unknown field {name!r}: use {', '.join(_FIELDS)}")
        elif not isinstance(value, yaml.ScalarNode) or not value.value.strip():
            file.fault(value, f"the {name} of code {code} must be text")
        else:
            texts[name] = value.value.strip()
    if not isinstance(node, yaml.MappingNode):
        return None
    present = {key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)}
    for name in ("class", "meaning"):
        if name not in present:
            file.fault(node, f"code {code} has no {name}")
    given = texts.get("class", "")
    if given and given not in set(ErrorClass):
        file.fault(node, f"code {code} has the unknown class {given!r}: use {', '.join(ErrorClass)}")
        return None
    scope = texts.get("scope", Scope.MESSAGE.value)
    if scope not in set(Scope):
        file.fault(node, f"code {code} has the unknown scope {scope!r}: use {', '.join(Scope)}")
        return None
    if "scope" in texts and given != ErrorClass.CONFIGURATION.value:
        file.fault(node, f"code {code} has a scope, which only the class {ErrorClass.CONFIGURATION} has")
        return None
    if "class" not in texts or "meaning" not in texts:
        return None
    return ErrorEntry(ErrorClass(given), texts["meaning"], texts.get("action", ""), Scope(scope))
