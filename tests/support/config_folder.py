"""A config folder of a test's own: the shipped task kinds and reply words, and whatever pathways the test writes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent

from scheduler.catalogue.pathway_files import LoadedPathways, load_pathways

SHIPPED = Path(__file__).parents[2] / "config"
HEAD_LINES = 7  # lines that `pathway_text` puts before the steps


@dataclass(frozen=True, slots=True)
class ConfigFolder:
    """`root`/config. Faults name files from `root`: `config/pathways/falls.yaml`."""

    root: Path

    @property
    def path(self) -> Path:
        return self.root / "config"

    def write(self, relative: str, text: str) -> Path:
        file = self.path / relative
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def load(self, *, templates_dir: Path | None = None) -> LoadedPathways:
        return load_pathways(self.path, templates_dir=templates_dir)

    def faults(self) -> list[str]:
        return [str(fault) for fault in self.load().faults]


def config_folder(root: Path) -> ConfigFolder:
    """A new folder below `root`, with the shipped tasks.yaml and replies and no pathway yet."""
    folder = ConfigFolder(root)
    folder.path.mkdir()
    shutil.copy(SHIPPED / "tasks.yaml", folder.path)
    shutil.copytree(SHIPPED / "replies", folder.path / "replies")
    return folder


def pathway_text(steps: str, *, more: str = "", name: str = "falls", priority: str = "50") -> str:
    """A pathway that begins at step `ask`; `steps` begins in line 8. `more` follows: facts and moved."""
    head = f"""\
    pathway: {name}
    title: Falls check
    priority: {priority}
    late: slide
    begin: {{go: ask, after: 1 day}}

    steps:
    """
    return dedent(head) + indent(dedent(steps), "  ") + dedent(more)


def faults_of(root: Path, steps: str, *, more: str = "") -> list[str]:
    """The faults of a pathway `falls` with these steps, each without its file: `9: step 'ask': ...`."""
    folder = config_folder(root)
    folder.write("pathways/falls.yaml", pathway_text(steps, more=more))
    return [fault.removeprefix("config/pathways/falls.yaml:") for fault in folder.faults()]
