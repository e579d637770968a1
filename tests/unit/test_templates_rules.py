"""What a template may contain: names, simple ifs, and in HTML one layout with blocks."""

from __future__ import annotations

import pytest
from jinja2 import DictLoader, nodes

from scheduler.catalogue.template_rules import (
    Finding,
    html_findings,
    layout_findings,
    names_allowed,
    names_used,
    parse,
    text_findings,
    untranslated,
)
from scheduler.catalogue.template_tree import Piece
from scheduler.catalogue.templates import template_environment

NAMES = ("clinic", "clinic_phone", "count", "language")
LAYOUTS = {"layouts/email.html": frozenset({"body"}), "layouts/broken.html": None}
ENVIRONMENT = template_environment(DictLoader({}))


def tree(source: str) -> nodes.Template:
    parsed = parse(ENVIRONMENT, source)
    assert isinstance(parsed, nodes.Template), parsed
    return parsed


def text(source: str) -> list[Finding]:
    return text_findings(tree(source), NAMES)


def html(source: str) -> list[Finding]:
    return html_findings(tree(source), NAMES, LAYOUTS)


@pytest.mark.parametrize(
    "source",
    [
        "{{ clinic }}: Hello.{# a remark #}",
        "{% if clinic_phone %}Call {{ clinic_phone }}.{% endif %}",
        "{% if clinic_phone != '' %}Call {{ clinic_phone }}.{% endif %}",
        "{% if count == 0 %}a{% elif count == 1 %}b{% else %}{{ count }}{% endif %}",
        "{% if count > 1 and not clinic_phone or count < 9 %}a{% endif %}",
        "{% if count %}{% if clinic_phone %}{{ clinic_phone }}{% endif %}{% endif %}",
    ],
)
def test_names_and_simple_ifs_are_allowed(source: str) -> None:
    assert text(source) == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("{% for x in clinic %}x{% endfor %}", "a loop"),
        ("{{ clinic | upper }}", "a filter (|)"),
        ("{% filter upper %}x{% endfilter %}", "a filter block"),
        ("{{ clinic() }}", "a call"),
        ("{{ clinic.__class__ }}", "an attribute (a dot behind a name)"),
        ("{{ clinic['x'] }}", "an index ([ ])"),
        ("{% macro m() %}x{% endmacro %}", "a macro"),
        ("{% set x = 1 %}", "{% set %}"),
        ("{% set x %}1{% endset %}", "{% set %}"),
        ("{% with %}{% endwith %}", "{% with %}"),
        ("{% include 'x' %}", "{% include %}"),
        ("{% import 'x' as x %}", "{% import %}"),
        ("{% from 'x' import y %}", "{% from … import %}"),
        ("{% extends 'layouts/email.html' %}", "{% extends %}"),
        ("{% block x %}{% endblock %}", "{% block %}"),
        ("{{ 'a' if count else 'b' }}", "an if inside {{ }}"),
        ("{% if clinic is defined %}{% endif %}", "a test with 'is'"),
        ("{{ clinic ~ count }}", "joining with ~"),
        ("{% autoescape false %}{{ clinic }}{% endautoescape %}", "{% autoescape %}"),
        ("{{ count + 1 }}", "this expression"),
        ("{{ [count] }}", "this expression"),
        ("{% call clinic() %}{% endcall %}", "a call block"),
    ],
)
def test_anything_more_is_named_with_its_line_and_what_to_use_instead(source: str, what: str) -> None:
    first = text(f"{{{{ clinic }}}}\n\n{source}")[0]
    assert first.line == 3
    assert first.message.startswith(f"{what} is not allowed here; use only {{{{ name }}}} and {{% if name %}}")


def test_an_unknown_name_is_told_which_names_there_are() -> None:
    (found,) = text("Hello\n{{ clinc }}")
    assert found == Finding(
        2,
        "'clinc' is no name that can stand here: clinic, clinic_phone, count, language; did you mean 'clinic'?",
    )


