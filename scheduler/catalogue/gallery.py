"""The messages of each pathway in all languages, measured; behind `ports.gallery.Gallery`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock

from babel import Locale, UnknownLocaleError

from scheduler.catalogue.content_rules import read_content_rules
from scheduler.catalogue.message_uses import MessageUse, message_uses
from scheduler.catalogue.preview import written_in
from scheduler.catalogue.template_set import TemplateSet, open_templates
from scheduler.catalogue.template_tree import SERVICE, Piece, pieces_of
from scheduler.domain.languages import DEFAULT_LANGUAGE
from scheduler.domain.pathway import Pathway
from scheduler.domain.people import Channel
from scheduler.ports.gallery import ShownMessage, Written


class TemplateGallery:
    """The templates under `templates_dir`, as the pathways use them. Safe to share between threads."""

    def __init__(self, templates_dir: Path, config_dir: Path, pathways: Mapping[str, Pathway]) -> None:
        self._templates_dir = templates_dir
        self._config_dir = config_dir
        self._pathways = pathways
        self._shown: dict[str, tuple[ShownMessage, ...]] = {}
        self._lock = Lock()

    @cached_property
    def _opened(self) -> TemplateSet:
        return open_templates(self._templates_dir, read_content_rules(self._config_dir)[0])[0]

    @cached_property
    def languages(self) -> Sequence[tuple[str, str]]:
        """The languages that anything is written in, English first: the tag and its name in English."""
        tags = sorted(self._opened.tree.languages(), key=lambda tag: (tag != DEFAULT_LANGUAGE, tag))
        return tuple((tag, _name(tag)) for tag in tags)

    @cached_property
    def folders(self) -> Sequence[str]:
        """The pathways by priority, and last what belongs to none."""
        by_priority = sorted(self._pathways.values(), key=lambda pathway: pathway.priority)
        return (*(pathway.name for pathway in by_priority), SERVICE)

    def messages(self, pathway: str) -> Sequence[ShownMessage]:
        """The messages of one of the `folders`, in the order in which its file names them; empty for any other."""
        with self._lock:
            if pathway not in self._shown and pathway in self.folders:
                uses = [use for use in message_uses(self._pathways) if use.pathway == pathway]
                self._shown[pathway] = tuple(self._message(use) for use in uses)
            return self._shown.get(pathway, ())

    def _message(self, use: MessageUse) -> ShownMessage:
        return ShownMessage(
            pathway=use.pathway,
            name=use.name,
            places=use.places,
            versions=tuple(self._written(use, tag) for tag, _ in self.languages),
        )

    def _written(self, use: MessageUse, language: str) -> Written:
        found = {one.channel: one for one in written_in(self._opened, use, language)}
        return Written(
            language=language,
            sms=found.get(Channel.SMS),
            mail=found.get(Channel.EMAIL),
            has_mail=Piece.TEXT in pieces_of(use.pathway, use.name),
        )


def _name(tag: str) -> str:
    try:
        return Locale.parse(tag, sep="-").english_name or tag
    except (UnknownLocaleError, ValueError):
        return tag
