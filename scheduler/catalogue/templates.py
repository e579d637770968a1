"""Message templates, rendered: the renderer behind `ports.Renderer`.

A template is read and compiled when it is first needed, and kept for the life of the process; an edited file
takes effect at the next start. `template_rules` says what a template may contain; `template_faults` checks.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from pathlib import Path

from jinja2 import (
    BaseLoader,
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateNotFound,
    select_autoescape,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from scheduler.catalogue.activities import read_activities
from scheduler.catalogue.template_rules import names_used
from scheduler.catalogue.template_tree import (
    LAYOUTS,
    SERVICE,
    STOP_LINE,
    Piece,
    activities_name,
    source_name,
)
from scheduler.catalogue.when_words import said_days, said_when
from scheduler.catalogue.yaml_nodes import FaultLog
from scheduler.domain.people import Mobility
from scheduler.domain.sms import segments, to_gsm7_lookalikes
from scheduler.ports import MessageValues, RenderedEmail, RenderedSms

_MOST_TEXTS = 10_000  # kept in memory
_DIGEST_LENGTH = 12  # hexadecimal digits; enough to tell the versions of one file apart

VALUE_NAMES = tuple(field.name for field in fields(MessageValues))
_values_of = attrgetter(*VALUE_NAMES)

_TRAILING_SPACE = re.compile(r"[^\S\n]+$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n{3,}")


class TemplateMissingError(LookupError):
    """No language that was asked for has the message on this channel."""


def template_environment(loader: BaseLoader) -> ImmutableSandboxedEnvironment:
    """Jinja2 as message templates see it: no globals, no undefined names, escaping in `.html` only.

    The rules allow no attributes or calls; the sandbox holds for a template that was never checked.
    """
    environment = ImmutableSandboxedEnvironment(
        loader=loader,
        undefined=StrictUndefined,
        autoescape=select_autoescape(("html",)),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.clear()
    return environment


def template_context(values: MessageValues, language: str, templates_dir: Path) -> dict[str, object]:
    """What a template may name: the fields of `values`, and `language`, the one it is written in."""
    context: dict[str, object] = dict(zip(VALUE_NAMES, _values_of(values), strict=True))
    context["language"] = language
    context["when"] = said_when(values.when, language, templates_dir) if values.when else ""
    context["days"] = said_days(values.days, language, templates_dir) if values.days else ""
    return context


def one_line(text: str) -> str:
    """`text` with every run of white space made one space: it cannot break a header or cost a segment."""
    return " ".join(text.split())


def paragraphs(text: str) -> str:
    """`text` without space at line ends, and with one empty line between paragraphs."""
    return _BLANK_LINES.sub("\n\n", _TRAILING_SPACE.sub("", text)).strip()


_TIDY: dict[Piece, Callable[[str], str]] = {
    Piece.SMS: one_line,
    Piece.SUBJECT: one_line,
    Piece.TEXT: paragraphs,
    Piece.HTML: str.strip,
}


class _Compiled:
    """One template file, ready to run."""

    __slots__ = ("_template", "_tidy", "digest", "names")

    def __init__(self, template: Template, piece: Piece, digest: str, names: frozenset[str]) -> None:
        self.names = names
        self._template = template
        self._tidy = _TIDY[piece]
        self.digest = digest

    def render(self, context: Mapping[str, object]) -> str:
        return self._tidy(self._template.render(context))


class TemplateLibrary:
    """The templates under `templates_dir`. Implements `ports.Renderer`; safe to share between threads."""

    def __init__(self, templates_dir: Path) -> None:
        self.templates_dir = templates_dir
        self._loader = FileSystemLoader(templates_dir, encoding="utf-8-sig")
        self.environment = template_environment(self._loader)
        self._compiled: dict[tuple[str, str, str, Piece], _Compiled | None] = {}
        self._activities: dict[tuple[str, Mobility, str], tuple[str, ...]] = {}
        self._layouts_digest: str | None = None
        self._used_names: dict[tuple[str, str, tuple[str, ...], bool], Sequence[str]] = {}
        self._texts: dict[tuple[object, ...], RenderedSms] = {}

    def sms(
        self,
        pathway: str,
        template: str,
        languages: tuple[str, ...],
        values: MessageValues,
        *,
        stop_line: bool,
    ) -> RenderedSms:
        """The text in the first of `languages` that has one, with the stop line of that language behind it.

        A template that comes out blank counts as missing. Typographic characters become their GSM-7
        look-alikes. Raises `TemplateMissingError` when no language has the text, or a stop line asked for.
        """
        names = self._names(pathway, template, languages, stop_line=stop_line)
        key = (pathway, template, languages, stop_line, *[getattr(values, name) for name in names])
        text = self._texts.get(key)
        if text is None:
            text = self._render_sms(pathway, template, languages, values, stop_line=stop_line)
            if len(self._texts) >= _MOST_TEXTS:
                self._texts.clear()
            self._texts[key] = text
        return text

    def _render_sms(
        self,
        pathway: str,
        template: str,
        languages: tuple[str, ...],
        values: MessageValues,
        *,
        stop_line: bool,
    ) -> RenderedSms:
        for language in languages:
            found = self._find(pathway, template, language, Piece.SMS)
            if found is None:
                continue
            self._check_offer(pathway, found, languages, values)
            body = found.render(template_context(values, language, self.templates_dir))
            if not body:
                continue
            version = found.digest
            if stop_line:
                ending, ending_digest = self._stop_line((language, *languages), values)
                body, version = f"{body} {ending}", _joint_digest(version, ending_digest)
            body = to_gsm7_lookalikes(body)
            return RenderedSms(
                body=body, language=language, segments=segments(body).segments, template_version=version
            )
        raise self._missing(pathway, template, languages, Piece.SMS)

    def email(self, pathway: str, template: str, languages: tuple[str, ...], values: MessageValues) -> RenderedEmail:
        """The mail in the first of `languages` that has subject, text and HTML, none of them blank.

        Raises `TemplateMissingError` when no language has all three.
        """
        for language in languages:
            subject = self._find(pathway, template, language, Piece.SUBJECT)
            text = self._find(pathway, template, language, Piece.TEXT)
            html = self._find(pathway, template, language, Piece.HTML)
            if subject is None or text is None or html is None:
                continue
            self._check_offer(pathway, text, languages, values)
            context = template_context(values, language, self.templates_dir)
            rendered = RenderedEmail(
                subject=subject.render(context),
                text=text.render(context),
                html=html.render(context),
                language=language,
                template_version=_joint_digest(subject.digest, text.digest, html.digest),
            )
            if rendered.subject and rendered.text and rendered.html:
                return rendered
        raise self._missing(pathway, template, languages, Piece.TEXT)

    def activities(self, pathway: str, mobility: Mobility, languages: tuple[str, ...]) -> tuple[str, ...]:
        """What `pathway` offers in turn for `mobility`, in the first of `languages` that has some; often nothing."""
        for language in languages:
            if (pathway, mobility, language) not in self._activities:
                self._read_activities(pathway, language)
            if found := self._activities[pathway, mobility, language]:
                return found
        return ()

    def piece(self, pathway: str, message: str, language: str, piece: Piece, values: MessageValues) -> str | None:
        """One file of a message as rendered, without fallback; None when there is no such file.

        Raises `jinja2.TemplateError` when the file is no valid template, `UnicodeError` when not UTF-8.
        """
        found = self._find(pathway, message, language, piece)
        return None if found is None else found.render(template_context(values, language, self.templates_dir))

    def _names(self, pathway: str, template: str, languages: tuple[str, ...], *, stop_line: bool) -> Sequence[str]:
        """The values that a text may depend on: most name neither the patient nor anything of theirs."""
        key = (pathway, template, languages, stop_line)
        names = self._used_names.get(key)
        if names is None:
            wanted = [(pathway, template), *([(SERVICE, STOP_LINE)] if stop_line else [])]
            found = [self._find(*each, language, Piece.SMS) for each in wanted for language in languages]
            used = frozenset[str]().union(*(compiled.names for compiled in found if compiled is not None))
            names = self._used_names[key] = [name for name in VALUE_NAMES if name in used]
        return names

    def _stop_line(self, languages: tuple[str, ...], values: MessageValues) -> tuple[str, str]:
        """The stop line in the first of `languages` that has one: better in another than not at all."""
        for language in languages:
            found = self._find(SERVICE, STOP_LINE, language, Piece.SMS)
            if found is not None and (text := found.render(template_context(values, language, self.templates_dir))):
                return text, found.digest
        raise self._missing(SERVICE, STOP_LINE, languages, Piece.SMS)

    def _find(self, pathway: str, message: str, language: str, piece: Piece) -> _Compiled | None:
        key = (pathway, message, language, piece)
        try:
            return self._compiled[key]
        except KeyError:
            compiled = self._compiled[key] = self._compile(source_name(pathway, message, language, piece), piece)
            return compiled

    def _compile(self, name: str, piece: Piece) -> _Compiled | None:
        environment = self.environment
        try:
            source, filename, _ = self._loader.get_source(environment, name)
        except TemplateNotFound:
            return None
        tree = environment.parse(source, name, filename)
        template = Template.from_code(environment, environment.compile(tree, name, filename), environment.globals)
        digest = _digest(source, self._layouts()) if piece is Piece.HTML else _digest(source)
        # A layout is written by us alone and for mail; what a mail depends on is not asked for.
        return _Compiled(template, piece, digest, names_used(tree))

    def _layouts(self) -> str:
        if self._layouts_digest is None:
            layouts = sorted((self.templates_dir / LAYOUTS).glob("*.html"))
            self._layouts_digest = _digest(*(layout.read_text("utf-8-sig") for layout in layouts))
        return self._layouts_digest

    def _read_activities(self, pathway: str, language: str) -> None:
        name = activities_name(pathway, language)
        is_there = (self.templates_dir / name).exists()
        groups = read_activities(self.templates_dir, pathway, language, FaultLog(name)) if is_there else {}
        for mobility in Mobility:
            texts = tuple(activity.text for activity in groups.get(mobility, ()))
            self._activities[pathway, mobility, language] = texts

    def _check_offer(self, pathway: str, found: _Compiled, languages: tuple[str, ...], values: MessageValues) -> None:
        """A text with a place for what is offered in turn must not go without."""
        if "activity" in found.names and not values.activity:
            file = self.templates_dir / activities_name(pathway, languages[-1])
            tried = ", ".join(dict.fromkeys(languages))
            raise TemplateMissingError(f"{pathway} has no activities that fit in {tried}; write them in {file}")

    def _missing(self, pathway: str, message: str, languages: tuple[str, ...], piece: Piece) -> TemplateMissingError:
        file = self.templates_dir / source_name(pathway, message, languages[-1], piece)
        tried = ", ".join(dict.fromkeys(languages))
        return TemplateMissingError(f"message {pathway}/{message} is missing or blank in {tried}; write {file}")


def _digest(*sources: str) -> str:
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()[:_DIGEST_LENGTH]


_joint_digest = lru_cache(maxsize=4096)(_digest)
