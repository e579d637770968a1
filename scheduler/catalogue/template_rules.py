"""What a message template may contain: names, simple ifs, and in HTML one layout with blocks.

Staff edit these files. Whatever goes beyond is refused with its line: it could fail on a patient it was
not tried with, and because nobody can read it aloud.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from jinja2 import Environment, TemplateSyntaxError, nodes

from scheduler.catalogue.template_tree import LAYOUTS, Piece
from scheduler.catalogue.yaml_nodes import did_you_mean
from scheduler.domain.languages import DEFAULT_LANGUAGE, base_language

REMEDY = "use only {{ name }} and {% if name %} … {% else %} … {% endif %}"

_EVERYWHERE = ("clinic", "clinic_phone", "page_url", "language", "for_whom", "choices")
_MAIL_ONLY = ("first_name", "unsubscribe_url")  # a text names no one, and is stopped by a reply
_ROUTINE_ONLY = ("activity", "count")
_TOPIC_ONLY = ("topic",)
_WORDS_ONLY = ("words",)
_WHEN_ONLY = ("when",)
_DAYS_ONLY = ("days",)
MAY_BE_EMPTY = frozenset({"clinic_phone", "page_url", "when", "days"})

_NodeTypes = tuple[type[nodes.Node], ...]

_TEXT_NODES: _NodeTypes = (
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.If,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Const,
)
_HTML_NODES: _NodeTypes = (*_TEXT_NODES, nodes.Extends, nodes.Block)
_LAYOUT_NODES: _NodeTypes = (*_TEXT_NODES, nodes.Block)

# How people would call what they wrote; anything else is "this expression".
_SPOKEN: Mapping[type[nodes.Node], str] = {
    nodes.For: "a loop",
    nodes.Filter: "a filter (|)",
    nodes.FilterBlock: "a filter block",
    nodes.Call: "a call",
    nodes.CallBlock: "a call block",
    nodes.Getattr: "an attribute (a dot behind a name)",
    nodes.Getitem: "an index ([ ])",
    nodes.Macro: "a macro",
    nodes.Assign: "{% set %}",
    nodes.AssignBlock: "{% set %}",
    nodes.With: "{% with %}",
    nodes.Include: "{% include %}",
    nodes.Import: "{% import %}",
    nodes.FromImport: "{% from … import %}",
    nodes.Extends: "{% extends %}",
    nodes.Block: "{% block %}",
    nodes.CondExpr: "an if inside {{ }}",
    nodes.Test: "a test with 'is'",
    nodes.Concat: "joining with ~",
    nodes.Scope: "{% autoescape %}",
}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something wrong in one file."""

    line: int
    message: str


def names_allowed(
    piece: Piece | None,
    *,
    routine: bool,
    tells_topic: bool = False,
    has_words: bool = False,
    tells_when: bool = False,
    tells_days: bool = False,
) -> tuple[str, ...]:
    """The names a template may use. `piece` is None for a layout; `routine`: a pathway of activities."""
    mail = () if piece is Piece.SMS else _MAIL_ONLY
    own = (
        *(_TOPIC_ONLY if tells_topic else ()),
        *(_WORDS_ONLY if has_words else ()),
        *(_WHEN_ONLY if tells_when else ()),
        *(_DAYS_ONLY if tells_days else ()),
    )
    return (*_EVERYWHERE, *mail, *(_ROUTINE_ONLY if routine else ()), *own)


def parse(environment: Environment, source: str) -> nodes.Template | Finding:
    """The syntax tree of `source`, or what is wrong with its syntax."""
    try:
        return environment.parse(source)
    except TemplateSyntaxError as error:
        return Finding(error.lineno, f"is no valid template: {error.message}; {REMEDY}")


def names_used(tree: nodes.Template) -> frozenset[str]:
    """Every name the template mentions, in output or in a condition."""
    return frozenset(name.name for name in tree.find_all(nodes.Name))


def blocks_of(tree: nodes.Template) -> frozenset[str]:
    """The names of the blocks in a template or layout."""
    return frozenset(block.name for block in tree.find_all(nodes.Block))


def untranslated(layout: nodes.Template, languages: Collection[str]) -> list[Finding]:
    """The `languages` for which a layout that chooses its words by language has none."""
    chosen = {
        operand.expr.value: compare.lineno
        for compare in layout.find_all(nodes.Compare)
        if isinstance(compare.expr, nodes.Name) and compare.expr.name == "language"
        for operand in compare.ops
        if isinstance(operand.expr, nodes.Const)
    }
    if not chosen:
        return []
    return [
        Finding(min(chosen.values()), f'has no words for {language}; add {{% elif language == "{language}" %}}')
        for language in sorted(languages)
        if language not in chosen and base_language(language) != DEFAULT_LANGUAGE
    ]


def text_findings(tree: nodes.Template, names: Collection[str]) -> list[Finding]:
    """What breaks the rules in a text or subject; `names` are those it may use."""
    return sorted(_Walk(_TEXT_NODES, names).children(tree, frozenset()))


