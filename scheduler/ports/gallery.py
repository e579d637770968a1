"""All messages as patients get them, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from scheduler.ports.rendering import TemplatePreview


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A message in one language, with sample values. What is not written yet is None, unless it is not wanted."""

    language: str
    sms: TemplatePreview | None
    mail: TemplatePreview | None
    has_mail: bool = True  # there is to be a mail

    @property
    def is_missing(self) -> bool:
        """Whether something of it is not written yet."""
        return self.sms is None or (self.has_mail and self.mail is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMessage:
    """A message in every language. `places` say what uses it: "step ask", "answer talked of step ask"."""

    pathway: str
    name: str
    places: tuple[str, ...]
    versions: tuple[Written, ...]


class Gallery(Protocol):
    """Reads and measures each pathway's messages once, when they are first asked for."""

    @property
    def languages(self) -> Sequence[tuple[str, str]]:
        """The languages that anything is written in, English first: the tag and its name in English."""
        ...

    @property
    def folders(self) -> Sequence[str]:
        """The pathways by priority, and last what belongs to none."""
        ...

    def messages(self, pathway: str) -> Sequence[ShownMessage]:
        """The messages of one of the `folders`, in the order in which its file names them; empty for any other."""
        ...
