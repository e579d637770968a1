"""The templates, opened at the first message: what has nothing to send does not wait for a template engine."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from scheduler.domain.people import Mobility
from scheduler.ports import MessageValues, RenderedEmail, RenderedSms

if TYPE_CHECKING:
    from scheduler.catalogue.templates import TemplateLibrary


class DeferredTemplates:
    """A `TemplateLibrary` that is made when it is first asked. Implements `ports.Renderer`."""

    def __init__(self, templates_dir: Path) -> None:
        self._templates_dir = templates_dir

    @cached_property
    def _library(self) -> TemplateLibrary:
        from scheduler.catalogue.templates import TemplateLibrary

        return TemplateLibrary(self._templates_dir)

    def sms(
        self,
        pathway: str,
        template: str,
        languages: tuple[str, ...],
        values: MessageValues,
        *,
        stop_line: bool,
    ) -> RenderedSms:
        """The text; see `TemplateLibrary.sms`."""
        return self._library.sms(pathway, template, languages, values, stop_line=stop_line)

    def email(self, pathway: str, template: str, languages: tuple[str, ...], values: MessageValues) -> RenderedEmail:
        """The mail; see `TemplateLibrary.email`."""
        return self._library.email(pathway, template, languages, values)

    def activities(self, pathway: str, mobility: Mobility, languages: tuple[str, ...]) -> tuple[str, ...]:
        """The activities; see `TemplateLibrary.activities`."""
        return self._library.activities(pathway, mobility, languages)
