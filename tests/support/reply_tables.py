"""The published tables of what patients write: tests/replies/<language>.yaml, read into rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scheduler.catalogue.pathway_files import load_pathways
from scheduler.catalogue.reply_words import load_reply_words
from scheduler.domain.pathway import Wait
from scheduler.domain.replies.dates import Until
from scheduler.domain.replies.interpret import Interpretation, OpenQuestion, interpret
from tests.support.config_folder import SHIPPED

TABLES = Path(__file__).parents[1] / "replies"
PATHWAYS = load_pathways(SHIPPED).pathways
WORDS = load_reply_words(SHIPPED, PATHWAYS).words


@dataclass(frozen=True, slots=True)
class Row:
    """One text of a table and what it shall come to, in the table's own words."""

    language: str
    group: str
    say: str
    asked: tuple[str, ...]
    expected: Mapping[str, Any]

    @property
    def means(self) -> str:
        return str(self.expected["means"])

    def questions(self) -> list[OpenQuestion]:
        return [question(name) for name in self.asked]

    def hear(self, text: str | None = None) -> Interpretation:
        """What the row's text, or another in its place, comes to."""
        said = self.say if text is None else text
        return interpret(said, self.questions(), WORDS, languages=(self.language, "en"))


def question(name: str) -> OpenQuestion:
    """The open question of `pathway.step`."""
    pathway, _, step = name.partition(".")
    asked = PATHWAYS[pathway].steps[step]
    return OpenQuestion(pathway=pathway, answers=asked.answers, takes_text=asked.free_text is not None)


def rows(language: str) -> Iterator[Row]:
    table = yaml.safe_load((TABLES / f"{language}.yaml").read_text(encoding="utf-8"))
    for group, utterances in table["utterances"].items():
        for entry in utterances:
            expected = {key: value for key, value in entry.items() if key not in ("say", "asked")}
            expected.setdefault("name", entry["say"].strip()) if expected["means"] == "supplement" else None
            yield Row(language, group, entry["say"], tuple(entry.get("asked", ())), expected)


def told(heard: Interpretation) -> dict[str, Any]:
    """An interpretation in the words of the tables; what is usual is left out."""
    meaning = heard.meaning.value
    idle = "reaction" if heard.is_reaction else "courtesy" if heard.is_courtesy else None
    all_of_it: dict[str, Any] = {
        "means": meaning,
        "answer": f"{heard.pathway}.{heard.answer or ''}" if heard.pathway else None,
        "kind": heard.answer if meaning == "referral" else None,
        "name": heard.text if meaning == "supplement" else None,
        "pause": _span(heard.pause),
        "at": heard.at.strftime("%H:%M") if heard.at else None,
        "days": [day.name.lower() for day in sorted(heard.weekdays)] or None,
        "topic": heard.topic,
        "danger": (heard.speaks_of_danger and meaning != "safety") or None,
        "which": list(heard.candidates) or None,
        "also": [f"{one.pathway}.{one.answer}" if one.pathway else one.meaning.value for one in heard.also] or None,
        "more": heard.has_more or None,
        "idle": idle,
    }
    return {key: value for key, value in all_of_it.items() if value is not None}


def _span(pause: Wait | Until | None) -> str | None:
    if pause is None:
        return None
    if isinstance(pause, Wait):
        return f"{pause.amount} {pause.unit}"
    if pause.weekday is not None:
        return f"until {pause.weekday.name.lower()}"
    return f"until {pause.month}/{pause.day}" if pause.month else f"until day {pause.day}"
