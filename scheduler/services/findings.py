"""What is wrong with an installation: the thing, the place and the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Topic(StrEnum):
    """The part of the installation that a finding is about."""

    SETTINGS = "settings"
    CONTENT = "content"  # pathways, templates, tables
    DATABASE = "database"
    KEYS = "keys"
    DISK = "disk"
    CLOCK = "clock"
    WORKER = "worker"
    PLANNING = "planning"
    DELIVERY = "delivery"
    REPLIES = "replies"
    SENDER = "sender"
    UNKNOWN = "unknown"
    TASKS = "tasks"
    CLINIC = "clinic"
    PUBLIC_URL = "public_url"
    ZONES = "zones"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong. `is_doubt`: it may be meant so; it is said, and nothing fails for it."""

    topic: Topic
    what: str
    where: str
    remedy: str
    is_doubt: bool = False

    def __str__(self) -> str:
        end = "" if self.remedy.endswith((".", "?")) else "."
        return f"{self.where}: {self.what}. {self.remedy[:1].upper()}{self.remedy[1:]}{end}"

    @classmethod
    def from_sentence(
        cls, sentence: str, *, topic: Topic, where: str, remedy: str, is_doubt: bool = False
    ) -> Finding:
        """From one of our own sentences, "what is wrong; what to do". `remedy` is for one that does not say."""
        what, _, to_do = sentence.strip().partition("; ")
        what, to_do = (part if part.endswith("...") else part.removesuffix(".") for part in (what, to_do))
        return cls(topic=topic, what=what, where=where, remedy=to_do or remedy, is_doubt=is_doubt)
