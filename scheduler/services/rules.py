"""What the clinicians wrote, loaded and checked: pathways, kinds of task, words of reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from scheduler.domain.holidays import HolidayCalendar
from scheduler.domain.pathway import Pathway
from scheduler.domain.replies.words import ReplyWords
from scheduler.domain.tasks import TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The approved content that every service works by. Without faults, or it would not have been made."""

    pathways: Mapping[str, Pathway]
    off_by_default: frozenset[str] = frozenset()  # pathways that only a clinic's own list of pathways enrols in
    task_kinds: Mapping[str, TaskKind]
    reply_words: Mapping[str, ReplyWords] = field(default_factory=dict)  # by language
    holidays: Mapping[str, HolidayCalendar] = field(default_factory=dict)  # by the name that clinics choose them by

    @property
    def versions(self) -> dict[str, str]:
        """The version of each pathway."""
        return {name: pathway.version for name, pathway in self.pathways.items()}