@pytest.mark.parametrize("name", ["range", "self", "loop", "cycler", "namespace"])
def test_the_names_that_jinja_brings_along_are_unknown_too(name: str) -> None:
    assert "is no name that can stand here" in text(f"{{{{ {name} }}}}")[0].message


def test_a_name_that_may_be_empty_stands_inside_an_if_about_it() -> None:
    (found,) = text("{% if count %}Call {{ clinic_phone }}.{% endif %}")
    assert found.message.startswith(
        "'clinic_phone' may be empty; put what speaks of it between {% if clinic_phone %}"
    )


def test_a_comparison_is_with_a_fixed_value() -> None:
    (found,) = text("{% if count == clinic %}x{% endif %}")
    assert found.message.startswith("compare a name with a fixed number or text")


@pytest.mark.parametrize(("source", "line"), [("a\n{{ clinic", 2), ("a\nb\n{% if clinic %}", 3), ("{% fi %}", 1)])
def test_a_syntax_error_has_its_line(source: str, line: int) -> None:
    found = parse(ENVIRONMENT, source)
    assert isinstance(found, Finding)
    assert found.line == line
    assert found.message.startswith("is no valid template: ")


def test_an_html_mail_fills_the_blocks_of_a_layout() -> None:
    assert html('{% extends "layouts/email.html" %}\n{% block body %}{{ clinic }}{% endblock %}\n') == []


@pytest.mark.parametrize(
    ("source", "line", "problem"),
    [
        (
            "\n{% extends 'layouts/mail.html' %}",
            2,
            'does not exist; layouts are "layouts/broken.html", "layouts/em',
        ),
        ("{% extends clinic %}", 1, "this layout does not exist"),
        (
            "{% extends 'layouts/email.html' %}{% block boy %}{% endblock %}",
            1,
            "has no block 'boy'; its blocks are body",
        ),
        ("{% extends 'layouts/email.html' %}\n\n Lost.", 3, "stands outside every block and is never shown"),
        ("{% extends 'layouts/email.html' %}\n{{ clinic }}", 2, "stands outside every block"),
        (
            "{% extends 'layouts/email.html' %}\n{% extends 'layouts/email.html' %}",
            2,
            "remove this second {% extends %}",
        ),
        (
            "{% extends 'layouts/email.html' %}{% block body %}{{ super() }}{% endblock %}",
            1,
            "a call is not allowed",
        ),
    ],
)
def test_what_html_does_wrong_with_its_layout_is_named(source: str, line: int, problem: str) -> None:
    found = html(source)[0]
    assert (found.line, problem in found.message) == (line, True), found


def test_the_blocks_of_a_broken_layout_are_not_guessed_at() -> None:
    assert html("{% extends 'layouts/broken.html' %}{% block x %}{% endblock %}") == []


def test_a_layout_has_blocks_but_no_layout_of_its_own() -> None:
    assert layout_findings(tree("<p>{% block body %}{% endblock %}</p>"), NAMES) == []
    assert len(layout_findings(tree("{% extends 'layouts/email.html' %}"), NAMES)) == 1


def test_a_layout_without_words_by_language_serves_every_language() -> None:
    assert untranslated(tree("{{ clinic }}"), {"en", "es", "fr"}) == []


def test_a_layout_needs_a_branch_for_each_region_but_english_may_be_the_rest() -> None:
    layout = tree('{% if language == "es" %}a{% else %}b{% endif %}')
    missing = [finding.message for finding in untranslated(layout, {"en", "en-GB", "es", "es-MX"})]
    assert missing == ['has no words for es-MX; add {% elif language == "es-MX" %}']


def test_a_text_never_names_the_patient_and_only_routines_have_activities() -> None:
    assert not {"first_name", "unsubscribe_url", "activity", "count"} & set(names_allowed(Piece.SMS, routine=False))
    assert {"activity", "count"} <= set(names_allowed(Piece.SMS, routine=True))
    assert {"first_name", "unsubscribe_url"} <= set(names_allowed(Piece.TEXT, routine=False))


def test_names_are_found_in_conditions_as_well() -> None:
    assert names_used(tree("{% if count == 1 %}{{ clinic }}{% endif %}")) == {"count", "clinic"}
