"""The shipped message texts for the tests of their words: what is sent, by which step, and what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from scheduler.catalogue.template_tree import (
    CONFIRM_NUMBER,
    FOR_WHOM,
    SERVICE,
    SERVICE_MESSAGES,
    STOP_LINE,
    Piece,
    source_name,
)
from scheduler.catalogue.templates import TemplateLibrary
from scheduler.ports import MessageValues

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
LANGUAGES = ("en", "es")
MAILS = (Piece.TEXT, Piece.HTML)
WORDY = (Piece.SMS, *MAILS)

CLINIC = "Harbor Neighbours Clinic"  # 24 characters: the longest name that the texts are written for
PHONE = "+1 202 555 0100"
UNSUBSCRIBE = "https://clinic.example/u/abc"

_COUNTS = (0, 1, 2, 7)
_WHENS = {  # the longest of each kind among them
    f"{SERVICE}/paused": ("", "2026-09-30"),
    f"{SERVICE}/time_set": ("", "09:00", "19:30"),
}
_DAYS = {f"{SERVICE}/days_set": ("", "sat", "mon tue wed thu fri sat sun")}
_LIBRARY = TemplateLibrary(TEMPLATES)

# What no patient may read, because others may read it too, or because it frightens, presses or promises.
NEVER = re.compile(
    r"multiple sclerosis|\bMS\b|osteopor|deficien|\bIU\b|\bmg\b|\bmcg\b|\bdose|\bdrug|\bpill|medicine"
    r"|medication|steroid|prednis|\bSSRI|\bresult|\blevel|you need (?:an?|the|this)\b|you must"
    r"|\bsafe\b|safely|guarantee|urgent|at once|right away|\brisk|danger|fractur|\bbreak a|disease|illness"
    r"|diagnos|push through|no pain"
    r"|esclerosis|\bEM\b|\bUI\b|\bdosis|medicamento|medicina|esteroide|\bresultado|\bnivel|usted necesita"
    r"|\bdebe\b|segur[oa]\b|garanti|urgente|de inmediato|riesgo|peligro|enfermedad|diagn[oó]stico|aguante",
    re.IGNORECASE,
)


@cache
def _pathway(name: str) -> dict[str, Any]:
    text = (ROOT / "config" / "pathways" / f"{name}.yaml").read_text("utf-8")
    document: dict[str, Any] = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - strings only, no Booleans
    return document


def _asked(step: dict[str, Any]) -> set[str]:
    """The messages after which this step waits for an answer."""
    own = {step[key] for key in ("send", "first", "on_sunday") if key in step}
    return own | {silence["send"] for silence in step.get("silence", ()) if "send" in silence}


def _said(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "say" in node:
            yield node["say"]
        for value in node.values():
            yield from _said(value)
    elif isinstance(node, list):
        for value in node:
            yield from _said(value)


def _messages() -> list[str]:
    found = {f"{SERVICE}/{name}" for name in SERVICE_MESSAGES if name not in (STOP_LINE, FOR_WHOM, CONFIRM_NUMBER)}
    for file in (ROOT / "config" / "pathways").glob("*.yaml"):
        pathway = _pathway(file.stem)
        found |= {f"{file.stem}/{said}" for said in _said(pathway)}
        found |= {f"{file.stem}/{asked}" for step in pathway["steps"].values() for asked in _asked(step)}
    return sorted(found)


MESSAGES = _messages()  # as `<pathway>/<message>`, all but what stands in others or is a text only
TEXTS = [*MESSAGES, f"{SERVICE}/{CONFIRM_NUMBER}"]
TOPICS = [file.stem for file in sorted((ROOT / "config" / "pathways").glob("*.yaml"))]


def steps_that_ask(message: str) -> list[dict[str, Any]]:
    """The steps that ask by `message` and then wait for an answer, as they stand in the YAML.

    A step that sends nothing has its question asked by what is said on the way into it.
    """
    pathway, _, name = message.partition("/")
    if pathway == SERVICE:
        return []
    steps = _pathway(pathway)["steps"]
    said = {action["go"] for step in steps.values() for action in _actions(step) if action.get("say") == name}
    silent = {step for step in said if "send" not in steps[step] and steps[step].get("answers")}
    return [step for key, step in steps.items() if name in _asked(step) or key in silent]


def _actions(step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (action for action in step.get("answers", {}).values() if "go" in action)


def digits_of(step: dict[str, Any]) -> set[str]:
    """The digits that answer `step`."""
    return {answer.split()[0] for answer in step.get("answers", {}) if answer[0].isdigit()}


def source_of(message: str, language: str, piece: Piece) -> str:
    """The template as written."""
    pathway, _, name = message.partition("/")
    return (TEMPLATES / source_name(pathway, name, language, piece)).read_text("utf-8")


@cache
def activities(language: str, pathway: str = "exercise") -> dict[str, list[tuple[str, str]]]:
    """(id, text) of every activity, by mobility or for everybody, in rotation order."""
    text = (TEMPLATES / "messages" / pathway / f"activities.{language}.yaml").read_text("utf-8")
    groups = yaml.safe_load(text)
    return {group: [next(iter(item.items())) for item in items] for group, items in groups.items()}


def activity_texts(language: str, pathway: str = "exercise") -> list[str]:
    """Every activity's text, of all mobilities."""
    return [text for items in activities(language, pathway).values() for _, text in items]


