"""Every kind of task has a way to close, and the page about the worklist says which."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
KINDS = frozenset(yaml.safe_load((ROOT / "config" / "tasks.yaml").read_text(encoding="utf-8")))
PATHWAYS = {
    path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "config" / "pathways").glob("*.yaml"))
}


def table() -> dict[str, str]:
    """What docs/worklist.md says of each kind: when it closes by itself."""
    page = (ROOT / "docs" / "worklist.md").read_text(encoding="utf-8")
    _, _, after = page.partition("| kind | closes by itself when |")
    found: dict[str, str] = {}
    for line in after.partition("\n\n")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for kind in re.findall(r"`(\w+)`", cells[0]):
            assert kind not in found, f"{kind} stands there twice"
            found[kind] = cells[1]
    return found


def named(word: str, text: str) -> set[str]:
    """The kinds that a pathway's file names after `task:` or `close:`."""
    found = re.findall(rf"\b{word}: (?:\[([^\]]*)\]|(\w+))", text)
    return set(chain.from_iterable(re.findall(r"\w+", " ".join(each)) for each in found))


def test_the_page_says_of_every_kind_how_it_closes() -> None:
    assert set(table()) == KINDS


@pytest.mark.parametrize("pathway", PATHWAYS)
def test_what_a_pathway_opens_it_closes_unless_the_page_leaves_that_to_people(pathway: str) -> None:
    for_people = {kind for kind, when in table().items() if when.startswith("never")}
    assert named("task", PATHWAYS[pathway]) - for_people <= named("close", PATHWAYS[pathway])
