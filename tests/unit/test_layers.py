"""The part of the architecture that import-linter cannot say: the rules need nothing but Python itself."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOMAIN = sorted((ROOT / "scheduler" / "domain").rglob("*.py"))


def imported_names(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def is_allowed(name: str) -> bool:
    top = name.partition(".")[0]
    return top in sys.stdlib_module_names or name == "scheduler.domain" or name.startswith("scheduler.domain.")


@pytest.mark.parametrize("path", DOMAIN, ids=lambda path: path.name)
def test_the_domain_imports_only_itself_and_the_standard_library(path: Path) -> None:
    strangers = [name for name in imported_names(path.read_text()) if not is_allowed(name)]
    assert strangers == []


def test_the_check_sees_an_import_inside_a_function() -> None:
    names = list(imported_names("def f():\n    import sqlalchemy.orm\n    from scheduler import ports\n"))
    assert [name for name in names if not is_allowed(name)] == ["sqlalchemy.orm", "scheduler"]
