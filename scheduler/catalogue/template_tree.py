"""Where message templates lie on disk.

messages/<pathway>/<message>/<language>.{sms.txt,subject.txt,email.txt,email.html}
messages/service/<message>/…       what belongs to no pathway: help, stopped, …
messages/<pathway>/activities.<language>.yaml     what a message that repeats has to offer, in turn
layouts/email.html                 what the HTML mails share
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from scheduler.domain.languages import normalise_language
from scheduler.domain.patient_page import DISCREET, DISCREET_ANSWER

MESSAGES = "messages"
LAYOUTS = "layouts"
SERVICE = "service"  # the folder of messages that belong to no pathway
STOP_LINE = "stop_line"  # how to stop, put behind a reminder; a text only
FOR_WHOM = "for_whom"  # the clinic's name and whom it is about, which open what goes to several; a text only
CONFIRM_NUMBER = "confirm_number"  # may we text you on this number? a text only
TELLING_WHEN = frozenset({"paused", "time_set"})  # `when` says the last day, or the time
DAYS_SET = "days_set"  # `days` says which
TOPIC_STOPPED = "topic_stopped"  # one topic has ended; `topic` says which
FROM_STAFF = "from_staff"  # `words` are those that a member of staff wrote
_SMS_ONLY = (STOP_LINE, FOR_WHOM, CONFIRM_NUMBER)
SERVICE_MESSAGES = (
    "help",
    "stopped",
    "started",
    "unclear",
    "paused",
    "resumed",
    "later",
    "call_us",
    "safety",
    "which_one",
    "time_set",
    "time_closed",
    DAYS_SET,
    "referral",
    "who",
    DISCREET,
    DISCREET_ANSWER,
    FOR_WHOM,
    TOPIC_STOPPED,
    FROM_STAFF,
    CONFIRM_NUMBER,
    STOP_LINE,
)


class Piece(StrEnum):
    """One file of a message; the value is how its name ends, after the language."""

    SMS = "sms.txt"
    SUBJECT = "subject.txt"
    TEXT = "email.txt"
    HTML = "email.html"


MAIL_PIECES = (Piece.SUBJECT, Piece.TEXT, Piece.HTML)


def pieces_of(pathway: str, message: str) -> tuple[Piece, ...]:
    """The files a message must have in each language."""
    return (Piece.SMS,) if pathway == SERVICE and message in _SMS_ONLY else tuple(Piece)


def source_name(pathway: str, message: str, language: str, piece: Piece) -> str:
    """The path of one file, from the templates folder."""
    return f"{MESSAGES}/{pathway}/{message}/{language}.{piece}"


def activities_name(pathway: str, language: str) -> str:
    """The path of a pathway's activities in one language, from the templates folder."""
    return f"{MESSAGES}/{pathway}/activities.{language}.yaml"


@dataclass(frozen=True, slots=True)
class Stray:
    """A file or folder that nothing would ever read, and what to do about it."""

    name: str  # its path from the templates folder
    remedy: str


@dataclass(frozen=True, slots=True)
class Tree:
    """What a templates folder holds."""

    messages: dict[tuple[str, str], dict[str, frozenset[Piece]]] = field(default_factory=dict)
    pathways: tuple[str, ...] = ()  # folders under messages/
    activities: frozenset[tuple[str, str]] = frozenset()  # of (pathway, language)
    layouts: tuple[str, ...] = ()  # paths from the templates folder
    strays: tuple[Stray, ...] = ()

    def languages(self) -> frozenset[str]:
        """Every language that something is written in."""
        return frozenset(language for _, language in self.activities).union(*self.messages.values())


def read_tree(templates_dir: Path) -> Tree:
    """What lies in `templates_dir`. A missing folder holds nothing; names with a leading dot are ignored."""
    strays: list[Stray] = []
    messages: dict[tuple[str, str], dict[str, frozenset[Piece]]] = {}
    activities: set[tuple[str, str]] = set()
    pathways: list[str] = []
    for pathway in _visible(templates_dir / MESSAGES):
        if not pathway.is_dir():
            strays.append(_stray(templates_dir, pathway, "only folders named after a pathway belong here; move it"))
            continue
        pathways.append(pathway.name)
        for entry in _visible(pathway):
            if entry.is_dir():
                messages[pathway.name, entry.name] = _read_message(templates_dir, entry, strays)
            elif (language := _activities_language(entry)) is not None:
                activities.add((pathway.name, language))
            else:
                strays.append(_stray(templates_dir, entry, "only folders named after a message belong here; move it"))
    return Tree(
        messages=messages,
        pathways=tuple(pathways),
        activities=frozenset(activities),
        layouts=tuple(f"{LAYOUTS}/{layout.name}" for layout in _visible(templates_dir / LAYOUTS)),
        strays=tuple(strays),
    )


def _visible(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _stray(templates_dir: Path, path: Path, remedy: str) -> Stray:
    return Stray(path.relative_to(templates_dir).as_posix(), remedy)


def _activities_language(file: Path) -> str | None:
    name, _, rest = file.name.partition(".")
    language = rest.removesuffix(".yaml")
    is_one = name == "activities" and language != rest
    return language if is_one and normalise_language(language) == language else None


def _read_message(templates_dir: Path, folder: Path, strays: list[Stray]) -> dict[str, frozenset[Piece]]:
    found: dict[str, set[Piece]] = {}
    for file in _visible(folder):
        language, _, ending = file.name.partition(".")
        usual = normalise_language(language)
        if ending not in {piece.value for piece in pieces_of(folder.parent.name, folder.name)}:
            endings = ", ".join(f".{piece}" for piece in pieces_of(folder.parent.name, folder.name))
            strays.append(_stray(templates_dir, file, f"names here end in {endings}; rename or remove it"))
        elif usual != language:
            name = f"{usual or 'en'}.{ending}"
            strays.append(
                _stray(templates_dir, file, f"names here begin with a language tag; rename it, as in {name}")
            )
        else:
            found.setdefault(language, set()).add(Piece(ending))
    return {language: frozenset(pieces) for language, pieces in found.items()}