def layout_findings(tree: nodes.Template, names: Collection[str]) -> list[Finding]:
    """What breaks the rules in a layout."""
    return sorted(_Walk(_LAYOUT_NODES, names).children(tree, frozenset()))


def html_findings(
    tree: nodes.Template, names: Collection[str], layouts: Mapping[str, Collection[str] | None]
) -> list[Finding]:
    """What breaks the rules in an HTML mail; `layouts` gives blocks by path, None for a broken layout."""
    found = list(_Walk(_HTML_NODES, names).children(tree, frozenset()))
    extends = list(tree.find_all(nodes.Extends))
    if len(extends) > 1:
        found.append(Finding(extends[1].lineno, "a mail has one layout; remove this second {% extends %}"))
    if extends:
        found.extend(_extends_findings(tree, extends[0], layouts))
    return sorted(found)


def _extends_findings(
    tree: nodes.Template, extends: nodes.Extends, layouts: Mapping[str, Collection[str] | None]
) -> Iterator[Finding]:
    layout = str(extends.template.value) if isinstance(extends.template, nodes.Const) else ""
    if layout not in layouts:
        known = ", ".join(f'"{name}"' for name in sorted(layouts)) or f"none; create {LAYOUTS}/email.html"
        yield Finding(extends.lineno, f"this layout does not exist; layouts are {known}")
        return
    blocks = layouts[layout]
    for block in tree.find_all(nodes.Block):
        if blocks is not None and block.name not in blocks:
            known = ", ".join(sorted(blocks)) or "none"
            yield Finding(block.lineno, f"{layout} has no block '{block.name}'; its blocks are {known}")
    for node in tree.body:
        if not isinstance(node, nodes.Extends | nodes.Block) and not _is_blank(node):
            yield Finding(_shown_line(node), "this stands outside every block and is never shown; move it into one")


def _is_blank(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Output) and all(
        isinstance(part, nodes.TemplateData) and not part.data.strip() for part in node.nodes
    )


def _shown_line(node: nodes.Node) -> int:
    """The line of the first visible character; Jinja counts an output from the white space before it."""
    first = node.nodes[0] if isinstance(node, nodes.Output) else None
    if isinstance(first, nodes.TemplateData):
        blank = first.data[: len(first.data) - len(first.data.lstrip())]
        return first.lineno + blank.count("\n")
    return node.lineno


class _Walk:
    """Goes through a template; `guards` are the names that some {% if %} around the place has asked for."""

    def __init__(self, allowed: _NodeTypes, names: Collection[str]) -> None:
        self._allowed = allowed
        self._names = names

    def children(self, node: nodes.Node, guards: frozenset[str]) -> Iterator[Finding]:
        for child in node.iter_child_nodes():
            yield from self._visit(child, guards)

    def _visit(self, node: nodes.Node, guards: frozenset[str]) -> Iterator[Finding]:
        if not isinstance(node, self._allowed):
            what = _SPOKEN.get(type(node), "this expression")
            yield Finding(_line(node), f"{what} is not allowed here; {REMEDY}")
            return
        if isinstance(node, nodes.Name):
            yield from self._name(node)
        elif isinstance(node, nodes.Compare):
            yield from self._compare(node)
        elif isinstance(node, nodes.Output):
            yield from self._output(node, guards)
        elif isinstance(node, nodes.If):
            guards |= {name.name for name in node.test.find_all(nodes.Name)} | _own_name(node.test)
        yield from self.children(node, guards)

    def _name(self, node: nodes.Name) -> Iterator[Finding]:
        if node.name not in self._names:
            hint = did_you_mean(node.name, tuple(self._names))
            known = ", ".join(sorted(self._names))
            yield Finding(node.lineno, f"'{node.name}' is no name that can stand here: {known}{hint}")

    def _compare(self, node: nodes.Compare) -> Iterator[Finding]:
        if not all(isinstance(operand.expr, nodes.Const) for operand in node.ops):
            yield Finding(node.lineno, "compare a name with a fixed number or text, as in {% if count == 1 %}")

    def _output(self, node: nodes.Output, guards: frozenset[str]) -> Iterator[Finding]:
        for part in node.nodes:
            if isinstance(part, nodes.Name) and part.name in MAY_BE_EMPTY - guards:
                yield Finding(
                    part.lineno,
                    f"'{part.name}' may be empty; put what speaks of it between "
                    f"{{% if {part.name} %}} and {{% endif %}}",
                )


def _line(node: nodes.Node) -> int:
    """The line of a node; Jinja gives some only to what is inside."""
    inside = (child.lineno for child in node.find_all(nodes.Node))
    return next((line for line in (node.lineno, *inside) if line), 0)


def _own_name(test: nodes.Node) -> frozenset[str]:
    """`find_all` looks below a node only; a bare name is its own."""
    return frozenset({test.name}) if isinstance(test, nodes.Name) else frozenset()