def values(
    *,
    activity: str = "",
    count: int = 3,
    clinic: str = CLINIC,
    phone: str = PHONE,
    name: str = "Ana",
    topic: str = "exercise",
    words: str = "We have moved.",
    when: str = "",
    days: str = "",
) -> MessageValues:
    """What a template is filled with here."""
    return MessageValues(
        clinic=clinic,
        clinic_phone=phone,
        first_name=name,
        page_url="",
        unsubscribe_url=UNSUBSCRIBE,
        activity=activity,
        count=count,
        topic=topic,
        words=words,
        when=when,
        days=days,
    )


def render(message: str, language: str, piece: Piece, filled: MessageValues) -> str:
    """One file of a message, as it goes out."""
    pathway, _, name = message.partition("/")
    text = _LIBRARY.piece(pathway, name, language, piece, filled)
    assert text is not None, f"{message}/{language}.{piece} is missing"
    return text


@cache
def every_rendering(message: str, language: str, piece: Piece) -> tuple[str, ...]:
    """The file with and without a phone, with each activity, count or topic it may be given; each outcome once."""
    source = source_of(message, language, piece)
    offered = activity_texts(language, message.partition("/")[0]) if "{{ activity }}" in source else [""]
    counts = _COUNTS if "count" in source else (3,)
    topics = [*TOPICS, "another"] if "topic" in source else [""]
    whens, days_of = _WHENS.get(message, ("",)), _DAYS.get(message, ("",))
    filled = (
        values(activity=activity, count=count, phone=phone, topic=topic, when=when, days=days)
        for phone, activity, count, topic, when, days in product(("", PHONE), offered, counts, topics, whens, days_of)
    )
    return tuple(dict.fromkeys(render(message, language, piece, one) for one in filled))


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


@cache
def seen(text: str, piece: Piece) -> str:
    """What a reader sees of a rendered piece: of HTML the words, a paragraph for each element."""
    if piece is not Piece.HTML:
        return text
    parser = _Words()
    parser.feed(re.sub(r"</?(?:strong|a)\b[^>]*>", "", text))
    return "\n\n".join(part.strip() for part in parser.parts if part.strip())


def capitals(text: str) -> set[str]:
    """The words in capitals, which are the words that a reply may have."""
    return set(re.findall(r"\b[A-ZÁÉÍÓÚÑ]{2,}\b", text))
