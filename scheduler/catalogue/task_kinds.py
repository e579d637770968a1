"""Loads `config/tasks.yaml`: the kinds of worklist items."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from scheduler.catalogue.yaml_fields import NAME, NAME_RULE, Fields, as_table
from scheduler.catalogue.yaml_nodes import Entry, FaultLog, read_yaml, shown_path
from scheduler.domain.faults import Fault
from scheduler.domain.tasks import ServiceTask, TaskKind, TaskPriority, TaskRole

_KEYS = ("title", "for", "priority", "due")
_MOST_DAYS = 60


@dataclass(frozen=True, slots=True)
class LoadedTaskKinds:
    """The kinds of tasks by name. With any fault the service must not start."""

    kinds: dict[str, TaskKind]
    faults: list[Fault]


def load_task_kinds(config_dir: Path) -> LoadedTaskKinds:
    """Read `config_dir`/tasks.yaml. Never raises for what is written in it; a missing file is a fault."""
    file = config_dir / "tasks.yaml"
    log = FaultLog(shown_path(file, config_dir))
    table = read_yaml(file, log)
    kinds: dict[str, TaskKind] = {}
    if table is None:
        return LoadedTaskKinds(kinds, log.faults)
    top = Fields(table, log, where="", allowed=[entry.key for entry in table])
    for entry in table:
        kind = _read_kind(entry, top, log)
        if kind is not None:
            kinds[kind.name] = kind
    for needed in ServiceTask:
        if table.entry(needed) is None:
            log.add(0, f"task kind '{needed}' is missing; the service opens such tasks itself, so add it")
    return LoadedTaskKinds(kinds, sorted(log.faults))


def _read_kind(entry: Entry, top: Fields, log: FaultLog) -> TaskKind | None:
    if not NAME.fullmatch(entry.key):
        top.fault(entry.line, f"task kind '{entry.key}' has no proper name; {NAME_RULE}")
        return None
    table = as_table(entry, top)
    if table is None:
        return None
    fields = Fields(table, log, where=f"task kind '{entry.key}'", allowed=_KEYS)
    fields.require(*_KEYS)
    title = fields.text("title")
    role = fields.choice("for", TaskRole)
    priority = fields.choice("priority", TaskPriority)
    due = fields.integer("due", low=0, high=_MOST_DAYS)
    # A faulty kind is still a known name: whoever uses it did nothing wrong.
    return TaskKind(
        name=entry.key,
        title=title or entry.key,
        role=role or TaskRole.COORDINATOR,
        priority=priority or TaskPriority.NORMAL,
        due_working_days=due or 0,
    )
