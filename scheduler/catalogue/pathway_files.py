"""Loads `config/pathways/*.yaml`: every file read, every fault of every file collected."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from scheduler.catalogue.pathway_checks import check_graph
from scheduler.catalogue.pathway_draft import Draft
from scheduler.catalogue.pathway_steps import read_pathway
from scheduler.catalogue.task_kinds import load_task_kinds
from scheduler.catalogue.yaml_nodes import FaultLog, did_you_mean, parse_yaml, shown_path
from scheduler.domain.faults import Fault
from scheduler.domain.pathway import Pathway

_VERSION_LENGTH = 12


@dataclass(frozen=True, slots=True)
class LoadedPathways:
    """What the pathway files hold. With any fault the service must not start."""

    pathways: dict[str, Pathway]  # by name; only those without a fault of their own
    faults: list[Fault]  # in order of file and line
    disabled: frozenset[str] = frozenset()  # shipped with `enabled: no`: nobody is enrolled unless the clinic asks


def load_pathways(config_dir: Path, *, templates_dir: Path | None = None) -> LoadedPathways:
    """Read every pathway of `config_dir`/pathways and collect the faults of all of them.

    Task kinds are looked up in `config_dir`/tasks.yaml, whose own faults `load_task_kinds` reports. With
    `templates_dir`, every message a pathway names must have a folder `messages/<pathway>/<message>` there;
    what is inside is for the template check. Paths in faults begin at the folder that holds `config_dir`.
    Never raises for what is written in a file.
    """
    folder = config_dir / "pathways"
    files = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
    faults = _folder_faults(folder, config_dir, found=bool(files))
    task_kinds = load_task_kinds(config_dir).kinds
    drafts: list[Draft] = []
    for file in files:
        log = FaultLog(shown_path(file, config_dir))
        draft = _read(file, log)
        if draft is not None:
            _check_file(draft, file, task_kinds=list(task_kinds), templates_dir=templates_dir)
            drafts.append(draft)
        else:
            faults.extend(log.faults)
    _check_together(drafts)
    faults.extend(fault for draft in drafts for fault in draft.log.faults)
    sound = [draft for draft in drafts if not draft.log.faults]
    return LoadedPathways(
        pathways={draft.pathway.name: draft.pathway for draft in sound},
        faults=sorted(faults),
        disabled=frozenset(draft.pathway.name for draft in sound if not draft.is_enabled),
    )


def _folder_faults(folder: Path, config_dir: Path, *, found: bool) -> list[Fault]:
    shown = shown_path(folder, config_dir)
    faults = [
        Fault(shown_path(file, config_dir), 0, f"is not read; rename it to {file.stem}.yaml")
        for file in sorted(folder.glob("*.yml"))
    ]
    if not found:
        faults.append(Fault(shown, 0, "holds no pathway files; put at least one .yaml file there"))
    return faults


def _read(file: Path, log: FaultLog) -> Draft | None:
    try:
        data = file.read_bytes()
    except OSError as error:
        log.add(0, f"cannot be read ({error.strerror or error}); check who may read it")
        return None
    table = parse_yaml(data, log)
    if table is None:
        return None
    return read_pathway(table, log, version=hashlib.sha256(data).hexdigest()[:_VERSION_LENGTH])


def _check_file(draft: Draft, file: Path, *, task_kinds: Sequence[str], templates_dir: Path | None) -> None:
    name = draft.pathway.name
    if name and name != file.stem:
        draft.log.add(draft.name_line, f"pathway: '{name}' differs from the file's name; rename one of them")
    check_graph(draft)
    if task_kinds:
        _check_task_kinds(draft, task_kinds)
    if templates_dir is not None and name:
        _check_messages(draft, templates_dir)


def _check_task_kinds(draft: Draft, known: Sequence[str]) -> None:
    for use in draft.notes.tasks:
        if use.name not in known:
            hint = did_you_mean(use.name, list(known)) or "; add it there"
            draft.log.add(use.line, f"{use.where}: task kind '{use.name}' is not in tasks.yaml{hint}")


def _check_messages(draft: Draft, templates_dir: Path) -> None:
    folder = templates_dir / "messages" / draft.pathway.name
    present = _folder_names(folder)
    for use in draft.notes.messages:
        if use.name not in present:
            place = f"{templates_dir.name}/messages/{draft.pathway.name}/{use.name}"
            hint = did_you_mean(use.name, sorted(present)) or f"; add the folder {place}"
            draft.log.add(use.line, f"{use.where}: message '{use.name}' has no template{hint}")


def _folder_names(folder: Path) -> Collection[str]:
    return {child.name for child in folder.iterdir() if child.is_dir()} if folder.is_dir() else set()


def _check_together(drafts: Sequence[Draft]) -> None:
    """Names and priorities are each pathway's own, also of those that are off."""
    names: dict[str, Draft] = {}
    priorities: dict[int, Draft] = {}
    for draft in drafts:
        pathway = draft.pathway
        if pathway.name:
            first = names.setdefault(pathway.name, draft)
            if first is not draft:
                draft.log.add(
                    draft.name_line, f"pathway: '{pathway.name}' is already in {first.log.path}; rename one"
                )
        if pathway.priority:
            first = priorities.setdefault(pathway.priority, draft)
            if first is not draft:
                remedy = "give one another number: it decides which goes first on a day"
                message = f"priority: {pathway.priority} is already that of {first.log.path}; {remedy}"
                draft.log.add(draft.priority_line, message)
