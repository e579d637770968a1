"""A templates folder opened for checking: its files, its layouts, and every text a message can become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import TemplateError

from scheduler.catalogue.activities import read_activities
from scheduler.catalogue.content_rules import ContentRules
from scheduler.catalogue.message_uses import MessageUse
from scheduler.catalogue.samples import variants
from scheduler.catalogue.template_rules import (
    MAY_BE_EMPTY,
    Finding,
    blocks_of,
    html_findings,
    layout_findings,
    names_allowed,
    names_used,
    parse,
    text_findings,
    untranslated,
)
from scheduler.catalogue.template_tree import SERVICE, STOP_LINE, Piece, Tree, read_tree, source_name
from scheduler.catalogue.templates import TemplateLibrary
from scheduler.catalogue.text_checks import Texts, texts_of
from scheduler.catalogue.yaml_nodes import FaultLog
from scheduler.domain.faults import Fault
from scheduler.ports import MessageValues

STOP_LINE_USE = MessageUse(SERVICE, STOP_LINE, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateSet:
    """All that a check of one message needs."""

    library: TemplateLibrary
    tree: Tree
    rules: ContentRules
    layouts: Mapping[str, frozenset[str] | None]  # blocks by path; None when that cannot be told
    layouts_are_sound: bool  # an HTML mail is only tried when they are
    activities: Mapping[tuple[str, str], tuple[str, ...]]  # every activity's text, by pathway and language

    def has(self, use: MessageUse, language: str, piece: Piece) -> bool:
        """Whether the file exists."""
        return piece in self.tree.messages.get((use.pathway, use.name), {}).get(language, ())

    def texts(self, use: MessageUse, language: str, piece: Piece) -> Texts | list[Finding]:
        """Every text that one file can become, or what keeps it from becoming one. The file exists."""
        source = read_source(self.library.templates_dir, source_name(use.pathway, use.name, language, piece))
        if isinstance(source, Finding):
            return [source]
        tree = parse(self.library.environment, source)
        if isinstance(tree, Finding):
            return [tree]
        allowed = names_allowed(
            piece,
            routine=use.routine,
            tells_topic=use.tells_topic,
            has_words=use.has_words,
            tells_when=use.tells_when,
            tells_days=use.tells_days,
        )
        findings = html_findings(tree, allowed, self.layouts) if piece is Piece.HTML else text_findings(tree, allowed)
        if findings:
            return findings
        if piece is Piece.HTML and not self.layouts_are_sound:
            return []
        names = names_used(tree)
        if piece is Piece.HTML:
            # The layout asks for what may be empty; that each activity is sound is seen in the text.
            names = (names | MAY_BE_EMPTY) - {"activity"}
        return self._render(use, language, piece, source, names)

    def offers(self, pathway: str) -> bool:
        """Whether a message of the pathway has a place for what is offered in turn."""
        return any(
            isinstance(source := read_source(self.library.templates_dir, name), str)
            and not isinstance(tree := parse(self.library.environment, source), Finding)
            and "activity" in names_used(tree)
            for (of, message), languages in self.tree.messages.items()
            for language in languages
            if of == pathway
            for name in (source_name(pathway, message, language, Piece.SMS),)
        )

    def stop_line(self, language: str) -> str | None:
        """The stop line as rendered, or None where there is none that works."""
        found = self.texts(STOP_LINE_USE, language, Piece.SMS) if self.has(STOP_LINE_USE, language, Piece.SMS) else []
        return found.texts[0] if isinstance(found, Texts) else None

    def _render(
        self, use: MessageUse, language: str, piece: Piece, source: str, names: frozenset[str]
    ) -> Texts | list[Finding]:
        texts: dict[str, None] = {}
        offered = self.activities.get((use.pathway, language), ())
        topics = [*self.tree.pathways, "another"]  # a pathway that is added later
        for values in variants(names, offered, topics):
            try:
                text = self.library.piece(use.pathway, use.name, language, piece, values)
            except (TemplateError, TypeError) as error:
                return [Finding(0, f"cannot be filled in {_with(values)}: {error}; correct the condition")]
            if not text:
                return [Finding(0, f"comes out empty {_with(values)}; say something in every case")]
            texts[text] = None
        return texts_of(piece, source, tuple(texts))


def open_templates(templates_dir: Path, rules: ContentRules) -> tuple[TemplateSet, list[Fault]]:
    """The templates in `templates_dir`, and what is wrong with their layouts."""
    library = TemplateLibrary(templates_dir)
    tree = read_tree(templates_dir)
    layouts: dict[str, frozenset[str] | None] = {}
    faults: list[Fault] = []
    for layout in tree.layouts:
        blocks, findings = _read_layout(library, layout, tree)
        layouts[layout] = blocks
        faults.extend(located(findings, templates_dir, layout))
    opened = TemplateSet(
        library=library,
        tree=tree,
        rules=rules,
        layouts=layouts,
        layouts_are_sound=not faults,
        activities={key: _activity_texts(templates_dir, *key) for key in tree.activities},
    )
    return opened, faults


def located(findings: list[Finding], templates_dir: Path, name: str) -> list[Fault]:
    """The findings of one file as faults. `name` is its path from the templates folder."""
    return [Fault(f"{templates_dir.name}/{name}", finding.line, finding.message) for finding in findings]


def _read_layout(library: TemplateLibrary, layout: str, tree: Tree) -> tuple[frozenset[str] | None, list[Finding]]:
    source = read_source(library.templates_dir, layout)
    parsed = parse(library.environment, source) if isinstance(source, str) else source
    if isinstance(parsed, Finding):
        return None, [parsed]
    findings = layout_findings(parsed, names_allowed(None, routine=False))
    return blocks_of(parsed), findings + untranslated(parsed, tree.languages())


def read_source(templates_dir: Path, name: str) -> str | Finding:
    """The text of one file, or why it cannot be read."""
    try:
        data = (templates_dir / name).read_bytes()
    except OSError as error:
        return Finding(0, f"cannot be read ({error.strerror}); check who may read it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Finding(line, "is not UTF-8 text; save the file as UTF-8")


def _activity_texts(templates_dir: Path, pathway: str, language: str) -> tuple[str, ...]:
    groups = read_activities(templates_dir, pathway, language, FaultLog(""))
    return tuple(dict.fromkeys(activity.text for group in groups.values() for activity in group))


def _with(values: MessageValues) -> str:
    phone = "a" if values.clinic_phone else "no"
    page = "a" if values.page_url else "no"
    return f"(with count {values.count}, {phone} clinic phone, {page} page address)"
